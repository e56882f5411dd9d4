//! Statistics of a window: whole hours from their sums, the pieces of an hour at both ends from
//! the events themselves (or, where they were deleted, from their digests). The cost grows with
//! the length of the window, not with the number of events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{
    digest, floors,
    session::{AT_LIMIT, HOUR, HourSum, column, hour_of},
};
use crate::{Error, Floor, PeakHour, Result, Statistics, VehicleTypeCounts};

const HOURS: &str = "-- get_event_statistics: whole hours
SELECT hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries, motorcycle_exits,
       bus_entries, bus_exits, truck_entries, truck_exits, at_limit
FROM event_hours WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR floor_id = ?3)";

const EDGE: &str = "-- get_event_statistics: a piece of an hour
SELECT floor_id, camera_id, vehicle_type, direction, count(*)
FROM events INDEXED BY ix_event_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND (?3 IS NULL OR floor_id = ?3)
GROUP BY floor_id, camera_id, vehicle_type, direction";

const EDGE_AT_LIMIT: &str = "-- get_event_statistics: at the limit in a piece of an hour
SELECT floor_id, camera_id, count(*) FROM events_at_limit
WHERE timestamp >= ?1 AND timestamp < ?2 AND (?3 IS NULL OR floor_id = ?3)
GROUP BY floor_id, camera_id";

const EDGE_DIGESTS: &str = "-- get_event_statistics: deleted events of an hour
SELECT floor_id, data FROM event_digests WHERE hour = ?1 AND (?2 IS NULL OR floor_id = ?2)";

/// Sums that add up to statistics.
#[derive(Default)]
struct Tally {
    total: HourSum,
    by_floor: BTreeMap<i64, (i64, i64)>,
    by_camera: BTreeMap<String, (i64, i64)>,
    by_hour: BTreeMap<i64, i64>,
}

impl Tally {
    fn add(&mut self, hour: i64, floor_id: i64, camera_id: &str, sum: &HourSum) {
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

pub(super) fn between(
    connection: &Connection,
    start: Timestamp,
    end: Timestamp,
    floor_id: Option<i64>,
) -> Result<Statistics> {
    let mut floors = floors::all(connection)?;
    floors.retain(|floor| floor_id.is_none_or(|id| floor.id == id));
    if floor_id.is_some() && floors.is_empty() {
        return Err(Error::NotFound("the floor"));
    }
    let mut tally = Tally::default();
    let (from, to) = (start.as_microsecond(), end.as_microsecond());
    let first_whole = hour_of(from) + if from == hour_of(from) { 0 } else { HOUR };
    let last_whole = hour_of(to);
    if first_whole <= last_whole {
        edge(connection, &mut tally, from, first_whole, floor_id)?;
        whole_hours(connection, &mut tally, first_whole, last_whole, floor_id)?;
        edge(connection, &mut tally, last_whole, to, floor_id)?;
    } else {
        edge(connection, &mut tally, from, to, floor_id)?;
    }
    Ok(statistics(start, end, &floors, tally))
}

fn whole_hours(
    connection: &Connection,
    tally: &mut Tally,
    from: i64,
    to: i64,
    floor_id: Option<i64>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(HOURS)?;
    let mut rows = statement.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let camera = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        tally.add(row.get(0)?, row.get(1)?, camera, &hour_sum(row, 3)?);
    }
    Ok(())
}

/// The nine numbers of an hour, from column `first` on.
pub(super) fn hour_sum(row: &Row<'_>, first: usize) -> rusqlite::Result<HourSum> {
    let mut sum = HourSum::default();
    for (place, number) in sum.iter_mut().enumerate() {
        *number = row.get(first + place)?;
    }
    Ok(sum)
}

/// Adds the events in `from..to`, a piece of one hour.
fn edge(
    connection: &Connection,
    tally: &mut Tally,
    from: i64,
    to: i64,
    floor_id: Option<i64>,
) -> Result<()> {
    if from >= to {
        return Ok(());
    }
    let hour = hour_of(from);
    let mut events = connection.prepare_cached(EDGE)?;
    let mut rows = events.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let mut sum = HourSum::default();
        sum[column(row.get(2)?, row.get(3)?)] = row.get(4)?;
        tally.add(
            hour,
            row.get(0)?,
            row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
            &sum,
        );
    }
    let mut at_limit = connection.prepare_cached(EDGE_AT_LIMIT)?;
    let mut rows = at_limit.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let mut sum = HourSum::default();
        sum[AT_LIMIT] = row.get(2)?;
        tally.add(
            hour,
            row.get(0)?,
            row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
            &sum,
        );
    }
    let mut digests = connection.prepare_cached(EDGE_DIGESTS)?;
    let mut rows = digests.query((hour, floor_id))?;
    while let Some(row) = rows.next()? {
        let data = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        for trace in digest::read(data, hour)? {
            if (from..to).contains(&trace.at) {
                let mut sum = HourSum::default();
                sum[column(trace.vehicle_type, trace.direction)] = 1;
                sum[AT_LIMIT] = trace.at_limit.into();
                tally.add(hour, row.get(0)?, &trace.camera_id, &sum);
            }
        }
    }
    Ok(())
}

fn statistics(start: Timestamp, end: Timestamp, floors: &[Floor], tally: Tally) -> Statistics {
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
