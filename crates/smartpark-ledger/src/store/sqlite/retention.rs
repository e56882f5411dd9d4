//! Forgetting old events, in short steps with recording in between.
//!
//! First readers compute every floor's count at the new horizon, some floors at a time. One
//! transaction then stores these counts and moves the horizon; it computes only those counts again
//! on whose floors something older than the new horizon was recorded meanwhile. What lies before
//! the horizon is deleted afterwards, some rows at a time. A crash in between leaves nothing wrong:
//! what is still there is deleted the next time.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{Sqlite, floors, past, past::Past, rows, seals, session::Session, withdrawals};
use crate::{
    Cleanup, Result,
    count::{Level, Span},
    decide::sums::{HourKey, hour_of},
    limits::{CLEANUP_CHUNK_ROWS, CLEANUP_LATE_FLOORS, CLEANUP_ROUNDS, CLEANUP_STEP_FLOORS},
    planted::planted,
    store::{
        checksum,
        digest::{self, Trace},
    },
};

const FLOORS: &str = "-- cleanup_old_events: floors, as a recount or a reset would change them
SELECT f.id, f.created_at, f.adjustments_checksum, o.base_count
FROM floors f JOIN floor_origins o ON o.floor_id = f.id ORDER BY f.id";

const LAST_EVENT: &str = "-- cleanup_old_events: the last event that the counts know of
SELECT coalesce(max(id), 0) FROM events";

const LATE_FLOORS: &str = "-- cleanup_old_events: floors of older events recorded since
SELECT DISTINCT e.floor_id FROM events e NOT INDEXED
LEFT JOIN event_places p ON p.event_id = e.id
WHERE e.id > ?1 AND coalesce(p.place, e.timestamp) < ?2";

const SET_HORIZON: &str = "-- cleanup_old_events: horizon
UPDATE retention SET horizon = ?1 WHERE id = 1";

const SET_BASE: &str = "-- cleanup_old_events: the count at the horizon
UPDATE floor_origins SET base_count = ?2 WHERE floor_id = ?1";

const NEXT_FLOORS: &str = "-- cleanup_old_events: some floors\n\
    SELECT id FROM floors WHERE id > ?1 ORDER BY id LIMIT ?2";

const DELETE_STRETCHES: &str = "-- cleanup_old_events: some stretches before the horizon's day
DELETE FROM floor_stretches WHERE (floor_id, level, start) IN (
    SELECT floor_id, level, start FROM floor_stretches
    WHERE floor_id = ?1 AND level = ?2 AND start < ?3 LIMIT ?4)";

const OLDEST: &str = "-- cleanup_old_events: the oldest events before the horizon
SELECT e.id, e.camera_id, e.floor_id, e.track_id, e.vehicle_type, e.direction, e.confidence,
       e.timestamp, e.created_at, e.count_delta, e.at_limit, l.event_id IS NOT NULL
FROM events e INDEXED BY ix_event_timestamp LEFT JOIN events_at_limit l ON l.event_id = e.id
WHERE e.timestamp < ?1 ORDER BY e.timestamp LIMIT ?2";

const DELETE_EVENT: &str = "-- cleanup_old_events: event\nDELETE FROM events WHERE id = ?1";

const DELETE_AT_LIMIT: &str =
    "-- cleanup_old_events: at the limit\nDELETE FROM events_at_limit WHERE event_id = ?1";

const DELETE_PLACE: &str =
    "-- cleanup_old_events: its place\nDELETE FROM event_places WHERE event_id = ?1";

const KEEP_DELTA: &str = "-- cleanup_old_events: what the deleted events did to the count
UPDATE floor_origins SET removed_delta = removed_delta + ?2 WHERE floor_id = ?1";

const KEEP_CHECKSUM: &str = "-- cleanup_old_events: digests instead of events
UPDATE event_hours SET checksum = checksum + ?4
WHERE hour = ?1 AND floor_id = ?2 AND camera_id = ?3";

const KEEP_ID: &str = "-- cleanup_old_events: ids are never given again
UPDATE retention SET last_event_id = max(last_event_id, ?1) WHERE id = 1";

const DIGEST: &str = "-- cleanup_old_events: what is kept of an hour
SELECT data FROM event_digests WHERE hour = ?1 AND floor_id = ?2";

const PUT_DIGEST: &str = "-- cleanup_old_events: keep of an hour
INSERT INTO event_digests (hour, floor_id, data) VALUES (?1, ?2, ?3)
ON CONFLICT (hour, floor_id) DO UPDATE SET data = excluded.data";

impl Sqlite {
    /// Moves the horizon to `target`, never back, and deletes what lies before it.
    pub(in crate::store) async fn cleanup(&self, target: Timestamp) -> Result<Cleanup> {
        let horizon = self.move_horizon(target.as_microsecond()).await?;
        let horizon = horizon.and_then(|at| Timestamp::from_microsecond(at).ok());
        let mut from = Some(i64::MIN);
        while let Some(floor_id) = from {
            from = self.write(move |session| forget_stretches(session, floor_id)).await?;
        }
        let mut deleted = 0;
        loop {
            let chunk = self.write(delete_chunk).await?;
            deleted += chunk;
            if chunk < CLEANUP_CHUNK_ROWS as u64 {
                return Ok(Cleanup { deleted, horizon });
            }
        }
    }

    /// Moves the horizon; returns where it is then.
    async fn move_horizon(&self, target: i64) -> Result<Option<i64>> {
        let mut bases = self.read(move |connection| Bases::begin(connection, target)).await?;
        let mut rounds = 0;
        loop {
            if bases.moves_nothing() {
                return Ok(bases.old);
            }
            while !bases.to_do.is_empty() {
                bases = self.read(move |connection| bases.compute_some(connection)).await?;
            }
            rounds += 1;
            let late_floors =
                if rounds < CLEANUP_ROUNDS { CLEANUP_LATE_FLOORS } else { usize::MAX };
            let moved = self.write(move |session| bases.store(session, late_floors)).await?;
            match moved {
                Ok(()) => return Ok(Some(target)),
                Err(again) => bases = again,
            }
        }
    }
}

/// A floor as it was when its count at the horizon was computed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Tells it from a floor that got its id after a reset.
    created_at: i64,
    /// Changes with every adjustment.
    adjustments: i64,
    /// The count at the horizon that is stored.
    stored_base: i64,
}

/// Every floor's count at a horizon to come.
struct Bases {
    target: i64,
    /// The horizon when this began.
    old: Option<i64>,
    /// The last event that is known here.
    last_event: i64,
    known: BTreeMap<i64, Known>,
    /// Floors whose count is still to be computed.
    to_do: Vec<i64>,
    counts: BTreeMap<i64, i64>,
}

impl Bases {
    fn begin(connection: &Connection, target: i64) -> Result<Self> {
        let old = past::horizon(connection)?;
        // Before the floors: what is recorded in between is then seen twice, never missed.
        let last_event = last_event(connection)?;
        let known = known(connection)?;
        let to_do = known.keys().copied().collect();
        Ok(Self { target, old, last_event, known, to_do, counts: BTreeMap::new() })
    }

    /// Whether the horizon is there already, or further.
    fn moves_nothing(&self) -> bool {
        self.old.is_some_and(|old| old >= self.target) && !planted("move-horizon-back")
    }

    /// Computes the counts of some floors.
    fn compute_some(mut self, connection: &Connection) -> Result<Self> {
        let rest = self.to_do.len().saturating_sub(CLEANUP_STEP_FLOORS);
        for floor_id in self.to_do.split_off(rest) {
            self.compute(connection, floor_id)?;
        }
        Ok(self)
    }

    fn compute(&mut self, connection: &Connection, floor_id: i64) -> Result<()> {
        // A floor that has gone meanwhile needs no count.
        let Some(floor) = floors::by_id(connection, floor_id)? else { return Ok(()) };
        let (past, mut open) = Past::open(connection, floor, self.old)?;
        let count = past.resolve(&mut open, |open| open.history.count_before(self.target))?;
        self.counts.insert(floor_id, count);
        Ok(())
    }

    /// Stores the counts and moves the horizon. If something older than the new horizon was
    /// recorded meanwhile on more than `late_floors` floors, or another process moved the horizon,
    /// nothing is stored, and what is still to be computed comes back.
    fn store(mut self, session: &mut Session<'_>, late_floors: usize) -> Result<Result<(), Self>> {
        let connection = session.connection;
        if past::horizon(connection)? != self.old {
            return Ok(Err(Self::begin(connection, self.target)?));
        }
        let known = known(connection)?;
        let is_known = |(id, now): &(&i64, &Known)| self.known.get(*id) == Some(*now);
        let mut late: HashSet<i64> =
            known.iter().filter(|floor| !is_known(floor)).map(|(id, _)| *id).collect();
        let mut statement = connection.prepare_cached(LATE_FLOORS)?;
        for id in statement.query_map((self.last_event, self.target), |row| row.get(0))? {
            late.insert(id?);
        }
        (self.last_event, self.known) = (last_event(connection)?, known);
        if late.len() > late_floors {
            self.to_do = late.into_iter().collect();
            return Ok(Err(self));
        }
        for floor_id in late {
            self.compute(connection, floor_id)?;
        }
        for (floor_id, count) in self.counts {
            if self.known.get(&floor_id).is_some_and(|known| known.stored_base != count) {
                connection.prepare_cached(SET_BASE)?.execute((floor_id, count))?;
                seals::keep_origin(connection, floor_id)?;
            }
        }
        withdrawals::forget(connection, self.target)?;
        connection.prepare_cached(SET_HORIZON)?.execute([self.target])?;
        seals::keep_retention(connection)?;
        Ok(Ok(()))
    }
}

fn last_event(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached(LAST_EVENT)?.query_row([], |row| row.get(0))?)
}

fn known(connection: &Connection) -> Result<BTreeMap<i64, Known>> {
    let known = |row: &Row<'_>| {
        let (created_at, adjustments, stored_base) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, Known { created_at, adjustments, stored_base }))
    };
    let mut statement = connection.prepare_cached(FLOORS)?;
    Ok(statement.query_map([], known)?.collect::<rusqlite::Result<_>>()?)
}

/// Deletes some stretches that lie before the horizon's day, which nobody reads any more, of the
/// floors after `floor_id`. Returns the floor to go on after; none when all is done.
fn forget_stretches(session: &mut Session<'_>, floor_id: i64) -> Result<Option<i64>> {
    let Some(horizon) = session.horizon()? else { return Ok(None) };
    let day = Span::of(horizon, Level::DAY).start;
    let mut floors = session.connection.prepare_cached(NEXT_FLOORS)?;
    let some = i64::try_from(CLEANUP_STEP_FLOORS).unwrap_or(i64::MAX);
    let (mut done, mut room, mut seen) = (floor_id, CLEANUP_CHUNK_ROWS, 0);
    for id in floors.query_map((floor_id, some), |row| row.get::<_, i64>(0))? {
        let id = id?;
        for level in Level::all() {
            let most = i64::try_from(room).unwrap_or(i64::MAX);
            let mut delete = session.connection.prepare_cached(DELETE_STRETCHES)?;
            room -= delete.execute((id, level.number(), day, most))?;
            if room == 0 {
                return Ok(Some(done));
            }
        }
        (done, seen) = (id, seen + 1);
    }
    Ok((seen == CLEANUP_STEP_FLOORS).then_some(done))
}

/// Deletes some events before the horizon; returns how many, fewer than
/// [`CLEANUP_CHUNK_ROWS`] when there are no more.
pub(super) fn delete_chunk(session: &mut Session<'_>) -> Result<u64> {
    let Some(horizon) = session.horizon()? else {
        return Ok(0);
    };
    let connection = session.connection;
    let mut traces: BTreeMap<(i64, i64), Vec<Trace>> = BTreeMap::new();
    let mut deltas: HashMap<i64, i64> = HashMap::new();
    let mut checksums: HashMap<HourKey, i64> = HashMap::new();
    let mut ids: Vec<i64> = Vec::new();
    let limit = i64::try_from(CLEANUP_CHUNK_ROWS).unwrap_or(i64::MAX);
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let mut rows = oldest.query((horizon, limit))?;
    while let Some(row) = rows.next()? {
        let event = rows::event(row)?;
        let at = event.timestamp.as_microsecond();
        let (hour, floor_id, camera_id) = (hour_of(at), event.floor_id, event.camera_id.clone());
        let checksum = checksum::event(&event);
        ids.push(event.id);
        *deltas.entry(floor_id).or_default() += event.count_delta;
        let trace = Trace {
            at,
            camera_id: event.camera_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            at_limit: row.get(11)?,
        };
        *checksums.entry((hour, floor_id, camera_id)).or_default() +=
            checksum::trace(floor_id, &trace) - checksum;
        traces.entry((hour, floor_id)).or_default().push(trace);
    }
    for ((hour, floor_id), traces) in traces {
        let kept = connection
            .prepare_cached(DIGEST)?
            .query_row((hour, floor_id), |row| row.get(0))
            .optional()?;
        let mut data: Vec<u8> = kept.unwrap_or_default();
        digest::append(&mut data, hour, &traces);
        connection.prepare_cached(PUT_DIGEST)?.execute((hour, floor_id, data))?;
    }
    for (floor_id, delta) in deltas {
        connection.prepare_cached(KEEP_DELTA)?.execute((floor_id, delta))?;
        seals::keep_origin(connection, floor_id)?;
    }
    for ((hour, floor_id, camera_id), change) in checksums {
        let mut keep = connection.prepare_cached(KEEP_CHECKSUM)?;
        keep.execute((hour, floor_id, camera_id, change))?;
    }
    for id in &ids {
        connection.prepare_cached(DELETE_AT_LIMIT)?.execute([id])?;
        connection.prepare_cached(DELETE_PLACE)?.execute([id])?;
        connection.prepare_cached(DELETE_EVENT)?.execute([id])?;
    }
    if let Some(last) = ids.iter().max() {
        connection.prepare_cached(KEEP_ID)?.execute([last])?;
        seals::keep_retention(connection)?;
    }
    Ok(ids.len() as u64)
}
