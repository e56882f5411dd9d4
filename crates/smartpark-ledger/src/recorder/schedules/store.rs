//! A store that knows what it was handed and what became of it, and the two writers that engines
//! have, around it.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use shuttle::{
    rand::{Rng, thread_rng},
    thread::{JoinHandle, spawn},
};

use super::{
    super::{Group, RecordingLog, Waiting, Work},
    Seen, note,
};
use crate::{
    Error, Event, Floor, NewEvent, Recorded, Result,
    planted::planted,
    sync::{MAX_QUEUED_ROWS, explored::point, oneshot},
};

/// What became of a row that was handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// Nothing yet.
    Open,
    Committed,
    /// Not stored, or stored and the answer was lost: who waits is told the same.
    Failed,
    Crashed,
}

/// Why a writer ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// Nobody can send any more: everything was handed over.
    NobodyLeft,
    /// It was closed, or crashed: something may have been left in the queue.
    Before,
}

pub(super) enum Task {
    /// Tells that all before it is done.
    Tell(oneshot::Sender<()>),
    /// The same, and ends the writer.
    Close(oneshot::Sender<()>),
}

/// What a store that crashes unwinds with.
struct Crash;

pub(super) struct Store {
    /// By track: the group and what became of it. Nobody holds it at a point.
    rows: Mutex<BTreeMap<String, (usize, Fate)>>,
    groups: AtomicUsize,
    failed_groups: AtomicU64,
    recorded: AtomicU64,
    duplicates: AtomicU64,
    /// Rows that wait for their answers, or a few less.
    waiting: AtomicIsize,
    /// Rows that callers were told of.
    told: AtomicU64,
    /// Whether the writer takes no more.
    ending: AtomicBool,
    end: Mutex<Option<End>>,
    seen: Arc<Seen>,
}

impl Store {
    pub(super) fn new(seen: Arc<Seen>) -> Self {
        Self {
            rows: Mutex::default(),
            groups: AtomicUsize::new(0),
            failed_groups: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            waiting: AtomicIsize::new(0),
            told: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            end: Mutex::default(),
            seen,
        }
    }

    /// What became of a row; `None` where it was never handed over.
    pub(super) fn fate(&self, track: &str) -> Option<(usize, Fate)> {
        self.rows.lock().unwrap().get(track).copied()
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    pub(super) fn end(&self) -> Option<End> {
        *self.end.lock().unwrap()
    }

    /// Rows found room. Told after they took it and before they give it back, so that the sum is
    /// never more than what is taken.
    pub(super) fn wait_for(&self, rows: usize) {
        let rows = isize::try_from(rows).unwrap();
        let waiting = self.waiting.fetch_add(rows, Ordering::SeqCst) + rows;
        let bound = isize::try_from(MAX_QUEUED_ROWS).unwrap();
        assert!(waiting <= bound || self.is_ending(), "more rows wait than may: {waiting}");
    }

    /// A caller was told that its rows are stored. All that were told of are counted by then.
    pub(super) fn tell(&self, log: &RecordingLog, rows: usize) {
        let told = self.told.fetch_add(rows as u64, Ordering::SeqCst) + rows as u64;
        let counted = log.recorded.load(Ordering::SeqCst) + log.duplicates.load(Ordering::SeqCst);
        assert!(told <= counted, "told before it was counted: {told} of {counted}");
    }

    /// One transaction.
    fn commit(&self, rows: Vec<Vec<Result<NewEvent>>>) -> Result<Vec<Vec<Result<Recorded>>>> {
        let group = self.groups.fetch_add(1, Ordering::SeqCst);
        let tracks: Vec<String> =
            rows.iter().flatten().flatten().map(|event| event.track_id.clone()).collect();
        for track in &tracks {
            let before = self.rows.lock().unwrap().insert(track.clone(), (group, Fate::Open));
            assert_eq!(before, None, "{track} was handed over twice");
        }
        let settle = |fate| {
            let mut known = self.rows.lock().unwrap();
            known.extend(tracks.iter().map(|track| (track.clone(), (group, fate))));
        };
        stall();
        match thread_rng().gen_range(0..10) {
            0 => {
                settle(Fate::Crashed);
                note(&self.seen.crashed);
                // Not `panic!`: the explorer would take it for a law that is broken.
                resume_unwind(Box::new(Crash));
            }
            1 | 2 => {
                settle(Fate::Failed);
                self.failed_groups.fetch_add(1, Ordering::SeqCst);
                stall();
                Err(failure(group))
            }
            _ => {
                settle(Fate::Committed);
                stall();
                Ok(answers(rows))
            }
        }
    }

    /// What a writer does with a group.
    fn record(&self, mut group: Group) {
        let mut rows = group.take_rows();
        let count = rows.iter().map(Vec::len).sum::<usize>();
        // Goes before the group and its room do, also where a panic unwinds.
        let leaving = Leaving { waiting: &self.waiting, rows: isize::try_from(count).unwrap() };
        if planted("answer-before-commit") {
            drop(leaving);
            group.answer(Ok(answers(rows.clone())));
            drop(self.commit(rows));
            return;
        }
        let rest = if planted("half-group") { rows.split_off(rows.len() / 2) } else { Vec::new() };
        let mut outcome = self.commit(rows.clone());
        if planted("write-twice") && outcome.is_err() {
            outcome = self.commit(rows);
        }
        let outcome = outcome.map(|told| [told, answers(rest)].concat());
        if let Ok(answers) = &outcome {
            self.count(answers);
        }
        drop(leaving);
        group.answer(outcome);
    }

    fn count(&self, answers: &[Vec<Result<Recorded>>]) {
        for recorded in answers.iter().flatten().flatten() {
            let count = if recorded.duplicate { &self.duplicates } else { &self.recorded };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Does what is next. A crash is caught; a law that is broken is none.
    fn try_work(&self, work: Work<Task>) -> std::result::Result<Option<End>, Crash> {
        match catch_unwind(AssertUnwindSafe(|| self.work(work))) {
            Ok(end) => Ok(end),
            Err(panic) if panic.is::<Crash>() => Err(Crash),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Does what is next; the end, where it was asked for.
    fn work(&self, work: Work<Task>) -> Option<End> {
        match work {
            Work::Group(group) => self.record(group),
            Work::Task(Task::Tell(done), _room) => {
                note(&self.seen.tasks);
                let _ = done.send(());
            }
            Work::Task(Task::Close(done), _room) => {
                note(&self.seen.closed);
                let _ = done.send(());
                return Some(End::Before);
            }
        }
        None
    }

    /// Ends the writer. (`waiting` goes here, not while a panic unwinds: no other may run then.)
    fn finish(&self, waiting: Waiting<Task>, end: End) {
        self.ending.store(true, Ordering::SeqCst);
        drop(waiting);
        *self.end.lock().unwrap() = Some(end);
    }

    /// The log says what was done.
    pub(super) fn judge_log(&self, log: &RecordingLog) {
        let (recorded, duplicates) = (&self.recorded, &self.duplicates);
        let told = [&log.recorded, &log.duplicates, &log.failed_groups];
        let done = [recorded, duplicates, &self.failed_groups];
        let read = |counts: [&AtomicU64; 3]| counts.map(|count| count.load(Ordering::SeqCst));
        assert_eq!(read(told), read(done), "recorded, duplicates, failed groups");
    }
}

/// Rows that give their room back.
struct Leaving<'a> {
    waiting: &'a AtomicIsize,
    rows: isize,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.rows, Ordering::SeqCst);
    }
}

/// A writer that is a thread. What crashes is caught, and it goes on; now and then that fails.
pub(super) fn thread(store: &Arc<Store>, mut waiting: Waiting<Task>) -> JoinHandle<()> {
    let store = Arc::clone(store);
    spawn(move || {
        let mut end = End::NobodyLeft;
        while let Some(work) = waiting.next() {
            let worked = store.try_work(work);
            if worked.is_err() && thread_rng().gen_bool(0.3) || matches!(worked, Ok(Some(_))) {
                end = End::Before;
                break;
            }
        }
        store.finish(waiting, end);
    })
}

/// A writer that is a task: what crashes ends it.
pub(super) fn task(store: &Arc<Store>, mut waiting: Waiting<Task>) -> JoinHandle<()> {
    let store = Arc::clone(store);
    let life = async move {
        let mut end = End::NobodyLeft;
        while let Some(work) = waiting.next_async().await {
            if !matches!(store.try_work(work), Ok(None)) {
                end = End::Before;
                break;
            }
        }
        store.finish(waiting, end);
    };
    spawn(move || shuttle::future::block_on(life))
}

/// How the failure of a group is told.
pub(super) fn failure(group: usize) -> Error {
    Error::Unavailable(format!("group {group} failed"))
}

/// Others run meanwhile, or do not.
fn stall() {
    for _ in 0..thread_rng().gen_range(0..4) {
        point();
    }
}

/// The answers to rows that are stored. What was refused before stays refused.
fn answers(rows: Vec<Vec<Result<NewEvent>>>) -> Vec<Vec<Result<Recorded>>> {
    let answer = |row: Result<NewEvent>| row.map(recorded);
    rows.into_iter().map(|batch| batch.into_iter().map(answer).collect()).collect()
}

fn recorded(event: NewEvent) -> Recorded {
    let at = Timestamp::UNIX_EPOCH;
    Recorded {
        event: Event {
            id: 1,
            camera_id: event.camera_id,
            floor_id: event.floor_id,
            track_id: event.track_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            confidence: event.confidence,
            timestamp: at,
            created_at: at,
            count_delta: 1,
            at_limit: None,
        },
        floor: Floor {
            id: 1,
            name: "Ground Floor".to_owned(),
            description: None,
            total_slots: 50,
            current_vehicles: 1,
            is_active: true,
            created_at: at,
            updated_at: at,
        },
        duplicate: thread_rng().gen_bool(0.2),
        differs: Vec::new(),
    }
}
