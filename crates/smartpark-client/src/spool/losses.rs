//! What was lost, by camera, so that a person knows when to recount.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{Spool, instant};
use crate::Result;

/// Events of a camera that the spool did not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The camera.
    pub camera_id: String,
    /// `full`: too many events waited. `dead_letters`: too many refused events were kept.
    pub reason: String,
    /// How many.
    pub events: u64,
    /// When the first was lost.
    pub first_at: Timestamp,
    /// When the last was lost.
    pub last_at: Timestamp,
}

impl Spool {
    /// All losses since the spool was made.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable), [`Error::Damaged`](crate::Error::Damaged).
    pub fn losses(&self) -> Result<Vec<Loss>> {
        let sql = "SELECT camera_id, reason, events, first_at, last_at FROM losses \
                   ORDER BY camera_id, reason";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let losses = statement.query_map([], |row| {
                Ok(Loss {
                    camera_id: row.get(0)?,
                    reason: row.get(1)?,
                    events: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    first_at: instant(row.get(3)?),
                    last_at: instant(row.get(4)?),
                })
            })?;
            losses.collect()
        })
    }
}

pub(super) fn add_loss(
    transaction: &Transaction<'_>,
    camera: &str,
    reason: &str,
    events: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO losses (camera_id, reason, events, first_at, last_at) \
               VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (camera_id, reason) \
               DO UPDATE SET events = events + excluded.events, last_at = excluded.last_at";
    let values = params![camera, reason, events, now.as_microsecond()];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
