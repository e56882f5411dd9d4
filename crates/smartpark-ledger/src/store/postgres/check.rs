//! Loads what the proof of the invariants needs, all from one snapshot.

use deadpool_postgres::ClientWrapper;

use super::{
    connect::query,
    days::Days,
    drift, floors,
    hours::{self, HourDays},
    past,
    rows::Micros,
    seals,
    wants::{Found, Wants},
};
use crate::{
    Error, Floor, Result,
    check::Report,
    count::{NodeRow, Span},
    store::{
        drift::Schema,
        naive::{FloorProof, StoredDay, compare_hours, violate},
        seals::{note_damage, unless_drifted},
    },
};

/// Checks that are one statement each: it selects what does not hold, as text.
const STATEMENTS: [(&str, &str, &str); 8] = [
    (
        "I3",
        "an event whose floor is not there",
        "-- check: foreign keys
SELECT e.id::text FROM events e LEFT JOIN floors f ON f.id = e.floor_id WHERE f.id IS NULL",
    ),
    (
        "I3",
        "events with one key",
        "-- check: keys
SELECT string_agg(id::text, ',') FROM events
GROUP BY camera_id, track_id, direction, timestamp HAVING count(*) > 1",
    ),
    (
        "I3",
        "events with one id",
        "-- check: ids\nSELECT id::text FROM events GROUP BY id HAVING count(*) > 1",
    ),
    (
        "I6",
        "current_vehicles is not the sum of what moved it, floor",
        "-- check: sums
SELECT f.id || ': ' || f.current_vehicles || ' instead of ' || s.sum FROM floors f JOIN (
    SELECT o.floor_id, o.removed_delta + coalesce(e.sum, 0)
        + (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = o.floor_id)
        + (SELECT coalesce(sum(delta), 0) FROM withdrawn_facts WHERE floor_id = o.floor_id) AS sum
    FROM floor_origins o LEFT JOIN (
        SELECT floor_id, sum(count_delta) FROM events GROUP BY floor_id) e USING (floor_id)
    ) s ON s.floor_id = f.id
WHERE f.current_vehicles <> s.sum",
    ),
    (
        "I7",
        "current_vehicles outside 0 to total_slots, floor",
        "-- check: range
SELECT id::text FROM floors WHERE current_vehicles < 0 OR current_vehicles > total_slots",
    ),
    (
        "I8",
        "count_delta against its direction, event",
        "-- check: directions
SELECT id::text FROM events WHERE count_delta NOT IN (0, 1 - 2 * direction)",
    ),
    (
        "I13",
        "at the limit, but not as its event is, event",
        "-- check: strays among the events at the limit
SELECT event_id::text FROM events_at_limit l WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = l.event_id AND e.timestamp = l.timestamp
        AND e.floor_id = l.floor_id AND e.camera_id = l.camera_id)",
    ),
    (
        "I9",
        "a place in history that is not of an event as it is, event",
        "-- check: strays among the places
SELECT event_id::text FROM event_places p WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = p.event_id AND e.timestamp = p.timestamp
        AND e.floor_id = p.floor_id AND e.camera_id = p.camera_id
        AND e.track_id = p.track_id AND e.direction = p.direction)",
    ),
];

const AT_LIMIT: &str = "-- check: events at the limit
SELECT event_id FROM events_at_limit l
WHERE timestamp >= $1 AND timestamp < $2 AND floor_id = $3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = l.event_id)
UNION ALL
SELECT p.event_id FROM event_places p JOIN events_at_limit l ON l.event_id = p.event_id
WHERE p.floor_id = $3 AND p.place >= $1 AND p.place < $2";

/// Checks everything, with the schema that is expected. `client` stands in a snapshot.
pub(super) async fn run(client: &ClientWrapper, schema: &Schema) -> Result<Report> {
    let mut report = Report::default();
    drift::check(client, schema, &mut report).await?;
    let read = prove(client, &mut report).await;
    unless_drifted(&mut report, read)?;
    Ok(report)
}

/// Checks all rows.
async fn prove(client: &ClientWrapper, report: &mut Report) -> Result<()> {
    for (invariant, what, sql) in STATEMENTS {
        for row in client.query(sql, &[]).await? {
            let value: String = row.try_get(0)?;
            violate(report, invariant, format!("{what} {value}"));
        }
    }
    seals::check(client, report).await?;
    let horizon = past::horizon(client).await?;
    for floor in floors::all(client).await? {
        check_floor(client, &floor, horizon, report).await?;
    }
    let mut days = HourDays::begin(client).await?;
    while let Some((day, recomputed)) = days.next().await? {
        if let Some(recomputed) = note_damage(report, recomputed)? {
            compare_hours(report, day, hours::stored(client, day).await?, &recomputed);
        }
    }
    days.close().await?;
    Ok(())
}

/// The count and the slots where the kept history of a floor begins.
pub(super) async fn opening(
    client: &ClientWrapper,
    floor: &Floor,
    horizon: Option<i64>,
) -> Result<(i64, i64)> {
    let open = past::open(client, vec![floor.clone()], horizon).await?;
    let open = open.get(&floor.id).ok_or(Error::NotFound("the floor"))?;
    let mut wants = Wants::default();
    wants.slots_before(floor.id, horizon.unwrap_or(i64::MIN));
    let slots = first(wants.load(client).await?)?.slots;
    Ok((open.history.base(), slots))
}

/// The stretches of a day.
async fn stretches(client: &ClientWrapper, floor: &Floor, day: Span) -> Result<Vec<NodeRow>> {
    let mut wants = Wants::default();
    wants.whole_day(floor.id, day);
    Ok(first(wants.load(client).await?)?.nodes)
}

fn first(found: Vec<Found>) -> Result<Found> {
    found.into_iter().next().ok_or_else(|| Error::Internal("a question without answer".into()))
}

/// Folds a floor's history again, day by day.
async fn check_floor(
    client: &ClientWrapper,
    floor: &Floor,
    horizon: Option<i64>,
    report: &mut Report,
) -> Result<()> {
    let opening = opening(client, floor, horizon).await?;
    let mut proof = FloorProof::new(floor, horizon, opening, report);
    let from = horizon.unwrap_or(i64::MIN);
    let mut days = Days::begin(client, floor.id, from).await?;
    while let Some((day, facts)) = days.next().await? {
        let nodes = stretches(client, floor, day).await?;
        let range = (Micros(from.max(day.start)), Micros(day.end()));
        let rows = query(client, AT_LIMIT, &[&range.0, &range.1, &floor.id]).await?;
        let at_limit = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
        proof.day(day, StoredDay { facts, at_limit, nodes });
    }
    days.close().await?;
    proof.end();
    Ok(())
}
