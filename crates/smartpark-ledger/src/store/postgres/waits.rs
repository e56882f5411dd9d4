//! How long events wait for what other sessions hold: a server that records nothing else meanwhile
//! says that it is not ready.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{Error, Result, limits::POSTGRES_STUCK};

/// The waits of a process.
#[derive(Debug, Default)]
pub(super) struct Waits {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    groups: u64,
    /// Since when each group waits, by its number.
    since: BTreeMap<u64, Instant>,
    /// When a group last got what it waited for.
    went_on: Option<Instant>,
}

/// The waits of one group of events; none is left when it is dropped.
pub(super) struct Wait {
    waits: Arc<Waits>,
    number: u64,
}

impl Waits {
    /// A group that does not wait yet.
    pub(super) fn new_group(self: &Arc<Self>) -> Wait {
        let mut inner = self.lock();
        inner.groups += 1;
        Wait { number: inner.groups, waits: Arc::clone(self) }
    }

    /// Refuses if a group has waited for [`POSTGRES_STUCK`] while no other one went on.
    pub(super) fn require_progress(&self) -> Result<()> {
        let inner = self.lock();
        let is_stuck = |since: &Instant| {
            let alone = inner.went_on.is_none_or(|went_on| went_on < *since);
            alone && since.elapsed() > POSTGRES_STUCK
        };
        if !inner.since.values().any(is_stuck) {
            return Ok(());
        }
        Err(Error::Unavailable(
            "events wait for a floor that another session of PostgreSQL holds".into(),
        ))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// It waits from now on, unless it has waited before without success.
    pub(super) fn begin(&self) {
        self.waits.lock().since.entry(self.number).or_insert_with(Instant::now);
    }

    /// It has got what it waited for.
    pub(super) fn end(&self) {
        let mut inner = self.waits.lock();
        inner.since.remove(&self.number);
        inner.went_on = Some(Instant::now());
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.waits.lock().since.remove(&self.number);
    }
}
