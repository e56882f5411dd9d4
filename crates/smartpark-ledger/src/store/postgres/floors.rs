//! Floors: reading them, and every change of one. A change of a count or a capacity is a fact in
//! the floor's history and leaves an adjustment.
//!
//! What writes returns a result in a result: the outer one is an attempt that can be made again,
//! the inner one the outcome of its commit, after which a repetition might count twice.

use std::sync::Arc;

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    Postgres,
    connect::query,
    fault::constraint,
    rows::{self, Micros, floor_columns},
    seals,
    session::Session,
    transaction::{Transaction, patiently},
    transfer,
    wants::Wants,
    writes,
};
use crate::{
    Direction, Error, Floor, FloorChange, NewFloor, Result,
    decide::{Adjustment, Dated, may_remove},
};

pub(super) const ALL: &str =
    concat!("-- floors: all\nSELECT ", floor_columns!(), " FROM floors ORDER BY id");

const SOME: &str =
    concat!("-- floors: some\nSELECT ", floor_columns!(), " FROM floors WHERE id = ANY ($1)");

pub(super) const BY_ID: &str =
    concat!("-- get_floor_by_id\nSELECT ", floor_columns!(), " FROM floors WHERE id = $1");

const BY_NAME: &str =
    concat!("-- get_floor_by_name\nSELECT ", floor_columns!(), " FROM floors WHERE name = $1");

/// Cleanup changes what all floors stand on: no floor may come into being meanwhile.
pub(super) const LOCK_RETENTION: &str =
    "-- floors: not while the horizon moves\nSELECT id FROM retention WHERE id = 1 FOR UPDATE";

const INSERT: &str = concat!(
    "-- add_floor: insert
INSERT INTO floors (name, description, total_slots, is_active, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5) RETURNING ",
    floor_columns!()
);

const INSERT_ORIGIN: &str = "-- add_floor: origin
INSERT INTO floor_origins (floor_id, initial_slots) VALUES ($1, $2)";

const UPDATE: &str = "-- change_floor: what has no history
UPDATE floors SET name = $2, description = $3, is_active = $4, updated_at = $5 WHERE id = $1";

const HAS_EVENTS: &str = "-- remove_floor: did it ever have events
SELECT EXISTS (SELECT 1 FROM events WHERE floor_id = $1)
    OR EXISTS (SELECT 1 FROM event_hours WHERE floor_id = $1)";

const DATED: &str = "-- recount: another of the same instant
SELECT current_vehicles FROM adjustments WHERE floor_id = $1 AND timestamp = $2 AND is_dated";

const CHANGES: &str = "-- get_changes
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE ($1::bigint IS NULL OR floor_id = $1) AND id < $2
ORDER BY id DESC LIMIT $3";

const DELETE: &str = "-- remove_floor: delete\nDELETE FROM floors WHERE id = $1";

const EMPTY: &str = "-- reset_database_seed: remove all, but never give an id twice
UPDATE retention SET horizon = NULL, last_change = pg_current_xact_id()::text::bigint,
    last_event_id = 0 WHERE id = 1;
TRUNCATE floors, floor_origins, floor_stretches, adjustments, events, events_at_limit,
    event_places, event_hours, event_digests, refusals, not_counted, device_states,
    withdrawals, withdrawn_facts";

impl Postgres {
    pub(in crate::store) async fn floors(&self) -> Result<Vec<Floor>> {
        patiently!(async { all(&*self.inner.readers.get().await?).await })
    }

    /// All floors, most free slots first, as all readers of this server share them.
    pub(in crate::store) async fn latest_floors(&self) -> Result<Arc<[Floor]>> {
        self.inner.latest.floors().await
    }

    pub(in crate::store) async fn floor_by_id(&self, id: i64) -> Result<Option<Floor>> {
        patiently!(async { by_id(&*self.inner.readers.get().await?, id).await })
    }

    pub(in crate::store) async fn floor_by_name(&self, name: &str) -> Result<Option<Floor>> {
        patiently!(async { by_name(&*self.inner.readers.get().await?, name).await })
    }

    pub(in crate::store) async fn add_floor(&self, floor: NewFloor) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(add(&self.inner.writers, &floor, now))?)
    }

    pub(in crate::store) async fn change_floor(
        &self,
        id: i64,
        wanted: FloorChange,
    ) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(change(&self.inner.writers, id, &wanted, now))?)
    }

    pub(in crate::store) async fn remove_floor(&self, id: i64) -> Result<()> {
        let now = self.now();
        self.tell(patiently!(remove(&self.inner.writers, id, now))?)
    }

    pub(in crate::store) async fn recount(
        &self,
        id: i64,
        count: i64,
        reason: String,
        author: Option<String>,
    ) -> Result<Floor> {
        let (now, why) = (self.now(), (reason.as_str(), author.as_deref()));
        self.tell(patiently!(recount(&self.inner.writers, id, count, why, now))?)
    }

    pub(in crate::store) async fn recount_at(
        &self,
        id: i64,
        count: i64,
        at: i64,
        reason: String,
        author: Option<String>,
    ) -> Result<Floor> {
        let (now, why) = (self.now(), (reason.as_str(), author.as_deref()));
        self.tell(patiently!(recount_at(&self.inner.writers, id, (count, at), why, now))?)
    }

    pub(in crate::store) async fn changes_of(
        &self,
        floor_id: Option<i64>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Adjustment>> {
        let limit = i64::from(limit);
        patiently!(async {
            let client = self.inner.readers.get().await?;
            let rows = query(&client, CHANGES, &[&floor_id, &before, &limit]).await?;
            rows.iter().map(rows::adjustment).collect()
        })
    }

    pub(in crate::store) async fn adjust(&self, id: i64, direction: Direction) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(adjust(&self.inner.writers, id, direction, now))?)
    }

    /// Tells readers of a change before its caller hears of it: a read that begins then sees it.
    pub(super) fn tell<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect(|_| self.inner.changes.bump())
    }
}

pub(super) async fn all(client: &ClientWrapper) -> Result<Vec<Floor>> {
    query(client, ALL, &[]).await?.iter().map(|row| rows::floor(row, 0)).collect()
}

/// The floors with these ids, as far as there are any.
pub(super) async fn some(client: &ClientWrapper, ids: &[i64]) -> Result<Vec<Floor>> {
    query(client, SOME, &[&ids]).await?.iter().map(|row| rows::floor(row, 0)).collect()
}

pub(super) async fn by_id(client: &ClientWrapper, id: i64) -> Result<Option<Floor>> {
    let found = query(client, BY_ID, &[&id]).await?;
    found.first().map(|row| rows::floor(row, 0)).transpose()
}

pub(super) async fn by_name(client: &ClientWrapper, name: &str) -> Result<Option<Floor>> {
    if name.contains('\0') {
        // PostgreSQL has no text with it.
        return Ok(None);
    }
    let found = query(client, BY_NAME, &[&name]).await?;
    found.first().map(|row| rows::floor(row, 0)).transpose()
}

pub(super) async fn add(pool: &Pool, new: &NewFloor, now: i64) -> Result<Result<Floor>> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    transfer::require_in_use(&transaction).await?;
    let floor = insert(&transaction, new, now).await?;
    let session = Session::open(transaction, vec![floor.clone()], now).await?;
    Ok(note_added(session, std::slice::from_ref(new)).await?.map(|()| floor))
}

/// Notes that the floors of a session were added, and commits.
async fn note_added(mut session: Session, new: &[NewFloor]) -> Result<Result<()>> {
    let ids: Vec<i64> = session.draft.floors.keys().copied().collect();
    for (id, new) in ids.iter().zip(new) {
        session.decide(|draft| draft.note_added(*id, new.author.as_deref())).await??;
    }
    Ok(writes::commit(session.draft.into_writes(), session.transaction).await)
}

async fn insert(client: &ClientWrapper, new: &NewFloor, now: i64) -> Result<Floor> {
    let statement = client.prepare_cached(INSERT).await?;
    let now = Micros(now);
    let inserted = client
        .query_one(
            &statement,
            &[&new.name, &new.description, &new.total_slots, &new.is_active, &now],
        )
        .await
        .map_err(name_taken)?;
    let floor = rows::floor(&inserted, 0)?;
    query(client, INSERT_ORIGIN, &[&floor.id, &new.total_slots]).await?;
    seals::keep_floor(client, &floor).await?;
    seals::keep_origins(client, Some(&[floor.id])).await?;
    Ok(floor)
}

/// Another floor with the name is the caller's matter; anything else is not.
fn name_taken(error: tokio_postgres::Error) -> Error {
    if constraint(&error) == Some("ix_floor_name") { Error::NameTaken } else { error.into() }
}

pub(super) async fn change(
    pool: &Pool,
    id: i64,
    change: &FloorChange,
    now: i64,
) -> Result<Result<Floor>> {
    let session = Session::begin(pool, &[id], now).await?;
    session.change(|draft| draft.change_floor(id, change)).await
}

/// Stores the name, the description and the activity of a floor.
pub(super) async fn store_settings(client: &ClientWrapper, floor: &Floor) -> Result<()> {
    let Floor { id, name, description, is_active, updated_at, .. } = floor;
    let statement = client.prepare_cached(UPDATE).await?;
    let at = Micros(updated_at.as_microsecond());
    client
        .execute(&statement, &[id, name, description, is_active, &at])
        .await
        .map_err(name_taken)?;
    seals::keep_floor(client, floor).await
}

pub(super) async fn remove(pool: &Pool, id: i64, now: i64) -> Result<Result<()>> {
    // Its origin goes with it, which a cleanup may be changing.
    let session = Session::begin_after(LOCK_RETENTION, pool, &[id], now).await?;
    session.draft.floor(id)?;
    let transaction = session.transaction;
    delete(&transaction, id).await?;
    Ok(transaction.commit().await)
}

/// Deletes a floor that never had an event.
pub(super) async fn delete(client: &ClientWrapper, id: i64) -> Result<()> {
    let rows = query(client, HAS_EVENTS, &[&id]).await?;
    may_remove(rows.first().map_or(Ok(false), |row| row.try_get(0))?)?;
    query(client, DELETE, &[&id]).await?;
    Ok(())
}

pub(super) async fn recount(
    pool: &Pool,
    id: i64,
    count: i64,
    (reason, author): (&str, Option<&str>),
    now: i64,
) -> Result<Result<Floor>> {
    let session = Session::begin(pool, &[id], now).await?;
    session.change(|draft| draft.recount(id, count, reason, author)).await
}

async fn recount_at(
    pool: &Pool,
    id: i64,
    (count, at): (i64, i64),
    (reason, author): (&str, Option<&str>),
    now: i64,
) -> Result<Result<Floor>> {
    let session = Session::begin(pool, &[id], now).await?;
    if let Err(unknown) = session.draft.floor(id) {
        return Ok(Err(unknown));
    }
    let found = query(&session.transaction, DATED, &[&id, &Micros(at)]).await?;
    let found = found.first().map(|row| row.try_get(0)).transpose()?;
    let mut wants = Wants::default();
    wants.slots_before(id, at + 1);
    let slots = wants.load_one(&session.transaction).await?.slots;
    let dated = Dated { at, slots, found };
    session.change(|draft| draft.recount_at(id, count, dated, reason, author)).await
}

pub(super) async fn adjust(
    pool: &Pool,
    id: i64,
    direction: Direction,
    now: i64,
) -> Result<Result<Floor>> {
    let session = Session::begin(pool, &[id], now).await?;
    session.change(|draft| draft.update_vehicle_count(id, direction)).await
}

/// Empties the database where that is wanted, and makes `floors` in an empty one.
pub(super) async fn fill(
    pool: &Pool,
    floors: &[NewFloor],
    empty_first: bool,
    now: i64,
) -> Result<Result<Vec<Floor>>> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    transfer::require_in_use(&transaction).await?;
    if empty_first {
        transaction.batch_execute(EMPTY).await?;
        seals::keep_retention(&transaction).await?;
    } else if !all(&transaction).await?.is_empty() {
        return Err(Error::NotEmpty);
    }
    let mut made = Vec::with_capacity(floors.len());
    for floor in floors {
        made.push(insert(&transaction, floor, now).await?);
    }
    let session = Session::open(transaction, made.clone(), now).await?;
    Ok(note_added(session, floors).await?.map(|()| made))
}
