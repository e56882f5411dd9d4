//! Dead letters: events that the server refuses for good.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{Spool, instant, losses::add_loss};
use crate::Result;

/// An event that the server refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number in the spool.
    pub id: i64,
    /// The event as it was sent.
    pub body: String,
    /// The HTTP status of the refusal.
    pub status: u16,
    /// The server's words.
    pub reason: String,
    /// When it was refused.
    pub refused_at: Timestamp,
}

impl Spool {
    /// The dead letters after the one with this number (0 for the first), oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable), [`Error::Damaged`](crate::Error::Damaged).
    pub fn dead_letters(&self, after: i64, limit: usize) -> Result<Vec<DeadLetter>> {
        let sql = "SELECT id, body, status, reason, settled_at FROM events \
                   WHERE state = 2 AND id > ?1 ORDER BY id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let letters = statement.query_map([after, limit], |row| {
                Ok(DeadLetter {
                    id: row.get(0)?,
                    body: row.get(1)?,
                    status: row.get::<_, Option<u16>>(2)?.unwrap_or(0),
                    reason: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    refused_at: instant(row.get::<_, Option<i64>>(4)?.unwrap_or(0)),
                })
            })?;
            letters.collect()
        })
    }

    /// Lets dead letters be sent again: those with these numbers, or all. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable), [`Error::Damaged`](crate::Error::Damaged).
    pub fn retry_dead_letters(&self, ids: Option<&[i64]>) -> Result<usize> {
        self.change_dead(ids, "UPDATE events SET state = 0 WHERE state = 2")
    }

    /// Throws dead letters away: those with these numbers, or all. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable), [`Error::Damaged`](crate::Error::Damaged).
    pub fn discard_dead_letters(&self, ids: Option<&[i64]>) -> Result<usize> {
        self.change_dead(ids, "DELETE FROM events WHERE state = 2")
    }

    fn change_dead(&self, ids: Option<&[i64]>, sql: &str) -> Result<usize> {
        self.write(|transaction| match ids {
            None => transaction.execute(sql, []),
            Some(ids) => {
                let mut statement = transaction.prepare(&format!("{sql} AND id = ?1"))?;
                let mut changed = 0;
                for id in ids {
                    changed += statement.execute([id])?;
                }
                Ok(changed)
            }
        })
    }

    /// Forgets the oldest dead letters beyond the bound, and counts them as lost.
    pub(super) fn prune_dead(
        &self,
        transaction: &Transaction<'_>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let keep = i64::try_from(self.limits.dead).unwrap_or(i64::MAX);
        let sql = "SELECT id, camera_id FROM events WHERE state = 2 ORDER BY id DESC \
                   LIMIT -1 OFFSET ?1";
        let oldest: Vec<(i64, String)> = {
            let mut statement = transaction.prepare_cached(sql)?;
            let rows = statement.query_map([keep], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for (id, camera) in oldest {
            transaction.prepare_cached("DELETE FROM events WHERE id = ?1")?.execute([id])?;
            add_loss(transaction, &camera, "dead_letters", 1, now)?;
        }
        Ok(())
    }
}
