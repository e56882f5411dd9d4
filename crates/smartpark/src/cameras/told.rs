//! What is told of a camera's state. The one place that decides where that goes: to the log.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use smartpark_vision::{Blindness, Numbers, State, StateChange};

use super::seconds;

/// Tells a change of state: what a camera can see, and the span that somebody should recount.
pub(super) fn state(camera: &str, line: Option<&str>, change: &StateChange, at: Timestamp) {
    match change.state {
        State::Blind => {
            let reason = change.reason.map_or("", words);
            tracing::warn!(camera, line, "blind: {reason}; nothing is counted");
        }
        State::Lost => tracing::warn!(camera, line, "lost: no pictures; nothing is counted"),
        State::Learning => tracing::info!(camera, line, "learning the background"),
        State::Starting => {}
        State::Counting => match change.not_counted {
            None => tracing::info!(camera, line, "counting"),
            Some((from, to)) => {
                let begun = at.checked_sub(seconds(to - from)).unwrap_or(at);
                let length = SignedDuration::from_secs((to - from).round() as i64);
                tracing::warn!(
                    camera,
                    line,
                    "counting again; nothing was counted for {length:#} from {begun:.0} on: \
                     recount the floor"
                );
            }
        },
    }
}

/// What makes a camera blind, in words.
fn words(reason: Blindness) -> &'static str {
    match reason {
        Blindness::Dark => "the picture is nearly black",
        Blindness::Bright => "the picture is nearly white",
        Blindness::Flat => "the picture shows no contrast",
        Blindness::Frozen => "the same picture comes again and again",
        Blindness::Covered => "something has covered the line for two minutes",
        Blindness::Light => "the light has changed too much",
    }
}

/// Tells why a source cannot be read; a reason that repeats is told only once.
pub(super) fn trouble(camera: &str, last: &mut String, reason: &str, wait: Duration) {
    let wait = wait.as_secs_f64();
    if last == reason {
        tracing::debug!(camera, "{reason}; the next try is in {wait:.1} s");
    } else {
        tracing::warn!(camera, "{reason}; it is tried again until it can be read");
        reason.clone_into(last);
    }
}

/// Tells how a source is.
pub(super) fn numbers(camera: &str, numbers: Numbers) {
    let Numbers { received, counted, opened, seconds } = numbers;
    let rate = counted as f64 / seconds.max(1.0);
    tracing::debug!(camera, received, counted, opened, "looks at {rate:.1} frames a second");
}
