//! Delivered events, to be compared with the server's and sent again if it lost them.

use rusqlite::params;
use smartpark_core::Direction;

use super::{Spool, rows::first};
use crate::Result;

/// The key of a delivered event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) id: i64,
    pub(crate) track_id: String,
    pub(crate) direction: Direction,
    pub(crate) micros: i64,
}

/// A slice in which the server's events differ from ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DifferingSlice {
    /// Microseconds since 1970 UTC.
    pub(crate) start: i64,
    /// How many events the server has, and their digest.
    pub(crate) theirs: String,
    /// How many events were delivered, and their digest.
    pub(crate) ours: String,
    /// How often ours were sent again while both were like this.
    pub(crate) sent: u32,
}

impl Spool {
    /// The cameras that have delivered events.
    pub(crate) fn delivered_cameras(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            let sql = "SELECT DISTINCT camera_id FROM events WHERE state = 3 ORDER BY camera_id";
            connection.prepare_cached(sql)?.query_map([], first)?.collect()
        })
    }

    /// The delivered events of a camera, oldest first.
    pub(crate) fn delivered(&self, camera: &str) -> Result<Vec<Delivered>> {
        let sql = "SELECT id, track_id, direction, timestamp FROM events \
                   WHERE state = 3 AND camera_id = ?1 ORDER BY timestamp";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let events = statement.query_map([camera], |row| {
                Ok(Delivered {
                    id: row.get(0)?,
                    track_id: row.get(1)?,
                    direction: direction(&row.get::<_, String>(2)?),
                    micros: row.get(3)?,
                })
            })?;
            events.collect()
        })
    }

    /// The slices of a camera that differed the last time.
    pub(crate) fn differing_slices(&self, camera: &str) -> Result<Vec<DifferingSlice>> {
        let sql = "SELECT start, theirs, ours, sent FROM differing_slices WHERE camera_id = ?1";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let slices = statement.query_map([camera], |row| {
                Ok(DifferingSlice {
                    start: row.get(0)?,
                    theirs: row.get(1)?,
                    ours: row.get(2)?,
                    sent: row.get(3)?,
                })
            })?;
            slices.collect()
        })
    }

    /// Whether delivered events still wait to be sent again.
    pub(crate) fn is_sending_again(&self) -> Result<bool> {
        self.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM events WHERE state = 4 LIMIT 1")?.exists([])
        })
    }

    /// Lets delivered events be sent again, and replaces what is known of the camera's slices.
    pub(crate) fn send_again(
        &self,
        camera: &str,
        ids: &[i64],
        slices: &[DifferingSlice],
    ) -> Result<()> {
        self.write(|transaction| {
            let sql = "UPDATE events SET state = 4 WHERE id = ?1 AND state = 3";
            let mut update = transaction.prepare_cached(sql)?;
            for id in ids {
                update.execute([id])?;
            }
            let sql = "DELETE FROM differing_slices WHERE camera_id = ?1";
            transaction.prepare_cached(sql)?.execute([camera])?;
            let sql = "INSERT INTO differing_slices (camera_id, start, theirs, ours, sent) \
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = transaction.prepare_cached(sql)?;
            for slice in slices {
                insert.execute(params![
                    camera,
                    slice.start,
                    slice.theirs,
                    slice.ours,
                    slice.sent
                ])?;
            }
            Ok(())
        })
    }
}

/// The direction in a column, which holds no other words.
fn direction(word: &str) -> Direction {
    if word == Direction::Exit.as_str() { Direction::Exit } else { Direction::Entry }
}
