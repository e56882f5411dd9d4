//! What the database knows about the time.

use rusqlite::Connection;

use crate::{Result, model::Receipt};

/// A floor that was added (7) tells nothing about the time: anybody may add one before the clock is
/// set.
const NEWEST: &str = "-- clock: the newest receipt
SELECT max(at) FROM (
    SELECT * FROM (SELECT created_at AS at FROM events ORDER BY id DESC LIMIT 1)
    UNION ALL SELECT * FROM (
        SELECT created_at FROM adjustments WHERE kind <> 7 ORDER BY id DESC LIMIT 1))";

const RECENT: &str = "-- get_attention: receipts
SELECT camera_id, created_at, timestamp FROM events ORDER BY id DESC LIMIT ?1";

const ACCEPTED: &str =
    "-- clock: when a person accepted it\nSELECT clock_accepted_at FROM site WHERE id = 1";

const ACCEPT: &str =
    "-- clock: a person accepts it\nUPDATE site SET clock_accepted_at = ?1 WHERE id = 1";

const EARLIEST: &str =
    "-- cleanup_old_events: the earliest event\nSELECT min(timestamp) FROM events";

/// When the last events were seen and received, the newest receipt first.
pub(super) fn recent_receipts(connection: &Connection, limit: usize) -> Result<Vec<Receipt>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(RECENT)?;
    let receipts = statement.query_map([limit], |row| {
        let (camera_id, received_at, timestamp) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Receipt { camera_id, received_at, timestamp })
    })?;
    Ok(receipts.collect::<rusqlite::Result<_>>()?)
}

/// When the newest fact was received, by the clock of that time.
pub(super) fn newest_receipt(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(NEWEST)?.query_row([], |row| row.get(0))?)
}

/// When a person accepted the clock last, by that clock.
pub(super) fn accepted(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(ACCEPTED)?.query_row([], |row| row.get(0))?)
}

/// Keeps that a person accepts the clock.
pub(super) fn accept(connection: &Connection, now: i64) -> Result<()> {
    connection.prepare_cached(ACCEPT)?.execute([now])?;
    Ok(())
}

/// The timestamp of the earliest event.
pub(super) fn earliest_event(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(EARLIEST)?.query_row([], |row| row.get(0))?)
}
