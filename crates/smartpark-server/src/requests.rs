//! Every request as an operator sees it: it has a name, it is counted by route and status, and it
//! leaves a line in the log.
//!
//! A route is the template of an operation in the description; all else (the page and its files,
//! the documentation, what does not exist) is one route, so that no client makes up another.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use utoipa::openapi::OpenApi;

use crate::request_id::RequestId;
use smartpark_ledger::metrics::{Counted, DURATIONS, Histogram};

/// The header with the name of a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What is no operation.
const OTHER: &str = "other";
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
/// The statuses that are answered; another one is told as `other`.
const STATUSES: [u16; 21] = [
    200, 201, 204, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500,
    503, // What nginx calls a request whose client left before the answer.
    499,
];

/// The requests of a server since it began.
#[derive(Debug)]
pub(super) struct Requests {
    routes: matchit::Router<usize>,
    templates: Vec<String>,
    /// For each route one of each method, and one of all other methods.
    endpoints: Vec<Endpoint>,
    in_flight: AtomicUsize,
}

#[derive(Debug)]
struct Endpoint {
    statuses: [AtomicU64; STATUSES.len() + 1],
    durations: Histogram,
}

/// What was counted of one method of one route.
pub(super) struct EndpointCount<'r> {
    pub(super) method: &'r str,
    pub(super) route: &'r str,
    /// The answers by status.
    pub(super) statuses: Vec<(String, u64)>,
    pub(super) durations: Counted,
}

impl Requests {
    /// None yet, of the operations that are described.
    pub(super) fn new(description: &OpenApi) -> Self {
        let (mut routes, mut templates) = (matchit::Router::new(), Vec::new());
        for template in description.paths.paths.keys() {
            // Axum has taken all of them, with the same matcher.
            if routes.insert(template.as_str(), templates.len()).is_ok() {
                templates.push(template.clone());
            }
        }
        templates.push(OTHER.to_owned());
        let endpoints = (0..templates.len() * (METHODS.len() + 1)).map(|_| Endpoint {
            statuses: [const { AtomicU64::new(0) }; STATUSES.len() + 1],
            durations: Histogram::new(DURATIONS),
        });
        Self { endpoints: endpoints.collect(), routes, templates, in_flight: AtomicUsize::new(0) }
    }

    /// A request begins. Until it is answered the result is to be kept.
    pub(super) fn begin(&self, method: &Method, path: &str) -> Begun<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let route = self.routes.at(path).map_or(self.templates.len() - 1, |found| *found.value);
        let method = METHODS.iter().position(|known| known == method).unwrap_or(METHODS.len());
        // Only who asks for details pays for them.
        let path = tracing::enabled!(tracing::Level::DEBUG).then(|| path.to_owned());
        Begun { requests: self, route, method, path, at: Instant::now(), is_answered: false }
    }

    /// How many are being answered now.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What was counted, of the methods and routes that were asked.
    pub(super) fn counted(&self) -> impl Iterator<Item = EndpointCount<'_>> {
        self.endpoints.iter().enumerate().filter_map(|(place, endpoint)| {
            let (route, method) = (place / (METHODS.len() + 1), place % (METHODS.len() + 1));
            let names = STATUSES.iter().map(u16::to_string).chain([OTHER.to_owned()]);
            let counts = endpoint.statuses.iter().map(|count| count.load(Ordering::Relaxed));
            let statuses: Vec<_> = names.zip(counts).filter(|(_, count)| *count > 0).collect();
            (!statuses.is_empty()).then(|| EndpointCount {
                method: name(method),
                route: &self.templates[route],
                statuses,
                durations: endpoint.durations.counted(),
            })
        })
    }
}

/// The name of the method at this place.
fn name(method: usize) -> &'static str {
    METHODS.get(method).map_or(OTHER, Method::as_str)
}

/// A request that has begun. Where it is dropped without an answer its client has left.
pub(super) struct Begun<'r> {
    requests: &'r Requests,
    route: usize,
    method: usize,
    path: Option<String>,
    at: Instant,
    is_answered: bool,
}

impl Begun<'_> {
    /// The answer is there (its body may yet be on its way): it is counted and logged.
    pub(super) fn answered(mut self, status: StatusCode) {
        self.is_answered = true;
        self.count(status.as_u16());
        let took = self.at.elapsed();
        self.endpoint().durations.add_time(took);
        let (method, route) = (name(self.method), self.requests.templates[self.route].as_str());
        let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1e3);
        let path = self.path.as_deref().unwrap_or(route);
        if status >= 500 {
            tracing::info!(method, path, status, ms, "answered");
        } else {
            tracing::debug!(method, path, status, ms, "answered");
        }
    }

    fn endpoint(&self) -> &Endpoint {
        &self.requests.endpoints[self.route * (METHODS.len() + 1) + self.method]
    }

    fn count(&self, status: u16) {
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        self.endpoint().statuses[place].fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.count(499);
        }
        self.requests.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The name of a request: the one that it came with, the trace that it belongs to, or a new one.
pub(super) fn identify(headers: &HeaderMap) -> RequestId {
    let sent = headers.get(REQUEST_ID).and_then(|value| RequestId::parse(value.as_bytes()));
    sent.or_else(|| headers.get("traceparent").and_then(|value| trace(value.as_bytes())))
        .unwrap_or_else(RequestId::draw)
}

/// The trace in a `traceparent` (W3C): version, 32 digits, 16 digits of the span, flags.
fn trace(value: &[u8]) -> Option<RequestId> {
    let mut parts = value.split(|byte| *byte == b'-');
    let (_version, trace, span, _flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_id = |part: &[u8], length| {
        let digits = part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        part.len() == length && digits && part.iter().any(|byte| *byte != b'0')
    };
    (is_id(trace, 32) && is_id(span, 16)).then(|| RequestId::parse(trace)).flatten()
}

/// The name, for the answer's header.
pub(super) fn header(id: &RequestId) -> HeaderValue {
    HeaderValue::from_str(id.as_str()).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_called_as_it_says_or_by_its_trace() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traced = format!("00-{trace}-00f067aa0ba902b7-01");
        let table = [
            (Some("abc"), None, Some("abc")),
            (Some("abc"), Some(traced.as_str()), Some("abc")),
            (None, Some(traced.as_str()), Some(trace)),
            (Some("not \"one\""), Some(traced.as_str()), Some(trace)),
            (None, Some("00-4bf9-00f067aa0ba902b7-01"), None),
            (None, Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None),
            (Some(""), Some("x"), None),
        ];
        for (sent, traceparent, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in [("x-request-id", sent), ("traceparent", traceparent)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_str(value).unwrap());
                }
            }
            let id = identify(&headers);
            match expected {
                Some(expected) => assert_eq!(id.as_str(), expected),
                None => assert_eq!(id.as_str().len(), 16),
            }
        }
    }
}
