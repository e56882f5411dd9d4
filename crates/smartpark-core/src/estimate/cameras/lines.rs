//! From what cameras sent to lines between floors, night by night.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::judge::Line;
use crate::estimate::quiet::{QUIET_HOUR, least_busy};

/// Days after which the least busy hour of the site is known.
const KNOWN_DAYS: i64 = 14;
/// A camera on two floors watches a ramp between them if this share of its crossings at most has
/// no counterpart on the other floor.
const UNPAIRED: f64 = 0.02;

/// What one camera sent of one floor from one quiet hour to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The camera.
    pub camera_id: String,
    /// The floor of the events.
    pub floor_id: i64,
    /// The number of the day.
    pub day: usize,
    /// Entries.
    pub entries: u32,
    /// Exits.
    pub exits: u32,
}

/// Where a person says that a camera's line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidLine {
    /// The camera.
    pub camera_id: String,
    /// The floor that an entry leaves; `None`: outside.
    pub from: Option<i64>,
    /// The floor that an entry enters.
    pub to: i64,
}

/// The ends of the last nights before `now`, the earliest first, each at a whole hour of UTC:
/// `days` days lie between them. `by_hour` are the events of all cameras by the hour.
///
/// A night ends when the least busy hour of the site ends, at 05:00 local until 14 days are known.
#[must_use]
pub fn nights(
    zone: &TimeZone,
    by_hour: &[(Timestamp, u64)],
    now: Timestamp,
    days: usize,
) -> Vec<Timestamp> {
    let hour = SignedDuration::from_hours(1);
    let first = by_hour.iter().map(|(at, _)| *at).min();
    let is_known =
        first.is_some_and(|first| now.duration_since(first).as_hours() >= 24 * KNOWN_DAYS);
    let quiet = if is_known {
        let mut events = [0; 24];
        for (at, count) in by_hour {
            let end = zone.to_datetime(at.saturating_add(hour).unwrap_or(*at));
            events[usize::try_from(end.hour()).unwrap_or(0)] += count;
        }
        least_busy(&events)
    } else {
        QUIET_HOUR
    };
    let today = zone.to_datetime(now).date();
    let dates = std::iter::successors(Some(today), |date| date.yesterday().ok());
    let ends = dates.take(days + 2).filter_map(|date| end_of_night(zone, date, (quiet + 1) % 24));
    let mut ends: Vec<Timestamp> = ends.filter(|end| *end <= now).take(days + 1).collect();
    ends.reverse();
    ends
}

/// The whole hour of UTC at or before a local hour of a date.
fn end_of_night(zone: &TimeZone, date: Date, hour: usize) -> Option<Timestamp> {
    let time = Time::new(i8::try_from(hour).ok()?, 0, 0, 0).ok()?;
    let at = zone.to_timestamp(date.to_datetime(time)).ok()?;
    Timestamp::from_second(at.as_second().div_euclid(3600) * 3600).ok()
}

/// The lines that cameras watched over so many days. The order of `traffic` and `said` changes
/// nothing.
///
/// A line that a person names stands as it is said; a ramp's crossings are those of the floor that
/// it enters. A camera of which nobody says anything watches a ramp if it sent the same crossings
/// on two floors the other way round: then the floor with the lower id is taken to be `from`. Else
/// each of its floors has a line to the outside.
#[must_use]
pub fn lines(days: usize, traffic: &[Traffic], said: &[SaidLine]) -> Vec<Line> {
    let mut cameras: BTreeMap<&str, BTreeMap<i64, Line>> = BTreeMap::new();
    for seen in traffic.iter().filter(|seen| seen.day < days) {
        let floors = cameras.entry(&seen.camera_id).or_default();
        let line = floors.entry(seen.floor_id).or_insert_with(|| Line {
            camera_id: seen.camera_id.clone(),
            from: None,
            to: seen.floor_id,
            entries: vec![0; days],
            exits: vec![0; days],
        });
        line.entries[seen.day] = line.entries[seen.day].saturating_add(seen.entries);
        line.exits[seen.day] = line.exits[seen.day].saturating_add(seen.exits);
    }
    let lines = cameras.into_iter().flat_map(|(camera, mut floors)| {
        if let Some(known) = said.iter().find(|known| known.camera_id == camera) {
            if let Some(line) = floors.get_mut(&known.to) {
                line.from = known.from;
                if let Some(from) = known.from {
                    floors.remove(&from);
                }
            }
        } else if let Some((lower, upper)) = ramp(&floors) {
            floors.remove(&lower);
            if let Some(line) = floors.get_mut(&upper) {
                line.from = Some(lower);
            }
        }
        floors.into_values()
    });
    lines.collect()
}

/// The two floors of a camera that sent each crossing on both.
fn ramp(floors: &BTreeMap<i64, Line>) -> Option<(i64, i64)> {
    let mut both = floors.iter();
    let ((lower, below), (upper, above)) = (both.next()?, both.next()?);
    if both.next().is_some() {
        return None;
    }
    let sum = |seen: &[u32]| seen.iter().map(|count| u64::from(*count)).sum::<u64>();
    let ways = [(&below.exits, &above.entries), (&below.entries, &above.exits)];
    let unpaired: u64 = ways.iter().map(|(a, b)| sum(a).abs_diff(sum(b))).sum();
    let all: u64 = ways.iter().map(|(a, b)| sum(a) + sum(b)).sum();
    (unpaired as f64 <= UNPAIRED * all as f64).then_some((*lower, *upper))
}
