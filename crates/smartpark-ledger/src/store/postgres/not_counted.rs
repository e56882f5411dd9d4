//! What devices sent and SmartPark did not count, summed by hour, camera and reason.

use deadpool_postgres::Pool;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    rows::{Micros, micros},
    transaction::{Transaction, not_in_time, patiently},
};
use crate::{Result, limits::REFUSALS_PATIENCE, model::NotCountedInHour};

/// In the order of the key, so that servers that add at the same time do not block each other.
const ADD: &str = "-- store_not_counted: add
INSERT INTO not_counted AS n (hour, camera_id, reason, detail, times, last_at)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[],
    $6::timestamptz[])
ON CONFLICT (hour, camera_id, reason, detail) DO UPDATE SET
    times = n.times + excluded.times, last_at = greatest(n.last_at, excluded.last_at)";

const FORGET: &str = "-- store_not_counted: old ones go\nDELETE FROM not_counted WHERE hour < $1";

const SINCE: &str = "-- get_not_counted
SELECT hour, camera_id, reason, detail, times, last_at FROM not_counted WHERE hour >= $1";

impl Postgres {
    /// Adds to the sums (`rows` stand in the order of their keys), and forgets those before the
    /// hour `oldest`. Once only: a commit whose answer was lost would count twice.
    pub(in crate::store) async fn add_not_counted(
        &self,
        rows: Vec<NotCountedInHour>,
        oldest: i64,
    ) -> Result<()> {
        let add = add(&self.inner.writers, &rows, oldest);
        timeout(REFUSALS_PATIENCE, add).await.map_err(|_| not_in_time())?
    }

    /// The sums from an hour on.
    pub(in crate::store) async fn not_counted(&self, since: i64) -> Result<Vec<NotCountedInHour>> {
        patiently!(async {
            let rows = query(&*self.inner.readers.get().await?, SINCE, &[&Micros(since)]).await?;
            rows.iter().map(row).collect()
        })
    }
}

async fn add(pool: &Pool, rows: &[NotCountedInHour], oldest: i64) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, FORGET, &[&Micros(oldest)]).await?;
    let hours: Vec<Micros> = rows.iter().map(|row| Micros(row.hour)).collect();
    let cameras: Vec<&str> = rows.iter().map(|row| row.camera_id.as_str()).collect();
    let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    let details: Vec<&str> = rows.iter().map(|row| row.detail.as_str()).collect();
    let times: Vec<i64> = rows.iter().map(|row| row.times).collect();
    let last: Vec<Micros> = rows.iter().map(|row| Micros(row.last_at)).collect();
    query(&transaction, ADD, &[&hours, &cameras, &reasons, &details, &times, &last]).await?;
    transaction.commit().await
}

fn row(row: &Row) -> Result<NotCountedInHour> {
    Ok(NotCountedInHour {
        hour: micros(row, 0)?,
        camera_id: row.try_get(1)?,
        reason: row.try_get(2)?,
        detail: row.try_get(3)?,
        times: row.try_get(4)?,
        last_at: micros(row, 5)?,
    })
}
