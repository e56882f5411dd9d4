//! The one seam for defects on purpose of this engine: whether a group's commit is sent.

pub(super) use inner::{catch_up, hold, holds_commit};

#[cfg(not(feature = "planted"))]
mod inner {
    use super::super::transaction::Transaction;
    use crate::{Result, decide::Writes};

    /// Never.
    #[inline(always)]
    pub(in super::super) const fn holds_commit(_: &Writes) -> bool {
        false
    }

    /// Is not called.
    #[inline(always)]
    pub(in super::super) async fn hold(_: Transaction) -> Result<()> {
        Ok(())
    }

    /// Has nothing to do.
    #[inline(always)]
    pub(in super::super) async fn catch_up() -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "planted")]
mod inner {
    use tokio::sync::Mutex;

    use super::super::transaction::Transaction;
    use crate::{Result, decide::Writes, planted::planted};

    /// The transaction whose commit is held back.
    static HELD: Mutex<Option<Transaction>> = Mutex::const_new(None);

    /// Whether the commit of these rows is held back until the next group begins.
    pub(in super::super) fn holds_commit(writes: &Writes) -> bool {
        planted("answer-before-commit") && !writes.events.is_empty()
    }

    /// Holds a commit back, and sends the one that was held back before.
    pub(in super::super) async fn hold(transaction: Transaction) -> Result<()> {
        let before = HELD.lock().await.replace(transaction);
        commit(before).await
    }

    /// Sends the commit that was held back.
    pub(in super::super) async fn catch_up() -> Result<()> {
        let held = HELD.lock().await.take();
        commit(held).await
    }

    async fn commit(held: Option<Transaction>) -> Result<()> {
        match held {
            Some(transaction) => transaction.commit().await,
            None => Ok(()),
        }
    }
}
