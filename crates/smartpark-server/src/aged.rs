//! Answers that may come from a replica say how old they are.

use axum::{
    http::{HeaderName, HeaderValue},
    response::Response,
};

use smartpark_ledger::Reading;

const REPLICA_AGE: HeaderName = HeaderName::from_static("smartpark-replica-age");

/// An answer that was read with `reading`. The age is in seconds and never told too small.
pub(super) fn aged(mut response: Response, reading: &Reading) -> Response {
    if let Some(age) = reading.age() {
        let seconds = format!("{:.3}", age.as_secs_f64() + 0.0005);
        if let Ok(seconds) = HeaderValue::try_from(seconds) {
            response.headers_mut().insert(REPLICA_AGE, seconds);
        }
    }
    response
}
