//! The recorder under a schedule explorer: callers that wait or give up, a writer that is a thread
//! or a task, and a store that stalls, fails and crashes. The explorer (shuttle) decides at every
//! step who goes on, and finds also that nobody can.
//!
//! A schedule that breaks a law is printed. The test that it broke, run with it in
//! `SMARTPARK_SCHEDULE`, runs it again; `SMARTPARK_SCHEDULES` is how many are tried.

mod caller;
mod store;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use shuttle::{
    Config, FailurePersistence, Runner, future,
    rand::{Rng, thread_rng},
    scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler},
};

use self::{
    caller::Caller,
    store::{End, Store},
};
use super::queue;
use crate::{planted::plant, sync::MAX_QUEUED_ROWS};

/// Schedules of each kind that a test tries, where nothing else is said.
const SCHEDULES: usize = 5_000;

/// Everything is the same in the next run.
const SEED: u64 = 7;

/// How often it happened what shall happen in some of the schedules.
#[derive(Default)]
struct Seen {
    recorded: AtomicUsize,
    failed: AtomicUsize,
    stopped: AtomicUsize,
    full: AtomicUsize,
    gave_up: AtomicUsize,
    crashed: AtomicUsize,
    closed: AtomicUsize,
    tasks: AtomicUsize,
}

impl Seen {
    /// Those that are part of every kind of run. A law about what never happens says nothing.
    fn all(&self) -> [(&'static str, usize); 8] {
        let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        [
            ("recorded", read(&self.recorded)),
            ("failed", read(&self.failed)),
            ("stopped", read(&self.stopped)),
            ("full", read(&self.full)),
            ("gave up", read(&self.gave_up)),
            ("crashed", read(&self.crashed)),
            ("closed", read(&self.closed)),
            ("tasks", read(&self.tasks)),
        ]
    }
}

fn note(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

#[derive(Clone, Copy)]
enum Kind {
    /// As the engine for SQLite has it: a panic ends one group.
    Thread,
    /// As the engine for PostgreSQL has it: a panic ends the writer.
    Task,
}

/// One schedule, from the first caller to the end of the writer, and its laws.
fn schedule(kind: Kind, seen: &Arc<Seen>) {
    let (recorder, waiting) = queue();
    let log = Arc::clone(&recorder.log);
    let store = Arc::new(Store::new(Arc::clone(seen)));
    let writer = match kind {
        Kind::Thread => store::thread(&store, waiting),
        Kind::Task => store::task(&store, waiting),
    };
    let callers: Vec<_> = (0..3)
        .map(|id| {
            let (recorder, store, seen) = (recorder.clone(), Arc::clone(&store), Arc::clone(seen));
            future::spawn(Caller::new(id, recorder, store, seen).run())
        })
        .collect();
    if thread_rng().gen_bool(0.4) {
        future::block_on(caller::close(&recorder));
    }
    drop(recorder);
    let batches = callers.into_iter().flat_map(|caller| future::block_on(caller).unwrap());
    let batches: Vec<_> = batches.collect();
    writer.join().unwrap();

    for batch in batches {
        batch.judge_at_the_end(&store);
    }
    assert_eq!(log.room.available_permits(), MAX_QUEUED_ROWS, "room was not given back");
    store.judge_log(&log);
}

/// Tries schedules, half of them at random and half with few changes of who runs (PCT), which
/// finds what takes a long way of one and a short one of another.
fn explore(kind: Kind) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    if let Ok(schedule) = std::env::var("SMARTPARK_SCHEDULE") {
        run(ReplayScheduler::new_from_encoded(&schedule), kind, &seen);
        return seen;
    }
    let count = std::env::var("SMARTPARK_SCHEDULES").ok();
    let count = count.map_or(SCHEDULES, |count| count.parse().expect("a number of schedules"));
    run(RandomScheduler::new_from_seed(SEED, count), kind, &seen);
    run(PctScheduler::new_from_seed(SEED, 4, count), kind, &seen);
    seen
}

fn run(scheduler: impl Scheduler + 'static, kind: Kind, seen: &Arc<Seen>) {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::Print;
    let seen = Arc::clone(seen);
    Runner::new(scheduler, config).run(move || schedule(kind, &seen));
}

/// Every law holds in every schedule, and all that the laws speak of came up.
fn holds(kind: Kind) {
    let seen = explore(kind).all();
    println!("{seen:?}");
    if std::env::var("SMARTPARK_SCHEDULE").is_err() {
        assert!(seen.iter().all(|(_, count)| *count > 0), "not all came up: {seen:?}");
    }
}

#[test]
fn a_writer_that_is_a_thread() {
    holds(Kind::Thread);
}

#[test]
fn a_writer_that_is_a_task() {
    holds(Kind::Task);
}

/// What the explorer says of the recorder with this defect.
fn found(defect: &'static str, kind: Kind) -> String {
    plant(defect);
    let panic = catch_unwind(AssertUnwindSafe(|| explore(kind))).err();
    let panic = panic.unwrap_or_else(|| panic!("{defect} was not found"));
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Makes of each defect two tests that it is found by its law, with either writer.
macro_rules! planted {
    ($($name:ident: $defect:literal breaks $law:literal)*) => {
        $(mod $name {
            use super::{Kind, found};

            #[test]
            fn in_a_thread() {
                let said = found($defect, Kind::Thread);
                assert!(said.contains($law), "{said}");
            }

            #[test]
            fn in_a_task() {
                let said = found($defect, Kind::Task);
                assert!(said.contains($law), "{said}");
            }
        })*
    };
}

planted! {
    an_answer_before_the_commit: "answer-before-commit" breaks "told before the commit"
    half_a_group: "half-group" breaks "told before the commit"
    a_group_that_is_written_twice: "write-twice" breaks "handed over twice"
    answers_of_another_batch: "swap-answers" breaks "answers of another"
    room_of_who_gave_up: "keep-room" breaks "room was not given back"
    room_for_one_row: "room-for-one" breaks "more rows wait than may"
    a_lost_wake_up: "lose-wake-up" breaks "deadlock"
    a_task_that_overtakes: "overtake" breaks "done before what came before it"
    a_rest_that_is_dropped_in_silence: "drop-in-silence" breaks "answers of another"
    who_came_at_the_end: "forget-late" breaks "deadlock"
    told_before_it_is_counted: "forget-to-count" breaks "told before it was counted"
}
