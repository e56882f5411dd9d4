//! Whether the database takes writes, found out by one that leaves nothing behind.

use super::session::Session;
use crate::Result;

/// Of an hour that no refusal was in. The page that it was on is written and synced all the same.
const WRITE: &str = "-- ready: write
INSERT INTO refusals (hour, camera_id, reason, events, last_at) VALUES (0, '', 0, 0, 0)";

const UNDO: &str = "-- ready: undo\nDELETE FROM refusals WHERE hour = 0";

pub(super) fn write(session: &Session<'_>) -> Result<()> {
    session.connection.prepare_cached(WRITE)?.execute([])?;
    session.connection.prepare_cached(UNDO)?.execute([])?;
    Ok(())
}
