//! How long to wait before a lost source is opened again.

use std::time::Duration;

/// The first and the longest wait in seconds.
const WAITS: (f64, f64) = (1.0, 30.0);

/// Waits that double from one second to thirty, with jitter, so that cameras behind one switch do
/// not come back all at once.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait. `random` is a number from 0 to 1.
    pub fn next_wait(&mut self, random: f64) -> Duration {
        let longest = (WAITS.0 * 2.0_f64.powi(self.failures.min(16) as i32)).min(WAITS.1);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs_f64(longest * (0.5 + 0.5 * random.clamp(0.0, 1.0)))
    }

    /// Frames come again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}
