//! Refused events, summed by hour, camera and reason.

use rusqlite::Connection;

use super::{rows::Code, session::Session};
use crate::{Result, model::RefusedInHour};

const ADD: &str = "-- store_refusals: add
INSERT INTO refusals (hour, camera_id, reason, events, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (hour, camera_id, reason) DO UPDATE SET
    events = events + excluded.events, last_at = max(last_at, excluded.last_at)";

const FORGET: &str = "-- store_refusals: old ones go\nDELETE FROM refusals WHERE hour < ?1";

const SINCE: &str = "-- get_refusals
SELECT hour, camera_id, reason, events, last_at FROM refusals WHERE hour >= ?1";

/// Adds to the sums, and forgets those before the hour `oldest`.
pub(super) fn add(session: &Session<'_>, rows: &[RefusedInHour], oldest: i64) -> Result<()> {
    session.connection.prepare_cached(FORGET)?.execute([oldest])?;
    let mut add = session.connection.prepare_cached(ADD)?;
    for row in rows {
        add.execute((row.hour, &row.camera_id, Code(row.reason), row.events, row.last_at))?;
    }
    Ok(())
}

/// The sums from an hour on.
pub(super) fn since(connection: &Connection, hour: i64) -> Result<Vec<RefusedInHour>> {
    let mut statement = connection.prepare_cached(SINCE)?;
    let rows = statement.query_map([hour], |row| {
        Ok(RefusedInHour {
            hour: row.get(0)?,
            camera_id: row.get(1)?,
            reason: row.get::<_, Code<_>>(2)?.0,
            events: row.get(3)?,
            last_at: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
