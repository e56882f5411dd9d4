//! Readings of a counter become vehicles, each once, in whatever order the readings come.
//!
//! What was counted is the sum of all steps between readings in the order (epoch, time, value).
//! A reading that comes late splits a step; the difference is added then. The readings that this
//! needs are the state of the counter: at most [`MAX_STATE_BYTES`] bytes that the caller keeps
//! and writes together with the events. When they are full, the oldest readings go, and readings
//! from before are refused.

mod bytes;
mod intervals;
mod readings;
mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

pub use step::{Point, step};

use crate::{
    config::Camera,
    input::{CounterName, Crossing, DEFAULT_CONFIDENCE, Finding, IntervalReading, Reading},
    limits::MAX_STATE_BYTES,
};

/// What a reading does.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Events and what is not counted.
    pub findings: Vec<Finding>,
    /// The counter's new state; `None` leaves the old one.
    pub state: Option<Vec<u8>>,
}

/// The vehicles that a running number tells of, given the state that was kept under
/// [`CounterName::key`].
#[must_use]
pub fn count_reading(camera: &Camera, reading: &Reading, state: Option<&[u8]>) -> Counted {
    readings::count(camera, reading, state)
}

/// The vehicles of one interval, given the state that was kept under [`CounterName::key`].
#[must_use]
pub fn count_interval(
    camera: &Camera,
    interval: &IntervalReading,
    state: Option<&[u8]>,
) -> Counted {
    intervals::count(camera, interval, state)
}

/// Units `first` to `last` of the reading at `time`, as events.
fn units(
    camera: &Camera,
    counter: &CounterName,
    time: Timestamp,
    (first, last): (u64, u64),
    findings: &mut Vec<Finding>,
) {
    let dated = dated(time, camera.input.rules().period);
    for number in first..=last {
        let track = format!("{}@{}#{number}", counter.name, time.as_microsecond());
        findings.push(Finding::Crossing(Crossing {
            camera_id: camera.id.clone(),
            floor: camera.floor.clone(),
            from: camera.from.clone(),
            track_id: crate::input::shortened(&track),
            vehicle_type: counter.vehicle_type,
            direction: counter.direction,
            confidence: DEFAULT_CONFIDENCE,
            timestamp: dated,
            is_paired: false,
            element: None,
        }));
    }
}

/// The end of the period in which `time` lies; `time` itself without a period.
fn dated(time: Timestamp, period: Option<Duration>) -> Timestamp {
    let Some(length) = period.and_then(|p| i64::try_from(p.as_micros()).ok()).filter(|l| *l > 0)
    else {
        return time;
    };
    let micros = time.as_microsecond();
    let rest = micros.rem_euclid(length);
    let end = if rest == 0 { micros } else { micros.saturating_add(length - rest) };
    Timestamp::from_microsecond(end).unwrap_or(time)
}

/// Whether `value` vehicles can have passed in so many microseconds, of which at least a minute
/// counts.
fn is_plausible(value: u64, micros: i64, max_per_minute: Option<u64>) -> bool {
    const MINUTE: i128 = 60_000_000;
    let Some(most) = max_per_minute else { return true };
    i128::from(value) * MINUTE <= i128::from(most) * i128::from(micros).max(MINUTE)
}
