//! How requests reach the server.

mod http;

pub use http::{Http, ServerConfig};

use crate::sender::Answer;

/// A request to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path with its query.
    pub path: String,
    /// The events to be posted, one a line. Without them the request reads.
    pub body: Option<String>,
    /// Whether the events waited, so that their delay says nothing about the camera's clock.
    pub is_backlog: bool,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None, is_backlog: false }
    }

    pub(crate) fn post(body: String, is_backlog: bool) -> Self {
        Self { path: "/events".into(), body: Some(body), is_backlog }
    }
}

/// Carries requests to a server, one at a time. It must come back within a bounded time.
pub trait Transport: Send {
    /// Sends a request and waits for the answer.
    fn send(&mut self, request: &Request) -> Answer;
}
