//! From sums of hours and of pieces of hours to [`Statistics`]; and how a window is cut into those.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    digest::Trace,
    sums::{AT_LIMIT, HOUR, HourSum, column, hour_of},
};
use crate::{Floor, PeakHour, Statistics, VehicleTypeCounts};

/// A window of time in microseconds, cut at the hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The whole hours: from the first to the end of the last, the same where there is none.
    pub(super) whole: (i64, i64),
    /// The pieces of an hour before and after them.
    pub(super) edges: [Option<(i64, i64)>; 2],
}

impl Window {
    /// The window from `from` up to, not including, `to`.
    pub(super) fn new(from: i64, to: i64) -> Self {
        let first = hour_of(from) + if from == hour_of(from) { 0 } else { HOUR };
        let last = hour_of(to);
        let piece = |from, to| (from < to).then_some((from, to));
        if first <= last {
            Self { whole: (first, last), edges: [piece(from, first), piece(last, to)] }
        } else {
            Self { whole: (first, first), edges: [piece(from, to), None] }
        }
    }
}

/// Sums that add up to statistics.
#[derive(Default)]
pub(super) struct Tally {
    total: HourSum,
    by_floor: BTreeMap<i64, (i64, i64)>,
    by_camera: BTreeMap<String, (i64, i64)>,
    by_hour: BTreeMap<i64, i64>,
}

impl Tally {
    /// Adds the sum of a camera in (a piece of) an hour.
    pub(super) fn add(&mut self, hour: i64, floor_id: i64, camera_id: &str, sum: &HourSum) {
        let events: i64 = sum[..AT_LIMIT].iter().sum();
        for (total, more) in self.total.iter_mut().zip(sum) {
            *total += more;
        }
        let count = |(all, at_limit): &mut (i64, i64)| {
            *all += events;
            *at_limit += sum[AT_LIMIT];
        };
        count(self.by_floor.entry(floor_id).or_default());
        match self.by_camera.get_mut(camera_id) {
            Some(camera) => count(camera),
            None => count(self.by_camera.entry(camera_id.to_owned()).or_default()),
        }
        *self.by_hour.entry(hour).or_default() += events;
    }
}

impl Tally {
    /// Adds a deleted event where it lies in `from..to`.
    pub(super) fn add_trace(&mut self, (from, to): (i64, i64), floor_id: i64, trace: &Trace) {
        if (from..to).contains(&trace.at) {
            let mut sum = HourSum::default();
            sum[column(trace.vehicle_type, trace.direction)] = 1;
            sum[AT_LIMIT] = trace.at_limit.into();
            self.add(hour_of(from), floor_id, &trace.camera_id, &sum);
        }
    }
}

/// What a tally says about a window and these floors.
pub(super) fn statistics(
    start: Timestamp,
    end: Timestamp,
    floors: &[Floor],
    tally: Tally,
) -> Statistics {
    let sum = |columns: [usize; 4]| columns.iter().map(|c| tally.total[*c]).sum::<i64>();
    let of_type = |kind: usize| number(tally.total[2 * kind] + tally.total[2 * kind + 1]);
    let by_floor = |pick: fn(&(i64, i64)) -> i64| {
        let of = |floor: &Floor| number(tally.by_floor.get(&floor.id).map_or(0, pick));
        floors.iter().map(|floor| (floor.name.clone(), of(floor))).collect()
    };
    let peak = tally.by_hour.iter().filter(|(_, events)| **events > 0);
    // Of hours with as many events the first.
    let peak = peak.max_by_key(|(hour, events)| (**events, std::cmp::Reverse(**hour)));
    let entries = number(sum([0, 2, 4, 6]));
    let exits = number(sum([1, 3, 5, 7]));
    Statistics {
        start,
        end,
        total_events: entries + exits,
        entries,
        exits,
        by_vehicle_type: VehicleTypeCounts {
            car: of_type(0),
            motorcycle: of_type(1),
            bus: of_type(2),
            truck: of_type(3),
        },
        by_floor: by_floor(|counts| counts.0),
        at_limit: number(tally.total[AT_LIMIT]),
        at_limit_by_floor: by_floor(|counts| counts.1),
        peak_hour: peak.and_then(|(hour, events)| {
            let start = Timestamp::from_microsecond(*hour).ok()?;
            Some(PeakHour { start, events: number(*events) })
        }),
        at_limit_by_camera: cameras(&tally.by_camera, |counts| counts.1),
        by_camera: cameras(&tally.by_camera, |counts| counts.0),
    }
}

/// The cameras that have any.
fn cameras(
    by_camera: &BTreeMap<String, (i64, i64)>,
    pick: fn(&(i64, i64)) -> i64,
) -> BTreeMap<String, u64> {
    let counts = by_camera.iter().map(|(camera, counts)| (camera, number(pick(counts))));
    counts.filter(|(_, n)| *n > 0).map(|(camera, n)| (camera.clone(), n)).collect()
}

/// A sum is never negative; a damaged one shows as 0 here and in `check`.
fn number(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or(0)
}
