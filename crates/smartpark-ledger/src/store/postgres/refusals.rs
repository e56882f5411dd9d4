//! Refused events, summed by hour, camera and reason.

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    connect::query,
    rows::{Micros, damaged, micros},
    transaction::Transaction,
};
use crate::{
    Result,
    model::RefusedInHour,
    store::codes::{reason_number, reason_of},
};

/// In the order of the key, so that servers that add at the same time do not block each other.
const ADD: &str = "-- store_refusals: add
INSERT INTO refusals AS r (hour, camera_id, reason, events, last_at)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::smallint[], $4::bigint[],
    $5::timestamptz[])
ON CONFLICT (hour, camera_id, reason) DO UPDATE SET
    events = r.events + excluded.events, last_at = greatest(r.last_at, excluded.last_at)";

const FORGET: &str = "-- store_refusals: old ones go\nDELETE FROM refusals WHERE hour < $1";

const SINCE: &str = "-- get_refusals
SELECT hour, camera_id, reason, events, last_at FROM refusals WHERE hour >= $1";

/// Adds to the sums (`rows` stand in the order of their keys), and forgets those before the hour
/// `oldest`.
pub(super) async fn add(pool: &Pool, rows: &[RefusedInHour], oldest: i64) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, FORGET, &[&Micros(oldest)]).await?;
    let hours: Vec<Micros> = rows.iter().map(|row| Micros(row.hour)).collect();
    let cameras: Vec<&str> = rows.iter().map(|row| row.camera_id.as_str()).collect();
    let reasons: Vec<i16> = rows.iter().map(|row| reason_number(row.reason).into()).collect();
    let events: Vec<i64> = rows.iter().map(|row| row.events).collect();
    let last: Vec<Micros> = rows.iter().map(|row| Micros(row.last_at)).collect();
    query(&transaction, ADD, &[&hours, &cameras, &reasons, &events, &last]).await?;
    transaction.commit().await
}

/// The sums from an hour on.
pub(super) async fn since(client: &ClientWrapper, hour: i64) -> Result<Vec<RefusedInHour>> {
    let rows = query(client, SINCE, &[&Micros(hour)]).await?;
    let row = |row: &tokio_postgres::Row| {
        let reason: i16 = row.try_get(2)?;
        Ok(RefusedInHour {
            hour: micros(row, 0)?,
            camera_id: row.try_get(1)?,
            reason: reason_of(reason.into()).ok_or_else(|| damaged("a reason"))?,
            events: row.try_get(3)?,
            last_at: micros(row, 4)?,
        })
    };
    rows.iter().map(row).collect()
}
