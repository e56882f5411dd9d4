//! Groups that are recorded at the same time, and the batches that wait for them: no two lanes work
//! on one floor, so what this process records never waits for itself.

use std::collections::{BTreeSet, VecDeque};

use tokio::{
    task::{Id, JoinSet},
    time::Instant,
};

use crate::{
    decide::Group,
    limits::{MAX_GROUP_ROWS, POSTGRES_LANES, POSTGRES_OVERTAKE},
    recorder::{self, Batch},
};

/// A group that a lane records.
pub(super) struct Job {
    pub(super) batches: recorder::Group,
    pub(super) rows: Group,
    pub(super) floors: BTreeSet<i64>,
    /// Until when somebody waits for its answers.
    pub(super) deadline: Instant,
}

impl Job {
    /// Moves the batches into another job that are marked, one mark a batch.
    pub(super) fn split(&mut self, marks: &[bool]) -> Self {
        let (batches, rows) = (self.batches.split(marks), self.rows.split(marks));
        Self { floors: rows.floors(), batches, rows, deadline: self.deadline }
    }
}

/// What a lane leaves when it ends.
#[derive(Default)]
pub(super) struct End {
    /// A group that waits for what others hold.
    pub(super) apart: Option<Job>,
    /// Batches whose months are there now.
    pub(super) prepared: Vec<Batch>,
}

/// A lane that is busy.
struct Busy {
    id: Id,
    floors: BTreeSet<i64>,
    /// When it began, if others wait a moment for it.
    begun: Option<Instant>,
}

/// The lanes of a process.
#[derive(Default)]
pub(super) struct Lanes {
    running: JoinSet<End>,
    busy: Vec<Busy>,
    /// The one that makes partitions.
    preparing: Option<Id>,
    /// Batches that wait for a lane that works on one of their floors, or for partitions.
    held: VecDeque<Batch>,
    /// Groups that wait for a lane.
    put_off: VecDeque<Job>,
}

impl Lanes {
    /// Whether the next group may begin: there is a lane, and none has just begun.
    pub(super) fn may_begin(&self) -> bool {
        self.busy.len() < POSTGRES_LANES && self.fresh().is_none()
    }

    /// Whether only one lane is left.
    pub(super) fn is_last(&self) -> bool {
        self.busy.len() + 1 >= POSTGRES_LANES
    }

    /// Whether nothing is under way and nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.held.is_empty() && self.put_off.is_empty()
    }

    /// Until when others wait for the lane that has just begun.
    pub(super) fn fresh(&self) -> Option<Instant> {
        let latest = self.busy.iter().filter_map(|busy| busy.begun).max()?;
        let until = latest + POSTGRES_OVERTAKE;
        (until > Instant::now()).then_some(until)
    }

    /// Has a lane do this; since when others wait for it, unless it is to be overtaken at once.
    pub(super) fn spawn(
        &mut self,
        floors: BTreeSet<i64>,
        work: impl Future<Output = End> + Send + 'static,
        begun: Option<Instant>,
    ) {
        let id = self.running.spawn(work).id();
        self.busy.push(Busy { id, floors, begun });
    }

    /// Has this done beside the lanes, which makes partitions.
    pub(super) fn prepare(&mut self, work: impl Future<Output = End> + Send + 'static) {
        self.preparing = Some(self.running.spawn(work).id());
    }

    /// Whether partitions are being made.
    pub(super) fn is_preparing(&self) -> bool {
        self.preparing.is_some()
    }

    /// Waits for one to end. None if none is under way.
    pub(super) async fn next(&mut self) -> Option<End> {
        let ended = self.running.join_next_with_id().await?;
        let (id, end) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // A defect in one transaction ends nothing else: its connection is closed, which
                // rolls back, and whoever waits is answered (the sender is dropped).
                if error.is_panic() {
                    tracing::error!("a write panicked; it was rolled back");
                }
                (error.id(), End::default())
            }
        };
        self.busy.retain(|busy| busy.id != id);
        self.preparing = self.preparing.filter(|preparing| *preparing != id);
        Some(end)
    }

    /// Takes in what a lane left.
    pub(super) fn take_in(&mut self, end: End) {
        self.put_off.extend(end.apart);
        end.prepared.into_iter().rev().for_each(|batch| self.held.push_front(batch));
    }

    /// Whether anything is under way that a batch may have to wait for.
    pub(super) fn is_busy(&self) -> bool {
        !self.busy.is_empty() || !self.put_off.is_empty()
    }

    /// Whether a lane works on a floor of this batch, or will.
    pub(super) fn is_in_the_way_of(&self, batch: &Batch) -> bool {
        let taken = |floor: i64| {
            self.busy.iter().any(|busy| busy.floors.contains(&floor))
                || self.put_off.iter().any(|job| job.floors.contains(&floor))
        };
        batch.events().any(|event| taken(event.floor_id))
    }

    /// Holds these batches, behind the others.
    pub(super) fn hold(&mut self, batches: Vec<Batch>) {
        self.held.extend(batches);
    }

    /// The batches among those held that need not wait any more, if a group may begin: as many as
    /// go into one.
    pub(super) fn take_free(&mut self) -> Vec<Batch> {
        if self.held.is_empty() || !self.may_begin() {
            return Vec::new();
        }
        let (mut free, mut rows) = (Vec::new(), 0);
        let mut rest = VecDeque::new();
        for batch in std::mem::take(&mut self.held) {
            if rows >= MAX_GROUP_ROWS || self.is_in_the_way_of(&batch) {
                rest.push_back(batch);
            } else {
                rows += batch.rows();
                free.push(batch);
            }
        }
        self.held = rest;
        free
    }

    /// The next group that was put off. The last lane is left to what waits for nobody.
    pub(super) fn next_put_off(&mut self) -> Option<Job> {
        if self.is_last() { None } else { self.put_off.pop_front() }
    }
}
