//! Reads of what was, from a database that follows the one that counts, with how old they are.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{EventOperations, FloorOperations, SmartPark};

/// Operations that may read what was (events in lists, statistics, counts of an instant in the
/// past) from the replica that [`SmartPark::use_replica`] named, and what is now from the database
/// that counts, as ever; from [`SmartPark::from_replica`]. Without a replica, and where it cannot
/// be used, nothing comes from it.
///
/// A read from a replica need not see what was answered just before: [`Reading::age`] says how
/// much may be missing.
#[derive(Debug)]
pub struct Reading {
    park: SmartPark,
    seen: Seen,
}

impl Reading {
    pub(crate) fn new(park: &SmartPark) -> Self {
        let seen = Seen::default();
        let engine = park.engine.reading(&seen);
        Self { park: SmartPark { engine, ..park.clone() }, seen }
    }

    /// The operations on floors.
    #[must_use]
    pub fn floors(&self) -> FloorOperations<'_> {
        self.park.floors()
    }

    /// The operations on events.
    #[must_use]
    pub fn events(&self) -> EventOperations<'_> {
        self.park.events()
    }

    /// How old the oldest is of what was read so far: it holds all that was committed so long ago,
    /// and of what was committed since perhaps a part. `None` where nothing came from a replica.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.seen.get().map(|at| at.elapsed())
    }
}

/// As of when a replica was read: the earliest of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Instant>>>);

impl Seen {
    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was read as of an instant.
    #[cfg(feature = "postgres")]
    pub(crate) fn note(&self, at: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(seen.map_or(at, |before| before.min(at)));
    }
}
