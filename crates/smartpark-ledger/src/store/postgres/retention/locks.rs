//! Locks that keep everybody from recording: they are waited for in short attempts, and what they
//! are for takes as little as can be.

use deadpool_postgres::ClientWrapper;

use super::super::transaction::{Patience, Transaction};
use crate::{Result, limits::POSTGRES_ALONE_TIMEOUT};

/// Locks the floors against all that record, so that what a transaction reads of them holds until
/// its end. Transactions that recorded on one have ended then, and later ones read what this
/// transaction leaves.
pub(in super::super) async fn lock_floors(client: &ClientWrapper) -> Result<()> {
    briefly(client, "LOCK TABLE floors IN EXCLUSIVE MODE").await
}

/// Drops a month and commits. The lock against everyone, on the month and on the table that it is
/// part of, is taken by the same message that ends with the commit: a server that stands still
/// holds it at no moment.
pub(super) async fn drop_month(transaction: Transaction, name: &str) -> Result<()> {
    let drop = format!(
        "LOCK TABLE ONLY events, {name} IN ACCESS EXCLUSIVE MODE; DROP TABLE {name}; COMMIT"
    );
    briefly(&transaction, &drop).await?;
    transaction.done();
    Ok(())
}

/// Runs statements that begin with a lock. A waiting lock request blocks everything queued behind
/// it, so an attempt waits at most [`POSTGRES_ALONE_TIMEOUT`]; attempts are made for as long as a
/// request may take.
async fn briefly(client: &ClientWrapper, statements: &str) -> Result<()> {
    let sql = format!(
        "SAVEPOINT brief; SET LOCAL lock_timeout = '{}ms'; {statements}",
        POSTGRES_ALONE_TIMEOUT.as_millis()
    );
    let mut patience = Patience::new();
    while let Err(error) = client.batch_execute(&sql).await {
        client.batch_execute("ROLLBACK TO brief; RELEASE brief").await?;
        patience.again(error.into()).await?;
    }
    Ok(())
}
