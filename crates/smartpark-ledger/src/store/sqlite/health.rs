//! Whether the database can acknowledge: not after its disk failed or its file went away, and for
//! now not if the last write was refused.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};

use super::{file::DatabaseFile, holder};
use crate::{
    Error, Result,
    limits::{
        READY_KEPT, SQLITE_BUSY_TIMEOUT, SQLITE_LOOK_INTERVAL, SQLITE_SERVER_PATIENCE,
        SQLITE_SHORT_PATIENCE,
    },
    recorder,
};

/// What the writer knows of the database's state, and others ask.
#[derive(Debug)]
pub(super) struct Health {
    file: Arc<DatabaseFile>,
    /// Why nothing can be acknowledged any more.
    failure: watch::Sender<Option<Error>>,
    /// The last write that was refused, until one of its kind is known to succeed.
    refusal: Mutex<Option<Refusal>>,
    /// Whether another process kept the writer waiting in vain the last time.
    is_locked: AtomicBool,
    /// Whether clients wait for the answers.
    is_server: AtomicBool,
}

#[derive(Debug)]
struct Refusal {
    at: Instant,
    error: Error,
    /// Whether another process held the lock: then the next transaction settles it.
    is_of_lock: bool,
}

impl Health {
    pub(super) fn new(file: Arc<DatabaseFile>) -> Self {
        let (failure, refusal) = (watch::Sender::new(None), Mutex::default());
        let (is_locked, is_server) = Default::default();
        Self { file, failure, refusal, is_locked, is_server }
    }

    /// From now on clients wait for the answers.
    pub(super) fn serve(&self) {
        self.is_server.store(true, Ordering::Relaxed);
    }

    /// Whether the writer can still acknowledge.
    pub(super) fn sound(&self) -> Result<()> {
        self.failure.borrow().clone().map_or(Ok(()), Err)
    }

    /// Whether the file is still in its place. If not, nothing is acknowledged any more.
    pub(super) fn look(&self) -> Result<()> {
        self.file.look().inspect_err(|error| self.fail_if_broken(error))
    }

    /// Waits until nothing can be acknowledged any more.
    pub(super) async fn failed(&self) -> Error {
        let mut failure = self.failure.subscribe();
        loop {
            let failed = failure.wait_for(Option::is_some);
            match timeout(SQLITE_LOOK_INTERVAL, failed).await {
                Ok(Ok(error)) => return error.clone().unwrap_or_else(recorder::stopped),
                Ok(Err(_)) => return recorder::stopped(),
                // A server that nobody posts to notices, too. What is wrong comes by the channel.
                Err(_) => drop(self.look()),
            }
        }
    }

    /// After an error of the disk nothing can be acknowledged any more.
    pub(super) fn fail_if_broken(&self, error: &Error) {
        if let Error::Broken(_) = error
            && self.sound().is_ok()
        {
            tracing::error!("{error}");
            self.failure.send_replace(Some(error.clone()));
        }
    }

    /// Notes that a write did not succeed.
    pub(super) fn note(&self, error: &Error) {
        self.fail_if_broken(error);
        if let Error::Unavailable(_) = error {
            let is_of_lock = self.is_locked.load(Ordering::Relaxed);
            let refusal = Refusal { at: Instant::now(), error: error.clone(), is_of_lock };
            if self.refusal().replace(refusal).is_none() {
                tracing::warn!("writes are refused: {error}");
            }
        }
    }

    /// Whether a write was refused for want of room or rights, and none of its size succeeded
    /// since.
    pub(super) fn is_refusing(&self) -> bool {
        self.refusal().as_ref().is_some_and(|refusal| !refusal.is_of_lock)
    }

    /// Whether the last write that was refused is long enough past to try again.
    pub(super) fn just_refused(&self) -> Result<()> {
        let refusal = self.refusal();
        let fresh = refusal.as_ref().filter(|refusal| refusal.at.elapsed() < READY_KEPT);
        fresh.map_or(Ok(()), |refusal| Err(refusal.error.clone()))
    }

    /// Writes are known to succeed: what was refused before `since` is past.
    pub(super) fn heal(&self, since: Instant) {
        self.settle(|refusal| refusal.at <= since);
    }

    fn settle(&self, is_settled: impl FnOnce(&mut Refusal) -> bool) {
        if self.refusal().take_if(is_settled).is_some() {
            tracing::info!("writes succeed again");
        }
    }

    fn refusal(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the writer waits for another process. After one wait in vain the next are short:
    /// those of all groups that are queued must not add up.
    pub(super) fn patience(&self) -> Duration {
        let flags = (&self.is_server, &self.is_locked);
        match (flags.0.load(Ordering::Relaxed), flags.1.load(Ordering::Relaxed)) {
            (false, _) => SQLITE_BUSY_TIMEOUT,
            (true, false) => SQLITE_SERVER_PATIENCE,
            (true, true) => SQLITE_SHORT_PATIENCE,
        }
    }

    /// Another process keeps a server waiting: it is continued if it stands still.
    pub(super) fn wake_holder(&self) {
        if self.is_server.load(Ordering::Relaxed) {
            holder::wake(&self.file.beside("-shm"));
        }
    }

    /// No other process kept the writer from its transaction.
    pub(super) fn begun(&self) {
        if self.is_locked.load(Ordering::Relaxed) {
            self.is_locked.store(false, Ordering::Relaxed);
            self.settle(|refusal| refusal.is_of_lock);
        }
    }

    /// Another process kept it; what to say about that.
    pub(super) fn locked(&self) -> Error {
        self.is_locked.store(true, Ordering::Relaxed);
        Error::Unavailable(holder::told(&self.file.beside("-shm")))
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::super::{Sqlite, probe};
    use crate::{Error, NewFloor, SmartPark, store::Engine};

    /// Lets the database grow to so many pages, as a disk does that has room for no more.
    async fn bound(sqlite: &Sqlite, pages: u32) {
        let bound = sqlite.inner.writer.task(move |connection| {
            let now: u32 =
                connection
                    .pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))?;
            Ok(now)
        });
        bound.await.unwrap();
    }

    async fn is_unready(park: &SmartPark) -> bool {
        matches!(park.ready().await, Err(Error::Unavailable(_)))
    }

    #[tokio::test]
    async fn a_refused_write_is_not_forgotten_for_a_smaller_one() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/full.db", folder.path().display());
        let park = SmartPark::open(&url).await.unwrap();
        let Engine::Sqlite(sqlite) = &park.engine else { panic!("another engine") };
        park.ready().await.unwrap();
        // Never fewer than it has.
        bound(sqlite, 1).await;
        let mut number = 0;
        let refused = loop {
            number += 1;
            let description = Some("x".repeat(1_000));
            let floor = NewFloor { description, ..NewFloor::new(format!("{number}"), 9) };
            if let Err(error) = park.floors().add_floor(floor).await {
                break error;
            }
        };
        assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
        assert!(is_unready(&park).await, "it was ready just before");
        // What is small has room, and says nothing of what has not.
        sqlite.write(|session| probe::write(session)).await.unwrap();
        let health = sqlite.inner.writer.health();
        while health.just_refused().is_err() {
            yield_now().await;
        }
        assert!(is_unready(&park).await, "there is no more room than before");
        bound(sqlite, 1_000_000).await;
        while is_unready(&park).await {
            yield_now().await;
        }
        park.floors().add_floor(NewFloor::new("there is room", 9)).await.unwrap();
        park.ready().await.unwrap();
    }
}
