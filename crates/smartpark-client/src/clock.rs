//! The one place that reads the machine's clocks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// Tells the time: the machine's, or one that a test sets.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Instant),
    /// Microseconds since 1970, and those at the start.
    Set(Arc<AtomicI64>, i64),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        let micros = at.as_microsecond();
        Self(Source::Set(Arc::new(AtomicI64::new(micros)), micros))
    }

    /// Moves a fixed clock. The machine's clock goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Set(micros, _) = &self.0 {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// The time of day, in whole microseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the system's clock")]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.0 {
            Source::System(_) => Timestamp::now().as_microsecond(),
            Source::Set(micros, _) => micros.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Time gone by since the clock was made. It never runs back.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System(start) => start.elapsed(),
            Source::Set(micros, start) => {
                let gone = micros.load(Ordering::SeqCst) - start;
                Duration::from_micros(u64::try_from(gone).unwrap_or(0))
            }
        }
    }
}
