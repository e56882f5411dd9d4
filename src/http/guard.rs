//! Around every handler: what nobody answers becomes a problem document, and so does a panic.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{kind::Kind, problem::Problem};

/// The answer where there is no route.
pub(super) async fn not_found() -> Problem {
    Problem::new(Kind::NotFound)
}

/// Runs the rest, guarded.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    guarded(async { next.run(request).await }).await
}

/// The answer that is made; a panic in making it is answered with 500 and ends nothing but the
/// request.
pub(super) async fn guarded(making: impl Future<Output = Response>) -> Response {
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
        let mut router: Router =
            Router::new().route("/", get(async || fails())).layer(middleware::from_fn(guard));
        for _ in 0..2 {
            let response = router.call(Request::new(Body::empty())).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let media_type = &response.headers()[header::CONTENT_TYPE];
            assert_eq!(media_type, "application/problem+json");
        }
    }
}
