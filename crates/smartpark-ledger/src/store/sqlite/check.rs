//! Loads what the proof of the invariants needs.

use rusqlite::Connection;

use super::{drift, floors, hours, past, past::Past, seals};
use crate::{
    Floor, Result,
    check::Report,
    count::{Level, Span},
    store::{
        naive::{FloorProof, StoredDay, compare_hours, violate},
        seals::{note_damage, unless_drifted},
    },
};

/// Checks that are one statement each: it selects what does not hold, as text.
const STATEMENTS: [(&str, &str, &str); 8] = [
    (
        "I3",
        "the file",
        "-- check: integrity\nSELECT integrity_check FROM pragma_integrity_check \
      WHERE integrity_check <> 'ok'",
    ),
    (
        "I3",
        "a row whose floor is not there",
        "-- check: foreign keys
SELECT \"table\" || ' ' || coalesce(rowid, '') FROM pragma_foreign_key_check",
    ),
    (
        "I3",
        "events with one key",
        "-- check: keys, without their index
SELECT group_concat(id) FROM events NOT INDEXED
GROUP BY camera_id, track_id, direction, timestamp HAVING count(*) > 1",
    ),
    (
        "I6",
        "current_vehicles is not the sum of what moved it, floor",
        "-- check: sums
SELECT f.id || ': ' || f.current_vehicles || ' instead of ' || s.sum FROM floors f JOIN (
    SELECT o.floor_id, o.removed_delta
        + (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = o.floor_id)
        + (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = o.floor_id)
        + (SELECT coalesce(sum(delta), 0) FROM withdrawn_facts WHERE floor_id = o.floor_id) AS sum
    FROM floor_origins o) s ON s.floor_id = f.id
WHERE f.current_vehicles <> s.sum",
    ),
    (
        "I7",
        "current_vehicles outside 0 to total_slots, floor",
        "-- check: range
SELECT id FROM floors WHERE current_vehicles < 0 OR current_vehicles > total_slots",
    ),
    (
        "I8",
        "count_delta against its direction, event",
        "-- check: directions
SELECT id FROM events WHERE count_delta NOT IN (0, 1 - 2 * direction)",
    ),
    (
        "I13",
        "at the limit, but not as its event is, event",
        "-- check: strays among the events at the limit
SELECT event_id FROM events_at_limit l WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = l.event_id AND e.timestamp = l.timestamp
        AND e.floor_id = l.floor_id AND e.camera_id = l.camera_id)",
    ),
    (
        "I9",
        "a place in history that is not of an event as it is, event",
        "-- check: strays among the places
SELECT event_id FROM event_places p WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = p.event_id AND e.timestamp = p.timestamp
        AND e.floor_id = p.floor_id AND e.camera_id = p.camera_id
        AND e.track_id = p.track_id AND e.direction = p.direction)",
    ),
];

const AT_LIMIT: &str = "-- check: events at the limit
SELECT event_id FROM events_at_limit l WHERE timestamp >= ?1 AND timestamp < ?2 AND floor_id = ?3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = l.event_id)
UNION ALL
SELECT p.event_id FROM event_places p JOIN events_at_limit l ON l.event_id = p.event_id
WHERE p.floor_id = ?3 AND p.place >= ?1 AND p.place < ?2";

/// Checks everything.
pub(super) fn run(connection: &Connection) -> Result<Report> {
    let mut report = Report::default();
    drift::check(connection, &mut report)?;
    let read = prove(connection, &mut report);
    unless_drifted(&mut report, read)?;
    Ok(report)
}

/// Checks all rows.
fn prove(connection: &Connection, report: &mut Report) -> Result<()> {
    for (invariant, what, sql) in STATEMENTS {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let value = match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(id) => id.to_string(),
                other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
            };
            violate(report, invariant, format!("{what} {value}"));
        }
    }
    seals::check(connection, report)?;
    let horizon = past::horizon(connection)?;
    for floor in floors::all(connection)? {
        check_floor(connection, &floor, horizon, report)?;
    }
    let mut from = i64::MIN;
    while let Some(day) = hours::next_day(connection, from)? {
        let stored = hours::stored(connection, day)?;
        let recomputed = hours::recomputed(connection, day);
        if let Some(recomputed) = note_damage(report, recomputed)? {
            compare_hours(report, day, stored, &recomputed);
        }
        from = hours::day_after(day);
    }
    Ok(())
}

/// Folds a floor's history again, day by day.
fn check_floor(
    connection: &Connection,
    floor: &Floor,
    horizon: Option<i64>,
    report: &mut Report,
) -> Result<()> {
    let (past, open) = Past::open(connection, floor.clone(), horizon)?;
    let mut from = horizon.unwrap_or(i64::MIN);
    let opening = (open.history.base(), past.slots_before(from)?);
    let mut proof = FloorProof::new(floor, horizon, opening, report);
    while let Some(next) = past.next_fact(from)? {
        let day = Span::of(next, Level::DAY);
        from = from.max(day.start);
        let facts = past.facts_between(from, day.end())?;
        let mut statement = connection.prepare_cached(AT_LIMIT)?;
        let at_limit = statement.query_map((from, day.end(), floor.id), |row| row.get(0))?;
        let at_limit = at_limit.collect::<rusqlite::Result<_>>()?;
        proof.day(day, StoredDay { facts, at_limit, nodes: past.day(day)? });
        from = day.end();
    }
    proof.end();
    Ok(())
}
