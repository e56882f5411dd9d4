//! Withdrawals: which facts one names is found by a reader; the writer loads these by their ids,
//! has the withdrawal decided, and stores it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    Sqlite, floors, recording,
    rows::{self, event_columns},
    seals,
    session::Session,
    transfer,
};
use crate::{
    NewWithdrawal, Result, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    decide::{Selected, SelectedFact, Withdrawing, WithdrawnFact, Writes, may_withdraw},
    store::{
        checksum,
        withdrawals::{self, Named, WithdrawalRow, WithdrawnRow},
    },
};

/// The columns of a [`WithdrawalRow`].
macro_rules! withdrawal_columns {
    () => {
        "id, idempotency_key, restores, data, checksum"
    };
}

/// The columns of a [`WithdrawnRow`].
macro_rules! withdrawn_columns {
    () => {
        "is_event, id, withdrawal_id, floor_id, timestamp, delta, data, checksum"
    };
}

const BY_KEY: &str = concat!(
    "-- withdrawals: a repeat\nSELECT ",
    withdrawal_columns!(),
    " FROM withdrawals WHERE idempotency_key = ?1"
);

const BY_ID: &str = concat!(
    "-- withdrawals: one that is taken back\nSELECT ",
    withdrawal_columns!(),
    " FROM withdrawals WHERE id = ?1"
);

const IS_RESTORED: &str = "-- withdrawals: was it taken back
SELECT EXISTS (SELECT 1 FROM withdrawals WHERE restores = ?1)";

const LIST: &str = concat!(
    "-- withdrawals: list\nSELECT ",
    withdrawal_columns!(),
    " FROM withdrawals WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
);

const STRETCH: &str = "-- withdrawals: events of a stretch
SELECT id, timestamp FROM events
WHERE timestamp >= ?1 AND timestamp < ?2 AND created_at >= ?3 AND created_at < ?4
    AND (?5 IS NULL OR camera_id = ?5) AND (?6 IS NULL OR floor_id = ?6) LIMIT ?7";

const EVENT: &str = concat!(
    "-- withdrawals: an event\nSELECT ",
    event_columns!(),
    ", coalesce((SELECT place FROM event_places WHERE event_id = events.id), timestamp),
    EXISTS (SELECT 1 FROM events_at_limit WHERE event_id = events.id)
FROM events WHERE id = ?1"
);

const CHANGE: &str = "-- withdrawals: a change
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE id = ?1";

const WITHDRAWN: &str = concat!(
    "-- withdrawals: what one took back\nSELECT ",
    withdrawn_columns!(),
    " FROM withdrawn_facts WHERE withdrawal_id = ?1"
);

const IS_TAKEN: &str = "-- withdrawals: was an event recorded anew
SELECT EXISTS (SELECT 1 FROM events
    WHERE camera_id = ?1 AND track_id = ?2 AND direction = ?3 AND timestamp = ?4)";

const IS_COUNTED: &str = "-- withdrawals: was a recount recorded anew
SELECT EXISTS (SELECT 1 FROM adjustments WHERE floor_id = ?1 AND timestamp = ?2 AND is_dated = 1)";

const PUT: &str = concat!(
    "-- withdrawals: put\nINSERT INTO withdrawals (",
    withdrawal_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5)"
);

const PUT_WITHDRAWN: &str = concat!(
    "-- withdrawals: keep a fact\nINSERT INTO withdrawn_facts (",
    withdrawn_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
);

const UNSEAL: &str = "-- withdrawals: a fact that it no longer takes back
UPDATE withdrawals SET checksum = checksum - (
    SELECT checksum FROM withdrawn_facts WHERE is_event = ?1 AND id = ?2)
WHERE id = (SELECT withdrawal_id FROM withdrawn_facts WHERE is_event = ?1 AND id = ?2)";

const DELETE_WITHDRAWN: &str = "-- withdrawals: a fact that counts again
DELETE FROM withdrawn_facts WHERE is_event = ?1 AND id = ?2";

const DELETE_EVENT: &str = "-- withdrawals: an event\nDELETE FROM events WHERE id = ?1";

const DELETE_PLACE: &str =
    "-- withdrawals: the place of an event\nDELETE FROM event_places WHERE event_id = ?1";

const DELETE_CHANGE: &str = "-- withdrawals: a change\nDELETE FROM adjustments WHERE id = ?1";

/// It was told in its order before: it stands before all others now.
const BEFORE_ALL: &str = "-- withdrawals: a change that counts again
UPDATE adjustments SET after_event = 0 WHERE id = ?1";

const DROP_CHECKSUM: &str = "-- withdrawals: the checksum of changes
UPDATE floors SET adjustments_checksum = adjustments_checksum - ?2 WHERE id = ?1";

const FORGET_DELTAS: &str = "-- withdrawals: what cleanup forgets moved the count
UPDATE floor_origins SET removed_delta = removed_delta + w.delta
FROM (SELECT floor_id, sum(delta) AS delta FROM withdrawn_facts WHERE timestamp < ?1
      GROUP BY floor_id) AS w
WHERE w.floor_id = floor_origins.floor_id RETURNING floor_origins.floor_id";

const FORGET_SUMS: &str = "-- withdrawals: the checksums of what cleanup forgets
UPDATE withdrawals SET checksum = withdrawals.checksum - w.checksum
FROM (SELECT withdrawal_id, sum(checksum) AS checksum FROM withdrawn_facts WHERE timestamp < ?1
      GROUP BY withdrawal_id) AS w
WHERE w.withdrawal_id = withdrawals.id";

const FORGET_ID: &str = "-- withdrawals: ids that were given stay given
UPDATE retention SET last_event_id = max(last_event_id, (
    SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1 AND timestamp < ?1))";

const FORGET: &str = "-- withdrawals: forget\nDELETE FROM withdrawn_facts WHERE timestamp < ?1";

impl Sqlite {
    pub(in crate::store) async fn withdraw(&self, new: NewWithdrawal) -> Result<Withdrawal> {
        let key = new.key.clone();
        let stored = self.read(move |connection| by_key(connection, &key)).await?;
        if let Some(row) = stored {
            return withdrawals::repeated(&row, &new.selection);
        }
        let selection = new.selection.clone();
        let named = self.read(move |connection| name(connection, &selection)).await?;
        self.write(move |session| withdraw(session, new, &named)).await
    }

    pub(in crate::store) async fn preview_withdrawal(
        &self,
        selection: WithdrawalSelection,
    ) -> Result<WithdrawalEffect> {
        let options = std::sync::Arc::clone(&self.inner.options);
        self.read(move |connection| {
            let named = name(connection, &selection)?;
            let mut session = Session::new(connection, &options);
            let selected = select(&mut session, &selection, &named)?;
            let mut draft = session.draft(selected.floors())?;
            let mut withdrawing = Withdrawing::new(&selected, "", None);
            session.decide(&mut draft, |draft| withdrawing.decide(draft))?
        })
        .await
    }

    /// Withdrawals whose ids are lower, the latest first.
    pub(in crate::store) async fn withdrawals(
        &self,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Withdrawal>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let rows = statement.query_map((before, limit), withdrawal_row)?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            rows.iter().map(WithdrawalRow::withdrawal).collect()
        })
        .await
    }
}

fn withdrawal_row(row: &Row<'_>) -> rusqlite::Result<WithdrawalRow> {
    Ok(WithdrawalRow {
        id: row.get(0)?,
        key: row.get(1)?,
        restores: row.get(2)?,
        data: row.get(3)?,
        checksum: row.get(4)?,
    })
}

fn withdrawn_row(row: &Row<'_>) -> rusqlite::Result<WithdrawnRow> {
    Ok(WithdrawnRow {
        is_event: row.get(0)?,
        id: row.get(1)?,
        withdrawal_id: row.get(2)?,
        floor_id: row.get(3)?,
        at: row.get(4)?,
        delta: row.get(5)?,
        data: row.get(6)?,
        checksum: row.get(7)?,
    })
}

fn by_key(connection: &Connection, key: &str) -> Result<Option<WithdrawalRow>> {
    let mut statement = connection.prepare_cached(BY_KEY)?;
    Ok(statement.query_row([key], withdrawal_row).optional()?)
}

/// Finds out which events a stretch names.
fn name(connection: &Connection, selection: &WithdrawalSelection) -> Result<Named> {
    let mut named = Named::default();
    if selection.is_stretch() {
        let micros =
            |at: Option<Timestamp>, otherwise| at.map_or(otherwise, |at| at.as_microsecond());
        let mut statement = connection.prepare_cached(STRETCH)?;
        let events = statement.query_map(
            rusqlite::params![
                micros(selection.start, i64::MIN),
                micros(selection.end, i64::MAX),
                micros(selection.received_start, i64::MIN),
                micros(selection.received_end, i64::MAX),
                selection.camera_id,
                selection.floor_id,
                Named::LIMIT,
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        named.events = events.collect::<rusqlite::Result<_>>()?;
    } else {
        named.events = selection.events.iter().map(|id| (*id, 0)).collect();
        named.changes.clone_from(&selection.changes);
    }
    named.check()?;
    Ok(named)
}

/// Loads the facts that are named.
fn select(
    session: &mut Session<'_>,
    selection: &WithdrawalSelection,
    named: &Named,
) -> Result<Selected> {
    let connection = session.connection;
    let mut selected = Selected::default();
    if let Some(id) = selection.withdrawal {
        selected.restores = true;
        restorable(connection, id, &mut selected)?;
    }
    for (id, _) in &named.events {
        let mut statement = connection.prepare_cached(EVENT)?;
        let found = statement
            .query_row([id], |row| {
                let fact = WithdrawnFact::Event { event: rows::event(row)?, place: row.get(11)? };
                Ok(SelectedFact { fact, is_at_limit: row.get(12)? })
            })
            .optional()?;
        selected.left += u64::from(found.is_none());
        selected.facts.extend(found);
    }
    for id in &named.changes {
        let mut statement = connection.prepare_cached(CHANGE)?;
        let found = statement.query_row([id], transfer::adjustment).optional()?;
        selected.left += u64::from(found.is_none());
        if let Some(change) = found {
            may_withdraw(&change)?;
            let fact = WithdrawnFact::Change(change);
            selected.facts.push(SelectedFact { fact, is_at_limit: false });
        }
    }
    Ok(selected.within(session.horizon()?))
}

/// Loads what an earlier withdrawal took back and what was not recorded anew since.
fn restorable(connection: &Connection, id: i64, selected: &mut Selected) -> Result<()> {
    let row = connection.prepare_cached(BY_ID)?.query_row([id], withdrawal_row).optional()?;
    let is_restored = connection.prepare_cached(IS_RESTORED)?.query_row([id], |row| row.get(0))?;
    withdrawals::may_restore(row.as_ref(), is_restored)?;
    let mut statement = connection.prepare_cached(WITHDRAWN)?;
    let rows = statement.query_map([id], withdrawn_row)?;
    for row in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let fact = row.fact()?;
        let is_taken = match &fact {
            WithdrawnFact::Event { event, .. } => {
                let direction = rows::Code(event.direction);
                let at = event.timestamp.as_microsecond();
                let key = (&event.camera_id, &event.track_id, direction, at);
                connection.prepare_cached(IS_TAKEN)?.query_row(key, |row| row.get(0))?
            }
            WithdrawnFact::Change(change) if change.is_dated => {
                let mut statement = connection.prepare_cached(IS_COUNTED)?;
                statement.query_row((change.floor_id, change.at), |row| row.get(0))?
            }
            WithdrawnFact::Change(_) => false,
        };
        if is_taken {
            selected.left += 1;
        } else {
            selected.facts.push(SelectedFact { fact, is_at_limit: false });
        }
    }
    Ok(())
}

fn withdraw(session: &mut Session<'_>, new: NewWithdrawal, named: &Named) -> Result<Withdrawal> {
    let connection = session.connection;
    if let Some(row) = by_key(connection, &new.key)? {
        return withdrawals::repeated(&row, &new.selection);
    }
    let selected = select(session, &new.selection, named)?;
    selected.require_some()?;
    let mut draft = session.draft(selected.floors())?;
    let NewWithdrawal { selection, reason, author, key } = new;
    let mut withdrawing = Withdrawing::new(&selected, &reason, author.as_deref());
    let effect = session.decide(&mut draft, |draft| withdrawing.decide_and_note(draft))??;
    let writes = draft.into_writes();
    let id = withdrawals::id_of(&writes)?;
    let withdrawal =
        withdrawals::recorded(id, selection, (reason.clone(), author.clone()), session.now, effect);
    let rows = writes.removed.iter().map(|fact| WithdrawnRow::new(id, fact));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    put(connection, &WithdrawalRow::new(&withdrawal, &key, &rows)?)?;
    rows.iter().try_for_each(|row| put_withdrawn(connection, row))?;
    session.store(writes)?;
    Ok(withdrawal)
}

/// Takes facts out of the tables that hold what counts, and puts others back.
pub(super) fn store(connection: &Connection, writes: &Writes) -> Result<()> {
    for fact in &writes.removed {
        match fact {
            WithdrawnFact::Event { event, .. } => {
                connection.prepare_cached(DELETE_PLACE)?.execute([event.id])?;
                connection.prepare_cached(DELETE_EVENT)?.execute([event.id])?;
            }
            WithdrawnFact::Change(change) => {
                connection.prepare_cached(DELETE_CHANGE)?.execute([change.id])?;
                let checksum = (change.floor_id, checksum::adjustment(change));
                connection.prepare_cached(DROP_CHECKSUM)?.execute(checksum)?;
            }
        }
    }
    for fact in &writes.restored {
        let key = fact.key();
        connection.prepare_cached(UNSEAL)?.execute(key)?;
        connection.prepare_cached(DELETE_WITHDRAWN)?.execute(key)?;
        match fact {
            WithdrawnFact::Event { event, .. } => recording::insert(connection, event)?,
            WithdrawnFact::Change(change) => {
                floors::insert_adjustment(connection, change)?;
                connection.prepare_cached(BEFORE_ALL)?.execute([change.id])?;
            }
        }
    }
    Ok(())
}

fn put(connection: &Connection, row: &WithdrawalRow) -> Result<()> {
    let WithdrawalRow { id, key, restores, data, checksum } = row;
    connection.prepare_cached(PUT)?.execute((id, key, restores, data, checksum))?;
    Ok(())
}

fn put_withdrawn(connection: &Connection, row: &WithdrawnRow) -> Result<()> {
    let WithdrawnRow { is_event, id, withdrawal_id, floor_id, at, delta, data, checksum } = row;
    let values = (is_event, id, withdrawal_id, floor_id, at, delta, data, checksum);
    connection.prepare_cached(PUT_WITHDRAWN)?.execute(values)?;
    Ok(())
}

/// Makes both tables those of the source of a copy.
pub(super) fn replace(
    connection: &Connection,
    withdrawals: &[WithdrawalRow],
    withdrawn: &[WithdrawnRow],
) -> Result<()> {
    connection.execute_batch("DELETE FROM withdrawn_facts; DELETE FROM withdrawals;")?;
    withdrawals.iter().try_for_each(|row| put(connection, row))?;
    withdrawn.iter().try_for_each(|row| put_withdrawn(connection, row))
}

/// Forgets withdrawn facts before a new horizon.
pub(super) fn forget(connection: &Connection, horizon: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(FORGET_DELTAS)?;
    let floors = statement.query_map([horizon], |row| row.get(0))?;
    for floor_id in floors.collect::<rusqlite::Result<Vec<i64>>>()? {
        seals::keep_origin(connection, floor_id)?;
    }
    connection.prepare_cached(FORGET_SUMS)?.execute([horizon])?;
    connection.prepare_cached(FORGET_ID)?.execute([horizon])?;
    connection.prepare_cached(FORGET)?.execute([horizon])?;
    Ok(())
}

/// All withdrawals.
pub(super) fn all(connection: &Connection) -> Result<Vec<WithdrawalRow>> {
    let mut statement = connection.prepare_cached(LIST)?;
    let rows = statement.query_map((i64::MAX, i64::MAX), withdrawal_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All withdrawn facts.
pub(super) fn all_withdrawn(connection: &Connection) -> Result<Vec<WithdrawnRow>> {
    const ALL: &str = concat!(
        "-- withdrawals: all withdrawn facts\nSELECT ",
        withdrawn_columns!(),
        " FROM withdrawn_facts ORDER BY is_event, id"
    );
    let mut statement = connection.prepare_cached(ALL)?;
    let rows = statement.query_map([], withdrawn_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
