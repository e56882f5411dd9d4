//! The nightly cleanup that a server does by itself.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::SmartPark;

/// When the cleanup begins: this long after midnight UTC, when car parks are empty.
const AFTER_MIDNIGHT: SignedDuration = SignedDuration::from_hours(3);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How often the clock is looked at. A long sleep would miss a clock that was set or a machine
/// that was suspended.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Deletes events older than `days` every night, for as long as it is polled.
pub(super) async fn nightly(park: SmartPark, days: u32) {
    let clock = park.options().clock.clone();
    let mut next = next_run(clock.now());
    // Neither sees a clock that is set: the horizon moves by the time that really passed.
    let mut moved = Instant::now();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = clock.now();
        if now < next {
            // A clock that was set back must not put the cleanup off by more than a day.
            next = next.min(next_run(now));
            continue;
        }
        next = next_run(now);
        match park.events().cleanup_by_night(days, moved.elapsed()).await {
            Ok(done) => {
                moved = Instant::now();
                tracing::info!(
                    deleted = done.cleanup.deleted,
                    horizon = done.cleanup.horizon.map(tracing::field::display),
                    "nightly cleanup"
                );
                if done.waits {
                    tracing::warn!(
                        "events older than {days} days stay: the server has not run long enough to \
                         know that by its own time. Delete them with \
                         `smartpark cleanup --older-than-days {days}`"
                    );
                }
            }
            // The next night deletes what this one left.
            Err(fault) => tracing::warn!("nightly cleanup failed: {fault}"),
        }
    }
}

/// The first time for a cleanup after `now`.
fn next_run(now: Timestamp) -> Timestamp {
    let day = DAY.as_secs();
    let since = now.as_second() - AFTER_MIDNIGHT.as_secs();
    let next = (since.div_euclid(day) + 1) * day + AFTER_MIDNIGHT.as_secs();
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cleanup_is_at_three_in_the_night() {
        let table = [
            ("2026-02-12T00:00:00Z", "2026-02-12T03:00:00Z"),
            ("2026-02-12T02:59:59.999999Z", "2026-02-12T03:00:00Z"),
            ("2026-02-12T03:00:00Z", "2026-02-13T03:00:00Z"),
            ("2026-02-12T23:00:00Z", "2026-02-13T03:00:00Z"),
            ("1969-12-31T22:00:00Z", "1970-01-01T03:00:00Z"),
        ];
        for (now, next) in table {
            let next: Timestamp = next.parse().unwrap();
            assert_eq!(next_run(now.parse().unwrap()), next, "after {now}");
        }
    }
}
