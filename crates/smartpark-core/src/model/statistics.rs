//! What is told of a time: statistics, counts as they were, what a cleanup did.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::zone::CalendarStep;

/// How many events of each type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names say it")]
pub struct VehicleTypeCounts {
    pub car: u64,
    pub motorcycle: u64,
    pub bus: u64,
    pub truck: u64,
}

/// The hour of UTC with the most events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakHour {
    /// Its beginning.
    pub start: Timestamp,
    /// The events of the window in it.
    pub events: u64,
}

/// What happened in a window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// All events.
    pub total_events: u64,
    /// Events in.
    pub entries: u64,
    /// Events out.
    pub exits: u64,
    /// Events by type, every type present.
    pub by_vehicle_type: VehicleTypeCounts,
    /// Events by the name of the floor, every floor in question present.
    pub by_floor: BTreeMap<String, u64>,
    /// Events by camera.
    pub by_camera: BTreeMap<String, u64>,
    /// Entries to a full and exits from an empty floor: evidence of drift.
    pub at_limit: u64,
    /// The same by the name of the floor, every floor in question present.
    pub at_limit_by_floor: BTreeMap<String, u64>,
    /// The same by camera, for cameras that have any.
    pub at_limit_by_camera: BTreeMap<String, u64>,
    /// The hour with the most events (the first of them), if any happened.
    pub peak_hour: Option<PeakHour>,
}

/// What a cleanup did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// How many events were deleted.
    pub deleted: u64,
    /// The retention horizon: events older than this are refused from now on.
    pub horizon: Option<Timestamp>,
}

/// A floor's count at some instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorCount {
    /// The floor, as it is now but for the two numbers below.
    pub floor_id: i64,
    /// Its name.
    pub name: String,
    /// The capacity at that instant.
    pub total_slots: i64,
    /// The vehicles that were there: what all facts before that instant lead to.
    pub current_vehicles: i64,
}

/// What happened in one step of an [`OccupancyHistory`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OccupancyStep {
    /// The first instant of the step.
    pub start: Timestamp,
    /// The least number of vehicles: of those at the step's beginning and all that follow in it.
    pub min: i64,
    /// The greatest number of vehicles.
    pub max: i64,
    /// The mean over time.
    pub mean: f64,
    /// The vehicles at the step's end.
    pub closing: i64,
    /// The slots at the step's end.
    pub total_slots: i64,
    /// Events in, those to a full floor too.
    pub entries: u64,
    /// Events out, those from an empty floor too.
    pub exits: u64,
}

/// Occupancy over time, as history is known now: late events have their place in it.
#[derive(Clone, Debug, PartialEq)]
pub struct OccupancyHistory {
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// The length of a step in seconds. The last one may be shorter.
    pub step: u32,
    /// The part of the calendar that a step is; then `step` is its usual length.
    pub unit: Option<CalendarStep>,
    /// The floor; none for the site, that is the floors together that are active now.
    pub floor_id: Option<i64>,
    /// The steps, from the start on, without a gap.
    pub steps: Vec<OccupancyStep>,
}

impl From<&crate::count::Step> for OccupancyStep {
    fn from(step: &crate::count::Step) -> Self {
        Self {
            // A step begins between two instants that are Timestamps.
            start: Timestamp::from_microsecond(step.start).unwrap_or(Timestamp::MAX),
            min: step.min,
            max: step.max,
            mean: step.mean,
            closing: step.closing,
            total_slots: step.slots,
            entries: step.entries,
            exits: step.exits,
        }
    }
}
