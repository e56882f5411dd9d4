//! Tells whoever watches that something was committed: by this process at once, by another one
//! within [`SQLITE_WATCH_INTERVAL`].

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::{connection, file::DatabaseFile};
use crate::{Error, Result, limits::SQLITE_WATCH_INTERVAL};

/// The signal that something was committed.
#[derive(Debug)]
pub(super) struct Changes {
    file: Arc<DatabaseFile>,
    commits: watch::Sender<u64>,
    watching: Mutex<Watching>,
}

/// Whether a thread looks for the commits of other processes.
#[derive(Debug)]
enum Watching {
    /// Nobody watches.
    No,
    /// It ends when the sender is dropped.
    Yes(Sender<()>, JoinHandle<()>),
    /// The database was closed.
    Closed,
}

impl Watching {
    /// The thread has ended, or is about to.
    fn end(&mut self) {
        if let Self::Yes(..) = self {
            *self = Self::No;
        }
    }
}

impl Changes {
    pub(super) fn new(file: Arc<DatabaseFile>) -> Arc<Self> {
        let (commits, watching) = (watch::Sender::new(0), Mutex::new(Watching::No));
        Arc::new(Self { file, commits, watching })
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
                Ok((stop, thread)) => *watching = Watching::Yes(stop, thread),
                // What this process commits is still told.
                Err(error) => tracing::warn!("other processes are not watched: {error}"),
            }
        }
        receiver
    }

    /// Ends the watching, for good, and waits until the thread has closed its connection.
    pub(super) fn close(&self) {
        let watching = std::mem::replace(&mut *self.watching(), Watching::Closed);
        if let Watching::Yes(stop, thread) = watching {
            drop(stop);
            // A thread that panicked has ended, too.
            thread.join().ok();
        }
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, on a connection of its own: it sees every commit as a foreign one.
    fn start(self: &Arc<Self>) -> Result<(Sender<()>, JoinHandle<()>)> {
        let (stop, stopped) = channel();
        let changes = Arc::downgrade(self);
        let file = Arc::clone(&self.file);
        let thread = thread::Builder::new()
            .name("smartpark-watch".into())
            .spawn(move || match connection::open(&file) {
                Ok(connection) => look(&connection, &changes, &stopped),
                Err(error) => {
                    tracing::warn!("other processes are not watched: {error}");
                    changes.upgrade().iter().for_each(|changes| changes.watching().end());
                }
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        Ok((stop, thread))
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
