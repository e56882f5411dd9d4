//! Forgetting old events: first the horizon moves, with every floor's count there, in one short
//! transaction; then what lies before it is deleted, some at a time. A crash in between leaves
//! nothing wrong: what is still there is deleted the next time.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::OptionalExtension;

use super::{floors, past::Past, rows::Code, session::Session};
use crate::{
    Result,
    count::{Level, Span},
    limits::CLEANUP_CHUNK_ROWS,
    planted::planted,
    store::{
        digest::{self, Trace},
        sums::hour_of,
    },
};

const SET_HORIZON: &str = "-- cleanup_old_events: horizon
UPDATE retention SET horizon = ?1 WHERE id = 1";

const SET_BASE: &str = "-- cleanup_old_events: the count at the horizon
UPDATE floor_origins SET base_count = ?2 WHERE floor_id = ?1";

const DELETE_STRETCHES: &str = "-- cleanup_old_events: some stretches before the horizon's day
DELETE FROM floor_stretches WHERE (floor_id, level, start) IN (
    SELECT floor_id, level, start FROM floor_stretches
    WHERE floor_id = ?1 AND level = ?2 AND start < ?3 LIMIT ?4)";

const OLDEST: &str = "-- cleanup_old_events: the oldest events before the horizon
SELECT e.id, e.floor_id, e.timestamp, e.camera_id, e.vehicle_type, e.direction, e.count_delta,
       l.event_id IS NOT NULL
FROM events e INDEXED BY ix_event_timestamp LEFT JOIN events_at_limit l ON l.event_id = e.id
WHERE e.timestamp < ?1 ORDER BY e.timestamp LIMIT ?2";

const DELETE_EVENT: &str = "-- cleanup_old_events: event\nDELETE FROM events WHERE id = ?1";

const DELETE_AT_LIMIT: &str =
    "-- cleanup_old_events: at the limit\nDELETE FROM events_at_limit WHERE event_id = ?1";

const KEEP_DELTA: &str = "-- cleanup_old_events: what the deleted events did to the count
UPDATE floor_origins SET removed_delta = removed_delta + ?2 WHERE floor_id = ?1";

const KEEP_ID: &str = "-- cleanup_old_events: ids are never given again
UPDATE retention SET last_event_id = max(last_event_id, ?1) WHERE id = 1";

const DIGEST: &str = "-- cleanup_old_events: what is kept of an hour
SELECT data FROM event_digests WHERE hour = ?1 AND floor_id = ?2";

const PUT_DIGEST: &str = "-- cleanup_old_events: keep of an hour
INSERT INTO event_digests (hour, floor_id, data) VALUES (?1, ?2, ?3)
ON CONFLICT (hour, floor_id) DO UPDATE SET data = excluded.data";

/// Moves the horizon to `target`, never back; returns where it is then.
pub(super) fn move_horizon(
    session: &mut Session<'_>,
    target: Timestamp,
) -> Result<Option<Timestamp>> {
    let target = target.as_microsecond();
    let old = session.horizon()?;
    if old.is_none_or(|old| old < target) || planted("move-horizon-back") {
        let connection = session.connection;
        for floor in floors::all(connection)? {
            let (past, mut open) = Past::open(connection, floor, old)?;
            let base = past.resolve(&mut open, |open| open.history.count_before(target))?;
            connection.prepare_cached(SET_BASE)?.execute((open.floor.id, base))?;
        }
        connection.prepare_cached(SET_HORIZON)?.execute([target])?;
    }
    let horizon = old.map_or(target, |old| old.max(target));
    Ok(Timestamp::from_microsecond(horizon).ok())
}

/// Deletes some stretches that lie before the horizon's day, which nobody reads any more; returns
/// how many, fewer than [`CLEANUP_CHUNK_ROWS`] when there are no more.
pub(super) fn forget_stretches(session: &mut Session<'_>) -> Result<u64> {
    let Some(horizon) = session.horizon()? else {
        return Ok(0);
    };
    let day = Span::of(horizon, Level::DAY).start;
    let mut deleted = 0;
    for floor in floors::all(session.connection)? {
        for level in Level::all() {
            let room = i64::try_from(CLEANUP_CHUNK_ROWS - deleted).unwrap_or(i64::MAX);
            let mut delete = session.connection.prepare_cached(DELETE_STRETCHES)?;
            deleted += delete.execute((floor.id, level.number(), day, room))?;
        }
    }
    Ok(deleted as u64)
}

/// Deletes some events before the horizon; returns how many, fewer than
/// [`CLEANUP_CHUNK_ROWS`] when there are no more.
pub(super) fn delete_chunk(session: &mut Session<'_>) -> Result<u64> {
    let Some(horizon) = session.horizon()? else {
        return Ok(0);
    };
    let connection = session.connection;
    let mut traces: BTreeMap<(i64, i64), Vec<Trace>> = BTreeMap::new();
    let mut deltas: HashMap<i64, i64> = HashMap::new();
    let mut ids: Vec<i64> = Vec::new();
    let limit = i64::try_from(CLEANUP_CHUNK_ROWS).unwrap_or(i64::MAX);
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let mut rows = oldest.query((horizon, limit))?;
    while let Some(row) = rows.next()? {
        let (floor_id, at): (i64, i64) = (row.get(1)?, row.get(2)?);
        ids.push(row.get(0)?);
        *deltas.entry(floor_id).or_default() += row.get::<_, i64>(6)?;
        traces.entry((hour_of(at), floor_id)).or_default().push(Trace {
            at,
            camera_id: row.get(3)?,
            vehicle_type: row.get::<_, Code<_>>(4)?.0,
            direction: row.get::<_, Code<_>>(5)?.0,
            at_limit: row.get(7)?,
        });
    }
    for ((hour, floor_id), traces) in traces {
        let kept = connection
            .prepare_cached(DIGEST)?
            .query_row((hour, floor_id), |row| row.get(0))
            .optional()?;
        let mut data: Vec<u8> = kept.unwrap_or_default();
        digest::append(&mut data, hour, &traces);
        connection.prepare_cached(PUT_DIGEST)?.execute((hour, floor_id, data))?;
    }
    for (floor_id, delta) in deltas {
        connection.prepare_cached(KEEP_DELTA)?.execute((floor_id, delta))?;
    }
    for id in &ids {
        connection.prepare_cached(DELETE_AT_LIMIT)?.execute([id])?;
        connection.prepare_cached(DELETE_EVENT)?.execute([id])?;
    }
    if let Some(last) = ids.iter().max() {
        connection.prepare_cached(KEEP_ID)?.execute([last])?;
    }
    Ok(ids.len() as u64)
}
