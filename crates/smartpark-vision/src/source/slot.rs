//! The newest-frame slot of a live source: a reader that is slow gets the newest frame, and the
//! delay cannot grow.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::frame::Frame;

/// What the slot has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlotStats {
    /// Frames put in.
    pub received: u64,
    /// Frames that a newer one replaced before they were taken.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<Frame>,
    stats: SlotStats,
    closed: bool,
}

/// A place for one frame. Putting never waits; taking waits for a frame.
#[derive(Debug, Default)]
pub struct NewestFrame {
    state: Mutex<State>,
    arrived: Condvar,
}

impl NewestFrame {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the newest frame in. A frame that nobody took is dropped and counted.
    pub fn put(&self, frame: Frame) {
        let mut state = self.lock();
        state.stats.received += 1;
        if state.newest.replace(frame).is_some() {
            state.stats.dropped += 1;
        }
        self.arrived.notify_one();
    }

    /// Says that no more frames come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Takes the newest frame; waits at most `limit`. `Ok(None)` means that the source ended,
    /// `Err(())` that the time passed.
    #[expect(clippy::result_unit_err, reason = "the caller knows the source and words the error")]
    pub fn take(&self, limit: Duration) -> Result<Option<Frame>, ()> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(frame) = state.newest.take() {
                return Ok(Some(frame));
            }
            if state.closed {
                return Ok(None);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(());
            }
            state =
                self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The numbers so far.
    #[must_use]
    pub fn stats(&self) -> SlotStats {
        self.lock().stats
    }
}
