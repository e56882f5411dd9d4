//! Floors: reading them, and every change of one. A change of a count or a capacity is a fact in
//! the floor's history and leaves an adjustment.

use rusqlite::{Connection, OptionalExtension, ffi::SQLITE_CONSTRAINT_UNIQUE};

use super::{
    past::Past,
    rows::{self, Code, floor_columns},
    seals,
    session::Session,
    transfer,
};
use crate::{
    Direction, Error, Floor, FloorChange, NewFloor, Result,
    decide::{Adjustment, Dated, Draft, Lack, may_remove},
    store::checksum,
};

const ALL: &str = concat!("-- floors: all\nSELECT ", floor_columns!(), " FROM floors ORDER BY id");

const BY_ID: &str =
    concat!("-- get_floor_by_id\nSELECT ", floor_columns!(), " FROM floors WHERE id = ?1");

const BY_NAME: &str =
    concat!("-- get_floor_by_name\nSELECT ", floor_columns!(), " FROM floors WHERE name = ?1");

const INSERT: &str = "-- add_floor: insert
INSERT INTO floors (id, name, description, total_slots, is_active, created_at, updated_at)
SELECT 1 + max(last_floor_id, (SELECT coalesce(max(id), 0) FROM floors)), ?1, ?2, ?3, ?4, ?5, ?5
FROM retention WHERE id = 1";

const INSERT_ORIGIN: &str = "-- add_floor: origin
INSERT INTO floor_origins (floor_id, initial_slots) VALUES (?1, ?2)";

const UPDATE: &str = "-- change_floor: what has no history
UPDATE floors SET name = ?2, description = ?3, is_active = ?4, updated_at = ?5 WHERE id = ?1";

const HAS_EVENTS: &str = "-- remove_floor: did it ever have events
SELECT EXISTS (SELECT 1 FROM events WHERE floor_id = ?1)
    OR EXISTS (SELECT 1 FROM event_hours WHERE floor_id = ?1)";

const DELETE: &str = "-- remove_floor: delete\nDELETE FROM floors WHERE id = ?1";

const INSERT_ADJUSTMENT: &str = "-- adjustments: insert
INSERT INTO adjustments
    (id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
     created_at, place, is_dated, after_event)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
    max(last_event_id, (SELECT coalesce(max(id), 0) FROM events),
        (SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1))
FROM retention WHERE id = 1";

const DATED: &str = "-- recount: another of the same instant
SELECT current_vehicles FROM adjustments WHERE floor_id = ?1 AND timestamp = ?2 AND is_dated = 1";

const CHANGES: &str = "-- get_changes
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE (?1 IS NULL OR floor_id = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3";

const KEEP_CHECKSUM: &str = "-- adjustments: their checksum
UPDATE floors SET adjustments_checksum = adjustments_checksum + ?2 WHERE id = ?1";

const SET_COUNT: &str = "-- check: the count of the fold
UPDATE floors SET current_vehicles = ?2 WHERE id = ?1";

const EMPTY: &str = "-- reset_database_seed: remove all, but never give an id twice
UPDATE retention SET horizon = NULL,
    last_event_id = max(last_event_id, (SELECT coalesce(max(id), 0) FROM events),
        (SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1));
DELETE FROM withdrawn_facts;
DELETE FROM withdrawals;
DELETE FROM events_at_limit;
DELETE FROM event_places;
DELETE FROM event_digests;
DELETE FROM event_hours;
DELETE FROM refusals;
DELETE FROM not_counted;
DELETE FROM device_states;
DELETE FROM floor_stretches;
DELETE FROM events;
DELETE FROM adjustments;
DELETE FROM floor_origins;
DELETE FROM floors;";

pub(super) fn all(connection: &Connection) -> Result<Vec<Floor>> {
    let mut statement = connection.prepare_cached(ALL)?;
    let floors = statement.query_map([], rows::floor)?;
    Ok(floors.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn by_id(connection: &Connection, id: i64) -> Result<Option<Floor>> {
    Ok(connection.prepare_cached(BY_ID)?.query_row([id], rows::floor).optional()?)
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<Option<Floor>> {
    Ok(connection.prepare_cached(BY_NAME)?.query_row([name], rows::floor).optional()?)
}

pub(super) fn add(session: &mut Session<'_>, new: &NewFloor) -> Result<Floor> {
    let connection = session.connection;
    connection
        .prepare_cached(INSERT)?
        .execute((&new.name, &new.description, new.total_slots, new.is_active, session.now))
        .map_err(name_taken)?;
    let id = connection.last_insert_rowid();
    connection.prepare_cached(INSERT_ORIGIN)?.execute((id, new.total_slots))?;
    seals::keep_origin(connection, id)?;
    let floor = by_id(connection, id)?;
    let floor = floor.ok_or_else(|| Error::Internal("a new floor is not there".into()))?;
    seals::keep_floor(connection, &floor)?;
    decide(session, id, |draft| draft.note_added(id, new.author.as_deref()))?;
    Ok(floor)
}

/// Another floor with the name is the caller's matter; anything else is not.
fn name_taken(error: rusqlite::Error) -> Error {
    match error.sqlite_error() {
        Some(code) if code.extended_code == SQLITE_CONSTRAINT_UNIQUE => Error::NameTaken,
        _ => error.into(),
    }
}

pub(super) fn change(session: &mut Session<'_>, id: i64, change: &FloorChange) -> Result<Floor> {
    decide(session, id, |draft| draft.change_floor(id, change))
}

/// Stores the name, the description and the activity of a floor.
pub(super) fn store_settings(connection: &Connection, floor: &Floor) -> Result<()> {
    let Floor { id, name, description, is_active, updated_at, .. } = floor;
    connection
        .prepare_cached(UPDATE)?
        .execute((id, name, description, is_active, updated_at.as_microsecond()))
        .map_err(name_taken)?;
    seals::keep_floor(connection, floor)
}

pub(super) fn remove(session: &mut Session<'_>, id: i64) -> Result<()> {
    by_id(session.connection, id)?.ok_or(Error::NotFound("the floor"))?;
    delete(session.connection, id)
}

/// Deletes a floor that never had an event.
pub(super) fn delete(connection: &Connection, id: i64) -> Result<()> {
    may_remove(connection.prepare_cached(HAS_EVENTS)?.query_row([id], |row| row.get(0))?)?;
    connection.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

pub(super) fn recount(
    session: &mut Session<'_>,
    id: i64,
    count: i64,
    reason: &str,
    author: Option<&str>,
) -> Result<Floor> {
    decide(session, id, |draft| draft.recount(id, count, reason, author))
}

pub(super) fn recount_at(
    session: &mut Session<'_>,
    id: i64,
    count: i64,
    at: i64,
    (reason, author): (&str, Option<&str>),
) -> Result<Floor> {
    let connection = session.connection;
    by_id(connection, id)?.ok_or(Error::NotFound("the floor"))?;
    let mut found = connection.prepare_cached(DATED)?;
    let found = found.query_row((id, at), |row| row.get(0)).optional()?;
    let dated = Dated { at, slots: Past::of(connection, id).slots_before(at + 1)?, found };
    decide(session, id, |draft| draft.recount_at(id, count, dated, reason, author))
}

/// The changes of a floor, or of all, whose ids are lower, the latest first.
pub(super) fn changes(
    connection: &Connection,
    floor_id: Option<i64>,
    before: i64,
    limit: u32,
) -> Result<Vec<Adjustment>> {
    let mut statement = connection.prepare_cached(CHANGES)?;
    let rows = statement.query_map((floor_id, before, limit), transfer::adjustment)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn adjust(session: &mut Session<'_>, id: i64, direction: Direction) -> Result<Floor> {
    decide(session, id, |draft| draft.update_vehicle_count(id, direction))
}

/// Sets a count that `check` found wrong to what the history says, with an adjustment that makes
/// the sum of all that moved it right again.
pub(super) fn correct(
    session: &mut Session<'_>,
    floor_id: i64,
    folded: i64,
    delta: i64,
) -> Result<()> {
    session.connection.prepare_cached(SET_COUNT)?.execute((floor_id, folded))?;
    decide(session, floor_id, |draft| draft.correct(floor_id, folded, delta))
}

/// Sets a count to what new rules say, and notes how far they moved it.
pub(super) fn note_rules(
    session: &mut Session<'_>,
    floor_id: i64,
    folded: i64,
    delta: i64,
) -> Result<()> {
    session.connection.prepare_cached(SET_COUNT)?.execute((floor_id, folded))?;
    decide(session, floor_id, |draft| draft.note_rules(floor_id, delta))
}

/// Has a change of one floor decided, and stores it.
fn decide<T>(
    session: &mut Session<'_>,
    floor_id: i64,
    decision: impl FnMut(&mut Draft) -> Result<Result<T>, Lack>,
) -> Result<T> {
    let mut draft = session.draft([floor_id])?;
    let decided = session.decide(&mut draft, decision)??;
    session.store(draft.into_writes())?;
    Ok(decided)
}

/// Empties the database where that is wanted, and makes `floors` in an empty one.
pub(super) fn fill(
    session: &mut Session<'_>,
    floors: &[NewFloor],
    empty_first: bool,
) -> Result<Vec<Floor>> {
    if empty_first {
        session.connection.execute_batch(EMPTY)?;
        seals::keep_retention(session.connection)?;
    } else if !all(session.connection)?.is_empty() {
        return Err(Error::NotEmpty);
    }
    floors.iter().map(|floor| add(session, floor)).collect()
}

/// Stores an adjustment.
pub(super) fn insert_adjustment(connection: &Connection, new: &Adjustment) -> Result<()> {
    connection.prepare_cached(INSERT_ADJUSTMENT)?.execute((
        new.id,
        new.floor_id,
        Code(new.kind),
        new.delta,
        new.current_vehicles,
        new.total_slots,
        &new.reason,
        &new.author,
        new.at,
        new.created_at,
        new.place,
        new.is_dated,
    ))?;
    let checksum = (new.floor_id, checksum::adjustment(new));
    connection.prepare_cached(KEEP_CHECKSUM)?.execute(checksum)?;
    Ok(())
}
