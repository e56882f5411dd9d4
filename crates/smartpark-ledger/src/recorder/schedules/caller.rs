//! Callers: each sends some batches and tasks, waits for them or gives up, and judges what it is
//! told at the moment when it is told.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use shuttle::rand::{Rng, thread_rng};

use super::{
    super::{Answers, Recorder, stopped},
    End, Seen, Store, note,
    store::{Fate, Task, failure},
};
use crate::{Direction, Error, NewEvent, Recorded, Result, VehicleType, sync::oneshot};

pub(super) struct Caller {
    id: usize,
    recorder: Recorder<Task>,
    store: Arc<Store>,
    seen: Arc<Seen>,
}

/// Rows with their tracks; those that were refused already have none.
pub(super) struct Batch {
    tracks: Vec<Option<String>>,
    heard: Heard,
}

#[derive(PartialEq)]
enum Heard {
    Answer,
    NoRoom,
    GaveUp,
}

impl Caller {
    pub(super) fn new(
        id: usize,
        recorder: Recorder<Task>,
        store: Arc<Store>,
        seen: Arc<Seen>,
    ) -> Self {
        Self { id, recorder, store, seen }
    }

    /// The batches that were sent.
    pub(super) async fn run(self) -> Vec<Batch> {
        let mut batches = Vec::new();
        for number in 0..thread_rng().gen_range(1..4) {
            let mut batch = self.batch(number);
            batch.heard = self.send(&batch).await;
            batches.push(batch);
        }
        batches
    }

    fn batch(&self, number: usize) -> Batch {
        let rows = thread_rng().gen_range(0..5);
        let track = |row| {
            let refused = thread_rng().gen_bool(0.1);
            (!refused).then(|| format!("caller {} batch {number} row {row}", self.id))
        };
        Batch { tracks: (0..rows).map(track).collect(), heard: Heard::GaveUp }
    }

    /// Sends a batch, sometimes a task behind it, and waits for both, or not.
    async fn send(&self, batch: &Batch) -> Heard {
        let mut asked = pin!(self.recorder.record(batch.rows(), Vec::new()));
        let first = poll_once(asked.as_mut()).await;
        if first == Poll::Ready(Err(Error::Overloaded)) {
            note(&self.seen.full);
            return Heard::NoRoom;
        }
        self.store.wait_for(batch.tracks.len());
        if let Poll::Ready(answers) = first {
            return self.hear(batch, answers);
        }
        if thread_rng().gen_bool(0.3) {
            self.task_behind(batch).await;
        }
        if thread_rng().gen_bool(0.7) {
            let answers = asked.await;
            return self.hear(batch, answers);
        }
        for _ in 0..thread_rng().gen_range(0..4) {
            shuttle::future::yield_now().await;
            if let Poll::Ready(answers) = poll_once(asked.as_mut()).await {
                return self.hear(batch, answers);
            }
        }
        note(&self.seen.gave_up);
        Heard::GaveUp
    }

    /// When a task is done, what its sender sent before it is done.
    async fn task_behind(&self, batch: &Batch) {
        let (done, told) = oneshot::channel();
        if self.recorder.task(Task::Tell(done)).is_err() || told.await.is_err() {
            return;
        }
        for track in batch.tracks.iter().flatten() {
            let fate = self.store.fate(track).map(|(_, fate)| fate);
            let settled = fate.is_some_and(|fate| fate != Fate::Open);
            assert!(settled, "a task was done before what came before it: {track} is {fate:?}");
        }
    }

    /// Judges what a batch was told.
    fn hear(&self, batch: &Batch, answers: Answers) -> Heard {
        match answers {
            Ok(answers) => self.hear_answers(batch, &answers),
            Err(error) if error == stopped() => {
                note(&self.seen.stopped);
                for track in batch.tracks.iter().flatten() {
                    let fate = self.store.fate(track);
                    let crashed = matches!(fate, Some((_, Fate::Crashed)));
                    let left = fate.is_none() && self.store.is_ending();
                    assert!(crashed || left, "{track} has no answer: {fate:?}");
                }
            }
            Err(error) => {
                note(&self.seen.failed);
                for track in batch.tracks.iter().flatten() {
                    let Some((group, Fate::Failed)) = self.store.fate(track) else {
                        panic!("{track} did not fail: {error}");
                    };
                    assert_eq!(error, failure(group), "{track} was in another group");
                }
            }
        }
        Heard::Answer
    }

    fn hear_answers(&self, batch: &Batch, answers: &[Result<Recorded>]) {
        note(&self.seen.recorded);
        let told = |answer: &Result<Recorded>| {
            answer.as_ref().ok().map(|recorded| recorded.event.track_id.clone())
        };
        let told: Vec<Option<String>> = answers.iter().map(told).collect();
        assert_eq!(told, batch.tracks, "answers of another batch, or in another order");
        for track in batch.tracks.iter().flatten() {
            let fate = self.store.fate(track).map(|(_, fate)| fate);
            assert_eq!(fate, Some(Fate::Committed), "{track} was told before the commit");
        }
        self.store.tell(&self.recorder.log, batch.tracks.iter().flatten().count());
    }
}

impl Batch {
    fn rows(&self) -> Vec<Result<NewEvent>> {
        let row = |track: &Option<String>| {
            let track = track.clone().ok_or(Error::UnknownFloor)?;
            Ok(NewEvent::new("north", 1, track, VehicleType::Car, Direction::Entry))
        };
        self.tracks.iter().map(row).collect()
    }

    /// What is known only when the writer has ended.
    pub(super) fn judge_at_the_end(&self, store: &Store) {
        let tracks: Vec<&String> = self.tracks.iter().flatten().collect();
        let fates: Vec<_> = tracks.iter().map(|track| store.fate(track)).collect();
        assert!(fates.windows(2).all(|pair| pair[0] == pair[1]), "{tracks:?} parted: {fates:?}");
        match self.heard {
            Heard::NoRoom => {
                assert!(fates.iter().all(Option::is_none), "{tracks:?} found no room: {fates:?}");
            }
            Heard::GaveUp if store.end() == Some(End::NobodyLeft) => {
                assert!(fates.iter().all(Option::is_some), "{tracks:?} was dropped");
            }
            Heard::GaveUp | Heard::Answer => {}
        }
    }
}

/// Closes the writer, as an engine does: waits until all before it is done.
pub(super) async fn close(recorder: &Recorder<Task>) {
    for _ in 0..thread_rng().gen_range(0..8) {
        shuttle::future::yield_now().await;
    }
    let (done, told) = oneshot::channel();
    if recorder.task(Task::Close(done)).is_ok() {
        drop(told.await);
    }
}

async fn poll_once<T>(mut asked: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await
}
