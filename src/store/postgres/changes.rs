//! Tells whoever watches that something was committed: by this process at once, by another server
//! within [`POSTGRES_WATCH_INTERVAL`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use deadpool_postgres::Pool;
use tokio::sync::watch;

use super::{
    connect::query,
    rows::{damaged, maybe_micros},
};
use crate::{Result, limits::POSTGRES_WATCH_INTERVAL};

/// Moves with every event that can be told, and with every change of a floor.
const LOOK: &str = "-- changes: look
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, (SELECT count(*) FROM floors),
       (SELECT max(updated_at) FROM floors)";

/// What a look sees.
type Seen = (String, i64, Option<i64>);

/// The signal that something was committed.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    commits: watch::Sender<u64>,
    looking: Arc<AtomicBool>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self { commits: watch::Sender::new(0), looking: Arc::default() }
    }

    /// Something was committed.
    pub(super) fn bump(&self) {
        self.commits.send_modify(|commits| *commits = commits.wrapping_add(1));
    }

    /// How often that was signalled so far.
    pub(super) fn count(&self) -> u64 {
        *self.commits.borrow()
    }

    /// Changes with every commit, for as long as the result is kept.
    pub(super) fn watch(&self, readers: &Pool) -> watch::Receiver<u64> {
        let receiver = self.commits.subscribe();
        if !self.looking.swap(true, Ordering::SeqCst) {
            tokio::spawn(self.clone().look(readers.clone()));
        }
        receiver
    }

    /// Looks for commits again and again, until nobody watches.
    async fn look(self, readers: Pool) {
        let mut seen: Option<Seen> = None;
        loop {
            match look(&readers).await {
                // The first look tells too: what was committed just before it is not missed.
                Ok(now) if seen.as_ref() != Some(&now) => {
                    seen = Some(now);
                    self.bump();
                }
                Ok(_) => {}
                Err(error) => tracing::debug!("looking for commits failed: {error}"),
            }
            if readers.is_closed() {
                return;
            }
            tokio::time::sleep(POSTGRES_WATCH_INTERVAL).await;
            if self.commits.receiver_count() == 0 {
                self.looking.store(false, Ordering::SeqCst);
                // Somebody may have come in between, who was told that this one looks.
                let alone = self.commits.receiver_count() == 0;
                if alone || self.looking.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        }
    }
}

async fn look(readers: &Pool) -> Result<Seen> {
    let rows = query(&*readers.get().await?, LOOK, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a snapshot"))?;
    Ok((row.try_get(0)?, row.try_get(1)?, maybe_micros(row, 2)?))
}
