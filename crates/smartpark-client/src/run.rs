//! The loop of the sender's thread: asks the machine, does what it says, tells it what came of it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Result,
    clock::Clock,
    compare::{self, Digests},
    limits::WATCH_INTERVAL,
    sender::{Answer, Compared, Next, Sender},
    spool::{LAST_ERROR, SenderLock, Spool},
    transport::{Request, Transport},
};

/// What the sender's thread and its owner tell each other.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    /// Counts the events that were put in, and other reasons to look.
    wakes: u64,
    must_stop: bool,
    has_stopped: bool,
}

impl Signals {
    fn lock(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the thread that there is something to send.
    pub(crate) fn wake(&self) {
        self.lock().wakes += 1;
        self.changed.notify_all();
    }

    /// Tells the thread to stop after the request that it is at.
    pub(crate) fn stop(&self) {
        self.lock().must_stop = true;
        self.changed.notify_all();
    }

    /// Waits until the thread has stopped. Returns whether it has.
    pub(crate) fn wait_stopped(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, timeout, |state| !state.has_stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_stopped
    }

    fn must_stop(&self) -> bool {
        self.lock().must_stop
    }

    /// Waits until somebody wakes the thread, or for so long. Returns the number of wakes.
    fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let state = self.lock();
        let idle = |state: &mut SignalState| state.wakes == seen && !state.must_stop;
        let waited = self.changed.wait_timeout_while(state, timeout, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.wakes
    }
}

/// The sender with its surroundings.
pub(crate) struct Runner {
    pub(crate) spool: Arc<Spool>,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) clock: Clock,
    pub(crate) compare_interval: Duration,
    pub(crate) random: fn() -> f64,
}

impl Runner {
    /// Sends until it is told to stop.
    pub(crate) fn run(mut self) {
        while !self.signals.must_stop() {
            match self.spool.lock_sender() {
                Ok(Some(lock)) => match self.send(&lock) {
                    Ok(()) => break,
                    Err(error) => self.report(&error.to_string()),
                },
                // Another process sends from this spool.
                Ok(None) => {}
                Err(error) => self.report(&error.to_string()),
            }
            let seen = self.signals.lock().wakes;
            self.signals.wait(seen, WATCH_INTERVAL);
        }
        self.signals.lock().has_stopped = true;
        self.signals.changed.notify_all();
    }

    fn send(&mut self, _lock: &SenderLock) -> Result<()> {
        let held = self.spool.held_ids()?;
        let sender = Sender::new(self.clock.elapsed(), held);
        let mut sender = sender.compare_every(self.compare_interval);
        let (mut wakes, mut version) = (0, self.spool.version()?);
        while !self.signals.must_stop() {
            let now = self.clock.elapsed();
            let next = sender.next(now);
            if let Next::Wait(until) = next {
                let timeout = until.saturating_sub(now).min(WATCH_INTERVAL);
                let woken = self.signals.wait(wakes, timeout);
                let found = self.spool.version();
                if woken != wakes || found.as_ref().is_ok_and(|found| *found != version) {
                    sender.wake();
                }
                (wakes, version) = (woken, found.unwrap_or(version));
                continue;
            }
            if let Err(error) = self.act(&mut sender, &next, now) {
                self.report(&error.to_string());
                sender.failed(self.clock.elapsed(), (self.random)());
            }
        }
        Ok(())
    }

    fn act(&mut self, sender: &mut Sender, next: &Next, now: Duration) -> Result<()> {
        match next {
            Next::Read(limit) => {
                sender.want_floors(now, &self.spool.floors_to_find()?);
                sender.give(next, self.spool.waiting(*limit)?);
            }
            Next::ReadHeld(ids) => sender.give(next, self.spool.held(ids)?),
            Next::Post(batch) => {
                let is_backlog = batch.is_backlog(self.clock.now().as_microsecond());
                let request = Request::post(batch.body.clone(), is_backlog);
                let answer = self.transport.send(&request);
                let now = self.clock.elapsed();
                let told = sender.told(now, &answer, (self.random)());
                if !told.verdicts.is_empty() {
                    self.spool.settle(&told.verdicts, self.clock.now())?;
                    sender.settled(self.clock.elapsed());
                }
                if let Some(error) = told.error {
                    self.report(&error);
                }
            }
            Next::FindFloors => {
                self.find_floors()?;
                sender.found_floors(self.clock.elapsed());
            }
            Next::Compare => {
                let compared = self.compare()?;
                sender.compared(self.clock.elapsed(), compared);
            }
            Next::Wait(_) => {}
        }
        Ok(())
    }

    /// Asks for the floors and writes the ids of those that are known into the events.
    fn find_floors(&mut self) -> Result<()> {
        let answer = self.transport.send(&Request::get("/floors?include_inactive=true"));
        let Some(floors) = read::<Floors>(&answer) else {
            let reason = "floors are given by name, but the server does not list them";
            self.report(&format!("{reason}: {}", shown(&answer)));
            return Ok(());
        };
        let ids = floors.floors.into_iter().map(|floor| (floor.name, floor.id)).collect();
        self.spool.set_floors(&ids)?;
        let unknown = self.spool.floors_to_find()?;
        if !unknown.is_empty() {
            self.report(&format!("the server knows no floor {}", unknown.join(", ")));
        }
        Ok(())
    }

    /// Compares each camera's delivered events with what the server has.
    fn compare(&mut self) -> Result<Compared> {
        if self.spool.is_sending_again()? {
            return Ok(Compared::Differs);
        }
        let mut outcome = Compared::Same;
        for camera in self.spool.delivered_cameras()? {
            let events = self.spool.delivered(&camera)?;
            let Some(hours) = compare::window(&events) else { continue };
            let Some(path) = compare::path(&camera, hours) else { continue };
            let answer = self.transport.send(&Request::get(path));
            let before = self.spool.differing_slices(&camera)?;
            let comparison = read::<Digests>(&answer)
                .and_then(|digests| compare::compare(&camera, &events, hours, &digests, &before));
            let Some(comparison) = comparison else {
                tracing::debug!(camera, "the server told no digests: {}", shown(&answer));
                if is_refusal(&answer) {
                    continue;
                }
                return Ok(Compared::NotDone);
            };
            if !comparison.again.is_empty() {
                outcome = Compared::Differs;
                let events = comparison.again.len();
                tracing::warn!(camera, events, "the server lacks delivered events: sent again");
            }
            if !comparison.again.is_empty() || comparison.slices != before {
                self.spool.send_again(&camera, &comparison.again, &comparison.slices)?;
            }
            if self.signals.must_stop() {
                break;
            }
        }
        Ok(outcome)
    }

    /// Keeps an error for people, in the log and for other processes.
    fn report(&self, error: &str) {
        let before = self.spool.noted(LAST_ERROR).ok().flatten();
        if before.as_deref().and_then(|note| note.split_once(' ')).map(|(_, text)| text)
            != Some(error)
        {
            tracing::warn!("{error}");
        }
        let note = format!("{} {error}", self.clock.now().as_microsecond());
        if let Err(error) = self.spool.note(LAST_ERROR, &note) {
            tracing::warn!("{error}");
        }
    }
}

#[derive(Deserialize)]
struct Floors {
    floors: Vec<Floor>,
}

#[derive(Deserialize)]
struct Floor {
    id: i64,
    name: String,
}

/// The body of a good answer.
fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Option<T> {
    match answer {
        Answer::Response { status: 200, body, .. } => serde_json::from_slice(body).ok(),
        _ => None,
    }
}

/// Whether asking again soon would be answered the same: the key may not ask, or the server does
/// not know the question.
fn is_refusal(answer: &Answer) -> bool {
    matches!(answer, Answer::Response { status: 400..=499, .. })
        && !matches!(answer, Answer::Response { status: 408 | 429, .. })
}

/// An answer in a few words.
fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Response { status, .. } => format!("it answered {status}"),
        Answer::None { reason, .. } => reason.clone(),
    }
}
