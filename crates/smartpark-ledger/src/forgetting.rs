//! Deleting old events, by whatever clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Cleanup, Error, EventOperations, Result, limits::MAX_RETENTION_DAYS, model::whole_micros,
};

impl EventOperations<'_> {
    /// Deletes the events that are older than `days` in short transactions beside which
    /// recording goes on, and refuses such events from now on. Counts and statistics stay.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let cleanup = park.events().cleanup_old_events(30).await?;
    /// assert_eq!(cleanup.deleted, 0);
    /// assert!(cleanup.horizon.is_some());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for days out of 1–36525; [`Error::ClockDistrusted`]: nothing was deleted;
    /// [`Error::Unavailable`]: some may have been deleted; repeating it deletes the rest.
    pub async fn cleanup_old_events(self, days: u32) -> Result<Cleanup> {
        let horizon = self.days_ago(days)?;
        self.park.require_clock().await?;
        self.park.engine.cleanup(horizon).await
    }

    /// Deletes the events before an instant, as [`EventOperations::cleanup_old_events`] does. It
    /// depends on no clock, except that the instant must not lie in the future.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an instant in the future; [`Error::Unavailable`]: some may have been
    /// deleted; repeating it deletes the rest.
    pub async fn cleanup_events_before(self, instant: Timestamp) -> Result<Cleanup> {
        if instant > self.park.now() {
            return Err(Error::invalid("before", "must not lie in the future"));
        }
        self.park.engine.cleanup(whole_micros(instant)).await
    }

    /// The cleanup that a server does by itself. A clock that is wrong must not delete anything, so
    /// the horizon moves at most twice as far as the server has `ran` since it moved it last, and
    /// never over an event the first time. What is older waits for a person's word:
    /// [`EventOperations::cleanup_old_events`].
    ///
    /// # Errors
    /// As [`EventOperations::cleanup_old_events`].
    pub async fn cleanup_by_night(self, days: u32, ran: Duration) -> Result<Nightly> {
        let wanted = self.days_ago(days)?;
        self.park.require_clock().await?;
        let horizon = self.park.engine.horizon().await?;
        let earliest = match horizon {
            Some(_) => None,
            None => self.park.engine.earliest_event().await?,
        };
        let ran = i64::try_from(ran.as_micros()).unwrap_or(i64::MAX / 4);
        let target = nightly_target(wanted.as_microsecond(), horizon, earliest, ran);
        let target = Timestamp::from_microsecond(target).unwrap_or(wanted);
        let cleanup = self.park.engine.cleanup(target).await?;
        Ok(Nightly { cleanup, waits: target < wanted })
    }

    /// Puts a horizon right that lies in the future, because a cleanup went by a wrong clock: it
    /// moves back to just behind the last fact that was forgotten, so that events are taken again
    /// and none counts twice. What was deleted stays deleted; counts and statistics stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the horizon does not lie in the future;
    /// [`Error::ClockDistrusted`]: the clock cannot say what the future is;
    /// [`Error::Unavailable`]: repeating it is safe.
    pub async fn repair_horizon(self) -> Result<HorizonRepair> {
        self.park.require_clock().await?;
        let (from, to) = self.park.engine.repair_horizon().await?;
        let instant = |at| Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX);
        Ok(HorizonRepair { from: instant(from), to: to.map(instant) })
    }

    fn days_ago(self, days: u32) -> Result<Timestamp> {
        if !(1..=MAX_RETENTION_DAYS).contains(&days) {
            return Err(Error::invalid("days", "must be a whole number from 1 to 36525"));
        }
        let age = SignedDuration::from_hours(i64::from(days) * 24);
        Ok(self.park.now().checked_sub(age).unwrap_or(Timestamp::MIN))
    }
}

/// What a cleanup by night did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nightly {
    /// What was deleted, and where the horizon is now.
    pub cleanup: Cleanup,
    /// Whether older events wait for a person's word.
    pub waits: bool,
}

/// What became of a horizon that lay in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HorizonRepair {
    /// Where it was.
    pub from: Timestamp,
    /// Where it is now. Nothing was forgotten if there is none.
    pub to: Option<Timestamp>,
}

/// The horizon that is to be put right, in microseconds since 1970 UTC.
///
/// # Errors
/// [`Error::Invalid`] if it does not lie in the future.
pub(crate) fn horizon_ahead(horizon: Option<i64>, now: i64) -> Result<i64> {
    match horizon {
        Some(horizon) if horizon > now => Ok(horizon),
        Some(_) => Err(Error::invalid("horizon", "does not lie in the future; nothing to repair")),
        None => Err(Error::invalid("horizon", "is not set: nothing was ever forgotten")),
    }
}

/// Where a nightly cleanup moves the horizon: from where it was, or from the earliest event, by at
/// most twice the time that the server `ran`. All in microseconds.
fn nightly_target(wanted: i64, horizon: Option<i64>, earliest: Option<i64>, ran: i64) -> i64 {
    let furthest = match (horizon, earliest) {
        (Some(horizon), _) => horizon.saturating_add(ran.saturating_mul(2)),
        (None, Some(earliest)) => earliest,
        // There is nothing to delete.
        (None, None) => wanted,
    };
    wanted.min(furthest)
}

#[cfg(test)]
mod tests {
    use super::nightly_target;

    #[test]
    fn a_nightly_horizon_moves_no_faster_than_twice_the_running_time() {
        let day = 86_400_000_000;
        // As every night: one day on.
        assert_eq!(nightly_target(70 * day, Some(69 * day), None, day), 70 * day);
        // A clock that is a year ahead moves it by two days at most, after a day.
        assert_eq!(nightly_target(435 * day, Some(69 * day), None, day), 71 * day);
        assert_eq!(
            nightly_target(435 * day, Some(69 * day), None, 36_000_000),
            69 * day + 72_000_000
        );
        // The first time nothing is deleted, and it never moves back by itself.
        assert_eq!(nightly_target(435 * day, None, Some(9 * day), day), 9 * day);
        assert_eq!(nightly_target(5 * day, None, None, 0), 5 * day);
        assert_eq!(nightly_target(5 * day, None, Some(9 * day), day), 5 * day);
    }
}
