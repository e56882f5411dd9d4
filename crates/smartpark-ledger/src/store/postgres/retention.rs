//! Forgetting old events: first the horizon moves, with every floor's count there, in one short
//! transaction; what takes longer the more there is to forget is done before it or after it. From
//! then on the events before it are gone for every reader. A month that lies wholly before it is
//! then boiled down to digests and dropped, in one transaction: its events and its digests are
//! never seen together, nor is either missing, and a crash leaves nothing half done. Dropping locks
//! the whole table for an instant, in the last step of all; PostgreSQL removes the files when the
//! locks are gone.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;

use super::{
    connect::query,
    floors::{self, LOCK_RETENTION},
    partitions::{self, Partition},
    past,
    rows::{Micros, damaged, direction, maybe_micros, micros, vehicle_type},
    session::Session,
    transaction::{Patience, Transaction},
};
use crate::{
    Result,
    count::Level,
    limits::{CLEANUP_CHUNK_ROWS, POSTGRES_ALONE_TIMEOUT},
    store::{
        digest::{self, Trace},
        sums::{DAY, hour_of},
    },
};

/// Of months that were filled a moment ago PostgreSQL knows nothing yet, and would read them from
/// end to end to find the few events that are new, while everybody who records waits.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off";

const SET_HORIZON: &str = "-- cleanup_old_events: horizon
UPDATE retention SET horizon = $1 WHERE id = 1";

/// Asked before anything is locked: counting takes as long as there are events.
const OLDER: &str = "-- cleanup_old_events: what is to be forgotten, as one snapshot sees it
SELECT pg_current_snapshot()::text, r.horizon, w.events, w.last
FROM retention r, LATERAL (
    SELECT count(*) AS events, max(ARRAY[change::text::bigint, id]) AS last FROM events
    WHERE timestamp >= coalesce(r.horizon, '-infinity') AND timestamp < $1
      AND pg_visible_in_snapshot(change, pg_current_snapshot())) w
WHERE r.id = 1";

/// What the snapshot did not see is little, and found by its transactions. (In a restored dump,
/// whose transactions are numbered ahead of this server's, it is all: then this takes its time.)
const OLDER_SINCE: &str = "-- cleanup_old_events: what that snapshot has not seen
WITH since AS MATERIALIZED (
    SELECT timestamp, change, id FROM events
    WHERE change >= pg_snapshot_xmin($1::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(change, $1::text::pg_snapshot))
SELECT count(*), max(ARRAY[change::text::bigint, id]) FROM since
WHERE timestamp >= $2 AND timestamp < $3";

const KEEP_LAST: &str =
    "-- cleanup_old_events: the last of those that are gone, as they were recorded
UPDATE retention SET last_change = $1, last_event_id = $2
WHERE id = 1 AND ($1, $2) > (last_change, last_event_id)";

/// In the order of their ids, like everyone who locks floors. Whoever recorded on one has ended
/// then, and whoever comes reads the new horizon.
pub(super) const LOCK_FLOORS: &str =
    "-- cleanup_old_events: floors\nSELECT id FROM floors ORDER BY id FOR UPDATE";

const SET_BASE: &str = "-- cleanup_old_events: the count at the horizon
UPDATE floor_origins SET base_count = $2 WHERE floor_id = $1";

const DELETE_STRETCHES: &str = "-- cleanup_old_events: some stretches before the horizon's day
DELETE FROM floor_stretches WHERE ctid = ANY (ARRAY(
    SELECT s.ctid FROM floor_stretches s
    WHERE s.floor_id = $1 AND s.level = $2
      AND s.start < (SELECT date_trunc('day', horizon, 'UTC') FROM retention WHERE id = 1)
    LIMIT $3))";

const NEXT: &str = "-- cleanup_old_events: the next event of a partition
SELECT min(timestamp) FROM events WHERE timestamp >= $1 AND timestamp < $2";

const OF_A_DAY: &str = "-- cleanup_old_events: the events of a day
SELECT e.floor_id, e.timestamp, e.camera_id, e.vehicle_type, e.direction, e.count_delta,
       l.event_id IS NOT NULL
FROM events e LEFT JOIN events_at_limit l ON l.event_id = e.id
WHERE e.timestamp >= $1 AND e.timestamp < $2 ORDER BY e.timestamp, e.id";

const DELETE_AT_LIMIT: &str = "-- cleanup_old_events: at the limit
DELETE FROM events_at_limit WHERE timestamp < $1";

const KEEP_DELTAS: &str = "-- cleanup_old_events: what the deleted events did to the counts
UPDATE floor_origins o SET removed_delta = o.removed_delta + w.delta
FROM unnest($1::bigint[], $2::bigint[]) AS w (floor_id, delta) WHERE o.floor_id = w.floor_id";

const PUT_DIGESTS: &str = "-- cleanup_old_events: what is kept of the hours
INSERT INTO event_digests AS d (hour, floor_id, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bytea[])
ON CONFLICT (hour, floor_id) DO UPDATE SET data = d.data || excluded.data";

/// Events older than a horizon to come.
struct Older {
    /// What the snapshot was that saw them, as PostgreSQL writes it.
    snapshot: String,
    /// The horizon at that time.
    horizon: Option<i64>,
    count: i64,
    /// The last of them in the order of recording: its transaction and its id.
    last: Option<Vec<i64>>,
}

impl Older {
    async fn than(pool: &Pool, target: i64) -> Result<Self> {
        let client = pool.get().await?;
        let rows = query(&client, OLDER, &[&Micros(target)]).await?;
        let row = rows.first().ok_or_else(|| damaged("a retention"))?;
        Ok(Self {
            snapshot: row.try_get(0)?,
            horizon: maybe_micros(row, 1)?,
            count: row.try_get(2)?,
            last: row.try_get(3)?,
        })
    }

    /// Adds those that were recorded since. Nobody records any meanwhile.
    async fn and_since(&mut self, client: &ClientWrapper, target: i64) -> Result<()> {
        let from = Micros(self.horizon.unwrap_or(i64::MIN));
        let rows = query(client, OLDER_SINCE, &[&self.snapshot, &from, &Micros(target)]).await?;
        let row = rows.first().ok_or_else(|| damaged("a count"))?;
        self.count += row.try_get::<_, i64>(0)?;
        self.last = row.try_get::<_, Option<Vec<i64>>>(1)?.max(self.last.take());
        Ok(())
    }
}

/// Moves the horizon to `target`, never back; returns where it is then, and how many events
/// became older than it.
pub(super) async fn move_horizon(
    pool: &Pool,
    target: Timestamp,
    now: i64,
) -> Result<(Option<Timestamp>, u64)> {
    let target = target.as_microsecond();
    loop {
        let mut older = Older::than(pool, target).await?;
        let transaction = Transaction::begin(pool).await?;
        transaction.batch_execute(BY_INDEX).await?;
        query(&transaction, LOCK_RETENTION, &[]).await?;
        query(&transaction, LOCK_FLOORS, &[]).await?;
        let floors = floors::all(&transaction).await?;
        let mut session = Session::open(transaction, floors, now).await?;
        let old = session.draft.horizon;
        if old.is_some_and(|old| old >= target) {
            session.transaction.commit().await?;
            return Ok((old.and_then(|old| Timestamp::from_microsecond(old).ok()), 0));
        }
        if old != older.horizon {
            // Another server has moved it since: what is older than the new one is counted anew.
            session.transaction.commit().await?;
            continue;
        }
        let Session { transaction, draft } = &mut session;
        for (id, open) in &mut draft.floors {
            let base =
                past::resolve(transaction, open, |open| open.history.count_before(target)).await?;
            query(transaction, SET_BASE, &[id, &base]).await?;
        }
        older.and_since(transaction, target).await?;
        if let Some([change, id]) = older.last.as_deref() {
            query(transaction, KEEP_LAST, &[change, id]).await?;
        }
        query(transaction, SET_HORIZON, &[&Micros(target)]).await?;
        session.transaction.commit().await?;
        return Ok((Timestamp::from_microsecond(target).ok(), older.count.unsigned_abs()));
    }
}

/// Deletes the stretches that lie before the horizon's day: nobody reads them any more. Some at a
/// time, and whatever a crash leaves goes the next time.
pub(super) async fn forget_stretches(pool: &Pool) -> Result<()> {
    let client = pool.get().await?;
    let some = CLEANUP_CHUNK_ROWS as u64;
    let limit = i64::try_from(some).unwrap_or(i64::MAX);
    let delete = client.prepare_cached(DELETE_STRETCHES).await?;
    for floor in floors::all(&client).await? {
        for level in Level::all() {
            let level = i16::from(level.number());
            while client.execute(&delete, &[&floor.id, &level, &limit]).await? == some {}
        }
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
    query(client, DELETE_AT_LIMIT, &[&Micros(end)]).await?;
    Ok(())
}

/// Locks a month, and the table it is part of, against everyone. Who comes while this waits has to
/// wait behind it: so it waits a moment only, and tries again for as long as a request may take.
async fn lock_alone(client: &ClientWrapper, name: &str) -> Result<()> {
    let lock = format!(
        "SAVEPOINT alone; SET LOCAL lock_timeout = '{}ms'; \
         LOCK TABLE ONLY events, {name} IN ACCESS EXCLUSIVE MODE",
        POSTGRES_ALONE_TIMEOUT.as_millis()
    );
    let mut patience = Patience::new();
    while let Err(error) = client.batch_execute(&lock).await {
        client.batch_execute("ROLLBACK TO alone; RELEASE alone").await?;
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
    for row in query(client, OF_A_DAY, &[&Micros(from), &Micros(to)]).await? {
        let (floor_id, at): (i64, i64) = (row.try_get(0)?, micros(&row, 1)?);
        *deltas.entry(floor_id).or_default() += i64::from(row.try_get::<_, i16>(5)?);
        traces.entry((hour_of(at), floor_id)).or_default().push(Trace {
            at,
            camera_id: row.try_get(2)?,
            vehicle_type: vehicle_type(&row, 3)?,
            direction: direction(&row, 4)?,
            at_limit: row.try_get(6)?,
        });
    }
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
