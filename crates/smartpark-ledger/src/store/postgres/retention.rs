//! Forgetting old events, in short steps with recording in between.
//!
//! First every floor's count at the new horizon is computed in a snapshot, which nobody waits for.
//! One transaction then stores these counts, locks the floors, and moves the horizon; under the
//! lock it computes only those counts again on whose floors something older than the new horizon
//! was recorded since. From then on the events before it are gone for every reader. A month that
//! lies wholly before it is then boiled down to digests and dropped, in one transaction: its
//! events and its digests are never seen together, nor is either missing, and a crash leaves
//! nothing half done. Dropping locks the whole table for an instant, in the last message of all;
//! PostgreSQL removes the files when the locks are gone.

mod digests;
mod horizon;
mod locks;

use deadpool_postgres::Pool;

use super::{
    connect::query,
    floors::LOCK_RETENTION,
    partitions::{self, Partition},
    past,
    transaction::Transaction,
};
use crate::{
    Result,
    count::Level,
    limits::{CLEANUP_CHUNK_ROWS, CLEANUP_STEP_FLOORS},
};
use digests::boil_down;
pub(super) use horizon::move_horizon;
use locks::drop_month;
pub(super) use locks::lock_floors;

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
/// If others hold the table for too long ([`drop_month`]), or another server cleans up, the
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
        return drop_month(transaction, name).await;
    }
    // Events without a month are few, from cameras without a clock.
    let delete = format!("-- cleanup_old_events: what has no month\nDELETE FROM {name}");
    transaction.batch_execute(&delete).await?;
    transaction.commit().await
}
