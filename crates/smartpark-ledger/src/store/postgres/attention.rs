//! What attention is drawn from, beside histories: events at the limit, and how many events the
//! cameras sent in which hours.

use deadpool_postgres::ClientWrapper;

use super::{
    connect::query,
    rows::{Micros, instant, micros},
};
use crate::{
    LastSeen, Result,
    decide::{AdjustmentKind, sums::HOUR},
    model::{CameraHour, FloorAtLimit},
    store::codes::adjustment_number,
};

const AT_LIMIT: &str = "-- get_attention: events at the limit since the last recount
SELECT l.floor_id, count(*), max(l.timestamp) FROM events_at_limit l
JOIN (SELECT id, (SELECT max(timestamp) FROM adjustments
                  WHERE floor_id = floors.id AND timestamp >= $1 AND kind = $2) AS recount
      FROM floors) f ON f.id = l.floor_id
WHERE l.timestamp >= $1 AND (f.recount IS NULL OR l.timestamp > f.recount)
GROUP BY l.floor_id";

const CAMERA_HOURS: &str = "-- get_attention: events of cameras by hour
SELECT h.camera_id, h.hour, sum(car_entries + car_exits + motorcycle_entries + motorcycle_exits
    + bus_entries + bus_exits + truck_entries + truck_exits)::bigint
FROM unnest($1::timestamptz[], $2::timestamptz[]) AS w (first, past)
JOIN event_hours h ON h.hour >= w.first AND h.hour < w.past
GROUP BY h.camera_id, h.hour";

/// In the last hour of each camera and floor one step down an index finds the event. Where cleanup
/// has deleted it the hour stands for it.
const LAST_SEEN: &str = "-- metrics: last events of cameras
SELECT camera_id, max(coalesce(
    (SELECT max(timestamp) FROM events e WHERE e.camera_id = last.camera_id
         AND e.floor_id = last.floor_id AND e.timestamp >= last.hour
         AND e.timestamp < last.hour + interval '1 hour'),
    last.hour))
FROM (SELECT camera_id, floor_id, max(hour) AS hour FROM event_hours WHERE hour >= $1
      GROUP BY camera_id, floor_id) last
GROUP BY camera_id ORDER BY camera_id LIMIT $2";

/// The events at the limit from an instant on, by floor, but those before its last recount.
pub(super) async fn at_limit(client: &ClientWrapper, from: i64) -> Result<Vec<FloorAtLimit>> {
    let recount = i16::from(adjustment_number(AdjustmentKind::Recount));
    let rows = query(client, AT_LIMIT, &[&Micros(from), &recount]).await?;
    let row = |row: &tokio_postgres::Row| {
        let last_at = micros(row, 2)?;
        Ok(FloorAtLimit { floor_id: row.try_get(0)?, events: row.try_get(1)?, last_at })
    };
    rows.iter().map(row).collect()
}

/// The events of cameras in so many hours from each of these hours on.
pub(super) async fn camera_hours(
    client: &ClientWrapper,
    starts: &[i64],
    hours: i64,
) -> Result<Vec<CameraHour>> {
    let first: Vec<Micros> = starts.iter().map(|start| Micros(*start)).collect();
    let past: Vec<Micros> = starts.iter().map(|start| Micros(start + hours * HOUR)).collect();
    let rows = query(client, CAMERA_HOURS, &[&first, &past]).await?;
    let row = |row: &tokio_postgres::Row| {
        let (camera_id, events) = (row.try_get(0)?, row.try_get(2)?);
        Ok(CameraHour { camera_id, hour: micros(row, 1)?, events })
    };
    rows.iter().map(row).collect()
}

/// The last events of the cameras that sent any since the hour `from`, at most so many.
pub(super) async fn last_seen(
    client: &ClientWrapper,
    from: i64,
    limit: usize,
) -> Result<Vec<LastSeen>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query(client, LAST_SEEN, &[&Micros(from), &limit]).await?;
    let row = |row: &tokio_postgres::Row| {
        Ok(LastSeen { camera_id: row.try_get(0)?, at: instant(row, 1)? })
    };
    rows.iter().map(row).collect()
}
