//! Whether the database takes writes, found out by one that leaves nothing behind.

use deadpool_postgres::Pool;

use super::transaction::Transaction;
use crate::Result;

/// A refusal of an hour that has none, put in and taken out again. The commit is synced all the
/// same. It is one message, which PostgreSQL runs as one transaction: servers that try at the same
/// time wait for each other, so none may stand still in the middle of it.
const WRITE: &str = "-- ready: write and undo
INSERT INTO refusals (hour, camera_id, reason, events, last_at)
VALUES (to_timestamp(0), '', 0, 0, to_timestamp(0));
DELETE FROM refusals WHERE hour = to_timestamp(0)";

pub(super) async fn write(pool: &Pool) -> Result<()> {
    let transaction = Transaction::connect(pool).await?;
    transaction.batch_execute(WRITE).await?;
    transaction.done();
    Ok(())
}
