//! Forgetting old events, in short steps with recording in between.
//!
//! First every floor's count at the new horizon is computed in a snapshot, which nobody waits for.
//! One short transaction then stores these counts and moves the horizon; it computes only those
//! counts again on whose floors something older than the new horizon was recorded since. From
//! then on the events before it are gone for every reader. A month that lies wholly before it is
//! then boiled down to digests and dropped, in one transaction: its events and its digests are
//! never seen together, nor is either missing, and a crash leaves nothing half done. Dropping locks
//! the whole table for an instant, in the last step of all; PostgreSQL removes the files when the
//! locks are gone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;

use super::{
    connect::query,
    floors::{self, LOCK_RETENTION},
    partitions::{self, Partition},
    past,
    rows::{self, Micros, damaged, maybe_micros, micros},
    seals,
    transaction::{Patience, Transaction},
};
use crate::{
    Error, Floor, Result,
    count::Level,
    decide::sums::{DAY, HourKey, hour_of},
    limits::{
        CLEANUP_CHUNK_ROWS, CLEANUP_LATE_FLOORS, CLEANUP_ROUNDS, CLEANUP_STEP_FLOORS,
        POSTGRES_ALONE_TIMEOUT,
    },
    store::{
        checksum,
        digest::{self, Trace},
        transfer::Origin,
    },
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

/// What the snapshot did not see is little, and found by its transactions. (In a restored dump,
/// whose transactions are numbered ahead of this server's, it is all: then this takes its time.)
const OLDER_SINCE: &str = "-- cleanup_old_events: what that snapshot has not seen
WITH since AS MATERIALIZED (
    SELECT timestamp, change, id, floor_id FROM events
    WHERE change >= pg_snapshot_xmin($1::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(change, $1::text::pg_snapshot))
SELECT floor_id, count(*), max(ARRAY[change::text::bigint, id]) FROM since
WHERE timestamp >= $2 AND timestamp < $3 GROUP BY floor_id";

const KEEP_LAST: &str =
    "-- cleanup_old_events: the last of those that are gone, as they were recorded
UPDATE retention SET last_change = $1, last_event_id = $2
WHERE id = 1 AND ($1, $2) > (last_change, last_event_id)";

const ORIGINS: &str = "-- cleanup_old_events: where histories begin
SELECT floor_id, initial_slots, base_count, removed_delta FROM floor_origins FOR UPDATE";

const SET_BASES: &str = "-- cleanup_old_events: the counts at the horizon
UPDATE floor_origins o SET base_count = w.base, checksum = w.checksum
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (floor_id, base, checksum)
WHERE o.floor_id = w.floor_id";

const FLOOR_IDS: &str = "-- cleanup_old_events: all floors\nSELECT id FROM floors ORDER BY id";

const DELETE_STRETCHES: &str = "-- cleanup_old_events: some stretches before the horizon's day
DELETE FROM floor_stretches WHERE ctid = ANY (ARRAY(
    SELECT s.ctid
    FROM unnest($1::bigint[]) AS f (id) CROSS JOIN unnest($2::smallint[]) AS l (level)
    CROSS JOIN LATERAL (
        SELECT ctid FROM floor_stretches
        WHERE floor_id = f.id AND level = l.level
          AND start < (SELECT date_trunc('day', horizon, 'UTC') FROM retention WHERE id = 1)
        LIMIT $3) s
    LIMIT $3))";

const NEXT: &str = "-- cleanup_old_events: the next event of a partition
SELECT min(timestamp) FROM events WHERE timestamp >= $1 AND timestamp < $2";

const OF_A_DAY: &str = "-- cleanup_old_events: the events of a day
SELECT e.id, e.camera_id, e.floor_id, e.track_id, e.vehicle_type, e.direction, e.confidence,
       e.timestamp, e.created_at, e.count_delta, e.at_limit, l.event_id IS NOT NULL
FROM events e LEFT JOIN events_at_limit l ON l.event_id = e.id
WHERE e.timestamp >= $1 AND e.timestamp < $2 ORDER BY e.timestamp, e.id";

const DELETE_AT_LIMIT: &str = "-- cleanup_old_events: at the limit
DELETE FROM events_at_limit WHERE timestamp < $1";

const DELETE_PLACES: &str = "-- cleanup_old_events: places
DELETE FROM event_places WHERE timestamp < $1";

const KEEP_DELTAS: &str = "-- cleanup_old_events: what the deleted events did to the counts
UPDATE floor_origins o SET removed_delta = o.removed_delta + w.delta
FROM unnest($1::bigint[], $2::bigint[]) AS w (floor_id, delta) WHERE o.floor_id = w.floor_id";

const KEEP_CHECKSUMS: &str = "-- cleanup_old_events: digests instead of events
UPDATE event_hours h SET checksum = h.checksum + w.change
FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::bigint[])
    AS w (hour, floor_id, camera_id, change)
WHERE h.hour = w.hour AND h.floor_id = w.floor_id AND h.camera_id = w.camera_id";

const PUT_DIGESTS: &str = "-- cleanup_old_events: what is kept of the hours
INSERT INTO event_digests AS d (hour, floor_id, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bytea[])
ON CONFLICT (hour, floor_id) DO UPDATE SET data = d.data || excluded.data";

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

    /// Stores the counts at the horizon that are not the stored ones, and the horizon.
    async fn store(self, client: &ClientWrapper) -> Result<()> {
        let (mut ids, mut bases, mut checksums) = (Vec::new(), Vec::new(), Vec::new());
        for row in query(client, ORIGINS, &[]).await? {
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
        query(client, SET_BASES, &[&ids, &bases, &checksums]).await?;
        if let Some([change, id]) = self.last.as_deref() {
            query(client, KEEP_LAST, &[change, id]).await?;
        }
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
pub(super) async fn move_horizon(
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
        lock_floors(&transaction).await?;
        if past::horizon(&transaction).await? != older.horizon {
            // Another server has moved it since: all is computed anew.
            transaction.commit().await?;
            older = Older::than(readers, target).await?;
            continue;
        }
        let late = older.since(&transaction).await?;
        if late.len() > CLEANUP_LATE_FLOORS && round < CLEANUP_ROUNDS {
            transaction.commit().await?;
            older.look(readers, Some(&late)).await?;
            continue;
        }
        let mut floors = floors::all(&transaction).await?;
        floors.retain(|floor| late.binary_search(&floor.id).is_ok());
        older.compute(&transaction, &floors).await?;
        let events = older.events.unsigned_abs();
        older.store(&transaction).await?;
        transaction.commit().await?;
        return Ok((Timestamp::from_microsecond(target).ok(), events));
    }
    Err(Error::Internal("a cleanup without an end".into()))
}

/// Deletes the stretches that lie before the horizon's day: nobody reads them any more. Some at a
/// time, and whatever a crash leaves goes the next time.
pub(super) async fn forget_stretches(pool: &Pool) -> Result<()> {
    let client = pool.get().await?;
    let some = CLEANUP_CHUNK_ROWS as u64;
    let limit = i64::try_from(some).unwrap_or(i64::MAX);
    let levels: Vec<i16> = Level::all().map(|level| level.number().into()).collect();
    let rows = query(&client, FLOOR_IDS, &[]).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>>>()?;
    let delete = client.prepare_cached(DELETE_STRETCHES).await?;
    for floors in ids.chunks(CLEANUP_STEP_FLOORS) {
        while client.execute(&delete, &[&floors, &levels, &limit]).await? == some {}
    }
    Ok(())
}

/// The partitions that lie wholly before the horizon.
pub(super) async fn expired(pool: &Pool) -> Result<Vec<Partition>> {
    let transaction = Transaction::begin(pool).await?;
    let horizon = past::horizon(&transaction).await?;
    let mut partitions = partitions::existing(&transaction).await?;
    transaction.commit().await?;
    partitions.retain(|partition| horizon.is_some_and(|horizon| partition.end <= horizon));
    Ok(partitions)
}

/// Boils a partition before the horizon down to digests, and drops the month. Whoever reads
/// meanwhile sees it as it was.
///
/// # Errors
/// Where others hold the table for too long ([`lock_alone`]), or another server cleans up, the
/// partition stays as it is: it is in nobody's way, and the next cleanup finds it.
pub(super) async fn forget(pool: &Pool, partition: &Partition) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    // Another server may have dropped it while this one waited; and after a reset nothing is
    // before the horizon.
    let horizon = past::horizon(&transaction).await?;
    let is_there = partitions::existing(&transaction).await?.contains(partition);
    if !is_there || horizon.is_none_or(|horizon| partition.end > horizon) {
        return transaction.commit().await;
    }
    let name = &partition.name;
    // A vacuum would be in the way for as long as it takes. It gives way to whoever waits for it;
    // with this lock no reader and nobody who records is waited for, nor waits.
    let vacuum = format!("LOCK TABLE {name} IN SHARE UPDATE EXCLUSIVE MODE");
    transaction.batch_execute(&vacuum).await?;
    boil_down(&transaction, partition.end).await?;
    if partition.is_month {
        lock_alone(&transaction, name).await?;
        let drop = format!("-- cleanup_old_events: a month\nDROP TABLE {name}");
        transaction.batch_execute(&drop).await?;
    } else {
        // What has no month are few events, of cameras without a clock.
        let delete = format!("-- cleanup_old_events: what has no month\nDELETE FROM {name}");
        transaction.batch_execute(&delete).await?;
    }
    transaction.commit().await
}

/// Keeps as digests what is needed of the events before `end`.
async fn boil_down(client: &ClientWrapper, end: i64) -> Result<()> {
    let mut deltas: HashMap<i64, i64> = HashMap::new();
    let mut from = i64::MIN;
    loop {
        let rows = query(client, NEXT, &[&Micros(from), &Micros(end)]).await?;
        let Some(next) = rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))? else { break };
        let day = next.div_euclid(DAY) * DAY;
        digest_day(client, day, day + DAY, &mut deltas).await?;
        from = day + DAY;
    }
    let (floors, deltas): (Vec<i64>, Vec<i64>) = deltas.into_iter().unzip();
    query(client, KEEP_DELTAS, &[&floors, &deltas]).await?;
    seals::keep_origins(client, Some(&floors)).await?;
    query(client, DELETE_AT_LIMIT, &[&Micros(end)]).await?;
    query(client, DELETE_PLACES, &[&Micros(end)]).await?;
    Ok(())
}

/// Locks the floors against all who record, so that what a transaction reads of them holds until
/// its end. Who recorded on one has ended then, and who comes reads the new horizon.
pub(super) async fn lock_floors(client: &ClientWrapper) -> Result<()> {
    lock_briefly(client, "LOCK TABLE floors IN EXCLUSIVE MODE").await
}

/// Locks a month, and the table it is part of, against everyone.
async fn lock_alone(client: &ClientWrapper, name: &str) -> Result<()> {
    lock_briefly(client, &format!("LOCK TABLE ONLY events, {name} IN ACCESS EXCLUSIVE MODE")).await
}

/// Takes a lock. A waiting request blocks everybody who comes behind it: so it waits at most
/// [`POSTGRES_ALONE_TIMEOUT`], and tries again for as long as a request may take.
async fn lock_briefly(client: &ClientWrapper, lock: &str) -> Result<()> {
    let lock = format!(
        "SAVEPOINT brief; SET LOCAL lock_timeout = '{}ms'; {lock}",
        POSTGRES_ALONE_TIMEOUT.as_millis()
    );
    let mut patience = Patience::new();
    while let Err(error) = client.batch_execute(&lock).await {
        client.batch_execute("ROLLBACK TO brief; RELEASE brief").await?;
        patience.again(error.into()).await?;
    }
    Ok(())
}

async fn digest_day(
    client: &ClientWrapper,
    from: i64,
    to: i64,
    deltas: &mut HashMap<i64, i64>,
) -> Result<()> {
    let mut traces: BTreeMap<(i64, i64), Vec<Trace>> = BTreeMap::new();
    let mut checksums: HashMap<HourKey, i64> = HashMap::new();
    for row in query(client, OF_A_DAY, &[&Micros(from), &Micros(to)]).await? {
        let event = rows::event(&row, 0)?;
        let at = event.timestamp.as_microsecond();
        let (hour, floor_id, camera_id) = (hour_of(at), event.floor_id, event.camera_id.clone());
        let checksum = checksum::event(&event);
        *deltas.entry(floor_id).or_default() += event.count_delta;
        let trace = Trace {
            at,
            camera_id: event.camera_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            at_limit: row.try_get(11)?,
        };
        *checksums.entry((hour, floor_id, camera_id)).or_default() +=
            checksum::trace(floor_id, &trace) - checksum;
        traces.entry((hour, floor_id)).or_default().push(trace);
    }
    keep_checksums(client, checksums).await?;
    let (mut hours, mut floors, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for ((hour, floor_id), traces) in traces {
        let mut data = Vec::new();
        digest::append(&mut data, hour, &traces);
        hours.push(Micros(hour));
        floors.push(floor_id);
        digests.push(data);
    }
    query(client, PUT_DIGESTS, &[&hours, &floors, &digests]).await?;
    Ok(())
}

/// Lets the checksums of hours cover digests instead of events.
async fn keep_checksums(client: &ClientWrapper, changes: HashMap<HourKey, i64>) -> Result<()> {
    let (mut hours, mut floors, mut cameras, mut sums) = (vec![], vec![], vec![], vec![]);
    for ((hour, floor_id, camera_id), change) in changes {
        hours.push(Micros(hour));
        floors.push(floor_id);
        cameras.push(camera_id);
        sums.push(change);
    }
    query(client, KEEP_CHECKSUMS, &[&hours, &floors, &cameras, &sums]).await?;
    Ok(())
}
