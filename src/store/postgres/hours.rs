//! The sums of hours, recomputed from events and digests: what `check` compares the stored ones
//! with, and what repairing rebuilds them from. Works day by day, so memory stays small.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;

use super::{
    connect::query,
    rows::{Micros, direction, maybe_micros, micros, vehicle_type},
    statistics::hour_sum,
};
use crate::{
    Result,
    store::{
        digest,
        sums::{AT_LIMIT, DAY, HourKey, HourSum, column, hour_of},
    },
};

const NEXT: &str = "-- check: the next instant with events, digests or sums
SELECT least((SELECT min(timestamp) FROM events WHERE timestamp >= $1),
    (SELECT min(hour) FROM event_digests WHERE hour >= $1),
    (SELECT min(hour) FROM event_hours WHERE hour >= $1))";

const EVENTS: &str = "-- check: events by hour
SELECT timestamp, floor_id, camera_id, vehicle_type, direction FROM events
WHERE timestamp >= $1 AND timestamp < $2";

const EVENTS_AT_LIMIT: &str = "-- check: events at the limit by hour
SELECT timestamp, floor_id, camera_id FROM events_at_limit
WHERE timestamp >= $1 AND timestamp < $2";

const DIGESTS: &str = "-- check: deleted events by hour
SELECT hour, floor_id, data FROM event_digests WHERE hour >= $1 AND hour < $2";

const STORED: &str = "-- check: stored sums
SELECT hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries, motorcycle_exits,
       bus_entries, bus_exits, truck_entries, truck_exits, at_limit
FROM event_hours WHERE hour >= $1 AND hour < $2";

/// The beginning of the first day from `from` on in which anything was counted.
pub(super) async fn next_day(client: &ClientWrapper, from: i64) -> Result<Option<i64>> {
    let rows = query(client, NEXT, &[&Micros(from)]).await?;
    let next = rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))?;
    Ok(next.map(|at| at.div_euclid(DAY) * DAY))
}

/// The sums of a day, from events and digests.
pub(super) async fn recomputed(
    client: &ClientWrapper,
    day: i64,
) -> Result<HashMap<HourKey, HourSum>> {
    let (from, to) = (Micros(day), Micros(day + DAY));
    let mut sums: HashMap<HourKey, HourSum> = HashMap::new();
    for row in query(client, EVENTS, &[&from, &to]).await? {
        let key = (hour_of(micros(&row, 0)?), row.try_get(1)?, row.try_get(2)?);
        sums.entry(key).or_default()[column(vehicle_type(&row, 3)?, direction(&row, 4)?)] += 1;
    }
    for row in query(client, EVENTS_AT_LIMIT, &[&from, &to]).await? {
        let key = (hour_of(micros(&row, 0)?), row.try_get(1)?, row.try_get(2)?);
        sums.entry(key).or_default()[AT_LIMIT] += 1;
    }
    for row in query(client, DIGESTS, &[&from, &to]).await? {
        let (hour, floor_id): (i64, i64) = (micros(&row, 0)?, row.try_get(1)?);
        for trace in digest::read(row.try_get(2)?, hour)? {
            let sum = sums.entry((hour, floor_id, trace.camera_id)).or_default();
            sum[column(trace.vehicle_type, trace.direction)] += 1;
            sum[AT_LIMIT] += i64::from(trace.at_limit);
        }
    }
    Ok(sums)
}

/// The sums of a day, as they are stored.
pub(super) async fn stored(client: &ClientWrapper, day: i64) -> Result<HashMap<HourKey, HourSum>> {
    let rows = query(client, STORED, &[&Micros(day), &Micros(day + DAY)]).await?;
    let sums = rows
        .iter()
        .map(|row| Ok(((micros(row, 0)?, row.try_get(1)?, row.try_get(2)?), hour_sum(row, 3)?)));
    sums.collect()
}
