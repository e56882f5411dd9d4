//! Both ends of a copy: facts are read here page by page, or put here, until what is stored is
//! what the source has.

use rusqlite::{CachedStatement, Connection, Row};

use super::{
    Sqlite, floors, keys, past, places, recording, repair, retention,
    rows::{self, Code, event_columns},
    seals,
    session::Session,
    site, states, withdrawals,
};
use crate::{
    Direction, Error, Floor, Result,
    count::{Fact, Source},
    decide::Adjustment,
    limits::CLEANUP_CHUNK_ROWS,
    store::transfer::{
        self, AtLimitRow, Difference, Digest, Frame, Key, Mark, NOT_BEGUN, Origin, PlaceRow, Rows,
        Stretch, Table, Target, Totals,
    },
};

const MARK: &str = "-- copy: which site, and the last ids that were given
SELECT identity, max(last_event_id, (SELECT coalesce(max(id), 0) FROM events),
           (SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1)),
       max(last_floor_id, (SELECT coalesce(max(id), 0) FROM floors)),
       max(last_adjustment_id, (SELECT coalesce(max(id), 0) FROM adjustments))
FROM site JOIN retention ON retention.id = site.id WHERE site.id = 1";

const COPY_OF: &str = "-- copy: whose\nSELECT copy_of FROM site WHERE id = 1";

const TARGET: &str = "-- copy: what the target says about itself
SELECT copy_of, copied_from, copied_sum FROM site WHERE id = 1";

const SET_COPY_OF: &str = "-- copy: not finished\nUPDATE site SET copy_of = ?1 WHERE id = 1";

const FINISH: &str = "-- copy: finished, with a lineage that no other copy has
UPDATE site SET copy_of = NULL, lineage = 1 + abs(random() % 4503599627370495),
    copied_from = ?1, copied_sum = ?2
WHERE id = 1";

const ORIGINS: &str = "-- copy: origins
SELECT floor_id, initial_slots, base_count, removed_delta FROM floor_origins ORDER BY floor_id";

const TOTALS: &str = "-- copy: totals
SELECT (SELECT count(*) FROM events), (SELECT sum(id) FROM events),
       (SELECT min(timestamp) FROM events), (SELECT max(timestamp) FROM events),
       (SELECT count(*) FROM adjustments), (SELECT sum(id) FROM adjustments),
       (SELECT sum(place) FROM adjustments),
       (SELECT count(*) FROM event_places), (SELECT sum(place) FROM event_places),
       (SELECT count(*) FROM event_digests), (SELECT sum(length(data)) FROM event_digests),
       (SELECT count(*) FROM events_at_limit WHERE timestamp < horizon)
FROM retention WHERE id = 1";

const ADJUSTMENTS: &str = "-- copy: adjustments
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE id > ?1 AND id <= ?3 ORDER BY id LIMIT ?5";

const DIGESTS: &str = "-- copy: digests
SELECT hour, floor_id, data FROM event_digests
WHERE (hour, floor_id) > (?1, ?2) AND (hour, floor_id) <= (?3, ?4)
ORDER BY hour, floor_id LIMIT ?5";

const EVENTS: &str = concat!(
    "-- copy: events\nSELECT ",
    event_columns!(),
    " FROM events WHERE id > ?1 AND id <= ?3 ORDER BY id LIMIT ?5"
);

const PLACES: &str = "-- copy: places of events
SELECT event_id, floor_id, place, camera_id, track_id, direction, timestamp FROM event_places
WHERE event_id > ?1 AND event_id <= ?3 ORDER BY event_id LIMIT ?5";

const AT_LIMIT: &str = "-- copy: events at the limit before the horizon
SELECT event_id, floor_id, camera_id, timestamp FROM events_at_limit
WHERE event_id > ?1 AND event_id <= ?3 AND timestamp < (SELECT horizon FROM retention)
ORDER BY event_id LIMIT ?5";

const RENAME: &str = "-- copy: names make way for each other
UPDATE floors SET name = char(1) || id";

const PUT_FLOOR: &str = "-- copy: put a floor
INSERT INTO floors (id, name, description, total_slots, current_vehicles, is_active, created_at,
    updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
    total_slots = excluded.total_slots, current_vehicles = excluded.current_vehicles,
    is_active = excluded.is_active, created_at = excluded.created_at,
    updated_at = excluded.updated_at";

const PUT_ORIGIN: &str = "-- copy: put an origin
INSERT INTO floor_origins (floor_id, initial_slots, base_count, removed_delta)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (floor_id) DO UPDATE SET initial_slots = excluded.initial_slots,
    base_count = excluded.base_count, removed_delta = excluded.removed_delta";

const SET_HORIZON: &str = "-- copy: horizon\nUPDATE retention SET horizon = ?1 WHERE id = 1";

const KEEP_IDS: &str = "-- copy: ids go on after those of the source
UPDATE retention SET last_event_id = max(last_event_id, ?1),
    last_floor_id = max(last_floor_id, ?2), last_adjustment_id = max(last_adjustment_id, ?3)
WHERE id = 1";

const PUT_DIGEST: &str = "-- copy: put a digest
INSERT INTO event_digests (hour, floor_id, data) VALUES (?1, ?2, ?3)";

const PUT_AT_LIMIT: &str = "-- copy: put an event at the limit
INSERT INTO events_at_limit (event_id, floor_id, camera_id, timestamp) VALUES (?1, ?2, ?3, ?4)";

impl Sqlite {
    /// Refuses a copy that is not finished.
    pub(in crate::store) async fn require_whole(&self) -> Result<()> {
        self.read(require_whole).await
    }

    /// Which database this is.
    pub(in crate::store) async fn copy_mark(&self) -> Result<Mark> {
        self.read(mark).await
    }

    /// What there is to copy.
    pub(in crate::store) async fn copy_totals(&self) -> Result<Totals> {
        self.read(totals).await
    }

    /// The next rows of a table.
    pub(in crate::store) async fn copy_read(&self, table: Table, stretch: Stretch) -> Result<Rows> {
        self.read(move |connection| read(connection, table, stretch, table.page())).await
    }

    /// Begins a copy of `source`, or goes on with it.
    pub(in crate::store) async fn copy_begin(&self, source: Mark) -> Result<()> {
        self.write(move |session| begin(session, source)).await
    }

    /// Makes floors, origins, keys and horizon those of the source.
    pub(in crate::store) async fn copy_frame(&self, source: Mark, frame: Frame) -> Result<()> {
        self.write(move |session| put_frame(session, source, &frame)).await
    }

    /// Makes a stretch of a table what it is in the source.
    pub(in crate::store) async fn copy_put(
        &self,
        source: Mark,
        table: Table,
        stretch: Stretch,
        rows: Rows,
    ) -> Result<(Key, u64)> {
        self.write(move |session| put(session, source, table, stretch, rows)).await
    }

    /// Forgets what the source had forgotten but not taken out yet (readers here would see it),
    /// and builds what is derived.
    pub(in crate::store) async fn copy_derive(&self, source: Mark) -> Result<()> {
        while self.write(move |session| settle(session, source)).await? == CLEANUP_CHUNK_ROWS as u64
        {
        }
        self.write(move |session| derive(session, source)).await
    }

    /// The copy is whole: from now on it may be used.
    pub(in crate::store) async fn copy_finish(&self, source: Mark) -> Result<()> {
        self.write(move |session| finish(session, source)).await
    }
}

/// The statement that takes a row of a table out by its key.
fn delete(table: Table) -> &'static str {
    match table {
        Table::Adjustments => {
            "-- copy: take an adjustment out\nDELETE FROM adjustments WHERE id = ?1 AND ?2 = ?2"
        }
        Table::Digests => {
            "-- copy: take a digest out
DELETE FROM event_digests WHERE hour = ?1 AND floor_id = ?2"
        }
        Table::Events => {
            "-- copy: take an event out\nDELETE FROM events WHERE id = ?1 AND timestamp = ?2"
        }
        Table::Places => {
            "-- copy: take a place out\nDELETE FROM event_places WHERE event_id = ?1 AND ?2 = ?2"
        }
        Table::AtLimit => {
            "-- copy: take an event at the limit out
DELETE FROM events_at_limit WHERE event_id = ?1 AND ?2 = ?2"
        }
    }
}

fn mark(connection: &Connection) -> Result<Mark> {
    let mut statement = connection.prepare_cached(MARK)?;
    Ok(statement.query_row([], |row| {
        Ok(Mark {
            identity: row.get(0)?,
            last_event_id: row.get(1)?,
            last_floor_id: row.get(2)?,
            last_adjustment_id: row.get(3)?,
        })
    })?)
}

/// Marks a new database as the target of a copy that has not begun.
pub(super) fn mark_not_begun(connection: &Connection) -> Result<()> {
    connection.execute(SET_COPY_OF, [NOT_BEGUN])?;
    Ok(())
}

fn copy_of(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(COPY_OF)?.query_row([], |row| row.get(0))?)
}

/// Refuses a copy that is not finished.
pub(super) fn require_whole(connection: &Connection) -> Result<()> {
    transfer::require_whole(copy_of(connection)?)
}

/// What is copied as a whole.
fn frame(connection: &Connection) -> Result<Frame> {
    let mut origins = connection.prepare_cached(ORIGINS)?;
    let origins = origins.query_map([], |row| {
        Ok(Origin {
            floor_id: row.get(0)?,
            initial_slots: row.get(1)?,
            base_count: row.get(2)?,
            removed_delta: row.get(3)?,
        })
    })?;
    Ok(Frame {
        floors: floors::all(connection)?,
        origins: origins.collect::<rusqlite::Result<_>>()?,
        keys: keys::all(connection)?,
        site: site::read(connection)?,
        horizon: past::horizon(connection)?,
        states: states::all(connection)?,
        withdrawals: withdrawals::all(connection)?,
        withdrawn: withdrawals::all_withdrawn(connection)?,
    })
}

fn totals(connection: &Connection) -> Result<Totals> {
    let frame = frame(connection)?;
    let mut statement = connection.prepare_cached(TOTALS)?;
    Ok(statement.query_row([], |row| {
        Ok(Totals {
            frame,
            events: [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?],
            adjustments: [row.get(4)?, row.get(5)?, row.get(6)?],
            places: [row.get(7)?, row.get(8)?],
            digests: [row.get(9)?, row.get(10)?],
            at_limit: row.get(11)?,
        })
    })?)
}

/// The first `limit` rows of a stretch of a table.
fn read(connection: &Connection, table: Table, stretch: Stretch, limit: usize) -> Result<Rows> {
    Ok(match table {
        Table::Adjustments => {
            let statement = connection.prepare_cached(ADJUSTMENTS)?;
            Rows::Adjustments(collect(statement, stretch, limit, adjustment)?)
        }
        Table::Digests => {
            let statement = connection.prepare_cached(DIGESTS)?;
            Rows::Digests(collect(statement, stretch, limit, |row| {
                Ok(Digest { hour: row.get(0)?, floor_id: row.get(1)?, data: row.get(2)? })
            })?)
        }
        Table::Events => {
            let statement = connection.prepare_cached(EVENTS)?;
            Rows::Events(collect(statement, stretch, limit, rows::event)?)
        }
        Table::Places => {
            let statement = connection.prepare_cached(PLACES)?;
            Rows::Places(collect(statement, stretch, limit, place)?)
        }
        Table::AtLimit => {
            let statement = connection.prepare_cached(AT_LIMIT)?;
            Rows::AtLimit(collect(statement, stretch, limit, |row| {
                let (event_id, floor_id) = (row.get(0)?, row.get(1)?);
                Ok(AtLimitRow { event_id, floor_id, camera_id: row.get(2)?, at: row.get(3)? })
            })?)
        }
    })
}

fn collect<T>(
    mut statement: CachedStatement<'_>,
    ((after, after_more), (upto, upto_more)): Stretch,
    limit: usize,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((after, after_more, upto, upto_more, limit), row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// An adjustment, all its columns in the order of the table.
pub(super) fn adjustment(row: &Row<'_>) -> rusqlite::Result<Adjustment> {
    Ok(Adjustment {
        id: row.get(0)?,
        floor_id: row.get(1)?,
        kind: row.get::<_, Code<_>>(2)?.0,
        delta: row.get(3)?,
        current_vehicles: row.get(4)?,
        total_slots: row.get(5)?,
        reason: row.get(6)?,
        author: row.get(7)?,
        at: row.get(8)?,
        created_at: row.get(9)?,
        place: row.get(10)?,
        is_dated: row.get(11)?,
    })
}

fn place(row: &Row<'_>) -> rusqlite::Result<PlaceRow> {
    let Code::<Direction>(direction) = row.get(5)?;
    let (camera_id, track_id, timestamp) = (row.get(3)?, row.get(4)?, row.get(6)?);
    let source = Source::Event { camera_id, track_id, direction, timestamp };
    let fact = Fact { at: row.get(2)?, source, act: direction.into(), id: row.get(0)? };
    Ok(PlaceRow { floor_id: row.get(1)?, fact })
}

fn begin(session: &Session<'_>, source: Mark) -> Result<()> {
    let connection = session.connection;
    let is_empty = floors::all(connection)?.is_empty() && keys::all(connection)?.is_empty();
    let target = connection.prepare_cached(TARGET)?.query_row([], |row| {
        let (copy_of, copied_from, copied_sum) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Target { copy_of, copied_from, copied_sum, is_empty })
    })?;
    let held = target.may_go_on(source.identity).then(|| totals(connection)).transpose()?;
    target.admit(source.identity, held.as_ref())?;
    connection.execute(SET_COPY_OF, [source.identity])?;
    Ok(())
}

fn put_frame(session: &Session<'_>, source: Mark, frame: &Frame) -> Result<()> {
    let connection = session.connection;
    transfer::require_unfinished(copy_of(connection)?, source.identity)?;
    let kept = |floor: &Floor| frame.floors.iter().any(|other| other.id == floor.id);
    for gone in floors::all(connection)?.iter().filter(|floor| !kept(floor)) {
        floors::delete(connection, gone.id).map_err(|error| match error {
            Error::FloorHasEvents => transfer::foreign_data(),
            other => other,
        })?;
    }
    connection.execute(RENAME, [])?;
    for floor in &frame.floors {
        connection.prepare_cached(PUT_FLOOR)?.execute((
            floor.id,
            &floor.name,
            &floor.description,
            floor.total_slots,
            floor.current_vehicles,
            floor.is_active,
            floor.created_at.as_microsecond(),
            floor.updated_at.as_microsecond(),
        ))?;
    }
    for origin in &frame.origins {
        connection.prepare_cached(PUT_ORIGIN)?.execute((
            origin.floor_id,
            origin.initial_slots,
            origin.base_count,
            origin.removed_delta,
        ))?;
    }
    keys::replace(connection, &frame.keys)?;
    states::replace(connection, &frame.states)?;
    withdrawals::replace(connection, &frame.withdrawals, &frame.withdrawn)?;
    site::put(connection, &frame.site)?;
    connection.execute(SET_HORIZON, [frame.horizon])?;
    keep_ids(connection, source)
}

/// No id that the source gave is given again.
fn keep_ids(connection: &Connection, source: Mark) -> Result<()> {
    let Mark { identity: _, last_event_id, last_floor_id, last_adjustment_id } = source;
    connection.execute(KEEP_IDS, (last_event_id, last_floor_id, last_adjustment_id))?;
    Ok(())
}

/// Makes a stretch of a table what it is in the source, which has exactly `rows` there. Returns
/// how far that was done, and how many rows were put in.
fn put(
    session: &mut Session<'_>,
    source: Mark,
    table: Table,
    stretch: Stretch,
    rows: Rows,
) -> Result<(Key, u64)> {
    let connection = session.connection;
    transfer::require_unfinished(copy_of(connection)?, source.identity)?;
    let limit = 2 * table.page();
    let stored = read(connection, table, stretch, limit)?;
    let difference = Difference::new(stored, rows, stretch.1, limit);
    let withdrawn = match difference.stale.is_empty() {
        true => Vec::new(),
        false => withdrawals::all_withdrawn(connection)?,
    };
    difference.refuse_foreign(session.horizon()?, &withdrawn)?;
    for key in &difference.stale {
        connection.prepare_cached(delete(table))?.execute(*key)?;
    }
    let written = difference.fresh.len() as u64;
    insert(connection, difference.fresh)?;
    Ok((difference.reached, written))
}

fn insert(connection: &Connection, rows: Rows) -> Result<()> {
    match rows {
        Rows::Adjustments(rows) => {
            rows.iter().try_for_each(|row| floors::insert_adjustment(connection, row))
        }
        Rows::Events(rows) => rows.iter().try_for_each(|row| recording::insert(connection, row)),
        Rows::Digests(rows) => rows.into_iter().try_for_each(|row| {
            let mut statement = connection.prepare_cached(PUT_DIGEST)?;
            statement.execute((row.hour, row.floor_id, row.data))?;
            Ok(())
        }),
        Rows::Places(rows) => {
            rows.iter().try_for_each(|row| places::put(connection, row.floor_id, &row.fact))
        }
        Rows::AtLimit(rows) => rows.into_iter().try_for_each(|row| {
            let mut statement = connection.prepare_cached(PUT_AT_LIMIT)?;
            statement.execute((row.event_id, row.floor_id, row.camera_id, row.at))?;
            Ok(())
        }),
    }
}

/// As much of the forgetting as one transaction does; returns how much.
fn settle(session: &mut Session<'_>, source: Mark) -> Result<u64> {
    transfer::require_unfinished(copy_of(session.connection)?, source.identity)?;
    retention::delete_chunk(session)
}

fn derive(session: &mut Session<'_>, source: Mark) -> Result<()> {
    transfer::require_unfinished(copy_of(session.connection)?, source.identity)?;
    // Where a count is wrong it was wrong in the source: the check names it.
    repair::derive(session)?;
    seals::keep_all(session.connection)
}

fn finish(session: &Session<'_>, source: Mark) -> Result<()> {
    transfer::require_unfinished(copy_of(session.connection)?, source.identity)?;
    keep_ids(session.connection, source)?;
    let held = totals(session.connection)?;
    session.connection.execute(FINISH, (source.identity, held.sum()))?;
    seals::keep_site(session.connection)
}
