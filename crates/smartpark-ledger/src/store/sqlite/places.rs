//! Facts whose place in history is not their timestamp.

use rusqlite::Connection;

use super::rows::Code;
use crate::{
    Result,
    count::{Fact, Source},
};

const PUT: &str = "-- places: of an event
INSERT INTO event_places (event_id, floor_id, place, camera_id, track_id, direction, timestamp)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (event_id) DO UPDATE SET place = excluded.place";

const PULL: &str = "-- places: of an adjustment\nUPDATE adjustments SET place = ?2 WHERE id = ?1";

/// Stores the place of an event.
pub(super) fn put(connection: &Connection, floor_id: i64, fact: &Fact) -> Result<()> {
    if let Source::Event { camera_id, track_id, direction, timestamp } = &fact.source {
        connection.prepare_cached(PUT)?.execute((
            fact.id,
            floor_id,
            fact.at,
            camera_id,
            track_id,
            Code(*direction),
            timestamp,
        ))?;
    }
    Ok(())
}

/// Stores the new place of an adjustment.
pub(super) fn pull(connection: &Connection, id: i64, place: i64) -> Result<()> {
    connection.prepare_cached(PULL)?.execute((id, place))?;
    Ok(())
}
