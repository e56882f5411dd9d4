//! How long to pause after a failure.

use std::time::Duration;

use crate::limits::{MAX_PAUSE, MIN_PAUSE};

/// The pause after so many failures in a row: at random between the least pause and a bound that
/// doubles (exponential backoff with full jitter), so that clients of one server do not come back
/// all at once. A server may ask for more, up to the longest pause.
pub(super) fn pause(failures: u32, fraction: f64, retry_after: Option<Duration>) -> Duration {
    let bound = MIN_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_PAUSE);
    let jitter = (bound - MIN_PAUSE).mul_f64(fraction.clamp(0.0, 1.0));
    (MIN_PAUSE + jitter).max(retry_after.unwrap_or_default().min(MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_half_a_second_to_half_a_minute() {
        let longest = |failures| pause(failures, 1.0, None).as_millis();
        assert_eq!(
            [1, 2, 3, 6, 7, 1_000].map(longest),
            [1_000, 2_000, 4_000, 30_000, 30_000, 30_000]
        );
        let shortest = |failures| pause(failures, 0.0, None).as_millis();
        assert_eq!([1, 2, 1_000].map(shortest), [500, 500, 500]);
    }

    #[test]
    fn a_server_may_ask_for_more_within_bounds() {
        let asked = |seconds| pause(1, 0.0, Some(Duration::from_secs(seconds))).as_millis();
        assert_eq!([0, 5, 1_000_000].map(asked), [500, 5_000, 30_000]);
    }
}
