//! Who waits for what other sessions hold, and since when: a server whose events have waited for
//! long says that it is not ready.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The waits of a process.
#[derive(Debug, Default)]
pub(super) struct Waits {
    since: Mutex<(u64, BTreeMap<u64, Instant>)>,
}

/// The waits of one group of events; none is left when it is dropped.
pub(super) struct Wait {
    waits: Arc<Waits>,
    number: u64,
}

impl Waits {
    /// A group that does not wait yet.
    pub(super) fn new_group(self: &Arc<Self>) -> Wait {
        let mut since = self.lock();
        since.0 += 1;
        Wait { number: since.0, waits: Arc::clone(self) }
    }

    /// How long the group has waited that has waited longest.
    pub(super) fn longest(&self) -> Duration {
        self.lock().1.values().min().map_or(Duration::ZERO, Instant::elapsed)
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Instant>)> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// It waits from now on, unless it has waited before without success.
    pub(super) fn begin(&self) {
        self.waits.lock().1.entry(self.number).or_insert_with(Instant::now);
    }

    /// It has got what it waited for.
    pub(super) fn end(&self) {
        self.waits.lock().1.remove(&self.number);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.end();
    }
}
