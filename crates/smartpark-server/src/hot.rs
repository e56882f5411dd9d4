//! The two answers that signs, apps and barriers ask for more often than for all else together,
//! without the router: finding a route, its layers and its handler costs as much as the rest of
//! such an answer (docs/performance.md). Gate and handlers are those of the router's routes, so
//! that there is one of each.

use axum::{
    body::Body,
    extract::State,
    http::{Method, Request},
    response::{IntoResponse, Response},
};

use super::{App, floors};

/// One of these operations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hot {
    ListFloors,
    Recommend,
}

impl Hot {
    /// The operation that a request asks for, if it is one of these.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        if *request.method() != Method::GET {
            return None;
        }
        match request.uri().path() {
            "/floors" => Some(Self::ListFloors),
            "/floors/recommended" => Some(Self::Recommend),
            _ => None,
        }
    }

    /// The answer. No byte of the request's body is read, as none is by the routes.
    pub(super) async fn answer<B>(self, app: &App, request: Request<B>) -> Response {
        let (head, _body) = request.into_parts();
        if let Err(problem) = app.gate.admit(&head).await {
            return problem.into_response();
        }
        let request = Request::from_parts(head, Body::empty());
        let answer = match self {
            Self::ListFloors => floors::list_floors(State(app.clone()), request).await,
            Self::Recommend => floors::recommend(State(app.clone()), request).await,
        };
        answer.into_response()
    }
}
