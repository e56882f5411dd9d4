//! Around every handler: what nobody answers becomes a problem document, and so does a panic; every
//! answer tells browsers what they must not do with it, and what the request was called.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    HttpConfig, Peer, host,
    kind::Kind,
    openapi,
    origin::{self, Origin},
    path::{self, BasePath},
    places::Places,
    problem::Problem,
    requests::{self, REQUEST_ID, Requests},
    sites::SiteCache,
};
use smartpark_ledger::SmartPark;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
/// With TLS: for a year a browser asks this host in no other way. A proxy that encrypts has to say
/// so itself, for all that it serves.
const ENCRYPTED_FROM_NOW_ON: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// How many headers are set around every answer.
const HARDENING: usize = 7;

/// What is known around the handlers.
#[derive(Debug)]
pub(super) struct Outside {
    /// The path under which the server is published.
    pub(super) base: BasePath,
    /// The site that a path may name.
    pub(super) site: Arc<SiteCache>,
    park: Option<SmartPark>,
    /// The sites whose pages may read answers.
    origins: Vec<Origin>,
    pub(super) requests: Requests,
    /// The places for connections, where the server accepts them itself.
    pub(super) places: Option<Arc<Places>>,
}

impl Outside {
    /// For a server with this configuration.
    pub(super) fn new(
        config: &HttpConfig,
        places: Option<Arc<Places>>,
        park: Option<SmartPark>,
    ) -> Arc<Self> {
        let requests = Requests::new(&openapi());
        let (base, origins) = (config.base_path.clone(), config.cors_origins.clone());
        Arc::new(Self { base, site: Arc::default(), park, origins, requests, places })
    }

    /// Whether the site has this name. If the database cannot be read, no path names it.
    async fn is_site(&self, slug: &str) -> bool {
        let Some(park) = &self.park else { return false };
        self.site.read(park).await.is_ok_and(|site| site.slug == slug)
    }
}

/// The answer where there is no route.
pub(super) async fn not_found() -> Problem {
    Problem::new(Kind::NotFound)
}

/// Runs the rest, guarded.
pub(super) async fn guard(
    State(outside): State<Arc<Outside>>,
    request: Request,
    next: Next,
) -> Response {
    guarded(&outside, request, |request| next.run(request)).await
}

/// The answer that is made of a request: with what browsers are to be told, also of the sites
/// whose pages may read it. The request has a name and is counted.
pub(super) async fn guarded<B, F: Future<Output = Response>>(
    outside: &Outside,
    request: Request<B>,
    answer: impl FnOnce(Request<B>) -> F,
) -> Response {
    let id = requests::identify(request.headers());
    let method = request.method().clone();
    let mut known = path::known(&outside.base, request);
    if let Ok(request) = &mut known
        && let Some((slug, length)) = path::site(request.uri().path())
        && outside.is_site(slug).await
    {
        path::strip(request, length);
    }
    let path = known.as_ref().map_or("", |request| request.uri().path());
    let begun = outside.requests.begin(&method, path);
    let answering = async {
        let response = match known {
            Ok(request) => shared(&outside.origins, request, answer).await,
            Err(mut moved) => {
                harden(moved.headers_mut());
                *moved
            }
        };
        begun.answered(response.status());
        response
    };
    let mut response = id.within(answering).await;
    response.headers_mut().insert(REQUEST_ID, requests::header(&id));
    response
}

async fn shared<B, F: Future<Output = Response>>(
    origins: &[Origin],
    request: Request<B>,
    answer: impl FnOnce(Request<B>) -> F,
) -> Response {
    let origin = origin::asking(origins, request.headers());
    let is_encrypted = request.extensions().get::<Peer>().is_some_and(|peer| peer.is_encrypted);
    let early = match host::check(request.version(), request.uri(), request.headers()) {
        Err(problem) => Some(problem.into_response()),
        Ok(()) if origin.is_none() => None,
        Ok(()) => origin::preflight(request.method(), request.headers()),
    };
    let mut response = match early {
        Some(response) => response,
        None => answered(async { answer(request).await }).await,
    };
    harden(response.headers_mut());
    if is_encrypted {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ENCRYPTED_FROM_NOW_ON);
    }
    if !origins.is_empty() {
        origin::share(origin, response.headers_mut());
    }
    response
}

/// What browsers are told with every answer. A page has a policy of its own; an answer that is
/// written once and sent often brings all of it.
pub(super) fn harden(headers: &mut HeaderMap) {
    if headers.contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        return;
    }
    headers.reserve(HARDENING);
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    set(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
}

/// The answer that is made; a panic in making it is answered with 500 and ends nothing but the
/// request.
pub(super) async fn answered(making: impl Future<Output = Response>) -> Response {
    let response = caught(making).await;
    let response = response.unwrap_or_else(|| Problem::new(Kind::Internal).into_response());
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response.headers().get(header::ALLOW).cloned();
        return Problem::method_not_allowed(allow).into_response();
    }
    response
}

/// What the future within ends with, or `None` where it panics.
async fn caught<T>(within: impl Future<Output = T>) -> Option<T> {
    let mut within = pin!(within);
    poll_fn(|context| {
        // What the future holds is dropped right after; nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| within.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => {
                tracing::error!("a request handler panicked; the panic's message is above");
                Poll::Ready(None)
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use tower_service::Service;

    use super::*;

    fn fails() -> StatusCode {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_panic_becomes_a_problem() {
        let guarded = Outside::new(&HttpConfig::default(), None, None);
        let guarded = middleware::from_fn_with_state(guarded, guard);
        let mut router: Router = Router::new().route("/", get(async || fails())).layer(guarded);
        for _ in 0..2 {
            let request = Request::builder().header(header::HOST, "localhost");
            let response = router.call(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let media_type = &response.headers()[header::CONTENT_TYPE];
            assert_eq!(media_type, "application/problem+json");
        }
    }
}
