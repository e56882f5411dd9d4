//! Rebuilds all that is derived, in one transaction: the stretches, the events at the limit, the
//! sums of hours, and the counts. Events and adjustments are never changed; a count that was
//! wrong is corrected by an adjustment.

use rusqlite::Connection;

use super::{
    floors, hours,
    past::{self, Past},
    seals,
    session::{self, Session},
};
use crate::{
    Error, Floor, Result,
    count::{History, Level, Source, Span, Walk, judge},
};

const MIXED: &str = "-- migrate: floors with entries and exits of one instant
SELECT DISTINCT floor_id FROM (
    SELECT floor_id FROM events GROUP BY floor_id, timestamp
    HAVING min(direction) < max(direction))";

const DELETE_STRETCHES: &str =
    "-- check: stretches are rebuilt\nDELETE FROM floor_stretches WHERE floor_id = ?1";

/// What was damaged in these rows might keep the right ones from being stored.
const DELETE_STRAYS: &str = "-- check: strays among the events at the limit
DELETE FROM events_at_limit WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = event_id AND e.timestamp = events_at_limit.timestamp
        AND e.floor_id = events_at_limit.floor_id AND e.camera_id = events_at_limit.camera_id)";

const DELETE_AT_LIMIT: &str = "-- check: events at the limit are rebuilt
DELETE FROM events_at_limit WHERE floor_id = ?1 AND timestamp >= ?2
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = events_at_limit.event_id
        AND p.place < ?2)";

const ADD_AT_LIMIT: &str = "-- check: at the limit
INSERT INTO events_at_limit (event_id, floor_id, camera_id, timestamp) VALUES (?1, ?2, ?3, ?4)";

const DELETE_HOURS: &str = "-- check: sums are rebuilt\nDELETE FROM event_hours";

const DELTAS: &str = "-- check: all that moved the count
SELECT removed_delta
    + (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = ?1)
    + (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = ?1)
    + (SELECT coalesce(sum(delta), 0) FROM withdrawn_facts WHERE floor_id = ?1)
FROM floor_origins WHERE floor_id = ?1";

/// Rebuilds everything.
pub(super) fn run(session: &mut Session<'_>) -> Result<()> {
    for (floor_id, folded, delta) in derive(session)? {
        floors::correct(session, floor_id, folded, delta)?;
    }
    seals::keep_all(session.connection)
}

/// Folds the floors again on which new rules of counting may say something else, and notes what
/// they changed.
pub(super) fn apply_rules(session: &mut Session<'_>) -> Result<()> {
    let horizon = session.horizon()?;
    let mut statement = session.connection.prepare_cached(MIXED)?;
    let mixed = statement.query_map([], |row| row.get(0))?;
    let mixed = mixed.collect::<rusqlite::Result<Vec<i64>>>()?;
    for &id in &mixed {
        let Some(floor) = floors::by_id(session.connection, id)? else { continue };
        let folded = rebuild(session, &floor, horizon)?;
        let delta = folded - floor.current_vehicles;
        if delta != 0 {
            floors::note_rules(session, id, folded, delta)?;
        }
    }
    // Other events may be at their limits now.
    if mixed.is_empty() { Ok(()) } else { derive_hours(session.connection) }
}

/// Rebuilds all but the counts. Returns the floors whose count is not the one it should be, with
/// the count of the fold and what the sum of all that moved it lacks.
pub(super) fn derive(session: &mut Session<'_>) -> Result<Vec<(i64, i64, i64)>> {
    let horizon = session.horizon()?;
    session.connection.execute(DELETE_STRAYS, [])?;
    let mut wrong = Vec::new();
    for floor in floors::all(session.connection)? {
        let folded = rebuild(session, &floor, horizon)?;
        let deltas: i64 =
            session.connection.prepare_cached(DELTAS)?.query_row([floor.id], |row| row.get(0))?;
        if (folded, folded) != (floor.current_vehicles, deltas) {
            wrong.push((floor.id, folded, folded - deltas));
        }
    }
    derive_hours(session.connection)?;
    Ok(wrong)
}

/// Sums all hours again.
fn derive_hours(connection: &Connection) -> Result<()> {
    connection.execute(DELETE_HOURS, [])?;
    let mut from = i64::MIN;
    while let Some(day) = hours::next_day(connection, from)? {
        let sums = hours::recomputed(connection, day)?;
        session::add_hours(connection, sums.iter())?;
        from = hours::day_after(day);
    }
    Ok(())
}

/// Folds a floor's history again and stores the folds; returns its count.
pub(super) fn rebuild(session: &Session<'_>, floor: &Floor, horizon: Option<i64>) -> Result<i64> {
    let connection = session.connection;
    let mut from = horizon.unwrap_or(i64::MIN);
    connection.prepare_cached(DELETE_STRETCHES)?.execute([floor.id])?;
    connection.prepare_cached(DELETE_AT_LIMIT)?.execute((floor.id, from))?;
    let (past, open) = Past::open(connection, floor.clone(), horizon)?;
    let mut walk = Walk { count: open.history.base(), slots: past.slots_before(from)? };
    while let Some(next) = past.next_fact(from)? {
        let day = Span::of(next, Level::DAY);
        let facts = past.facts_between(from.max(day.start), day.end())?;
        let opening = walk;
        for cut_off in judge(&mut walk, &facts) {
            if let Source::Event { camera_id, timestamp, .. } = &cut_off.source {
                let mut statement = connection.prepare_cached(ADD_AT_LIMIT)?;
                statement.execute((cut_off.id, floor.id, camera_id, timestamp))?;
            }
        }
        let folded = History::of_day(day, opening.count, opening.slots, facts);
        folded.changed().try_for_each(|node| past::store(connection, floor.id, node))?;
        from = day.end();
    }
    if walk.slots != floor.total_slots {
        return Err(Error::Internal(format!(
            "floor {}: its slots are not those of its history; that cannot be repaired",
            floor.id
        )));
    }
    Ok(walk.count)
}
