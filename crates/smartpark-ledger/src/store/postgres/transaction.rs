//! A transaction that leaves nothing behind, and trying again what was cut off.

use std::{ops::Deref, time::Duration};

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::time::Instant;

use super::{connect::note_late, fault::is_transient};
use crate::{
    Error, Result,
    limits::{POSTGRES_FIRST_PAUSE, POSTGRES_LONGEST_PAUSE, POSTGRES_PATIENCE},
};

/// It holds on to the table of events before it looks: a month that is dropped in between would be
/// seen by neither its events nor its digests. The table alone is enough, since whoever drops a
/// month locks it too; to lock every month costs as much as all that is read for a day.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                        LOCK TABLE ONLY events IN ACCESS SHARE MODE";

/// A connection inside a transaction. Dropped before [`Transaction::done`], the connection is
/// closed, not given back: the server then rolls back whatever had been begun.
pub(super) struct Transaction {
    client: Option<Object>,
}

impl Transaction {
    /// A connection from the pool; the transaction is yet to be begun.
    pub(super) async fn connect(pool: &Pool) -> Result<Self> {
        Ok(Self { client: Some(pool.get().await?) })
    }

    /// A read-only transaction that sees one state of the database throughout.
    pub(super) async fn snapshot(client: Object) -> Result<Self> {
        let transaction = Self { client: Some(client) };
        transaction.batch_execute(SNAPSHOT).await?;
        Ok(transaction)
    }

    /// The same for reads that are known beforehand: `read` sends them all without waiting for
    /// anything, so that they go out together with the begin and the end, in one round trip. What
    /// it sends must have been prepared.
    pub(super) async fn in_snapshot<T>(
        client: Object,
        read: impl AsyncFnOnce(&ClientWrapper) -> Result<T>,
    ) -> Result<T> {
        let transaction = Self { client: Some(client) };
        let ((), read, ()) = tokio::try_join!(
            biased;
            async { Ok(transaction.batch_execute(SNAPSHOT).await?) },
            read(&transaction),
            async { Ok(transaction.batch_execute("COMMIT").await?) },
        )?;
        transaction.done();
        Ok(read)
    }

    /// A transaction that writes.
    pub(super) async fn begin(pool: &Pool) -> Result<Self> {
        let transaction = Self::connect(pool).await?;
        transaction.batch_execute("BEGIN").await?;
        Ok(transaction)
    }

    /// Commits, and gives the connection back.
    pub(super) async fn commit(self) -> Result<()> {
        self.batch_execute("COMMIT").await?;
        self.done();
        Ok(())
    }

    /// Undoes what was done, and gives the connection back.
    pub(super) async fn rollback(self) -> Result<()> {
        self.batch_execute("ROLLBACK").await?;
        self.done();
        Ok(())
    }

    /// The transaction has been ended: the connection can be used again.
    pub(super) fn done(mut self) {
        drop(self.client.take());
    }
}

impl Deref for Transaction {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.client.as_ref().expect("only `done` and `drop` take it, and both end the value")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

/// The answer to those who have waited for as long as they may.
pub(super) fn not_in_time() -> Error {
    note_late();
    Error::Unavailable("it did not answer in time".into())
}

/// How long something is tried, and how often.
pub(super) struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    /// Begins now and lasts for [`POSTGRES_PATIENCE`].
    pub(super) fn new() -> Self {
        Self::until(Instant::now() + POSTGRES_PATIENCE)
    }

    /// Lasts until this instant.
    pub(super) fn until(deadline: Instant) -> Self {
        Self { deadline, pause: POSTGRES_FIRST_PAUSE }
    }

    /// Until when.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits a moment after an attempt that failed.
    ///
    /// # Errors
    /// The failure itself, where trying again does not help or there is no time left.
    pub(super) async fn again(&mut self, error: Error) -> Result<()> {
        if !is_transient(&error) || Instant::now() + self.pause >= self.deadline {
            return Err(error);
        }
        tracing::debug!("trying again: {error}");
        tokio::time::sleep(self.pause).await;
        self.pause = (2 * self.pause).min(POSTGRES_LONGEST_PAUSE);
        Ok(())
    }
}

/// Does `$attempt`, again and again where that may help, until it is done or patience is over: that
/// of a request that begins now, or another.
macro_rules! patiently {
    ($attempt:expr) => {
        $crate::store::postgres::transaction::patiently!(
            $crate::store::postgres::transaction::Patience::new(),
            $attempt
        )
    };
    ($patience:expr, $attempt:expr) => {{
        let mut patience = $patience;
        loop {
            let attempt = ::tokio::time::timeout_at(patience.deadline(), $attempt).await;
            match attempt {
                Ok(Ok(done)) => break Ok(done),
                Ok(Err(error)) => match patience.again(error).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                Err(_) => break Err($crate::store::postgres::transaction::not_in_time()),
            }
        }
    }};
}
pub(super) use patiently;
