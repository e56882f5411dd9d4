//! Whether the database takes writes, found out by one that leaves nothing behind.

use deadpool_postgres::Pool;

use super::{connect::query, transaction::Transaction};
use crate::Result;

/// Of an hour that no refusal was in. The commit is synced all the same. Servers that try at the
/// same time wait for each other.
const WRITE: &str = "-- ready: write
INSERT INTO refusals (hour, camera_id, reason, events, last_at)
VALUES (to_timestamp(0), '', 0, 0, to_timestamp(0))";

const UNDO: &str = "-- ready: undo\nDELETE FROM refusals WHERE hour = to_timestamp(0)";

pub(super) async fn write(pool: &Pool) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, WRITE, &[]).await?;
    query(&transaction, UNDO, &[]).await?;
    transaction.commit().await
}
