//! What attention is drawn from, beside histories: events at the limit, and how many events the
//! cameras sent in which hours.

use rusqlite::Connection;

use super::rows::{Code, Micros};
use crate::{
    LastSeen, Result,
    decide::{AdjustmentKind, sums::HOUR},
    model::{CameraHour, FloorAtLimit},
};

const AT_LIMIT: &str = "-- get_attention: events at the limit since the last recount
SELECT l.floor_id, count(*), max(l.timestamp) FROM events_at_limit l
JOIN (SELECT id, (SELECT max(timestamp) FROM adjustments
                  WHERE floor_id = floors.id AND timestamp >= ?1 AND kind = ?2) AS recount
      FROM floors) f ON f.id = l.floor_id
WHERE l.timestamp >= ?1 AND (f.recount IS NULL OR l.timestamp > f.recount)
GROUP BY l.floor_id";

const CAMERA_HOURS: &str = "-- get_attention: events of cameras by hour
SELECT camera_id, hour, sum(car_entries + car_exits + motorcycle_entries + motorcycle_exits
    + bus_entries + bus_exits + truck_entries + truck_exits)
FROM event_hours WHERE hour >= ?1 AND hour < ?2 GROUP BY camera_id, hour";

/// In the last hour of each camera and floor one step down an index finds the event. Where cleanup
/// has deleted it the hour stands for it.
const LAST_SEEN: &str = "-- metrics: last events of cameras
SELECT camera_id, max(coalesce(
    (SELECT max(timestamp) FROM events WHERE camera_id = last.camera_id
         AND floor_id = last.floor_id AND timestamp >= last.hour AND timestamp < last.hour + ?2),
    last.hour))
FROM (SELECT camera_id, floor_id, max(hour) AS hour FROM event_hours WHERE hour >= ?1
      GROUP BY camera_id, floor_id) last
GROUP BY camera_id ORDER BY camera_id LIMIT ?3";

/// The events at the limit from an instant on, by floor, but those before its last recount.
pub(super) fn at_limit(connection: &Connection, from: i64) -> Result<Vec<FloorAtLimit>> {
    let mut statement = connection.prepare_cached(AT_LIMIT)?;
    let rows = statement.query_map((from, Code(AdjustmentKind::Recount)), |row| {
        Ok(FloorAtLimit { floor_id: row.get(0)?, events: row.get(1)?, last_at: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The events of cameras in so many hours from each of these hours on.
pub(super) fn camera_hours(
    connection: &Connection,
    starts: &[i64],
    hours: i64,
) -> Result<Vec<CameraHour>> {
    let mut statement = connection.prepare_cached(CAMERA_HOURS)?;
    let mut all = Vec::new();
    for start in starts {
        let rows = statement.query_map((start, start + hours * HOUR), |row| {
            Ok(CameraHour { camera_id: row.get(0)?, hour: row.get(1)?, events: row.get(2)? })
        })?;
        for row in rows {
            all.push(row?);
        }
    }
    Ok(all)
}

/// The last events of the cameras that sent any since the hour `from`, at most so many.
pub(super) fn last_seen(connection: &Connection, from: i64, limit: usize) -> Result<Vec<LastSeen>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(LAST_SEEN)?;
    let rows = statement.query_map((from, HOUR, limit), |row| {
        Ok(LastSeen { camera_id: row.get(0)?, at: row.get::<_, Micros>(1)?.0 })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
