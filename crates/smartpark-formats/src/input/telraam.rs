//! Telraam: refused. Its numbers are estimates for an hour, scaled by how long the sensor ran.

use super::{
    json::Json,
    refusal::{NotCounted, Reason},
};

/// The sentence with which Telraam is refused.
pub(crate) const SENTENCE: &str = "not a whole number: Telraam scales counts by uptime";

/// Whether a message is an answer of Telraam's interface.
pub(crate) fn is_report(json: Json<'_>) -> bool {
    let first = json.pointer("/report/0").and_then(Json::object);
    first.is_some_and(|report| {
        ["uptime", "segment_id", "interval"].iter().all(|name| report.get(name).is_some())
    })
}

/// Refuses a message of Telraam.
pub(crate) fn refusal() -> NotCounted {
    NotCounted::new(Reason::NotANumber, SENTENCE)
}
