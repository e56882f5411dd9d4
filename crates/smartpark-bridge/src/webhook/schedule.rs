//! When a message is tried again, and when it is given up. Pure: it is told the time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::{
    WEBHOOK_ATTEMPTS, WEBHOOK_GIVE_UP, WEBHOOK_JITTER_PERCENT, WEBHOOK_LONGEST_PAUSE,
    WEBHOOK_PAUSES,
};

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver took it.
    Taken,
    /// It did not, for the reason in this sentence.
    Failed {
        why: String,
        /// How long the receiver asks to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The receiver is gone for good: 410.
    Gone,
}

/// How the attempts of a webhook stand. The pauses grow with the failures of the receiver, not of
/// one message: a receiver that is down is not asked more often because more has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Attempts that failed, one after the other.
    #[serde(default)]
    pub(super) failures: u32,
    /// Since when, in microseconds since 1970 UTC.
    #[serde(default)]
    pub(super) failing_since: Option<i64>,
    /// Failed attempts of the message that is next.
    #[serde(default)]
    pub(super) tries: u32,
    /// Not before this instant, in microseconds since 1970 UTC.
    #[serde(default)]
    pub(super) next_at: Option<i64>,
    /// Why the last attempt failed.
    #[serde(default)]
    pub(super) why: Option<String>,
    /// When a message was taken last, in microseconds since 1970 UTC.
    #[serde(default)]
    pub(super) taken_at: Option<i64>,
    /// Messages that were given up since the webhook began.
    #[serde(default)]
    pub(super) given_up: u64,
    /// The receiver answered 410: nothing is sent until a person switches the webhook on.
    #[serde(default)]
    pub(super) is_off: bool,
}

impl Attempts {
    /// The instant before which nothing is sent; `None` if it may be sent now. A clock that was set
    /// back never makes a pause longer than the longest.
    pub(super) fn wait_until(&self, now: Timestamp) -> Option<Timestamp> {
        let next = Timestamp::from_microsecond(self.next_at?).ok()?;
        let longest = now.checked_add(longest_pause()).unwrap_or(Timestamp::MAX);
        (next > now && next <= longest).then_some(next)
    }

    /// Takes in what became of an attempt; whether the message is settled: taken or given up.
    /// `recorded` is when the fact of the message was recorded, `jitter` between -1 and 1.
    pub(super) fn told(
        &mut self,
        outcome: Outcome,
        recorded: Timestamp,
        now: Timestamp,
        jitter: f64,
    ) -> bool {
        let micros = now.as_microsecond();
        let (why, retry_after) = match outcome {
            Outcome::Taken => {
                let given_up = self.given_up;
                *self = Self { taken_at: Some(micros), given_up, ..Self::default() };
                return true;
            }
            Outcome::Gone => {
                let why = "it answered 410: the receiver is gone";
                (self.is_off, self.why) = (true, Some(why.to_owned()));
                return false;
            }
            Outcome::Failed { why, retry_after } => (why, retry_after),
        };
        self.why = Some(why);
        self.failures += 1;
        self.tries += 1;
        self.failing_since.get_or_insert(micros);
        let pause = jittered(pause_after(self.failures), jitter);
        let asked = retry_after.unwrap_or(SignedDuration::ZERO);
        let pause = pause.max(asked).min(longest_pause());
        self.next_at = now.checked_add(pause).ok().map(Timestamp::as_microsecond);
        if self.tries < WEBHOOK_ATTEMPTS && !self.gives_up(recorded, now) {
            return false;
        }
        (self.tries, self.given_up) = (0, self.given_up + 1);
        true
    }

    /// Whether a message of this age is not even tried: its receiver has not taken anything for as
    /// long as a message is tried, and neither may this message wait longer.
    pub(super) fn gives_up(&self, recorded: Timestamp, now: Timestamp) -> bool {
        self.failures >= WEBHOOK_ATTEMPTS && now.duration_since(recorded) > WEBHOOK_GIVE_UP
    }

    /// Switched on by a person: the next message is tried at once.
    pub(super) fn begin_anew(&mut self) {
        let (taken_at, given_up) = (self.taken_at, self.given_up);
        *self = Self { taken_at, given_up, ..Self::default() };
    }
}

fn pause_after(failures: u32) -> SignedDuration {
    let at = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    WEBHOOK_PAUSES[at.min(WEBHOOK_PAUSES.len() - 1)]
}

fn jittered(pause: SignedDuration, jitter: f64) -> SignedDuration {
    let share = jitter.clamp(-1.0, 1.0) * WEBHOOK_JITTER_PERCENT / 100.0;
    pause + pause.mul_f64(share)
}

/// The longest pause, with its jitter.
fn longest_pause() -> SignedDuration {
    jittered(WEBHOOK_LONGEST_PAUSE, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + seconds).unwrap()
    }

    fn failed(retry_after: Option<i64>) -> Outcome {
        let retry_after = retry_after.map(SignedDuration::from_secs);
        Outcome::Failed { why: "it answered 503".to_owned(), retry_after }
    }

    /// When a receiver that is down is asked, in seconds after the first attempt, until the message
    /// is settled.
    fn asked(jitter: f64) -> Vec<i64> {
        let (mut attempts, mut now, mut asked) = (Attempts::default(), at(0), Vec::new());
        loop {
            asked.push(now.duration_since(at(0)).as_secs());
            if attempts.told(failed(None), at(0), now, jitter) {
                return asked;
            }
            now = attempts.wait_until(now).expect("a pause");
        }
    }

    #[test]
    fn ten_attempts_reach_over_three_days_and_then_the_message_is_given_up() {
        let hours = |h: i64| h * 3_600;
        let pauses =
            [5, 300, 1_800, hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)];
        let mut wanted = vec![0];
        for pause in pauses {
            wanted.push(wanted.last().unwrap() + pause);
        }
        assert_eq!(asked(0.0), wanted);
        assert_eq!(asked(1.0)[1], 6, "up to a fifth later");
        assert_eq!(asked(-1.0)[1], 4, "or earlier");
    }

    #[test]
    fn a_receiver_that_stays_down_is_asked_once_a_day_and_old_messages_are_not_tried() {
        let mut attempts = Attempts { failures: 10, ..Attempts::default() };
        let now = at(0);
        assert!(attempts.gives_up(at(-76 * 3_600), now));
        assert!(!attempts.gives_up(at(-70 * 3_600), now), "a younger one waits");
        assert!(!attempts.told(failed(None), at(-70 * 3_600), now, 0.0));
        assert_eq!(attempts.wait_until(now), Some(at(24 * 3_600)));
        assert!(attempts.told(Outcome::Taken, at(0), at(9), 0.0));
        assert_eq!((attempts.failures, attempts.wait_until(at(9))), (0, None));
        assert!(!attempts.gives_up(at(-90 * 3_600), at(9)), "of a receiver that is back, nothing");
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() {
        let mut attempts = Attempts::default();
        attempts.told(failed(Some(120)), at(0), at(0), 0.0);
        assert_eq!(attempts.wait_until(at(0)), Some(at(120)));
        attempts.told(failed(Some(1)), at(0), at(120), 0.0);
        assert_eq!(attempts.wait_until(at(120)), Some(at(420)), "the longer of both");
        attempts.told(failed(Some(i64::MAX / 2)), at(0), at(420), 0.0);
        let most = at(420 + 24 * 3_600 * 6 / 5);
        assert!(attempts.wait_until(at(420)).is_some_and(|until| until <= most));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_the_pause_longer() {
        let mut attempts = Attempts::default();
        attempts.told(failed(None), at(0), at(0), 0.0);
        assert_eq!(attempts.wait_until(at(-90 * 24 * 3_600)), None);
    }

    #[test]
    fn an_answer_of_410_switches_off_until_a_person_switches_on() {
        let mut attempts = Attempts::default();
        assert!(!attempts.told(Outcome::Gone, at(0), at(0), 0.0));
        assert!(attempts.is_off);
        attempts.begin_anew();
        assert_eq!(attempts, Attempts::default());
    }
}
