//! Putting events in, reading those to send, and writing down what became of them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::{Spool, State, losses::add_loss};
use crate::{Error, Result, crossing::SpoolEvent};

/// An event that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place in the order of the spool.
    pub id: i64,
    /// The line that is sent.
    pub body: String,
    /// When it was reported, in microseconds since 1970 UTC.
    pub spooled_at: i64,
    /// Whether it was refused for now, or delivered before, so that its delay means nothing.
    pub is_late: bool,
}

/// What became of an event that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The event.
    pub id: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What the server's answer means for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it on disk.
    Delivered,
    /// The server refuses it for now; it is sent again after a long pause.
    Held(Refusal),
    /// The server refuses it for good.
    Dead(Refusal),
    /// The server has forgotten what happened at that time. An event that was delivered before stays
    /// delivered; another one is refused for good.
    TooOld(Refusal),
}

/// Why the server refuses an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The server's words, cut to a bound.
    pub reason: String,
}

/// How many events are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting to be sent, with those that are held or lack their floor's id.
    pub waiting: usize,
    /// Of these: held for now.
    pub held: usize,
    /// Of these: with a floor that the server does not know.
    pub without_floor: usize,
    /// To be sent again, because the server lost them.
    pub again: usize,
    /// Dead letters.
    pub dead: usize,
    /// Delivered, and kept.
    pub delivered: usize,
    /// When the oldest event that waits was reported.
    pub oldest: Option<Timestamp>,
}

/// The note of the time at which the server last took events, in microseconds since 1970.
pub(crate) const LAST_SUCCESS: &str = "last_success";
/// The note of the last error: its time, a blank, and the text.
pub(crate) const LAST_ERROR: &str = "last_error";

/// Events that count as waiting for the bound: waiting and held.
const WAITING: &str = "SELECT (SELECT COUNT(*) FROM events WHERE state = 0) \
                       + (SELECT COUNT(*) FROM events WHERE state = 1)";

impl Spool {
    /// Puts events in, all or none. Returns how many are new: an event with the key of another one
    /// is that one.
    pub(crate) fn put(&self, events: &[SpoolEvent], now: Timestamp) -> Result<usize> {
        self.write(|transaction| {
            let mut new = Vec::new();
            for event in events {
                if !is_known(transaction, event)? {
                    new.push(event);
                }
            }
            let waiting: i64 = transaction.prepare_cached(WAITING)?.query_row([], first)?;
            let waiting = usize::try_from(waiting).unwrap_or(0);
            if !new.is_empty() && waiting + new.len() > self.limits.waiting {
                for event in new {
                    add_loss(transaction, &event.camera_id, "full", 1, now)?;
                }
                return Ok(Err(Error::Full { waiting }));
            }
            for event in &new {
                insert(transaction, event, now)?;
            }
            Ok(Ok(new.len()))
        })?
    }

    /// The first events that can be sent, in their order.
    pub(crate) fn waiting(&self, limit: usize) -> Result<Vec<Item>> {
        let sql = "SELECT id, body, spooled_at, state FROM events \
                   WHERE (state = 0 OR state = 4) AND floor IS NULL ORDER BY id LIMIT ?1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map([limit], item)?.collect()
        })
    }

    /// Held events, in their order.
    pub(crate) fn held(&self, ids: &[i64]) -> Result<Vec<Item>> {
        let sql = "SELECT id, body, spooled_at, state FROM events WHERE id = ?1 AND state = 1";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut items = Vec::new();
            for id in ids {
                items.extend(statement.query_row([id], item).optional()?);
            }
            items.sort_by_key(|item| item.id);
            Ok(items)
        })
    }

    /// All events that are held.
    pub(crate) fn held_ids(&self) -> Result<Vec<i64>> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT id FROM events WHERE state = 1 ORDER BY id")?;
            statement.query_map([], first)?.collect()
        })
    }

    /// Writes down what became of events, and when the server last took some.
    pub(crate) fn settle(&self, verdicts: &[Verdict], now: Timestamp) -> Result<()> {
        self.write(|transaction| {
            for verdict in verdicts {
                settle_one(transaction, verdict, now)?;
            }
            if verdicts.iter().any(|verdict| verdict.outcome == Outcome::Delivered) {
                prune_delivered(transaction, self.limits.delivered)?;
                set_note(transaction, LAST_SUCCESS, &now.as_microsecond().to_string())?;
            }
            self.prune_dead(transaction, now)
        })
    }

    /// How many events are where.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Damaged`].
    pub fn counts(&self) -> Result<Counts> {
        self.read(|connection| {
            let mut counts = Counts::default();
            let sql = "SELECT state, COUNT(*) FROM events GROUP BY state";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let events = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                match row.get::<_, i64>(0)? {
                    0 => counts.waiting += events,
                    1 => (counts.waiting, counts.held) = (counts.waiting + events, events),
                    2 => counts.dead = events,
                    3 => counts.delivered = events,
                    _ => counts.again = events,
                }
            }
            let sql = "SELECT (SELECT COUNT(*) FROM events WHERE floor IS NOT NULL AND state = 0), \
                       (SELECT MIN(spooled_at) FROM events WHERE state IN (0, 1))";
            let (without_floor, oldest) = connection.query_row(sql, [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
            })?;
            counts.without_floor = usize::try_from(without_floor).unwrap_or(0);
            counts.oldest = oldest.map(super::instant);
            Ok(counts)
        })
    }

    /// Keeps a note for other processes.
    pub(crate) fn note(&self, name: &str, value: &str) -> Result<()> {
        self.write(|transaction| set_note(transaction, name, value))
    }

    /// Reads a note.
    pub(crate) fn noted(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM notes WHERE name = ?1";
        self.read(|connection| connection.prepare_cached(sql)?.query_row([name], first).optional())
    }
}

fn set_note(transaction: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO notes (name, value) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    transaction.prepare_cached(sql)?.execute([name, value])?;
    Ok(())
}

fn is_known(transaction: &Transaction<'_>, event: &SpoolEvent) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM events WHERE camera_id = ?1 AND track_id = ?2 \
               AND direction = ?3 AND timestamp = ?4";
    let key = params![event.camera_id, event.track_id, event.direction.as_str(), event.micros];
    transaction.prepare_cached(sql)?.exists(key)
}

fn insert(
    transaction: &Transaction<'_>,
    event: &SpoolEvent,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO events (camera_id, track_id, direction, timestamp, floor, body, \
               spooled_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    transaction.prepare_cached(sql)?.execute(params![
        event.camera_id,
        event.track_id,
        event.direction.as_str(),
        event.micros,
        event.floor_name,
        event.body,
        now.as_microsecond(),
    ])
}

fn settle_one(
    transaction: &Transaction<'_>,
    verdict: &Verdict,
    now: Timestamp,
) -> rusqlite::Result<()> {
    // Another process may have settled the event meanwhile: what is delivered stays so.
    let sql = "UPDATE events SET state = ?2, settled_at = ?3, status = ?4, reason = ?5 \
               WHERE id = ?1 AND state <> 3";
    let now = now.as_microsecond();
    let mut update = transaction.prepare_cached(sql)?;
    let mut set = |state: State, refusal: Option<&Refusal>| {
        let status = refusal.map(|refusal| refusal.status);
        let reason = refusal.map(|refusal| refusal.reason.as_str());
        update.execute(params![verdict.id, state as i64, now, status, reason])
    };
    match &verdict.outcome {
        Outcome::Delivered => set(State::Delivered, None)?,
        Outcome::Held(refusal) => set(State::Held, Some(refusal))?,
        Outcome::Dead(refusal) => set(State::Dead, Some(refusal))?,
        Outcome::TooOld(refusal) => {
            let sql = "SELECT state FROM events WHERE id = ?1";
            let mut select = transaction.prepare_cached(sql)?;
            let state: Option<i64> = select.query_row([verdict.id], first).optional()?;
            let was_delivered = state == Some(State::Again as i64);
            set(if was_delivered { State::Delivered } else { State::Dead }, Some(refusal))?
        }
    };
    Ok(())
}

/// Forgets the oldest delivered events beyond the bound.
fn prune_delivered(transaction: &Transaction<'_>, keep: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM events WHERE state = 3 AND id <= \
               (SELECT id FROM events WHERE state = 3 ORDER BY id DESC LIMIT 1 OFFSET ?1)";
    transaction.prepare_cached(sql)?.execute([i64::try_from(keep).unwrap_or(i64::MAX)])
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let state: i64 = row.get(3)?;
    Ok(Item {
        id: row.get(0)?,
        body: row.get(1)?,
        spooled_at: row.get(2)?,
        is_late: state != State::Waiting as i64,
    })
}

pub(super) fn first<T: rusqlite::types::FromSql>(row: &Row<'_>) -> rusqlite::Result<T> {
    row.get(0)
}
