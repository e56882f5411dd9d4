//! Whether this server may trust its own clock.
//!
//! A machine that boots without a battery, or before it has asked the network for the time, has a
//! clock that is years behind or ahead. What depends on that clock alone must wait then: events
//! without a timestamp, changes that a person makes now, and events that look as if they came from
//! the future. They are answered with [`Error::ClockDistrusted`], which a sender tries again.
//!
//! A clock from before this program was written is wrong. Two more signs tell of a wrong clock. The
//! newest receipt in the database lies after now: no clock was right both then and now. Or most
//! cameras are ahead by minutes: then it is the server that is behind. A camera that agrees with
//! the server speaks for the server's clock, and so does a person (`smartpark clock accept`). A
//! receipt that lies a year ahead of a clock which is not older than this program speaks against
//! the clock of that time, not of this one.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{Clock, Error, Result, limits::MAX_METRIC_CAMERAS};

/// A camera agrees with the server if its newest event is no further from the server's clock.
const AGREES_WITHIN: i64 = 2 * 60 * 1_000_000;
/// What a camera said counts for so long.
const HEARD_WITHIN: Duration = Duration::from_secs(60 * 60);
/// A database that is so far ahead was written by a wrong clock.
const IMPLAUSIBLE: i64 = 365 * 24 * 60 * 60 * 1_000_000;
/// No clock was right that was before this: 2026-01-01, when the program was written.
const WRITTEN_AT: i64 = 1_767_225_600_000_000;
/// One camera alone may be the one that is wrong.
const LEAST_AHEAD: usize = 2;

/// What a clock says, and before what it is certainly wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) at: i64,
    pub(crate) earliest: i64,
}

impl Told {
    /// What this clock says now. Only the system's can be one that was never set.
    pub(crate) fn of(clock: &Clock) -> Self {
        let earliest = if clock.is_system() { WRITTEN_AT } else { i64::MIN };
        Self { at: clock.now().as_microsecond(), earliest }
    }
}

/// What is known about the server's clock. Instants are microseconds since 1970 UTC.
#[derive(Debug, Default)]
pub(crate) struct Trust(Mutex<Witnesses>);

/// What the database and the cameras say about the time.
#[derive(Debug, Default)]
struct Witnesses {
    /// The newest receipt of this server and of the database, once that was asked.
    newest: Option<i64>,
    /// The time at which this server was last used.
    last: Option<i64>,
    /// How far the newest event of each camera was from the server's clock, and when that was.
    offsets: HashMap<String, (i64, Instant)>,
}

impl Trust {
    fn witnesses(&self) -> MutexGuard<'_, Witnesses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the newest timestamps of cameras, received `now`.
    pub(crate) fn hear<'c>(
        &self,
        now: i64,
        skew: i64,
        newest: impl IntoIterator<Item = (&'c str, i64)>,
    ) {
        let heard = Instant::now();
        let mut witnesses = self.witnesses();
        witnesses.pass(now, skew);
        for (camera, at) in newest {
            witnesses.hear(camera, at - now, heard);
        }
    }

    /// Takes in the newest receipt that the database knows.
    pub(crate) fn learn(&self, newest: Option<i64>) {
        let mut witnesses = self.witnesses();
        witnesses.newest =
            Some(newest.unwrap_or(i64::MIN).max(witnesses.newest.unwrap_or(i64::MIN)));
    }

    /// Whether the database was asked for its newest receipt.
    pub(crate) fn knows_newest(&self) -> bool {
        self.witnesses().newest.is_some()
    }

    /// Whether the clock may be trusted now. `accepted` is when a person said so last, by this
    /// clock.
    ///
    /// # Errors
    /// [`Error::ClockDistrusted`] says why not.
    pub(crate) fn judge(&self, now: Told, skew: i64, accepted: Option<i64>) -> Result<()> {
        let Told { at: now, earliest } = now;
        let mut witnesses = self.witnesses();
        witnesses.pass(now, skew);
        let is_accepted = accepted.is_some_and(|accepted| accepted <= now.saturating_add(skew));
        let fault = if now < earliest {
            Some("it is before this program was written")
        } else {
            witnesses.fault(now, skew, Instant::now())
        };
        match fault {
            Some(why) if !is_accepted => Err(Error::ClockDistrusted { why }),
            _ => Ok(()),
        }
    }
}

impl Witnesses {
    /// The server is used now. If its clock was set back, what cameras said before means nothing.
    fn pass(&mut self, now: i64, skew: i64) {
        if self.last.is_some_and(|last| now < last.saturating_sub(skew)) {
            self.offsets.clear();
            self.newest = self.newest.max(self.last);
        }
        self.last = Some(now);
    }

    fn hear(&mut self, camera: &str, offset: i64, heard: Instant) {
        if let Some(known) = self.offsets.get_mut(camera) {
            *known = (offset, heard);
            return;
        }
        if self.offsets.len() >= MAX_METRIC_CAMERAS {
            self.offsets.retain(|_, (_, at)| heard.duration_since(*at) < HEARD_WITHIN);
        }
        if self.offsets.len() < MAX_METRIC_CAMERAS {
            self.offsets.insert(camera.to_owned(), (offset, heard));
        }
    }

    /// What speaks against the clock.
    fn fault(&self, now: i64, skew: i64, asked: Instant) -> Option<&'static str> {
        let recent = self.offsets.values();
        let recent = recent.filter(|(_, at)| asked.duration_since(*at) < HEARD_WITHIN);
        let offsets: Vec<i64> = recent.map(|(offset, _)| *offset).collect();
        let agree = offsets.iter().filter(|offset| offset.abs() <= AGREES_WITHIN).count();
        let ahead = offsets.iter().filter(|offset| **offset > AGREES_WITHIN).count();
        if ahead >= LEAST_AHEAD && ahead * 2 > offsets.len() {
            return Some("most cameras are ahead of it by more than two minutes");
        }
        let is_before = self.newest.is_some_and(|newest| {
            let is_implausible = newest.saturating_sub(now) > IMPLAUSIBLE && now >= WRITTEN_AT;
            newest > now.saturating_add(skew) && !is_implausible
        });
        (is_before && agree == 0).then_some("the database holds what was received later than now")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEW: i64 = 300_000_000;
    const HOUR: i64 = 3_600_000_000;

    /// So many hours after the program was written.
    fn at(hours: i64) -> i64 {
        WRITTEN_AT + hours * HOUR
    }

    impl Trust {
        fn default_with(newest: i64) -> Self {
            let trust = Self::default();
            trust.learn(Some(newest));
            trust
        }
    }

    fn is_trusted(trust: &Trust, now: i64, accepted: Option<i64>) -> bool {
        trust.judge(Told { at: now, earliest: WRITTEN_AT }, SKEW, accepted).is_ok()
    }

    #[test]
    fn a_clock_before_the_newest_receipt_needs_a_camera_or_a_person() {
        let trust = Trust::default();
        assert!(is_trusted(&trust, at(1), None));
        trust.learn(Some(at(9)));
        assert!(!is_trusted(&trust, at(1), None));
        // It ends if the clock passes, if a person says so, or if a camera agrees.
        assert!(is_trusted(&trust, at(9) - SKEW, None));
        assert!(!is_trusted(&trust, at(1), None));
        assert!(is_trusted(&trust, at(1), Some(at(0))));
        assert!(!is_trusted(&trust, at(1), Some(at(4))), "that was another clock");
        trust.hear(at(1), SKEW, [("far ahead", at(9))]);
        assert!(!is_trusted(&trust, at(1), None));
        trust.hear(at(1), SKEW, [("right", at(1) - 1_000_000)]);
        assert!(is_trusted(&trust, at(1), None));
    }

    #[test]
    fn a_database_of_years_to_come_speaks_against_the_clock_of_that_time() {
        let trust = Trust::default();
        trust.learn(Some(WRITTEN_AT + 3 * IMPLAUSIBLE));
        assert!(is_trusted(&trust, WRITTEN_AT + IMPLAUSIBLE, None));
        assert!(!is_trusted(&trust, WRITTEN_AT + 2 * IMPLAUSIBLE + HOUR, None));
        // A machine without a battery begins long before this program was written.
        assert!(!is_trusted(&Trust::default_with(WRITTEN_AT), 0, None));
    }

    #[test]
    fn a_clock_that_is_set_back_loses_its_witnesses() {
        let trust = Trust::default();
        trust.hear(at(9), SKEW, [("right", at(9))]);
        trust.learn(None);
        assert!(is_trusted(&trust, at(9), None));
        assert!(!is_trusted(&trust, at(8), None));
        trust.hear(at(8), SKEW, [("right", at(8))]);
        assert!(is_trusted(&trust, at(8), None));
    }

    #[test]
    fn most_cameras_ahead_outvote_the_server_and_one_alone_does_not() {
        let trust = Trust::default();
        let ahead = at(1) + 3 * 60 * 1_000_000;
        trust.hear(at(1), SKEW, [("a", ahead)]);
        assert!(is_trusted(&trust, at(1), None));
        trust.hear(at(1), SKEW, [("b", ahead)]);
        assert!(!is_trusted(&trust, at(1), None));
        trust.hear(at(1), SKEW, [("c", at(1)), ("d", at(1))]);
        assert!(is_trusted(&trust, at(1), None));
    }
}
