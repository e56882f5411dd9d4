//! The latest floors, read from the primary on demand and kept for a moment
//! ([`POSTGRES_LATEST_AGE`]) or until this server commits something, whichever is first. So a read
//! is never older than what this server answered before it, and only by that moment older than
//! what another one did. All floors come from one statement: they are the state between two
//! commits, never a mixture.
//!
//! However many ask, one statement is under way. Where it fails, all who wait for it are told:
//! nobody is given what might be old.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::Pool;
use tokio::{sync::watch, time::Instant};

use super::{changes::Changes, floors, transaction::patiently};
use crate::{Error, Floor, Result, limits::POSTGRES_LATEST_AGE, store::latest};

/// The latest floors. Clones share them.
#[derive(Clone)]
pub(super) struct Latest {
    readers: Pool,
    changes: Changes,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Option<Seen>,
    /// The statement that is under way, or was the last to be.
    flight: Option<Flight>,
}

/// The floors as one look saw them.
#[derive(Clone)]
struct Seen {
    since: Moment,
    floors: Arc<[Floor]>,
}

/// What a look at the floors sees if it begins now.
#[derive(Clone, Copy)]
struct Moment {
    /// The commits of this server that are signalled by now.
    commits: u64,
    at: Instant,
}

/// Ends when its sender is dropped, with the outcome in it.
type Flight = watch::Receiver<Option<Result<Seen>>>;

impl Latest {
    pub(super) fn new(readers: &Pool, changes: &Changes) -> Self {
        Self { readers: readers.clone(), changes: changes.clone(), state: Arc::default() }
    }

    /// All floors, most free slots first.
    pub(super) async fn floors(&self) -> Result<Arc<[Floor]>> {
        let now = self.now();
        loop {
            let mut flight = {
                let mut state = self.state();
                if let Some(seen) = state.seen.as_ref().filter(|seen| seen.serves(now)) {
                    return Ok(Arc::clone(&seen.floors));
                }
                // One that began too early to see all that this read must see is waited for all
                // the same: after it comes one that does, and there is only one at a time.
                let under_way = state.flight.clone().filter(|flight| flight.has_changed().is_ok());
                let flight = under_way.unwrap_or_else(|| self.begin());
                state.flight.insert(flight).clone()
            };
            while flight.changed().await.is_ok() {}
            let outcome = flight.borrow().clone();
            let seen = outcome.unwrap_or_else(|| Err(Error::Internal("a look was lost".into())))?;
            if seen.serves(now) {
                return Ok(seen.floors);
            }
        }
    }

    fn now(&self) -> Moment {
        Moment { commits: self.changes.count(), at: Instant::now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a look, in a task of its own: whoever waits may give up, others go on waiting.
    fn begin(&self) -> Flight {
        let (told, flight) = watch::channel(None);
        let latest = self.clone();
        tokio::spawn(async move {
            let outcome = latest.look().await;
            told.send_replace(Some(outcome));
        });
        flight
    }

    async fn look(&self) -> Result<Seen> {
        // Taken before the statement is sent: what is committed from here on may be missing.
        let since = self.now();
        let floors = patiently!(async { floors::all(&*self.readers.get().await?).await })?;
        let mut state = self.state();
        let before = state.seen.as_ref().map(|seen| &seen.floors);
        let seen = Seen { since, floors: latest::after(before, floors) };
        state.seen = Some(seen.clone());
        Ok(seen)
    }
}

impl Seen {
    /// Whether it is recent enough for a read that began at this moment.
    fn serves(&self, read: Moment) -> bool {
        let age = read.at.saturating_duration_since(self.since.at);
        self.since.commits >= read.commits && age < POSTGRES_LATEST_AGE
    }
}
