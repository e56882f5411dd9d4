//! Moving the horizon: every floor's count at the new one, then one transaction that stores them.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;

use super::{
    super::{
        connect::query,
        floors::{self, LOCK_RETENTION},
        past,
        rows::{Micros, damaged, maybe_micros, micros},
        seals,
        transaction::Transaction,
        transfer, withdrawals,
    },
    locks::lock_floors,
};
use crate::{
    Error, Floor, Result,
    limits::{CLEANUP_LATE_FLOORS, CLEANUP_ROUNDS, CLEANUP_STEP_FLOORS},
    store::{checksum, transfer::Origin},
};

/// Of months that were filled a moment ago PostgreSQL knows nothing yet, and would read them from
/// end to end to find the few events that are new, while everybody who records waits.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off";

const SET_HORIZON: &str = "-- cleanup_old_events: horizon
UPDATE retention SET horizon = $1 WHERE id = 1";

/// What is to be forgotten, as one snapshot sees it.
const OLDER: &str = "-- cleanup_old_events: what is to be forgotten
SELECT pg_current_snapshot()::text, r.horizon, w.events, w.last
FROM retention r, LATERAL (
    SELECT count(*) AS events, max(ARRAY[change::text::bigint, id]) AS last FROM events
    WHERE timestamp >= coalesce(r.horizon, '-infinity') AND timestamp < $1
      AND pg_visible_in_snapshot(change, pg_current_snapshot())) w
WHERE r.id = 1";

/// Floors as a recount or a reset would change them.
const KNOWN: &str = "-- cleanup_old_events: floors
SELECT id, created_at, adjustments_checksum FROM floors";

/// What the snapshot did not see is little, and found by its transactions. An event may stand
/// before the horizon by its place alone: it stays, and changes the count there. (In a restored
/// dump, whose transactions are numbered ahead of this server's, it is all: then this takes its
/// time.)
const OLDER_SINCE: &str = "-- cleanup_old_events: what that snapshot has not seen
WITH since AS MATERIALIZED (
    SELECT timestamp, change, id, floor_id FROM events
    WHERE change >= pg_snapshot_xmin($1::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(change, $1::text::pg_snapshot))
SELECT s.floor_id, count(*) FILTER (WHERE s.timestamp < $3),
    max(ARRAY[s.change::text::bigint, s.id]) FILTER (WHERE s.timestamp < $3)
FROM since s LEFT JOIN event_places p ON p.event_id = s.id
WHERE s.timestamp >= $2 AND coalesce(p.place, s.timestamp) < $3 GROUP BY s.floor_id";

const KEEP_LAST: &str =
    "-- cleanup_old_events: the last of those that are gone, as they were recorded
UPDATE retention SET last_change = $1, last_event_id = $2
WHERE id = 1 AND ($1, $2) > (last_change, last_event_id)";

const ORIGINS: &str = "-- cleanup_old_events: where histories begin
SELECT floor_id, initial_slots, base_count, removed_delta FROM floor_origins
WHERE $1::bigint[] IS NULL OR floor_id = ANY ($1) FOR UPDATE";

const SET_BASES: &str = "-- cleanup_old_events: the counts at the horizon
UPDATE floor_origins o SET base_count = w.base, checksum = w.checksum
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (floor_id, base, checksum)
WHERE o.floor_id = w.floor_id";

/// A floor as it was when its count at the horizon was computed: when it was made, which tells it
/// from one that got its id after a reset, and what changes with every adjustment.
type Known = BTreeMap<i64, (i64, i64)>;

/// What lies before a horizon to come, and every floor's count there.
struct Older {
    target: i64,
    /// The last snapshot in which counts were computed, as PostgreSQL writes it.
    snapshot: String,
    /// The horizon at that time.
    horizon: Option<i64>,
    events: i64,
    /// The last of them in the order of recording: its transaction and its id.
    last: Option<Vec<i64>>,
    known: Known,
    bases: BTreeMap<i64, i64>,
}

impl Older {
    async fn than(readers: &Pool, target: i64) -> Result<Self> {
        let mut older = Self {
            target,
            snapshot: String::new(),
            horizon: None,
            events: 0,
            last: None,
            known: Known::new(),
            bases: BTreeMap::new(),
        };
        older.look(readers, None).await?;
        Ok(older)
    }

    /// Counts the events and computes the counts of all floors, or only of `late` ones, in a new
    /// snapshot.
    async fn look(&mut self, readers: &Pool, late: Option<&[i64]>) -> Result<()> {
        let snapshot = Transaction::snapshot(readers.get().await?).await?;
        let rows = query(&snapshot, OLDER, &[&Micros(self.target)]).await?;
        let row = rows.first().ok_or_else(|| damaged("a retention"))?;
        self.snapshot = row.try_get(0)?;
        self.horizon = maybe_micros(row, 1)?;
        (self.events, self.last) = (row.try_get(2)?, row.try_get(3)?);
        self.known = known(&snapshot).await?;
        let is_wanted = |floor: &Floor| late.is_none_or(|late| late.contains(&floor.id));
        let mut floors = floors::all(&snapshot).await?;
        floors.retain(is_wanted);
        for some in floors.chunks(CLEANUP_STEP_FLOORS) {
            self.compute(&snapshot, some).await?;
        }
        snapshot.commit().await
    }

    async fn compute(&mut self, client: &ClientWrapper, floors: &[Floor]) -> Result<()> {
        let mut open = past::open(client, floors.to_vec(), self.horizon).await?;
        self.bases.extend(past::counts_before(client, &mut open, self.target).await?);
        Ok(())
    }

    /// Adds the events that were recorded since, and returns the floors whose count is to be
    /// computed again. Nobody records any meanwhile.
    async fn since(&mut self, client: &ClientWrapper) -> Result<Vec<i64>> {
        let known = known(client).await?;
        let is_known = |(id, now): &(&i64, &(i64, i64))| self.known.get(*id) == Some(*now);
        let changed = known.iter().filter(|floor| !is_known(floor)).map(|(id, _)| *id);
        let mut late: BTreeSet<i64> = changed.collect();
        let (from, to) = (Micros(self.horizon.unwrap_or(i64::MIN)), Micros(self.target));
        for row in query(client, OLDER_SINCE, &[&self.snapshot, &from, &to]).await? {
            late.insert(row.try_get(0)?);
            self.events += row.try_get::<_, i64>(1)?;
            self.last = row.try_get::<_, Option<Vec<i64>>>(2)?.max(self.last.take());
        }
        self.bases.retain(|id, _| known.contains_key(id));
        Ok(late.into_iter().collect())
    }

    /// Stores the counts at the horizon that are not the stored ones, of all floors or of `late`
    /// ones.
    async fn store_bases(&self, client: &ClientWrapper, late: Option<&[i64]>) -> Result<()> {
        let (mut ids, mut bases, mut checksums) = (Vec::new(), Vec::new(), Vec::new());
        for row in query(client, ORIGINS, &[&late]).await? {
            let (floor_id, stored): (i64, i64) = (row.try_get(0)?, row.try_get(2)?);
            let Some(base) = self.bases.get(&floor_id).filter(|base| **base != stored) else {
                continue;
            };
            let (initial_slots, base_count) = (row.try_get(1)?, *base);
            let removed_delta = row.try_get(3)?;
            let origin = Origin { floor_id, initial_slots, base_count, removed_delta };
            ids.push(floor_id);
            bases.push(base_count);
            checksums.push(checksum::origin(&origin));
        }
        if !ids.is_empty() {
            query(client, SET_BASES, &[&ids, &bases, &checksums]).await?;
        }
        Ok(())
    }

    /// Stores the horizon, and which event was the last before it.
    async fn store_horizon(&self, client: &ClientWrapper) -> Result<()> {
        if let Some([change, id]) = self.last.as_deref() {
            query(client, KEEP_LAST, &[change, id]).await?;
        }
        withdrawals::forget(client, self.target).await?;
        query(client, SET_HORIZON, &[&Micros(self.target)]).await?;
        seals::keep_retention(client).await
    }
}

async fn known(client: &ClientWrapper) -> Result<Known> {
    let rows = query(client, KNOWN, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (micros(row, 1)?, row.try_get(2)?)))).collect()
}

/// Moves the horizon to `target`, never back; returns where it is then, and how many events
/// became older than it.
pub(in super::super) async fn move_horizon(
    (readers, writers): (&Pool, &Pool),
    target: Timestamp,
) -> Result<(Option<Timestamp>, u64)> {
    let target = target.as_microsecond();
    let mut older = Older::than(readers, target).await?;
    for round in 1.. {
        if let Some(old) = older.horizon.filter(|old| *old >= target) {
            return Ok((Timestamp::from_microsecond(old).ok(), 0));
        }
        let transaction = Transaction::begin(writers).await?;
        transaction.batch_execute(BY_INDEX).await?;
        query(&transaction, LOCK_RETENTION, &[]).await?;
        transfer::require_in_use(&transaction).await?;
        if past::horizon(&transaction).await? != older.horizon {
            // Another server has moved it since: all is computed anew.
            transaction.rollback().await?;
            older = Older::than(readers, target).await?;
            continue;
        }
        // Nobody waits for these rows. What takes longer with every floor is done before the floors
        // are locked.
        older.store_bases(&transaction, None).await?;
        lock_floors(&transaction).await?;
        let late = older.since(&transaction).await?;
        if late.len() > CLEANUP_LATE_FLOORS && round < CLEANUP_ROUNDS {
            transaction.rollback().await?;
            older.look(readers, Some(&late)).await?;
            continue;
        }
        let floors = floors::some(&transaction, &late).await?;
        older.compute(&transaction, &floors).await?;
        older.store_bases(&transaction, Some(&late)).await?;
        older.store_horizon(&transaction).await?;
        transaction.commit().await?;
        let events = older.events.unsigned_abs();
        return Ok((Timestamp::from_microsecond(target).ok(), events));
    }
    Err(Error::Internal("a cleanup without an end".into()))
}
