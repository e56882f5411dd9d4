//! Messages that devices post: cameras and counters in their own formats.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::Response,
};
use serde::Serialize;
use smartpark_exchange::Received;
use smartpark_formats::{
    config::{Camera, Floor},
    input::Message,
    limits::MAX_MESSAGE_BYTES,
};
use utoipa::ToSchema;

use super::{
    App,
    auth::Caller,
    body,
    described::problems,
    examples,
    id::Name,
    kind::Kind,
    problem::{Place, Problem},
    query::Query,
    views::answer,
};

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageReceived)]
pub(super) struct ReceivedView {
    /// Events that were recorded now.
    recorded: usize,
    /// Events that had been recorded before.
    duplicates: usize,
    /// Those of the recorded events that found their floor at its limit.
    at_limit: usize,
    /// What was not counted, and why.
    not_counted: Vec<NotCountedView>,
}

/// Something in a message that was not counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageNotCounted)]
struct NotCountedView {
    /// The kind of the reason, in one word.
    reason: &'static str,
    /// The reason for a person, with the device's word that was not known.
    detail: String,
}

impl From<Received> for ReceivedView {
    fn from(received: Received) -> Self {
        let view = |(reason, detail)| NotCountedView { reason, detail };
        Self {
            recorded: received.recorded,
            duplicates: received.duplicates,
            at_limit: received.at_limit,
            not_counted: received.not_counted.into_iter().map(view).collect(),
        }
    }
}

problems!(InputProblems: NotFound, CutShort, TooSlow, TooLarge, UnsupportedType, InvalidFields,
    Internal, Overloaded, Unavailable);

/// Receive a message of a device
///
/// For cameras and counters that send messages in formats of their own; `[[camera]]` in the
/// configuration says what each device is (docs/inputs.md). The answer comes when the events of the
/// message are safely on disk. A message that cannot be counted is answered with 200, too, since
/// sending it again would change nothing; the answer, the attention list and the metrics tell why.
/// Sending a message again is always safe.
///
/// Devices that know only a user and a password send the key as the password of HTTP Basic, with
/// any user name.
#[utoipa::path(
    post, path = "/inputs/{id}", tag = "devices", operation_id = "receiveMessage",
    params(("id" = String, Path, description = "The camera's id in the configuration")),
    request_body(description = "The message as the device sends it, at most 1 MiB", content(
        (String = "application/json", example = json!(examples::message())),
        (String = "application/xml"), (String = "text/plain"),
        (String = "multipart/form-data"), (String = "application/octet-stream"),
    )),
    responses(
        (status = 200, description = "The message was taken", body = ReceivedView,
            example = json!(examples::message_received())),
        InputProblems,
    ),
)]
pub(super) async fn receive_message(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let inputs = &app.inputs;
    let missing = || Problem::new(Kind::NotFound).detail("the camera does not exist");
    let camera = inputs.connections().camera(&id).ok_or_else(missing)?;
    check_bound(&app, &caller, camera).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let whole = body::read_at_most(MAX_MESSAGE_BYTES, request, &app).await;
    let whole = whole.map_err(|problem| match problem.kind() {
        Kind::TooLarge => problem.detail("a message of a device may have at most 1 MiB"),
        _ => problem,
    })?;
    let message = Message {
        topic: None,
        retained: false,
        content_type: content_type.as_deref(),
        file_name: None,
        body: &whole.bytes,
        arrived: app.park.now(),
    };
    let received = inputs.receive(camera, &message).await?;
    Ok(answer(StatusCode::OK, &ReceivedView::from(received)))
}

/// Refuses a key that may not speak for the camera or for one of its floors.
async fn check_bound(app: &App, caller: &Caller, camera: &Camera) -> Result<(), Problem> {
    let Some(known) = caller.key() else { return Ok(()) };
    caller.check_camera(&camera.id)?;
    if known.key.floors.is_empty() {
        return Ok(());
    }
    let floors = app.park.floors().get_latest_floors().await?;
    let speaks = |floor: &Floor| match floor {
        Floor::Id(id) => known.key.speaks_for_floor(*id),
        Floor::Name(name) => {
            let found = floors.iter().find(|floor| floor.name == *name);
            found.is_none_or(|floor| known.key.speaks_for_floor(floor.id))
        }
    };
    if [Some(&camera.floor), camera.from.as_ref()].into_iter().flatten().all(speaks) {
        return Ok(());
    }
    Err(Problem::not_bound(&["floor_id"], Place::Body))
}
