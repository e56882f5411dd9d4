//! Forgetting old events: first the horizon moves, with every floor's count there, in one short
//! transaction. From then on the events before it are gone for every reader. A month that lies
//! wholly before it is then boiled down to digests, emptied and dropped: no row is deleted by
//! itself, and nobody who records waits.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;

use super::{
    connect::query,
    floors::{self, LOCK_RETENTION},
    partitions::{self, Partition},
    past::OpenFloor,
    rows::{Micros, damaged, direction, maybe_micros, micros, vehicle_type},
    session::Session,
    transaction::Transaction,
};
use crate::{
    Result,
    count::{Level, Span},
    store::{
        digest::{self, Trace},
        sums::{DAY, hour_of},
    },
};

const SET_HORIZON: &str = "-- cleanup_old_events: horizon
UPDATE retention SET horizon = $1 WHERE id = 1";

const KEEP_LAST: &str =
    "-- cleanup_old_events: the last of those that are gone, as they were recorded
UPDATE retention SET last_change = w.change, last_event_id = w.id
FROM (SELECT change::text::bigint AS change, id FROM events
      WHERE timestamp >= $1 AND timestamp < $2
      ORDER BY events.change DESC, id DESC LIMIT 1) w
WHERE retention.id = 1 AND (w.change, w.id) > (last_change, last_event_id)";

/// In the order of their ids, like everyone who locks floors. Whoever recorded on one has ended
/// then, and whoever comes reads the new horizon.
pub(super) const LOCK_FLOORS: &str =
    "-- cleanup_old_events: floors\nSELECT id FROM floors ORDER BY id FOR UPDATE";

const SET_BASE: &str = "-- cleanup_old_events: the count at the horizon
UPDATE floor_origins SET base_count = $2 WHERE floor_id = $1";

const DELETE_STRETCHES: &str = "-- cleanup_old_events: stretches before the horizon's day
DELETE FROM floor_stretches WHERE floor_id = $1 AND start < $2";

const COUNT: &str = "-- cleanup_old_events: how many are forgotten
SELECT count(*) FROM events WHERE timestamp >= $1 AND timestamp < $2";

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

/// Moves the horizon to `target`, never back; returns where it is then, and how many events
/// became older than it.
pub(super) async fn move_horizon(
    pool: &Pool,
    target: Timestamp,
    now: i64,
) -> Result<(Option<Timestamp>, u64)> {
    let target = target.as_microsecond();
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    query(&transaction, LOCK_FLOORS, &[]).await?;
    let floors = floors::all(&transaction).await?;
    let mut session = Session::open(transaction, floors, now).await?;
    let old = session.horizon;
    let mut forgotten = 0;
    if old.is_none_or(|old| old < target) {
        let Session { transaction, floors, .. } = &mut session;
        for (id, open) in floors {
            set_base(transaction, *id, open, target).await?;
        }
        let range = [Micros(old.unwrap_or(i64::MIN)), Micros(target)];
        let rows = query(transaction, COUNT, &[&range[0], &range[1]]).await?;
        let count: i64 = rows.first().ok_or_else(|| damaged("a count"))?.try_get(0)?;
        forgotten = count.unsigned_abs();
        query(transaction, KEEP_LAST, &[&range[0], &range[1]]).await?;
        query(transaction, SET_HORIZON, &[&Micros(target)]).await?;
    }
    session.transaction.commit().await?;
    let horizon = old.map_or(target, |old| old.max(target));
    Ok((Timestamp::from_microsecond(horizon).ok(), forgotten))
}

async fn set_base(
    client: &ClientWrapper,
    id: i64,
    open: &mut OpenFloor,
    target: i64,
) -> Result<()> {
    let base = open.resolve(client, |history| history.count_before(target)).await?;
    query(client, SET_BASE, &[&id, &base]).await?;
    let day = Micros(Span::of(target, Level::DAY).start);
    query(client, DELETE_STRETCHES, &[&id, &day]).await?;
    Ok(())
}

/// The partitions that lie wholly before the horizon.
pub(super) async fn expired(pool: &Pool) -> Result<Vec<Partition>> {
    let transaction = Transaction::begin(pool).await?;
    let horizon = super::past::horizon(&transaction).await?;
    let mut partitions = partitions::existing(&transaction).await?;
    transaction.commit().await?;
    partitions.retain(|partition| horizon.is_some_and(|horizon| partition.end <= horizon));
    Ok(partitions)
}

/// Boils a partition before the horizon down to digests and empties it. Whoever reads meanwhile
/// sees it as it was; the lock that emptying takes is on this partition alone.
pub(super) async fn boil_down(pool: &Pool, partition: &Partition) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    // Another server may have dropped it while this one waited.
    if !partitions::existing(&transaction).await?.contains(partition) {
        return transaction.commit().await;
    }
    let mut deltas: HashMap<i64, i64> = HashMap::new();
    let mut from = i64::MIN;
    loop {
        let rows = query(&transaction, NEXT, &[&Micros(from), &Micros(partition.end)]).await?;
        let Some(next) = rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))? else { break };
        let day = next.div_euclid(DAY) * DAY;
        digest_day(&transaction, day.max(from), day + DAY, &mut deltas).await?;
        from = day + DAY;
    }
    if from != i64::MIN {
        let (floors, deltas): (Vec<i64>, Vec<i64>) = deltas.into_iter().unzip();
        query(&transaction, KEEP_DELTAS, &[&floors, &deltas]).await?;
        query(&transaction, DELETE_AT_LIMIT, &[&Micros(partition.end)]).await?;
        let name = &partition.name;
        transaction.batch_execute(&format!("-- cleanup: a month\nTRUNCATE {name}")).await?;
    }
    transaction.commit().await
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

/// Drops an emptied month. That locks the whole table for an instant: it is given up at once
/// where somebody holds it, and done the next time; an empty month is in nobody's way.
pub(super) async fn drop_month(pool: &Pool, partition: &Partition) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    transaction.batch_execute("SET LOCAL lock_timeout = '100ms'").await?;
    query(&transaction, LOCK_RETENTION, &[]).await?;
    let name = &partition.name;
    if partition.is_month && partitions::existing(&transaction).await?.contains(partition) {
        let lock = format!("LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE");
        transaction.batch_execute(&lock).await?;
        let first = format!("-- cleanup_old_events: is it empty\nSELECT 1 FROM {name} LIMIT 1");
        // After a reset the month may be in use again.
        if transaction.query_opt(&first, &[]).await?.is_none() {
            let drop = format!("-- cleanup_old_events: an empty month\nDROP TABLE {name}");
            transaction.batch_execute(&drop).await?;
        }
    }
    transaction.commit().await
}
