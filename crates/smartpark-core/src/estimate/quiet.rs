//! The quiet hour: the fewest vehicles come and go then, so a floor holds what stays overnight.

/// A night ends at the end of this local hour until a quieter one is known.
pub(super) const QUIET_HOUR: usize = 4;

/// The middle of the three least busy hours of a day that follow one another, as the number of the
/// hour. `events`: by the local hour at which they end.
pub(super) fn least_busy(events: &[u64; 24]) -> usize {
    let around = |end: usize| events[(end + 23) % 24] + events[end] + events[(end + 1) % 24];
    let end = (0..24).min_by_key(|end| around(*end)).unwrap_or(0);
    (end + 23) % 24
}
