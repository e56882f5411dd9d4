//! The latest floors, kept for as long as nobody commits anything. Whether somebody has is asked
//! at every read: `PRAGMA data_version` looks into memory that all processes on the file share,
//! and sees the commits of all of them, our own writer's too. So there is nothing to publish that
//! could be forgotten or come in the wrong order, and no read is older than any answer before it.
//!
//! The look is made where the read is asked for, not on a thread of its own: it takes about 2 µs,
//! reading the floors again about 10 µs more, and handing it over would take longer than that. It
//! waits for nobody. Where it cannot be made at once, the caller reads as everything else is read.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::Connection;

use super::{connection, floors};
use crate::{Floor, Result, store::latest};

const DATA_VERSION: &str = "-- floors: has anybody committed\nPRAGMA data_version";

/// The latest floors, and the connection that looks whether they still are.
#[derive(Debug)]
pub(super) struct Latest {
    look: Mutex<Look>,
}

#[derive(Debug)]
struct Look {
    connection: Connection,
    /// The floors, and the version of the database that they are at least as new as.
    seen: Option<(i64, Arc<[Floor]>)>,
}

impl Latest {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let connection = connection::open(path)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self { look: Mutex::new(Look { connection, seen: None }) })
    }

    /// All floors, most free slots first, as the last commit left them; none where that cannot be
    /// known at once (another process recovers the file, or reading fails).
    pub(super) fn floors(&self) -> Option<Arc<[Floor]>> {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let floors = look.floors();
        floors.inspect_err(|error| tracing::debug!("no look at the floors: {error}")).ok()
    }
}

impl Look {
    fn floors(&mut self) -> Result<Arc<[Floor]>> {
        // First the version, then the floors: a commit in between makes them newer than it says,
        // never older.
        let mut statement = self.connection.prepare_cached(DATA_VERSION)?;
        let version: i64 = statement.query_row([], |row| row.get(0))?;
        if let Some((seen, floors)) = &self.seen
            && *seen == version
        {
            return Ok(Arc::clone(floors));
        }
        let before = self.seen.as_ref().map(|(_, floors)| floors);
        let floors = latest::after(before, floors::all(&self.connection)?);
        self.seen = Some((version, Arc::clone(&floors)));
        Ok(floors)
    }
}
