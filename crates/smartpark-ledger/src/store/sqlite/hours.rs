//! The sums of hours, recomputed from events and digests: what `check` compares the stored ones
//! with, and what repairing rebuilds them from. Works day by day, so memory stays small.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{rows::Code, statistics::hour_sum};
use crate::{
    Result,
    store::{
        digest,
        sums::{AT_LIMIT, DAY, HourKey, HourSum, column, hour_of},
    },
};

const NEXT: &str = "-- check: the next instant with events, digests or sums
SELECT min(at) FROM (
    SELECT min(timestamp) AS at FROM events WHERE timestamp >= ?1
    UNION ALL SELECT min(hour) FROM event_digests WHERE hour >= ?1
    UNION ALL SELECT min(hour) FROM event_hours WHERE hour >= ?1)";

const EVENTS: &str = "-- check: events by hour
SELECT timestamp, floor_id, camera_id, vehicle_type, direction FROM events
WHERE timestamp >= ?1 AND timestamp < ?2";

const EVENTS_AT_LIMIT: &str = "-- check: events at the limit by hour
SELECT timestamp, floor_id, camera_id FROM events_at_limit
WHERE timestamp >= ?1 AND timestamp < ?2";

const DIGESTS: &str = "-- check: deleted events by hour
SELECT hour, floor_id, data FROM event_digests WHERE hour >= ?1 AND hour < ?2";

const STORED: &str = "-- check: stored sums
SELECT hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries, motorcycle_exits,
       bus_entries, bus_exits, truck_entries, truck_exits, at_limit
FROM event_hours WHERE hour >= ?1 AND hour < ?2";

/// The beginning of the first day from `from` on in which anything was counted.
pub(super) fn next_day(connection: &Connection, from: i64) -> Result<Option<i64>> {
    let next: Option<i64> = connection.prepare_cached(NEXT)?.query_row([from], |row| row.get(0))?;
    Ok(next.map(|at| at.div_euclid(DAY) * DAY))
}

/// The first instant after a day.
pub(super) fn day_after(day: i64) -> i64 {
    day + DAY
}

/// The sums of a day, from events and digests.
pub(super) fn recomputed(connection: &Connection, day: i64) -> Result<HashMap<HourKey, HourSum>> {
    let range = (day, day_after(day));
    let mut sums: HashMap<HourKey, HourSum> = HashMap::new();
    let mut events = connection.prepare_cached(EVENTS)?;
    let mut rows = events.query(range)?;
    while let Some(row) = rows.next()? {
        let key = (hour_of(row.get(0)?), row.get(1)?, row.get(2)?);
        let (Code(kind), Code(direction)) = (row.get(3)?, row.get(4)?);
        sums.entry(key).or_default()[column(kind, direction)] += 1;
    }
    let mut at_limit = connection.prepare_cached(EVENTS_AT_LIMIT)?;
    let mut rows = at_limit.query(range)?;
    while let Some(row) = rows.next()? {
        let key = (hour_of(row.get(0)?), row.get(1)?, row.get(2)?);
        sums.entry(key).or_default()[AT_LIMIT] += 1;
    }
    let mut digests = connection.prepare_cached(DIGESTS)?;
    let mut rows = digests.query(range)?;
    while let Some(row) = rows.next()? {
        let (hour, floor_id): (i64, i64) = (row.get(0)?, row.get(1)?);
        let data = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        for trace in digest::read(data, hour)? {
            let sum = sums.entry((hour, floor_id, trace.camera_id)).or_default();
            sum[column(trace.vehicle_type, trace.direction)] += 1;
            sum[AT_LIMIT] += i64::from(trace.at_limit);
        }
    }
    Ok(sums)
}

/// The sums of a day, as they are stored.
pub(super) fn stored(connection: &Connection, day: i64) -> Result<HashMap<HourKey, HourSum>> {
    let mut statement = connection.prepare_cached(STORED)?;
    let rows = statement.query_map((day, day_after(day)), |row| {
        Ok(((row.get(0)?, row.get(1)?, row.get(2)?), hour_sum(row, 3)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
