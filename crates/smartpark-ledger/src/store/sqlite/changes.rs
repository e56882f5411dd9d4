//! Tells whoever watches that something was committed: by this process at once, by another one
//! within [`SQLITE_WATCH_INTERVAL`].

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::connection;
use crate::{Error, Result, limits::SQLITE_WATCH_INTERVAL};

/// The signal that something was committed.
#[derive(Debug)]
pub(super) struct Changes {
    path: PathBuf,
    commits: watch::Sender<u64>,
    watching: Mutex<Watching>,
}

/// Whether a thread looks for the commits of other processes.
#[derive(Debug)]
enum Watching {
    /// Nobody watches.
    No,
    /// It ends when the sender is dropped.
    Yes(#[expect(dead_code, reason = "it is there to be dropped")] Sender<()>),
    /// The database was closed.
    Closed,
}

impl Watching {
    /// The thread has ended, or is about to.
    fn end(&mut self) {
        if let Self::Yes(_) = self {
            *self = Self::No;
        }
    }
}

impl Changes {
    pub(super) fn new(path: PathBuf) -> Arc<Self> {
        let (commits, watching) = (watch::Sender::new(0), Mutex::new(Watching::No));
        Arc::new(Self { path, commits, watching })
    }

    /// Something was committed.
    pub(super) fn bump(&self) {
        self.commits.send_modify(|commits| *commits = commits.wrapping_add(1));
    }

    /// Changes with every commit, for as long as the result is kept.
    pub(super) fn watch(self: &Arc<Self>) -> watch::Receiver<u64> {
        let mut watching = self.watching();
        let receiver = self.commits.subscribe();
        if let Watching::No = *watching {
            match self.start() {
                Ok(stop) => *watching = Watching::Yes(stop),
                // What this process commits is still told.
                Err(error) => tracing::warn!("other processes are not watched: {error}"),
            }
        }
        receiver
    }

    /// Ends the watching, for good.
    pub(super) fn close(&self) {
        *self.watching() = Watching::Closed;
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, on a connection of its own: it sees every commit as a foreign one.
    fn start(self: &Arc<Self>) -> Result<Sender<()>> {
        let (stop, stopped) = channel();
        let changes = Arc::downgrade(self);
        let path = self.path.clone();
        thread::Builder::new()
            .name("smartpark-watch".into())
            .spawn(move || match connection::open(&path) {
                Ok(connection) => look(&connection, &changes, &stopped),
                Err(error) => {
                    tracing::warn!("other processes are not watched: {error}");
                    changes.upgrade().iter().for_each(|changes| changes.watching().end());
                }
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        Ok(stop)
    }

    /// Ends the watching where nobody watches any more; tells whether it did.
    fn rest(&self) -> bool {
        let mut watching = self.watching();
        let nobody = self.commits.receiver_count() == 0;
        if nobody {
            watching.end();
        }
        nobody
    }
}

/// Looks for commits again and again, until told to stop or nobody watches.
fn look(connection: &Connection, changes: &Weak<Changes>, stopped: &Receiver<()>) {
    let mut seen = None;
    loop {
        let version: rusqlite::Result<i64> =
            connection.pragma_query_value(None, "data_version", |row| row.get(0));
        let Some(changes) = changes.upgrade() else { return };
        match version {
            Ok(version) => {
                // The first look tells too: what was committed just before it is not missed.
                if seen.replace(version) != Some(version) {
                    changes.bump();
                }
            }
            Err(error) => tracing::debug!("looking for commits failed: {error}"),
        }
        if changes.rest() {
            return;
        }
        drop(changes);
        match stopped.recv_timeout(SQLITE_WATCH_INTERVAL) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
