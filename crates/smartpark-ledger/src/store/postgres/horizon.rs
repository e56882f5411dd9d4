//! Puts a horizon right that lies in the future.
//!
//! Facts that were recorded since have the horizon as their place, because no place lies before it.
//! They move with it, and nothing lies in between, so no fact passes another: no count changes.

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    Postgres,
    connect::query,
    floors::{self, LOCK_RETENTION},
    past,
    repair::rebuild,
    retention::lock_floors,
    rows::{Micros, maybe_micros, micros},
    seals,
    transaction::Transaction,
    transfer,
};
use crate::{Error, Result, forgetting::horizon_ahead, store::digest};

/// Of the adjustments only those count that move the count or the slots: recounts, capacities,
/// entries and exits (kinds 0 to 3).
const LAST_KEPT: &str = "-- repair_horizon: the last forgotten fact that is still there
SELECT greatest(
    (SELECT max(timestamp) FROM events WHERE timestamp < $1),
    (SELECT max(place) FROM event_places WHERE place < $1),
    (SELECT max(place) FROM adjustments WHERE place < $1 AND kind < 4))";

const LAST_DIGESTS: &str = "-- repair_horizon: the digests of the last events that were deleted
SELECT hour, data FROM event_digests WHERE hour = (SELECT max(hour) FROM event_digests)";

const PLACE_EVENTS: &str = "-- repair_horizon: events that stand at the horizon by their timestamps
INSERT INTO event_places (event_id, floor_id, place, camera_id, track_id, direction, timestamp)
SELECT id, floor_id, $2, camera_id, track_id, direction, timestamp FROM events e
WHERE timestamp = $1 AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)";

const MOVE_EVENTS: &str = "-- repair_horizon: events that stand at the horizon
UPDATE event_places SET place = $2 WHERE place = $1";

const MOVE_ADJUSTMENTS: &str = "-- repair_horizon: adjustments that stand at the horizon
UPDATE adjustments SET place = $2 WHERE place = $1";

const SET_HORIZON: &str = "-- repair_horizon: horizon
UPDATE retention SET horizon = $1 WHERE id = 1";

impl Postgres {
    /// Moves a horizon that lies in the future back to just behind the last forgotten fact.
    /// Returns where it was and where it is. Months that were dropped are made again when events
    /// need them.
    pub(in crate::store) async fn repair_horizon(&self) -> Result<(i64, Option<i64>)> {
        let moved = self.tell(repair(&self.inner.writers, self.now()).await)?;
        self.inner.months.forget();
        Ok(moved)
    }
}

async fn repair(pool: &Pool, now: i64) -> Result<(i64, Option<i64>)> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    transfer::require_in_use(&transaction).await?;
    let old = horizon_ahead(past::horizon(&transaction).await?, now)?;
    lock_floors(&transaction).await?;
    let new = last_forgotten(&transaction, old).await?.map(|last| last + 1);
    // If nothing was forgotten, any place will do for what stands at the horizon.
    let place = new.unwrap_or(now).min(old);
    let (from, to) = (Micros(old), Micros(place));
    query(&transaction, MOVE_EVENTS, &[&from, &to]).await?;
    if place < old {
        query(&transaction, PLACE_EVENTS, &[&from, &to]).await?;
    }
    query(&transaction, MOVE_ADJUSTMENTS, &[&from, &to]).await?;
    query(&transaction, SET_HORIZON, &[&new.map(Micros)]).await?;
    seals::keep_retention(&transaction).await?;
    for floor in floors::all(&transaction).await? {
        let folded = rebuild(&transaction, &floor, new).await?;
        if folded != floor.current_vehicles {
            return Err(Error::Unusable(format!(
                "floor {} does not have the count of its history; run `smartpark check --repair` \
                 first",
                floor.id
            )));
        }
    }
    transaction.commit().await?;
    Ok((old, new))
}

/// The place of the last fact that the counts at the horizon stand for.
async fn last_forgotten(client: &ClientWrapper, horizon: i64) -> Result<Option<i64>> {
    let kept = query(client, LAST_KEPT, &[&Micros(horizon)]).await?;
    let mut last = kept.first().map_or(Ok(None), |row| maybe_micros(row, 0))?;
    for row in query(client, LAST_DIGESTS, &[]).await? {
        let traces = digest::read(row.try_get(1)?, micros(&row, 0)?)?;
        last = last.max(traces.iter().map(|trace| trace.at).max());
    }
    Ok(last)
}
