//! The sender: a machine without clock, disk or network. It is asked what to do next at a time, and
//! is told what came of it.
//!
//! What it keeps to:
//! - Events go out in the order of the spool. Only events that the server holds (422 `future`) or
//!   whose floor it does not know step aside, so that they do not stop all others.
//! - One request at a time. It is repeated byte for byte until the server answers.
//! - An event is settled once, by an answer that names it.
//!
//! What it knows lives in memory only: a new machine over the same spool sends everything that is
//! not settled, and the server recognises what it has.

mod answer;
mod backoff;
mod tally;

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

pub use answer::Answer;
use answer::{Meaning, meaning};
pub use tally::{NoTally, Tally};

use crate::{
    limits::{
        COMPARE_INTERVAL, FLOORS_PAUSE, FRESH_EVENT, HOLD_PAUSE, MAX_BATCH_EVENTS, MIN_PAUSE,
        SLOW_FAILURES,
    },
    spool::{Item, Outcome, Refusal, Verdict},
};

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read this many waiting events and give them to [`Sender::give`].
    Read(usize),
    /// Read these held events, and give them to [`Sender::give`].
    ReadHeld(Vec<i64>),
    /// Send this to the server, and tell [`Sender::told`] the answer.
    Post(Batch),
    /// Ask the server for its floors, then call [`Sender::found_floors`].
    FindFloors,
    /// Compare what was delivered with what the server has, then call [`Sender::compared`].
    Compare,
    /// Wait until this time, or until an event is put into the spool ([`Sender::wake`]).
    Wait(Duration),
}

/// Events of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The events, in the order of their lines.
    pub ids: Vec<i64>,
    /// The body: one event a line.
    pub body: String,
    /// When the oldest of them was reported, in microseconds since 1970 UTC.
    pub spooled_at: i64,
    /// Whether one of them was sent before, long ago.
    pub is_late: bool,
    is_held: bool,
}

impl Batch {
    /// Whether its events waited, so that their delay says nothing about the camera's clock.
    #[must_use]
    pub fn is_backlog(&self, now_micros: i64) -> bool {
        let fresh = i64::try_from(FRESH_EVENT.as_micros()).unwrap_or(i64::MAX);
        self.is_late || !(0..=fresh).contains(&now_micros.saturating_sub(self.spooled_at))
    }
}

/// How a comparison with the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The server has everything.
    Same,
    /// Some events will be sent again.
    Differs,
    /// The server did not answer, or events are still on their way.
    NotDone,
}

/// What an answer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What to write into the spool; then call [`Sender::settled`]. Empty if all must be sent
    /// again.
    pub verdicts: Vec<Verdict>,
    /// What went wrong, for a person.
    pub error: Option<String>,
}

/// The machine. Times count from any fixed moment and never go back.
#[derive(Debug)]
pub struct Sender {
    batch: Option<Batch>,
    /// What to do when the verdicts on the batch are written down.
    settling: Option<Settling>,
    /// Events in the next request.
    limit: usize,
    /// Requests in a row that failed, and those of them that the network ended.
    failures: u32,
    slow_failures: u32,
    paused_until: Duration,
    has_waiting: bool,
    /// When each held event is due, in that order.
    held: VecDeque<(Duration, i64)>,
    floors_due: Option<Duration>,
    floors_asked: BTreeSet<String>,
    compare_due: Duration,
    is_behind: bool,
    compare_interval: Duration,
}

#[derive(Debug)]
struct Settling {
    held: Vec<i64>,
    is_good: bool,
    pause: Option<Duration>,
}

impl Sender {
    /// A machine at the time `now` over a spool in which these events are held. They are due at
    /// once: how long they were held before is not known.
    #[must_use]
    pub fn new(now: Duration, held: impl IntoIterator<Item = i64>) -> Self {
        Self {
            batch: None,
            settling: None,
            limit: MAX_BATCH_EVENTS,
            failures: 0,
            slow_failures: 0,
            paused_until: now,
            has_waiting: true,
            held: held.into_iter().map(|id| (now, id)).collect(),
            floors_due: None,
            floors_asked: BTreeSet::new(),
            compare_due: now,
            is_behind: false,
            compare_interval: COMPARE_INTERVAL,
        }
    }

    /// The same machine, which compares as often as this.
    #[must_use]
    pub fn compare_every(mut self, interval: Duration) -> Self {
        self.compare_interval = interval;
        self
    }

    /// An event was put into the spool, or let go.
    pub fn wake(&mut self) {
        self.has_waiting = true;
    }

    /// What to do at the time `now`.
    #[must_use]
    pub fn next(&self, now: Duration) -> Next {
        if now < self.paused_until {
            return Next::Wait(self.paused_until);
        }
        if let Some(batch) = &self.batch {
            return Next::Post(batch.clone());
        }
        let due = |at: Duration| at <= now;
        if self.held.front().is_some_and(|(at, _)| due(*at)) {
            let ids = self.held.iter().take_while(|(at, _)| due(*at)).map(|(_, id)| *id);
            return Next::ReadHeld(ids.take(self.limit).collect());
        }
        if self.floors_due.is_some_and(due) {
            return Next::FindFloors;
        }
        if self.has_waiting {
            return Next::Read(self.limit);
        }
        if due(self.compare_due) {
            return Next::Compare;
        }
        let held = self.held.front().map(|(at, _)| *at);
        let times = [held, self.floors_due, Some(self.compare_due)];
        Next::Wait(times.into_iter().flatten().min().unwrap_or(self.compare_due))
    }

    /// Takes the events that [`Next::Read`] or [`Next::ReadHeld`] asked for.
    pub fn give(&mut self, asked: &Next, items: Vec<Item>) {
        let is_held = match asked {
            Next::ReadHeld(ids) => {
                // Those that are not given are held no more: a person took them out.
                self.held.drain(..ids.len().min(self.held.len()));
                true
            }
            Next::Read(limit) => {
                self.has_waiting = items.len() >= *limit;
                false
            }
            _ => return,
        };
        if items.is_empty() {
            return;
        }
        let body = items.iter().flat_map(|item| [item.body.as_str(), "\n"]).collect();
        self.slow_failures = 0;
        self.batch = Some(Batch {
            ids: items.iter().map(|item| item.id).collect(),
            body,
            spooled_at: items.iter().map(|item| item.spooled_at).min().unwrap_or(0),
            is_late: items.iter().any(|item| item.is_late),
            is_held,
        });
    }

    /// Takes the answer to the batch. `fraction` is a random number from 0 to 1.
    pub fn told(&mut self, now: Duration, answer: &Answer, fraction: f64) -> Told {
        let Some(batch) = &self.batch else { return Told::default() };
        match meaning(answer, batch.ids.len()) {
            Meaning::Rows(outcomes) => self.told_rows(now, outcomes, fraction),
            Meaning::Refused(outcome) if batch.ids.len() == 1 => self.told_alone(outcome, fraction),
            Meaning::Refused(outcome) => {
                // One of them may be the cause: it must stand alone to be known.
                self.release(now, 1);
                let error = refusal(&outcome).map(words);
                self.fail(now, fraction, None);
                Told { verdicts: Vec::new(), error }
            }
            Meaning::Unknown { reason, retry_after, is_slow, was_away } => {
                self.is_behind |= was_away;
                self.slow_failures += u32::from(is_slow);
                let events = batch.ids.len();
                if self.slow_failures >= SLOW_FAILURES && events > 1 {
                    self.release(now, events / 2);
                }
                self.fail(now, fraction, retry_after);
                Told { verdicts: Vec::new(), error: Some(reason) }
            }
        }
    }

    fn told_rows(&mut self, now: Duration, outcomes: Vec<Option<Outcome>>, fraction: f64) -> Told {
        let Some(batch) = &self.batch else { return Told::default() };
        let is_complete = outcomes.iter().all(Option::is_some);
        let error = outcomes.iter().flatten().find_map(refusal).map(words);
        let error = error.or_else(|| {
            (!is_complete).then(|| "the server could not take all events now".to_owned())
        });
        let verdicts: Vec<Verdict> = batch
            .ids
            .iter()
            .zip(outcomes)
            .filter_map(|(id, outcome)| Some(Verdict { id: *id, outcome: outcome? }))
            .collect();
        if verdicts.is_empty() {
            // Nothing to write down: the same batch once more, after the pause.
            self.fail(now, fraction, None);
            return Told { verdicts, error };
        }
        let pause = (!is_complete).then(|| self.pause(fraction));
        self.settle_later(&verdicts, is_complete, pause);
        Told { verdicts, error }
    }

    /// A request with one event was answered with a status of its own.
    fn told_alone(&mut self, outcome: Outcome, fraction: f64) -> Told {
        let Some(batch) = &self.batch else { return Told::default() };
        let error = refusal(&outcome).map(words);
        // Refused requests in a row have a cause that is none of the events, such as a key that
        // does not hold: the pause keeps most of them in the spool until a person has looked.
        let is_good = error.is_none();
        let pause = (!is_good).then(|| self.pause(fraction));
        let verdicts = vec![Verdict { id: batch.ids[0], outcome }];
        self.settle_later(&verdicts, is_good, pause);
        Told { verdicts, error }
    }

    /// The pause after one more failure.
    fn pause(&self, fraction: f64) -> Duration {
        backoff::pause(self.failures.saturating_add(1), fraction, None)
    }

    fn settle_later(&mut self, verdicts: &[Verdict], is_good: bool, pause: Option<Duration>) {
        let held = verdicts.iter().filter(|v| matches!(v.outcome, Outcome::Held(_)));
        let held = held.map(|verdict| verdict.id).collect();
        self.settling = Some(Settling { held, is_good, pause });
    }

    /// The verdicts are on disk.
    pub fn settled(&mut self, now: Duration) {
        let (Some(batch), Some(settling)) = (self.batch.take(), self.settling.take()) else {
            return;
        };
        self.held.extend(settling.held.iter().map(|id| (now + HOLD_PAUSE, *id)));
        self.has_waiting = true;
        if let Some(pause) = settling.pause {
            self.paused_until = now + pause;
            self.failures = self.failures.saturating_add(1);
        }
        if settling.is_good {
            self.failures = 0;
            self.limit = (self.limit * 2).min(MAX_BATCH_EVENTS);
            if std::mem::take(&mut self.is_behind) {
                // The server was away. It may have come back with an older database.
                self.compare_due = now;
            }
        } else if batch.is_held {
            let known: BTreeSet<i64> = self.held.iter().map(|(_, id)| *id).collect();
            for id in batch.ids.iter().rev().filter(|id| !known.contains(id)) {
                self.held.push_front((now, *id));
            }
        }
    }

    /// The spool could not be read or written. What was to be done is done again after a pause.
    pub fn failed(&mut self, now: Duration, fraction: f64) {
        self.settling = None;
        self.has_waiting = true;
        self.fail(now, fraction, None);
    }

    fn fail(&mut self, now: Duration, fraction: f64, retry_after: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.paused_until = now + backoff::pause(self.failures, fraction, retry_after);
    }

    /// Gives the batch back. The next one has at most this many events.
    fn release(&mut self, now: Duration, limit: usize) {
        self.limit = limit.max(1);
        self.has_waiting = true;
        if let Some(batch) = self.batch.take()
            && batch.is_held
        {
            for id in batch.ids.iter().rev() {
                self.held.push_front((now, *id));
            }
        }
    }

    /// Events wait for floors with these names, whose ids are not known.
    pub fn want_floors(&mut self, now: Duration, names: &[String]) {
        let names: BTreeSet<String> = names.iter().cloned().collect();
        if names.is_empty() {
            self.floors_due = None;
        } else if !names.is_subset(&self.floors_asked) {
            self.floors_due = Some(now);
        }
        self.floors_asked = names;
    }

    /// The server was asked for its floors, with or without success. What is still unknown is asked
    /// for again later.
    pub fn found_floors(&mut self, now: Duration) {
        self.floors_due = (!self.floors_asked.is_empty()).then_some(now + FLOORS_PAUSE);
        self.has_waiting = true;
    }

    /// What was delivered was compared with what the server has.
    pub fn compared(&mut self, now: Duration, outcome: Compared) {
        self.has_waiting = true;
        let pause = match outcome {
            Compared::Same => self.compare_interval,
            // To see whether the server has everything now.
            Compared::Differs => MIN_PAUSE,
            Compared::NotDone => FLOORS_PAUSE.min(self.compare_interval),
        };
        self.compare_due = now + pause;
    }
}

fn refusal(outcome: &Outcome) -> Option<&Refusal> {
    match outcome {
        Outcome::Delivered => None,
        Outcome::Held(refusal) | Outcome::Dead(refusal) | Outcome::TooOld(refusal) => Some(refusal),
    }
}

fn words(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.status, refusal.reason)
}
