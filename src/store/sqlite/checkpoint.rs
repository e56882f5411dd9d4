//! Copying committed pages from the log (WAL) back into the file, beside the writer.
//!
//! By itself SQLite does that in the commit that fills the log: whoever waits for that commit
//! waits for thousands of pages and two more syncs. Here a thread copies on a connection of its
//! own while the writer goes on, and the writer copies only what came meanwhile: then all is
//! copied, and with the next commit the log begins anew.
//!
//! A log eight times as long as SQLite's own bound takes in more changes of the same pages before
//! they are copied once: batches whose keys come in no order are recorded a fifth faster.

use std::{
    path::Path,
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, Row};

use super::connection;
use crate::{Error, Result, limits::SQLITE_CHECKPOINT_PAGES};

const LOG: &str = "-- checkpoint: pages in the log, and how many of them are copied
PRAGMA wal_checkpoint(NOOP)";

const COPY: &str = "-- checkpoint: copy what can be copied without waiting for anybody
PRAGMA wal_checkpoint(PASSIVE)";

/// How often the thread copies what came while it was copying.
const MAX_ROUNDS: usize = 4;

/// The thread that copies, as its writer sees it.
#[derive(Debug)]
pub(super) struct Checkpoints {
    begin: Sender<()>,
    ended: Receiver<()>,
    is_under_way: bool,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`.
    pub(super) fn start(path: &Path) -> Result<Self> {
        let connection = connection::open(path)?;
        let (begin, begun) = channel();
        let (end, ended) = channel();
        let thread = thread::Builder::new()
            .name("smartpark-copy".into())
            .spawn(move || {
                while begun.recv().is_ok() {
                    copy_nearly_all(&connection);
                    if end.send(()).is_err() {
                        break;
                    }
                }
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { begin, ended, is_under_way: false, thread })
    }

    /// To be called by the writer after each transaction, once its answers are out: has the log
    /// copied where it has grown long. Where the thread has ended SQLite does it at its bound.
    pub(super) fn look(&mut self, writer: &Connection) {
        if self.is_under_way {
            if let Err(TryRecvError::Empty) = self.ended.try_recv() {
                return;
            }
            self.is_under_way = false;
            copy(writer);
        } else if left(writer) >= SQLITE_CHECKPOINT_PAGES {
            self.is_under_way = self.begin.send(()).is_ok();
        }
    }

    /// Ends the thread, after what it is copying.
    pub(super) fn stop(self) {
        drop(self.begin);
        // A panic of the thread was told when it happened.
        drop(self.thread.join());
    }
}

/// How many pages are not copied yet.
fn left(connection: &Connection) -> i64 {
    let pages = |row: &Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    let left = connection.prepare_cached(LOG).and_then(|mut log| log.query_row([], pages));
    // The next commit meets the same fault, and is answered with it.
    left.inspect_err(|error| tracing::debug!("no look at the log: {error}")).unwrap_or(0)
}

/// Copies until little is left for the writer, who adds to the log meanwhile. Each round has less
/// to do than the one before; but a reader who keeps an old state keeps the pages after it, too.
fn copy_nearly_all(connection: &Connection) {
    for _ in 0..MAX_ROUNDS {
        copy(connection);
        if left(connection) < SQLITE_CHECKPOINT_PAGES / 16 {
            break;
        }
    }
}

/// Copies pages back. What cannot be copied now stays in the log, which is as good.
fn copy(connection: &Connection) {
    let copied = connection.prepare_cached(COPY);
    let copied = copied.and_then(|mut copy| copy.query_row([], |_| Ok(())));
    if let Err(error) = copied {
        tracing::warn!("the log could not be copied into the database: {error}");
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// A database whose log holds so many pages, and what looks after them.
    fn logged(folder: &Path, pages: i64) -> (Connection, Checkpoints) {
        let path = folder.join("logged.db");
        connection::create_file(&path, Timestamp::UNIX_EPOCH).unwrap();
        let writer = connection::open(&path).unwrap();
        let fill =
            format!("-- test: fill\nCREATE TABLE fill AS SELECT zeroblob({})", pages * 4_096);
        writer.execute_batch(&fill).unwrap();
        (writer, Checkpoints::start(&path).unwrap())
    }

    #[test]
    fn a_long_log_is_copied_whole_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, mut checkpoints) = logged(folder.path(), SQLITE_CHECKPOINT_PAGES);
        checkpoints.look(&writer);
        assert!(checkpoints.is_under_way);
        // What is committed while the thread copies is the writer's to copy.
        writer.execute_batch("-- test: meanwhile\nCREATE TABLE meanwhile (x)").unwrap();
        while checkpoints.is_under_way {
            thread::yield_now();
            checkpoints.look(&writer);
        }
        assert_eq!(left(&writer), 0);
        writer.execute_batch("-- test: next\nCREATE TABLE next (x)").unwrap();
        assert!((1..100).contains(&left(&writer)));
        checkpoints.stop();
    }

    #[test]
    fn a_short_log_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, mut checkpoints) = logged(folder.path(), 100);
        let before = left(&writer);
        assert!(before > 100);
        checkpoints.look(&writer);
        assert!(!checkpoints.is_under_way);
        assert_eq!(left(&writer), before);
        checkpoints.stop();
    }
}
