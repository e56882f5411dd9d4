//! What the database knows about the time.

use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    rows::{Micros, maybe_micros, micros},
    transaction::patiently,
};
use crate::{Result, model::Receipt};

/// A floor that was added (7) tells nothing about the time: anybody may add one before the clock is
/// set.
const NEWEST: &str = "-- clock: the newest receipt
SELECT greatest(
    (SELECT created_at FROM events ORDER BY change DESC, id DESC LIMIT 1),
    (SELECT created_at FROM adjustments WHERE kind <> 7 ORDER BY id DESC LIMIT 1))";

const RECENT: &str = "-- get_attention: receipts
SELECT camera_id, created_at, timestamp FROM events ORDER BY change DESC, id DESC LIMIT $1";

const ACCEPTED: &str =
    "-- clock: when a person accepted it\nSELECT clock_accepted_at FROM site WHERE id = 1";

const ACCEPT: &str =
    "-- clock: a person accepts it\nUPDATE site SET clock_accepted_at = $1 WHERE id = 1";

const EARLIEST: &str =
    "-- cleanup_old_events: the earliest event\nSELECT min(timestamp) FROM events";

impl Postgres {
    /// When the last events were seen and received, the newest receipt first.
    pub(in crate::store) async fn recent_receipts(&self, limit: usize) -> Result<Vec<Receipt>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        patiently!(async {
            let rows = query(&*self.inner.readers.get().await?, RECENT, &[&limit]).await?;
            let receipt = |row: &Row| {
                let (received_at, timestamp) = (micros(row, 1)?, micros(row, 2)?);
                Ok(Receipt { camera_id: row.try_get(0)?, received_at, timestamp })
            };
            rows.iter().map(receipt).collect()
        })
    }

    /// When the newest fact was received, by the clock of that time.
    pub(in crate::store) async fn newest_receipt(&self) -> Result<Option<i64>> {
        self.instant(NEWEST).await
    }

    /// When a person accepted the clock last, by that clock.
    pub(in crate::store) async fn clock_accepted(&self) -> Result<Option<i64>> {
        self.instant(ACCEPTED).await
    }

    /// Keeps that a person accepts the clock.
    pub(in crate::store) async fn accept_clock(&self, now: i64) -> Result<()> {
        patiently!(async {
            query(&*self.inner.writers.get().await?, ACCEPT, &[&Micros(now)]).await?;
            Ok(())
        })
    }

    /// The timestamp of the earliest event.
    pub(in crate::store) async fn earliest_event(&self) -> Result<Option<i64>> {
        self.instant(EARLIEST).await
    }

    async fn instant(&self, sql: &'static str) -> Result<Option<i64>> {
        patiently!(async {
            let rows = query(&*self.inner.readers.get().await?, sql, &[]).await?;
            rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))
        })
    }
}
