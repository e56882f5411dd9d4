//! From one reading to the next.

use super::is_plausible;
use crate::config::CounterRules;

/// One reading, as far as a step looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<'a> {
    /// What the device changes with each reset.
    pub epoch: &'a str,
    /// Microseconds since 1970.
    pub micros: i64,
    /// The number.
    pub value: u64,
}

/// How many vehicles passed between two readings that follow each other.
///
/// - In another epoch the number began at 0: its value.
/// - A number that grew: the difference.
/// - A number that fell by more than half of `wraps_at`: it rolled over, if that is plausible.
/// - A number that fell otherwise: it was reset, so its value.
#[must_use]
pub fn step(from: Point<'_>, to: Point<'_>, rules: &CounterRules) -> u64 {
    if from.epoch != to.epoch {
        return to.value;
    }
    if to.value >= from.value {
        return to.value - from.value;
    }
    if let Some(wraps_at) = rules.wraps_at
        && from.value < wraps_at
        && from.value - to.value > wraps_at / 2
    {
        let rolled = wraps_at - from.value + to.value;
        if is_plausible(rolled, to.micros.saturating_sub(from.micros), rules.max_per_minute) {
            return rolled;
        }
    }
    to.value
}
