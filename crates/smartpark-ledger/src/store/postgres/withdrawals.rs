//! Withdrawals: which facts one names is found by a reader; a transaction then locks their floors,
//! loads them by their ids, has the withdrawal decided, and stores it. Withdrawals take turns.

mod tables;

use std::collections::BTreeSet;

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::Row;

pub(super) use tables::{all, all_withdrawn, forget, replace};

use super::{
    Postgres,
    connect::query,
    events::kept,
    rows::{self, Micros, event_columns, micros},
    session::Session,
    transaction::{Transaction, patiently},
    writes::{Column, Step, event_columns as event_values, restored_change, run_steps},
};
use crate::{
    Event, NewWithdrawal, Result, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    decide::{Selected, SelectedFact, Withdrawing, WithdrawnFact, Writes, may_withdraw},
    store::{
        checksum,
        codes::direction_number,
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

use withdrawn_columns;

/// Two withdrawals with one key must see each other.
const TAKE_TURNS: &str =
    "SELECT pg_advisory_xact_lock(hashtext('smartpark withdraw'), hashtext(current_schema()))";

const BY_KEY: &str = concat!(
    "-- withdrawals: a repeat\nSELECT ",
    withdrawal_columns!(),
    " FROM withdrawals WHERE idempotency_key = $1"
);

const BY_ID: &str = concat!(
    "-- withdrawals: one that is taken back\nSELECT ",
    withdrawal_columns!(),
    ", EXISTS (SELECT 1 FROM withdrawals w WHERE w.restores = $1) FROM withdrawals WHERE id = $1"
);

const LIST: &str = concat!(
    "-- withdrawals: list\nSELECT ",
    withdrawal_columns!(),
    " FROM withdrawals WHERE id < $1 ORDER BY id DESC LIMIT $2"
);

const STRETCH: &str = concat!(
    "-- withdrawals: events of a stretch
SELECT id, timestamp, floor_id FROM events
WHERE timestamp >= $1 AND timestamp < $2 AND created_at >= $3 AND created_at < $4
    AND ($5::text IS NULL OR camera_id = $5) AND ($6::bigint IS NULL OR floor_id = $6) AND ",
    kept!(),
    " LIMIT $7"
);

const BY_IDS: &str = "-- withdrawals: where events are
SELECT id, timestamp, floor_id FROM events WHERE id = ANY ($1)";

const FLOORS_OF_CHANGES: &str = "-- withdrawals: where changes are
SELECT floor_id FROM adjustments WHERE id = ANY ($1)";

const FLOORS_OF_WITHDRAWN: &str = "-- withdrawals: where withdrawn facts are
SELECT DISTINCT floor_id FROM withdrawn_facts WHERE withdrawal_id = $1";

const EVENTS: &str = concat!(
    "-- withdrawals: events\nSELECT ",
    event_columns!(),
    ", coalesce((SELECT place FROM event_places WHERE event_id = events.id), timestamp),
    EXISTS (SELECT 1 FROM events_at_limit WHERE event_id = events.id)
FROM events WHERE id = ANY ($1) AND timestamp >= $2 AND timestamp <= $3 AND ",
    kept!()
);

const CHANGES: &str = "-- withdrawals: changes
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE id = ANY ($1)";

const WITHDRAWN: &str = concat!(
    "-- withdrawals: what one took back\nSELECT ",
    withdrawn_columns!(),
    " FROM withdrawn_facts WHERE withdrawal_id = $1"
);

const IS_TAKEN: &str = "-- withdrawals: was an event recorded anew
SELECT EXISTS (SELECT 1 FROM events
    WHERE camera_id = $1 AND track_id = $2 AND direction = $3 AND timestamp = $4)";

const IS_COUNTED: &str = "-- withdrawals: was a recount recorded anew
SELECT EXISTS (SELECT 1 FROM adjustments WHERE floor_id = $1 AND timestamp = $2 AND is_dated)";

const PUT: &str = concat!(
    "-- withdrawals: put\nINSERT INTO withdrawals (",
    withdrawal_columns!(),
    ") SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])"
);

const PUT_WITHDRAWN: &str = concat!(
    "-- withdrawals: keep facts\nINSERT INTO withdrawn_facts (",
    withdrawn_columns!(),
    ") SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[],
    $5::timestamptz[], $6::bigint[], $7::text[], $8::bigint[])"
);

const DELETE_EVENTS: &str = "-- withdrawals: events
DELETE FROM events e USING unnest($1::bigint[], $2::timestamptz[]) AS w (id, at)
WHERE e.id = w.id AND e.timestamp = w.at";

const DELETE_PLACES: &str =
    "-- withdrawals: places of events\nDELETE FROM event_places WHERE event_id = ANY ($1)";

const DELETE_CHANGES: &str = "-- withdrawals: changes\nDELETE FROM adjustments WHERE id = ANY ($1)";

const DROP_CHECKSUMS: &str = "-- withdrawals: the checksums of changes
UPDATE floors f SET adjustments_checksum = f.adjustments_checksum - w.checksum
FROM (SELECT floor_id, sum(checksum)::bigint AS checksum
      FROM unnest($1::bigint[], $2::bigint[]) AS c (floor_id, checksum) GROUP BY floor_id) w
WHERE f.id = w.floor_id";

const UNSEAL: &str = "-- withdrawals: facts that they no longer take back
UPDATE withdrawals SET checksum = withdrawals.checksum - w.checksum
FROM (SELECT f.withdrawal_id, sum(f.checksum)::bigint AS checksum FROM withdrawn_facts f
      JOIN unnest($1::smallint[], $2::bigint[]) AS k (is_event, id)
          ON k.is_event = f.is_event AND k.id = f.id
      GROUP BY f.withdrawal_id) w
WHERE w.withdrawal_id = withdrawals.id";

const DELETE_WITHDRAWN: &str = "-- withdrawals: facts that count again
DELETE FROM withdrawn_facts f USING unnest($1::smallint[], $2::bigint[]) AS k (is_event, id)
WHERE k.is_event = f.is_event AND k.id = f.id";

/// They were told in their order before: they stand before all others now.
const RESTORE_EVENTS: &str = "-- withdrawals: events that count again
INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction, confidence,
    timestamp, created_at, count_delta, at_limit, change)
SELECT *, '0'::xid8 FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[],
    $5::smallint[], $6::smallint[], $7::double precision[], $8::timestamptz[], $9::timestamptz[],
    $10::smallint[], $11::boolean[])";

impl Postgres {
    pub(in crate::store) async fn withdraw(&self, new: NewWithdrawal) -> Result<Withdrawal> {
        let now = self.now();
        self.tell(patiently!(self.try_withdraw(&new, now))?)
    }

    async fn try_withdraw(&self, new: &NewWithdrawal, now: i64) -> Result<Result<Withdrawal>> {
        let (named, floors, months) = {
            let client = self.inner.readers.get().await?;
            if let Some(row) = by_key(&client, &new.key).await? {
                return Ok(withdrawals::repeated(&row, &new.selection));
            }
            let (named, floors) = name(&client, &new.selection).await?;
            let months = match new.selection.withdrawal {
                Some(id) => withdrawn(&client, id).await?,
                None => Vec::new(),
            };
            (named, floors, months)
        };
        let instants = months.iter().filter(|row| row.is_event).map(|row| row.at);
        self.inner.months.ensure(&self.inner.writers, now, instants).await?;
        let session = Session::begin_after(TAKE_TURNS, &self.inner.writers, &floors, now).await?;
        withdraw(session, new, &named).await
    }

    pub(in crate::store) async fn preview_withdrawal(
        &self,
        selection: WithdrawalSelection,
    ) -> Result<WithdrawalEffect> {
        let now = self.now();
        patiently!(async {
            let snapshot = Transaction::snapshot(self.inner.readers.get().await?).await?;
            let (named, floors) = name(&snapshot, &selection).await?;
            let floors = super::floors::some(&snapshot, &floors).await?;
            let mut session = Session::open(snapshot, floors, now).await?;
            let selected = select(&session, &selection, &named).await?;
            let mut withdrawing = Withdrawing::new(&selected, "", None);
            let effect = session.decide(|draft| withdrawing.decide(draft)).await?;
            session.transaction.rollback().await?;
            effect
        })
    }

    /// Withdrawals whose ids are lower, the latest first.
    pub(in crate::store) async fn withdrawals(
        &self,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Withdrawal>> {
        patiently!(async {
            let client = self.inner.readers.get().await?;
            let rows = query(&client, LIST, &[&before, &i64::from(limit)]).await?;
            rows.iter().map(|row| withdrawal_row(row)?.withdrawal()).collect()
        })
    }
}

fn withdrawal_row(row: &Row) -> Result<WithdrawalRow> {
    Ok(WithdrawalRow {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        restores: row.try_get(2)?,
        data: row.try_get(3)?,
        checksum: row.try_get(4)?,
    })
}

fn withdrawn_row(row: &Row) -> Result<WithdrawnRow> {
    Ok(WithdrawnRow {
        is_event: row.try_get::<_, i16>(0)? == 1,
        id: row.try_get(1)?,
        withdrawal_id: row.try_get(2)?,
        floor_id: row.try_get(3)?,
        at: micros(row, 4)?,
        delta: row.try_get(5)?,
        data: row.try_get(6)?,
        checksum: row.try_get(7)?,
    })
}

async fn by_key(client: &ClientWrapper, key: &str) -> Result<Option<WithdrawalRow>> {
    query(client, BY_KEY, &[&key]).await?.first().map(withdrawal_row).transpose()
}

async fn withdrawn(client: &ClientWrapper, id: i64) -> Result<Vec<WithdrawnRow>> {
    query(client, WITHDRAWN, &[&id]).await?.iter().map(withdrawn_row).collect()
}

/// Finds out which facts are named, and their floors.
async fn name(
    client: &ClientWrapper,
    selection: &WithdrawalSelection,
) -> Result<(Named, Vec<i64>)> {
    let mut named = Named { events: Vec::new(), changes: selection.changes.clone() };
    let mut floors = BTreeSet::new();
    let events = if selection.is_stretch() {
        let micros = |at: Option<Timestamp>, otherwise| {
            Micros(at.map_or(otherwise, |at| at.as_microsecond()))
        };
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
            &micros(selection.start, i64::MIN),
            &micros(selection.end, i64::MAX),
            &micros(selection.received_start, i64::MIN),
            &micros(selection.received_end, i64::MAX),
            &selection.camera_id,
            &selection.floor_id,
            &Named::LIMIT,
        ];
        query(client, STRETCH, &values).await?
    } else {
        query(client, BY_IDS, &[&selection.events]).await?
    };
    for row in &events {
        named.events.push((row.try_get(0)?, micros(row, 1)?));
        floors.insert(row.try_get(2)?);
    }
    let changes = query(client, FLOORS_OF_CHANGES, &[&selection.changes]).await?;
    let restored = match selection.withdrawal {
        Some(id) => query(client, FLOORS_OF_WITHDRAWN, &[&id]).await?,
        None => Vec::new(),
    };
    for row in changes.iter().chain(&restored) {
        floors.insert(row.try_get(0)?);
    }
    named.check()?;
    Ok((named, floors.into_iter().collect()))
}

/// Loads the facts that are named.
async fn select(
    session: &Session,
    selection: &WithdrawalSelection,
    named: &Named,
) -> Result<Selected> {
    let client = &session.transaction;
    let mut selected = Selected::default();
    if let Some(id) = selection.withdrawal {
        selected.restores = true;
        restorable(client, id, &mut selected).await?;
    }
    let ids: Vec<i64> = named.events.iter().map(|(id, _)| *id).collect();
    let instants = || named.events.iter().map(|(_, at)| *at);
    let from = Micros(instants().min().unwrap_or_default());
    let to = Micros(instants().max().unwrap_or_default());
    for row in query(client, EVENTS, &[&ids, &from, &to]).await? {
        let fact = WithdrawnFact::Event { event: rows::event(&row, 0)?, place: micros(&row, 11)? };
        selected.facts.push(SelectedFact { fact, is_at_limit: row.try_get(12)? });
    }
    for row in query(client, CHANGES, &[&named.changes]).await? {
        let change = rows::adjustment(&row)?;
        may_withdraw(&change)?;
        let fact = WithdrawnFact::Change(change);
        selected.facts.push(SelectedFact { fact, is_at_limit: false });
    }
    if selection.withdrawal.is_none() {
        let asked = selection.events.len().max(named.events.len()) + named.changes.len();
        selected.left += asked.saturating_sub(selected.facts.len()) as u64;
    }
    // A fact of a floor that was not locked came meanwhile.
    selected.facts.retain(|it| session.draft.floors.contains_key(&it.fact.floor_id()));
    Ok(selected.within(session.draft.horizon))
}

/// Loads what an earlier withdrawal took back and what was not recorded anew since.
async fn restorable(client: &ClientWrapper, id: i64, selected: &mut Selected) -> Result<()> {
    let found = query(client, BY_ID, &[&id]).await?;
    let row = found.first().map(withdrawal_row).transpose()?;
    let is_restored = found.first().map_or(Ok(false), |row| row.try_get(5))?;
    withdrawals::may_restore(row.as_ref(), is_restored)?;
    for row in withdrawn(client, id).await? {
        let fact = row.fact()?;
        let found = match &fact {
            WithdrawnFact::Event {
                event: Event { camera_id, track_id, direction, .. }, ..
            } => {
                let direction = i16::from(direction_number(*direction));
                query(client, IS_TAKEN, &[camera_id, track_id, &direction, &Micros(row.at)]).await?
            }
            WithdrawnFact::Change(change) if change.is_dated => {
                query(client, IS_COUNTED, &[&change.floor_id, &Micros(change.at)]).await?
            }
            WithdrawnFact::Change(_) => Vec::new(),
        };
        if found.first().map_or(Ok(false), |row| row.try_get(0))? {
            selected.left += 1;
        } else {
            selected.facts.push(SelectedFact { fact, is_at_limit: false });
        }
    }
    Ok(())
}

/// The inner result is the outcome of the commit.
async fn withdraw(
    mut session: Session,
    new: &NewWithdrawal,
    named: &Named,
) -> Result<Result<Withdrawal>> {
    if let Some(row) = by_key(&session.transaction, &new.key).await? {
        session.transaction.rollback().await?;
        return Ok(withdrawals::repeated(&row, &new.selection));
    }
    let selected = select(&session, &new.selection, named).await?;
    selected.require_some()?;
    let mut withdrawing = Withdrawing::new(&selected, &new.reason, new.author.as_deref());
    let effect = session.decide(|draft| withdrawing.decide_and_note(draft)).await??;
    let now = session.draft.now;
    let writes = session.draft.into_writes();
    let id = withdrawals::id_of(&writes)?;
    let why = (new.reason.clone(), new.author.clone());
    let withdrawal = withdrawals::recorded(id, new.selection.clone(), why, now, effect);
    let rows = writes.removed.iter().map(|fact| WithdrawnRow::new(id, fact));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let row = WithdrawalRow::new(&withdrawal, &new.key, &rows)?;
    put(&session.transaction, &[row]).await?;
    put_withdrawn(&session.transaction, &rows).await?;
    Ok(super::writes::commit(writes, session.transaction).await.map(|()| withdrawal))
}

/// What takes facts out of the tables that hold what counts, and puts others back.
pub(super) fn steps(writes: &Writes) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let (removed, changes) = parted(&writes.removed);
    if !removed.is_empty() {
        let ids: Vec<i64> = removed.iter().map(|event| event.id).collect();
        let at: Vec<Micros> =
            removed.iter().map(|event| Micros(event.timestamp.as_microsecond())).collect();
        steps.push((DELETE_PLACES, vec![Box::new(ids.clone())]));
        steps.push((DELETE_EVENTS, vec![Box::new(ids), Box::new(at)]));
    }
    if !changes.is_empty() {
        let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
        let floors: Vec<i64> = changes.iter().map(|change| change.floor_id).collect();
        let sums: Vec<i64> = changes.iter().map(|change| checksum::adjustment(change)).collect();
        steps.push((DELETE_CHANGES, vec![Box::new(ids)]));
        steps.push((DROP_CHECKSUMS, vec![Box::new(floors), Box::new(sums)]));
    }
    if !writes.restored.is_empty() {
        let keys = || -> Vec<Column<'_>> {
            let keys = writes.restored.iter().map(WithdrawnFact::key);
            let (kinds, ids): (Vec<i16>, Vec<i64>) =
                keys.map(|(is_event, id)| (i16::from(is_event), id)).unzip();
            vec![Box::new(kinds), Box::new(ids)]
        };
        steps.push((UNSEAL, keys()));
        steps.push((DELETE_WITHDRAWN, keys()));
        let (events, changes) = parted(&writes.restored);
        if !events.is_empty() {
            steps.push((RESTORE_EVENTS, event_values(events)));
        }
        changes.iter().for_each(|change| steps.extend(restored_change(change)));
    }
    steps
}

/// Events and changes apart.
fn parted(facts: &[WithdrawnFact]) -> (Vec<&Event>, Vec<&crate::decide::Adjustment>) {
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    for fact in facts {
        match fact {
            WithdrawnFact::Event { event, .. } => events.push(event),
            WithdrawnFact::Change(change) => changes.push(change),
        }
    }
    (events, changes)
}

async fn put(client: &ClientWrapper, rows: &[WithdrawalRow]) -> Result<()> {
    let columns: Vec<Column<'_>> = vec![
        Box::new(rows.iter().map(|row| row.id).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.restores).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.data.as_str()).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.checksum).collect::<Vec<_>>()),
    ];
    run_steps(vec![(PUT, columns)], client).await
}

async fn put_withdrawn(client: &ClientWrapper, rows: &[WithdrawnRow]) -> Result<()> {
    let columns: Vec<Column<'_>> = vec![
        Box::new(rows.iter().map(|row| i16::from(row.is_event)).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.id).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.withdrawal_id).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.floor_id).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| Micros(row.at)).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.delta).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.data.as_str()).collect::<Vec<_>>()),
        Box::new(rows.iter().map(|row| row.checksum).collect::<Vec<_>>()),
    ];
    run_steps(vec![(PUT_WITHDRAWN, columns)], client).await
}
