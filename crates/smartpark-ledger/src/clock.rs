//! The only reader of the system clock. Everything else takes the time as a value.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Where the time comes from: the system, or a value that a test or a simulation sets.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { set: None }
    }

    /// A clock that stands at `now` until [`Clock::set`] moves it. Clones stand and move together.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self { set: Some(Arc::new(AtomicI64::new(now.as_microsecond()))) }
    }

    /// Whether it is the system's.
    pub(crate) fn is_system(&self) -> bool {
        self.set.is_none()
    }

    /// Moves a fixed clock; does nothing to the system's.
    pub fn set(&self, now: Timestamp) {
        if let Some(set) = &self.set {
            set.store(now.as_microsecond(), Ordering::SeqCst);
        }
    }

    /// The time now, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.set {
            Some(set) => set.load(Ordering::SeqCst),
            None => system_micros(),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
fn system_micros() -> i64 {
    Timestamp::now().as_microsecond()
}
