//! Signing in on the page: a key for a cookie. Browsers send no header of ours with a live stream
//! or a link, and what is in a cookie no script can read.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    auth::{self, Caller, Client},
    body,
    described::problems,
    examples, floor_bodies as bodies,
    kind::Kind,
    origin::from_elsewhere,
    problem::Problem,
    query::Query,
    schemas,
    views::answer,
};
use smartpark_ledger::Role;

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    /// Whether a key is needed.
    auth: Auth,
    /// What may be done; null where nobody is signed in.
    role: Option<Role>,
    /// The name of the key that it was begun with.
    name: Option<String>,
}

/// Whether a key is needed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Auth {
    /// Everybody may do all.
    None,
    /// A key is needed.
    Key,
}

impl From<Option<&Caller>> for SessionView {
    fn from(caller: Option<&Caller>) -> Self {
        let is_free = caller.is_some_and(|caller| caller.key().is_none());
        Self {
            auth: if is_free { Auth::None } else { Auth::Key },
            role: caller.map(Caller::role),
            name: caller.and_then(Caller::name).map(str::to_owned),
        }
    }
}

problems!(ReadProblems: InvalidFields, TooOften, Internal, Overloaded, Unavailable);

/// Who is signed in?
///
/// Also answered to those who are not: then `role` is null. `auth` is `none` where the server
/// asks nobody for a key.
#[utoipa::path(
    get, path = "/session", tag = "session", operation_id = "getSession",
    responses(
        (status = 200, description = "Whoever it is", body = SessionView,
            example = json!(examples::session())),
        ReadProblems,
    ),
)]
pub(super) async fn get_session(State(app): State<App>, head: Parts) -> Result<Response, Problem> {
    Query::none(&head.uri)?;
    let client = app.gate.client(&head);
    app.gate.check_address(&client)?;
    let caller = app.gate.identify(&client, &head).await?;
    let mut response = answer(StatusCode::OK, &SessionView::from(caller.as_ref()));
    if let Some(session) = caller.as_ref().and_then(Caller::session)
        && let Some(renewed) = app.gate.renew_session(session).await
    {
        set_cookie(&mut response, auth::keep(&renewed, &app.outside.base, client.is_encrypted));
    }
    Ok(response)
}

problems!(BeginProblems: NotJson, CutShort, Unauthorized, CrossSite, TooSlow, TooLarge,
    UnsupportedType, InvalidFields, TooOften, Internal, Overloaded, Unavailable);

/// Sign in
///
/// Takes a key and answers with a cookie that stands for it for 30 days, or until the key is
/// revoked or rotated. With the cookie, what changes something is only taken from pages of this
/// server.
#[utoipa::path(
    post, path = "/session", tag = "session", operation_id = "signIn",
    request_body(content = schemas::NewSession, example = json!(examples::new_session())),
    responses(
        (status = 200, description = "Signed in", body = SessionView,
            headers(("Set-Cookie" = String, description = "The session")),
            example = json!(examples::session())),
        BeginProblems,
    ),
)]
pub(super) async fn begin_session(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    Query::none(&head.uri)?;
    let client = app.gate.client(&head);
    app.gate.check_address(&client)?;
    refuse_elsewhere(&head, &client)?;
    let nobody = app.gate.identify_free(&client, &head).await?;
    let whole = body::read_small(Request::from_parts(head, body), &app).await?;
    let secret = bodies::new_session(&whole.bytes)?;
    if let Some(free) = nobody {
        return Ok(answer(StatusCode::OK, &SessionView::from(Some(&free))));
    }
    let caller = app.gate.recognise(&secret).await?;
    let caller = caller.ok_or_else(|| app.gate.refuse(&client))?;
    let mut response = answer(StatusCode::OK, &SessionView::from(Some(&caller)));
    if let Some(key) = caller.key() {
        let session = app.gate.begin_session(key).await?;
        set_cookie(&mut response, auth::keep(&session, &app.outside.base, client.is_encrypted));
    }
    Ok(response)
}

problems!(EndProblems: CrossSite, InvalidFields, Internal, Overloaded, Unavailable);

/// Sign out
///
/// Ends the session on every server within five seconds, also for others who have its cookie.
#[utoipa::path(
    delete, path = "/session", tag = "session", operation_id = "signOut",
    responses((status = 204, description = "The cookie is gone"), EndProblems),
)]
pub(super) async fn end_session(State(app): State<App>, head: Parts) -> Result<Response, Problem> {
    Query::none(&head.uri)?;
    let client = app.gate.client(&head);
    refuse_elsewhere(&head, &client)?;
    // The browser forgets it, also if the database cannot be told.
    let ended = app.gate.end_session(&head).await;
    let mut response =
        ended.map_or_else(Problem::into_response, |()| StatusCode::NO_CONTENT.into_response());
    set_cookie(&mut response, auth::forget(&app.outside.base, client.is_encrypted));
    Ok(response)
}

fn refuse_elsewhere(head: &Parts, client: &Client) -> Result<(), Problem> {
    if from_elsewhere(head, client) { Err(Problem::new(Kind::CrossSite)) } else { Ok(()) }
}

fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
