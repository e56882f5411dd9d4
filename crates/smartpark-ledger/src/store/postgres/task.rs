//! The task that records: takes what waits as a group, hands it to a lane (src/store/postgres/
//! lanes.rs), and answers after the commit.
//!
//! Usually one lane is busy at a time, so a group gathers while the one before it is written. A
//! group that takes long, for whatever reason, no longer keeps the events of other floors waiting:
//! they are recorded beside it. Events of its own floors wait for it. Events of months that have no
//! partition yet wait for that without any floor.

use std::sync::Arc;

use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{
    changes::Changes,
    lanes::{End, Job, Lanes},
    partitions::Months,
    recording, seam,
    terms::{Done, Lock, Terms},
    transaction::{Patience, not_in_time, patiently},
    waits::{Wait, Waits},
};
use crate::{
    Error, Options, Result,
    decide::Group,
    limits::POSTGRES_PATIENCE,
    recorder::{self, Batch, Waiting, Work},
};

/// Tells that all before it is done, and ends the task.
pub(super) type Close = oneshot::Sender<()>;

/// The one task of a process that records, and what its lanes share.
pub(super) struct Task {
    /// One connection for each lane, and one to make partitions: what floors or cleanup wait for
    /// keeps no lane from its connection.
    pub(super) pool: Pool,
    pub(super) options: Arc<Options>,
    pub(super) months: Arc<Months>,
    pub(super) changes: Changes,
    pub(super) waits: Arc<Waits>,
}

impl Task {
    pub(super) async fn run(self, mut waiting: Waiting<Close>) {
        let task = Arc::new(self);
        let mut lanes = Lanes::default();
        let (mut is_ending, mut close) = (false, None);
        loop {
            let may_begin = !is_ending && lanes.may_begin();
            let fresh = lanes.fresh();
            tokio::select! {
                biased;
                Some(end) = lanes.next() => lanes.take_in(end),
                () = sleep_until(fresh.unwrap_or_else(Instant::now)), if fresh.is_some() => {}
                work = waiting.next_async(), if may_begin => match work {
                    Some(Work::Group(group)) => task.begin(&mut lanes, group),
                    Some(Work::Task(done, room)) => {
                        (is_ending, close) = (true, Some((done, room)));
                    }
                    None => is_ending = true,
                },
            }
            task.go_on(&mut lanes, &waiting);
            if is_ending && lanes.is_empty() {
                break;
            }
        }
        if let Some((done, _room)) = close {
            // Whoever closes may have given up waiting.
            let _ = done.send(());
        }
    }

    /// Begins what had to wait, as far as it need not wait any more.
    fn go_on(self: &Arc<Self>, lanes: &mut Lanes, waiting: &Waiting<Close>) {
        while let Some(job) = lanes.next_put_off() {
            // It knows that it has to wait: so it does not keep others from beginning.
            self.spawn(lanes, job, Lock::Patient, None);
        }
        let held = lanes.take_free();
        if !held.is_empty() {
            self.begin(lanes, waiting.group(held));
        }
    }

    /// Begins a group, without the batches that have to wait for something.
    fn begin(self: &Arc<Self>, lanes: &mut Lanes, mut group: recorder::Group) {
        for late in group.take_out(|batch| batch.came().elapsed() >= POSTGRES_PATIENCE) {
            late.refuse(not_in_time());
        }
        if lanes.is_busy() {
            let held = group.take_out(|batch| lanes.is_in_the_way_of(batch));
            lanes.hold(held);
        }
        self.hold_for_months(lanes, &mut group);
        if group.batches().is_empty() {
            return;
        }
        let deadline = deadline(group.batches());
        let states = group.take_states();
        let rows = Group::new(group.take_rows(), &self.options).with_states(states);
        let job = Job { floors: rows.floors(), batches: group, rows, deadline };
        // Of one floor there is nothing that could go on alone. The last lane waits for nobody.
        let lock = match job.floors.len() {
            _ if lanes.is_last() => Lock::Skip,
            0 | 1 => Lock::Patient,
            _ => Lock::Brief,
        };
        self.spawn(lanes, job, lock, Some(Instant::now()));
    }

    fn spawn(self: &Arc<Self>, lanes: &mut Lanes, job: Job, lock: Lock, begun: Option<Instant>) {
        lanes.spawn(job.floors.clone(), Arc::clone(self).record(job, lock), begun);
    }

    /// Takes the batches out of a group whose months may have no partition yet.
    fn hold_for_months(self: &Arc<Self>, lanes: &mut Lanes, group: &mut recorder::Group) {
        let now = self.options.clock.now().as_microsecond();
        let all = group.batches().iter().flat_map(|batch| instants(batch, now));
        if self.months.unknown(now, all).is_empty() {
            return;
        }
        let is_unknown = |batch: &Batch| !self.months.unknown(now, instants(batch, now)).is_empty();
        let batches = group.take_out(is_unknown);
        if lanes.is_preparing() {
            lanes.hold(batches);
        } else {
            lanes.prepare(Arc::clone(self).prepare(batches, now));
        }
    }

    /// Makes the partitions that batches need.
    async fn prepare(self: Arc<Self>, batches: Vec<Batch>, now: i64) -> End {
        let unknown = self.months.unknown(now, batches.iter().flat_map(|it| instants(it, now)));
        let patience = Patience::until(deadline(&batches));
        match patiently!(patience, self.months.make(&self.pool, &unknown)) {
            Ok(()) => End { prepared: batches, ..End::default() },
            Err(error) => {
                let error: Error = error;
                tracing::error!("events of new months could not be recorded: {error}");
                batches.into_iter().for_each(|batch| batch.refuse(error.clone()));
                End::default()
            }
        }
    }

    /// Records a group of batches and answers each after the commit. Those that wait for what
    /// others hold are given back, to be recorded apart.
    async fn record(self: Arc<Self>, mut job: Job, lock: Lock) -> End {
        let wait = self.waits.new_group();
        let mut terms = Terms { lock, attempt: 0, remaining: POSTGRES_PATIENCE };
        let patience = Patience::until(job.deadline);
        let outcome = patiently!(patience, async {
            terms.remaining = job.deadline.saturating_duration_since(Instant::now());
            let mut done = self.attempt(&mut job.rows, &terms, &wait).await;
            if let (Ok(Done::Nothing), Lock::Brief) = (&done, terms.lock) {
                // Some floor is held: the others go on without it.
                terms.lock = Lock::Skip;
                done = self.attempt(&mut job.rows, &terms, &wait).await;
            }
            terms.attempt += 1;
            match done? {
                Done::Nothing => Err(Error::Unavailable("another session holds the floor".into())),
                done => Ok(done),
            }
        });
        let apart = match &outcome {
            Ok(Done::Part(marks)) => Some(job.split(marks)),
            _ => None,
        };
        match &outcome {
            Ok(_) => self.changes.bump(),
            Err(error) => tracing::error!("a group of events could not be recorded: {error}"),
        }
        job.batches.answer(outcome.map(|_| job.rows.into_answers()));
        End { apart, ..End::default() }
    }

    async fn attempt(&self, group: &mut Group, terms: &Terms, wait: &Wait) -> Result<Done> {
        seam::catch_up().await?;
        let now = self.options.clock.now().as_microsecond();
        if terms.attempt > 0 {
            // A cleanup may have dropped one that was there.
            self.months.ensure(&self.pool, now, group.instants()).await?;
        }
        let outcome = recording::record(group, &self.pool, now, terms, wait).await;
        if outcome.is_err() {
            self.months.forget();
        }
        outcome
    }
}

/// The instants of a batch's events.
fn instants(batch: &Batch, now: i64) -> impl Iterator<Item = i64> {
    batch.events().map(move |event| event.timestamp.map_or(now, Timestamp::as_microsecond))
}

/// Until when somebody waits for one of these batches.
fn deadline(batches: &[Batch]) -> Instant {
    let newest = batches.iter().map(Batch::came).max();
    newest.map_or_else(Instant::now, Instant::from_std) + POSTGRES_PATIENCE
}
