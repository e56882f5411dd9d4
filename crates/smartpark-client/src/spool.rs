//! The spool: one SQLite file that keeps every event from the moment it is reported.
//!
//! An event is on disk before [`Spool::put`] returns (`synchronous=FULL`). The journal is a rollback
//! journal, not a write-ahead log: several processes may use the file, also old versions of SQLite,
//! which can damage a write-ahead log that two connections share.

mod dead;
mod digests;
mod floors;
mod losses;
mod open;
mod rows;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::{
    Error, Result,
    limits::{DEFAULT_MAX_DEAD, DEFAULT_MAX_DELIVERED, DEFAULT_MAX_WAITING},
};

pub use dead::DeadLetter;
pub(crate) use digests::{Delivered, DifferingSlice};
pub use losses::Loss;
pub use rows::{Counts, Item, Outcome, Refusal, Verdict};
pub(crate) use rows::{LAST_ERROR, LAST_SUCCESS};

/// How much a spool keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Events that may wait. One more is refused and counted as lost.
    pub waiting: usize,
    /// Dead letters. If one more comes, the oldest goes and counts as lost.
    pub dead: usize,
    /// Delivered events that are kept, to be sent again after the server was restored.
    pub delivered: usize,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            waiting: DEFAULT_MAX_WAITING,
            dead: DEFAULT_MAX_DEAD,
            delivered: DEFAULT_MAX_DELIVERED,
        }
    }
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting = 0,
    Held = 1,
    Dead = 2,
    Delivered = 3,
    Again = 4,
}

/// An open spool. Threads may share it, and several processes may open the same file.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    limits: SpoolLimits,
    connection: Mutex<Connection>,
}

/// The right to send from a spool, until it is dropped or its process ends.
#[derive(Debug)]
pub struct SenderLock {
    _file: File,
}

impl Spool {
    /// Opens the spool in a file, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::NotASpool`], [`Error::Unavailable`].
    pub fn open(path: impl Into<PathBuf>, limits: SpoolLimits) -> Result<Self> {
        let path = path.into();
        // The program may change its folder later.
        let path = std::path::absolute(&path).unwrap_or(path);
        let connection = open::open(&path)?;
        Ok(Self { path, limits, connection: Mutex::new(connection) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much it keeps.
    #[must_use]
    pub fn limits(&self) -> SpoolLimits {
        self.limits
    }

    /// Takes the right to send, or nothing while another process (or client) has it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the lock's file beside the spool cannot be made.
    pub fn lock_sender(&self) -> Result<Option<SenderLock>> {
        let mut path = self.path.clone().into_os_string();
        path.push("-lock");
        let cannot =
            |error: std::io::Error| self.unavailable(format!("{}: {error}", path.display()));
        let file = File::options().create(true).append(true).open(&path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(SenderLock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(cannot(error)),
        }
    }

    /// A number that changes when another process changes the spool.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Damaged`].
    pub fn version(&self) -> Result<i64> {
        self.read(|connection| {
            connection.pragma_query_value(None, "data_version", |row| row.get(0))
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&self.lock()).map_err(|error| self.failed(&error))
    }

    /// Runs a transaction, which is on disk when this returns.
    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let run = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = write(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|error| self.failed(&error))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked has rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        sqlite_error(&self.path, error)
    }

    fn unavailable(&self, reason: String) -> Error {
        Error::Unavailable { path: self.path.clone(), reason }
    }
}

/// What an error of SQLite means for the person who runs the program.
fn sqlite_error(path: &Path, error: &rusqlite::Error) -> Error {
    let (path, reason) = (path.to_owned(), error.to_string());
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => Error::Damaged { path, reason },
        Some(ErrorCode::NotADatabase) => {
            Error::NotASpool { path, reason: "it is not an SQLite file".into() }
        }
        Some(ErrorCode::DatabaseBusy) => {
            Error::Unavailable { path, reason: "another process holds it for too long".into() }
        }
        Some(ErrorCode::ReadOnly) if extended == Some(rusqlite::ffi::SQLITE_READONLY_DBMOVED) => {
            let reason = "the file was moved or removed while in use; start the program again";
            Error::Unavailable { path, reason: reason.into() }
        }
        Some(_) | None => Error::Unavailable { path, reason },
    }
}

/// An instant from a column.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
