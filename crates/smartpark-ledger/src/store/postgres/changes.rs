//! Tells whoever watches that something was committed: by this process at once, by another server
//! within [`POSTGRES_WATCH_INTERVAL`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use deadpool_postgres::Pool;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    connect::query,
    facts::settled,
    rows::{damaged, maybe_micros},
    transaction::not_in_time,
};
use crate::{
    Result,
    limits::{POSTGRES_LONG_TRANSACTION, POSTGRES_PATIENCE, POSTGRES_WATCH_INTERVAL},
};

/// Moves with every event that can be told, and with every change of a floor.
const LOOK: &str = concat!(
    "-- changes: look
SELECT ",
    settled!(),
    "::text, (SELECT count(*) FROM floors), (SELECT max(updated_at) FROM floors),
    pg_snapshot_xmax(pg_current_snapshot())::text"
);

const CULPRIT: &str = "-- changes: whose transaction does not end
SELECT coalesce((SELECT format('process %s (%s)', pid, application_name)
                 FROM pg_stat_get_activity(NULL) WHERE backend_xid = $1::text::xid8::xid LIMIT 1),
                (SELECT format('prepared as %s', gid)
                 FROM pg_prepared_xacts WHERE transaction = $1::text::xid8::xid),
                'no longer there')";

/// What a look sees: the oldest transaction that runs, the number of floors and when the latest
/// of them changed.
type Seen = (String, i64, Option<i64>);

/// A transaction that all events since wait for.
struct Oldest {
    transaction: String,
    since: Instant,
    /// Whether somebody was told.
    named: bool,
}

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
        let mut oldest = None;
        loop {
            let seen_now = timeout(POSTGRES_PATIENCE, look(&readers)).await;
            match seen_now.unwrap_or_else(|_| Err(not_in_time())) {
                Ok((now, runs)) => {
                    watch_oldest(&readers, &mut oldest, runs.then_some(&now.0)).await;
                    // The first look tells too: what was committed just before it is not missed.
                    if seen.as_ref() != Some(&now) {
                        seen = Some(now);
                        self.bump();
                    }
                }
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

/// Says whose transaction it is where one has run for long: until it ends, no event since is told
/// to those who watch. (Floors are.)
async fn watch_oldest(readers: &Pool, oldest: &mut Option<Oldest>, runs: Option<&String>) {
    let known = oldest.as_ref().map(|oldest| &oldest.transaction);
    if known != runs {
        let begun = |transaction: &String| Oldest {
            transaction: transaction.clone(),
            since: Instant::now(),
            named: false,
        };
        *oldest = runs.map(begun);
    }
    let Some(oldest) = oldest else { return };
    if oldest.named || oldest.since.elapsed() < POSTGRES_LONG_TRANSACTION {
        return;
    }
    if let Ok(culprit) = culprit(readers, &oldest.transaction).await {
        oldest.named = true;
        tracing::warn!(
            "live streams tell no events, until transaction {} ends: {culprit}",
            oldest.transaction
        );
    }
}

async fn culprit(readers: &Pool, transaction: &str) -> Result<String> {
    let rows = query(&*readers.get().await?, CULPRIT, &[&transaction]).await?;
    Ok(rows.first().ok_or_else(|| damaged("a transaction"))?.try_get(0)?)
}

/// What there is to see, and whether the oldest transaction is one that runs.
async fn look(readers: &Pool) -> Result<(Seen, bool)> {
    let rows = query(&*readers.get().await?, LOOK, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a snapshot"))?;
    let seen: Seen = (row.try_get(0)?, row.try_get(1)?, maybe_micros(row, 2)?);
    let runs = seen.0 != row.try_get::<_, &str>(3)?;
    Ok((seen, runs))
}
