//! Rebuilds all that is derived, in one transaction: the stretches, the events at the limit, the
//! sums of hours, and the counts. Events and adjustments are never changed; a count that was
//! wrong is corrected by an adjustment.

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    check::opening,
    connect::query,
    days::Days,
    drift,
    floors::{self, LOCK_RETENTION},
    hours::HourDays,
    past,
    retention::lock_floors,
    rows::{Micros, damaged},
    seals,
    session::Session,
    transaction::Transaction,
    writes,
};
use crate::{
    Error, Floor, Result,
    count::{Flip, History, Source, Walk, judge},
    decide::Writes,
};

const MIXED: &str = "-- migrate: floors with entries and exits of one instant
SELECT DISTINCT floor_id FROM (
    SELECT floor_id FROM events GROUP BY floor_id, timestamp
    HAVING min(direction) < max(direction)) m";

const DELETE_STRETCHES: &str =
    "-- check: stretches are rebuilt\nDELETE FROM floor_stretches WHERE floor_id = $1";

/// What was damaged in these rows might keep the right ones from being stored.
const DELETE_STRAYS: &str = "-- check: strays among the events at the limit
DELETE FROM events_at_limit WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.id = event_id AND e.timestamp = events_at_limit.timestamp
        AND e.floor_id = events_at_limit.floor_id AND e.camera_id = events_at_limit.camera_id)";

const DELETE_AT_LIMIT: &str = "-- check: events at the limit are rebuilt
DELETE FROM events_at_limit l WHERE floor_id = $1 AND timestamp >= $2
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = l.event_id AND p.place < $2)";

const DELETE_HOURS: &str = "-- check: sums are rebuilt\nDELETE FROM event_hours";

const DELTAS: &str = "-- check: all that moved the count
SELECT (removed_delta
    + (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = $1)
    + (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = $1)
        + (SELECT coalesce(sum(delta), 0) FROM withdrawn_facts WHERE floor_id = $1))::bigint
FROM floor_origins WHERE floor_id = $1";

const SET_COUNT: &str = "-- check: the count of the fold
UPDATE floors SET current_vehicles = $2 WHERE id = $1";

/// Rebuilds everything.
pub(super) async fn run(pool: &Pool, now: i64) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    lock_floors(&transaction).await?;
    let wrong = derive(&transaction).await?;
    for (floor_id, folded, _) in &wrong {
        query(&transaction, SET_COUNT, &[floor_id, folded]).await?;
    }
    drift::keep_ids(&transaction).await?;
    seals::keep_all(&transaction).await?;
    correct(transaction, wrong, now).await
}

/// Folds the floors again on which new rules of counting may say something else, and notes what
/// they changed.
pub(super) async fn apply_rules(transaction: Transaction, now: i64) -> Result<Transaction> {
    let horizon = past::horizon(&transaction).await?;
    let mut changed = Vec::new();
    let mixed = query(&transaction, MIXED, &[]).await?;
    for row in &mixed {
        let Some(floor) = floors::by_id(&transaction, row.try_get(0)?).await? else { continue };
        let folded = rebuild(&transaction, &floor, horizon).await?;
        if folded != floor.current_vehicles {
            query(&transaction, SET_COUNT, &[&floor.id, &folded]).await?;
            let delta = folded - floor.current_vehicles;
            changed.push((Floor { current_vehicles: folded, ..floor }, delta));
        }
    }
    // Other events may be at their limits now.
    if !mixed.is_empty() {
        derive_hours(&transaction).await?;
    }
    let floors = changed.iter().map(|(floor, _)| floor.clone()).collect();
    let mut session = Session::open(transaction, floors, now).await?;
    for (floor, delta) in changed {
        session.decide(|draft| draft.note_rules(floor.id, delta)).await??;
    }
    writes::run(&session.draft.into_writes(), &session.transaction).await?;
    Ok(session.transaction)
}

/// Rebuilds all but the counts. Returns the floors whose count is not the one it should be, with
/// the count of the fold and what the sum of all that moved it lacks.
pub(super) async fn derive(client: &ClientWrapper) -> Result<Vec<(i64, i64, i64)>> {
    let horizon = past::horizon(client).await?;
    query(client, DELETE_STRAYS, &[]).await?;
    let mut wrong = Vec::new();
    for floor in floors::all(client).await? {
        let folded = rebuild(client, &floor, horizon).await?;
        let rows = query(client, DELTAS, &[&floor.id]).await?;
        let deltas: i64 = rows.first().ok_or_else(|| damaged("a floor"))?.try_get(0)?;
        if (folded, folded) != (floor.current_vehicles, deltas) {
            wrong.push((floor.id, folded, folded - deltas));
        }
    }
    derive_hours(client).await?;
    Ok(wrong)
}

/// Sums all hours again.
async fn derive_hours(client: &ClientWrapper) -> Result<()> {
    query(client, DELETE_HOURS, &[]).await?;
    let mut days = HourDays::begin(client).await?;
    while let Some((_, sums)) = days.next().await? {
        let writes = Writes { hours: sums?.into_iter().collect(), ..Writes::default() };
        writes::run(&writes, client).await?;
    }
    days.close().await
}

/// Gives every count that was wrong an adjustment that makes the sum of all that moved it right
/// again.
async fn correct(
    transaction: Transaction,
    corrections: Vec<(i64, i64, i64)>,
    now: i64,
) -> Result<()> {
    let floors = floors::all(&transaction).await?.into_iter().map(|floor| {
        let folded = corrections.iter().find(|(id, _, _)| *id == floor.id);
        Floor { current_vehicles: folded.map_or(floor.current_vehicles, |it| it.1), ..floor }
    });
    let mut session = Session::open(transaction, floors.collect(), now).await?;
    for (floor_id, folded, delta) in corrections {
        session.decide(|draft| draft.correct(floor_id, folded, delta)).await??;
    }
    writes::commit(session.draft.into_writes(), session.transaction).await
}

/// Folds a floor's history again and stores the folds; returns its count.
pub(super) async fn rebuild(
    client: &ClientWrapper,
    floor: &Floor,
    horizon: Option<i64>,
) -> Result<i64> {
    let from = horizon.unwrap_or(i64::MIN);
    query(client, DELETE_STRETCHES, &[&floor.id]).await?;
    query(client, DELETE_AT_LIMIT, &[&floor.id, &Micros(from)]).await?;
    let (count, slots) = opening(client, floor, horizon).await?;
    let mut walk = Walk { count, slots };
    let mut days = Days::begin(client, floor.id, from).await?;
    while let Some((day, facts)) = days.next().await? {
        let opening = walk;
        let mut writes = Writes::default();
        for cut_off in judge(&mut walk, &facts) {
            if let Source::Event { camera_id, timestamp, .. } = &cut_off.source {
                let (event_id, camera_id) = (cut_off.id, camera_id.clone());
                let flip = Flip { event_id, camera_id, at: *timestamp, at_limit: true };
                writes.at_limit.push((floor.id, flip));
            }
        }
        let folded = History::of_day(day, opening.count, opening.slots, facts);
        writes.stretches.extend(folded.changed().map(|node| (floor.id, *node)));
        writes::run(&writes, client).await?;
    }
    days.close().await?;
    if walk.slots != floor.total_slots {
        return Err(Error::Internal(format!(
            "floor {}: its slots are not those of its history; that cannot be repaired",
            floor.id
        )));
    }
    Ok(walk.count)
}
