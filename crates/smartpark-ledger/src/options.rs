//! What can be set about counting.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::{Clock, limits};

/// A floor by its id or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloorName {
    /// By its id.
    Id(i64),
    /// By its name.
    Name(String),
}

/// Where a camera is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraLine {
    /// The camera.
    pub camera_id: String,
    /// The floor that an entry through its line enters.
    pub floor: FloorName,
    /// The floor that such an entry leaves; `None`: the vehicle comes from outside.
    pub from: Option<FloorName>,
    /// Another camera that watches the same line.
    pub twin_of: Option<String>,
}

/// What can be set about counting. The defaults are those of the contract.
#[derive(Clone, Debug)]
pub struct Options {
    /// How far ahead of the clock an event's timestamp may lie (5 minutes).
    pub max_clock_skew: Duration,
    /// Within what time a second event without a timestamp, of the same camera, track and
    /// direction, is a repeat of the first (5 seconds).
    pub dedup_window: Duration,
    /// How far a replica may be behind to be read from (10 seconds).
    pub max_replica_lag: Duration,
    /// How many days of events are kept, if a server deletes older ones by itself. Attention tells
    /// when more stay than that.
    pub retention_days: Option<u32>,
    /// The time zone of the site (UTC): nights, weekdays and hours of estimates are local.
    pub time_zone: TimeZone,
    /// Where cameras are, as far as a person says it: for the judgement of cameras.
    pub camera_lines: Vec<CameraLine>,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_clock_skew: limits::DEFAULT_MAX_CLOCK_SKEW,
            dedup_window: limits::DEFAULT_DEDUP_WINDOW,
            max_replica_lag: limits::DEFAULT_MAX_REPLICA_LAG,
            retention_days: None,
            time_zone: TimeZone::UTC,
            camera_lines: Vec::new(),
            clock: Clock::system(),
        }
    }
}
