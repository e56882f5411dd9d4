//! Whether the database takes writes, found out by one that leaves nothing behind.

use super::session::Session;
use crate::{Result, limits::SQLITE_ROOM_BYTES};

/// Of an hour that no refusal was in. The page that it was on is written and synced all the same.
const WRITE: &str = "-- ready: write
INSERT INTO refusals (hour, camera_id, reason, events, last_at) VALUES (0, '', 0, 0, 0)";

const UNDO: &str = "-- ready: undo\nDELETE FROM refusals WHERE hour = 0";

/// The same with much more in it. SQLite does not write what one transaction puts in and takes
/// out, so these are two.
const WRITE_MUCH: &str = "-- ready: write so much that there must be room
INSERT INTO refusals (hour, camera_id, reason, events, last_at)
VALUES (0, hex(zeroblob(?1 / 2)), 0, 0, 0)";

/// Writes as much as a disk must have room for; [`undo`] takes it out.
pub(super) fn write_much(session: &Session<'_>) -> Result<()> {
    undo(session)?;
    session.connection.prepare_cached(WRITE_MUCH)?.execute([SQLITE_ROOM_BYTES])?;
    Ok(())
}

pub(super) fn undo(session: &Session<'_>) -> Result<()> {
    session.connection.prepare_cached(UNDO)?.execute([])?;
    Ok(())
}

pub(super) fn write(session: &Session<'_>) -> Result<()> {
    session.connection.prepare_cached(WRITE)?.execute([])?;
    session.connection.prepare_cached(UNDO)?.execute([])?;
    Ok(())
}
