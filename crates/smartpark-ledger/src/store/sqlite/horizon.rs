//! Puts a horizon right that lies in the future.
//!
//! Facts that were recorded since have the horizon as their place, because no place lies before it.
//! They move with it, and nothing lies in between, so no fact passes another: no count changes.

use rusqlite::Connection;

use super::{Sqlite, floors, repair::rebuild, seals, session::Session};
use crate::{Error, Result, forgetting::horizon_ahead, store::digest};

/// Of the adjustments only those count that move the count or the slots: recounts, capacities,
/// entries and exits (kinds 0 to 3).
const LAST_KEPT: &str = "-- repair_horizon: the last forgotten fact that is still there
SELECT max(at) FROM (
    SELECT max(timestamp) AS at FROM events WHERE timestamp < ?1
    UNION ALL SELECT max(place) FROM event_places WHERE place < ?1
    UNION ALL SELECT max(place) FROM adjustments WHERE place < ?1 AND kind < 4)";

const LAST_DIGESTS: &str = "-- repair_horizon: the digests of the last events that were deleted
SELECT hour, data FROM event_digests WHERE hour = (SELECT max(hour) FROM event_digests)";

const PLACE_EVENTS: &str = "-- repair_horizon: events that stand at the horizon by their timestamps
INSERT INTO event_places (event_id, floor_id, place, camera_id, track_id, direction, timestamp)
SELECT id, floor_id, ?2, camera_id, track_id, direction, timestamp FROM events e
WHERE timestamp = ?1 AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)";

const MOVE_EVENTS: &str = "-- repair_horizon: events that stand at the horizon
UPDATE event_places SET place = ?2 WHERE place = ?1";

const MOVE_ADJUSTMENTS: &str = "-- repair_horizon: adjustments that stand at the horizon
UPDATE adjustments SET place = ?2 WHERE place = ?1";

const SET_HORIZON: &str = "-- repair_horizon: horizon
UPDATE retention SET horizon = ?1 WHERE id = 1";

impl Sqlite {
    /// Moves a horizon that lies in the future back to just behind the last forgotten fact.
    /// Returns where it was and where it is.
    pub(in crate::store) async fn repair_horizon(&self) -> Result<(i64, Option<i64>)> {
        self.write(repair).await
    }
}

fn repair(session: &mut Session<'_>) -> Result<(i64, Option<i64>)> {
    let old = horizon_ahead(session.horizon()?, session.now)?;
    let connection = session.connection;
    let new = last_forgotten(connection, old)?.map(|last| last + 1);
    // If nothing was forgotten, any place will do for what stands at the horizon.
    let place = new.unwrap_or(session.now).min(old);
    connection.execute(MOVE_EVENTS, (old, place))?;
    if place < old {
        connection.execute(PLACE_EVENTS, (old, place))?;
    }
    connection.execute(MOVE_ADJUSTMENTS, (old, place))?;
    connection.execute(SET_HORIZON, [new])?;
    seals::keep_retention(connection)?;
    for floor in floors::all(connection)? {
        let folded = rebuild(session, &floor, new)?;
        if folded != floor.current_vehicles {
            return Err(Error::Unusable(format!(
                "floor {} does not have the count of its history; run `smartpark check --repair` \
                 first",
                floor.id
            )));
        }
    }
    Ok((old, new))
}

/// The place of the last fact that the counts at the horizon stand for.
fn last_forgotten(connection: &Connection, horizon: i64) -> Result<Option<i64>> {
    let mut last: Option<i64> = connection.query_row(LAST_KEPT, [horizon], |row| row.get(0))?;
    let mut statement = connection.prepare(LAST_DIGESTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let data = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let traces = digest::read(data, row.get(0)?)?;
        last = last.max(traces.iter().map(|trace| trace.at).max());
    }
    Ok(last)
}
