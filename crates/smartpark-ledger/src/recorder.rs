//! The bounded queue in front of a store's writer: group commit without a timer.
//!
//! What waits is taken together and committed as one transaction; while that syncs, the next
//! group gathers. A lone event never waits for company. The number of rows that may wait is
//! bounded: one more is refused at once ([`Error::Overloaded`]), so memory stays bounded too.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::{
    AtLimit, Error, NewEvent, Recorded, Result, StateChange,
    metrics::{ByCamera, DURATIONS, Histogram},
    planted::planted,
    sync::{
        MAX_GROUP_ROWS, MAX_QUEUED_ROWS, OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TryRecvError},
        oneshot, yield_now,
    },
};

#[cfg(all(test, feature = "planted"))]
mod schedules;

/// Bounds of the rows of a group.
const GROUP_ROWS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 16_384];

/// The answers to a batch, row by row, or the failure of the whole.
pub(crate) type Answers = Result<Vec<Result<Recorded>>>;

/// Events that wait to be recorded, and where their answers go.
pub(crate) struct Batch {
    /// The rows; those that were refused already keep their place.
    events: Vec<Result<NewEvent>>,
    /// The states that change with them.
    states: Vec<StateChange>,
    rows: usize,
    /// When it came.
    #[cfg(feature = "postgres")]
    came: Instant,
    reply: oneshot::Sender<Answers>,
    /// Room in the queue, given back with the answer.
    _room: OwnedSemaphorePermit,
}

#[cfg(feature = "postgres")]
impl Batch {
    /// The good rows.
    pub(crate) fn events(&self) -> impl Iterator<Item = &NewEvent> {
        self.events.iter().flatten()
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// When it came.
    pub(crate) fn came(&self) -> Instant {
        self.came
    }

    /// Answers it without recording it.
    pub(crate) fn refuse(self, error: Error) {
        drop(self.reply.send(Err(error)));
    }
}

/// Batches that are committed together.
pub(crate) struct Group {
    batches: Vec<Batch>,
    begun: Instant,
    log: Arc<RecordingLog>,
}

impl Group {
    /// The rows, batch by batch; to be taken once.
    pub(crate) fn take_rows(&mut self) -> Vec<Vec<Result<NewEvent>>> {
        self.batches.iter_mut().map(|batch| std::mem::take(&mut batch.events)).collect()
    }

    /// The changes of states, batch by batch; to be taken once.
    pub(crate) fn take_states(&mut self) -> Vec<Vec<StateChange>> {
        self.batches.iter_mut().map(|batch| std::mem::take(&mut batch.states)).collect()
    }

    /// Its batches.
    #[cfg(feature = "postgres")]
    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Takes the batches out for which `out` says so, before their rows were taken.
    #[cfg(feature = "postgres")]
    pub(crate) fn take_out(&mut self, mut out: impl FnMut(&Batch) -> bool) -> Vec<Batch> {
        self.batches.extract_if(.., |batch| out(batch)).collect()
    }

    /// Moves the batches into another group that are marked, one mark a batch.
    #[cfg(feature = "postgres")]
    pub(crate) fn split(&mut self, marks: &[bool]) -> Self {
        let mut marks = marks.iter().copied();
        let batches = self.take_out(|_| marks.next().unwrap_or(false));
        Self { batches, begun: self.begun, log: Arc::clone(&self.log) }
    }

    /// Answers each batch, after the commit. A batch whose sender is gone is counted all the same:
    /// that changes nothing about what is stored.
    pub(crate) fn answer(self, outcome: Result<Vec<Vec<Result<Recorded>>>>) {
        let took = self.begun.elapsed();
        match outcome {
            Ok(mut answers) => {
                // Before anybody is told: whoever was answered finds it counted.
                let recorded = answers.iter().flatten().flatten();
                let recorded = recorded.filter(|_| !planted("forget-to-count"));
                recorded.for_each(|recorded| self.log.note(recorded));
                let rows: usize = self.batches.iter().map(|batch| batch.rows).sum();
                self.log.group_rows.add(rows as u64);
                self.log.commits.add_time(took);
                if planted("swap-answers") {
                    answers.reverse();
                }
                for (batch, answers) in self.batches.into_iter().zip(answers) {
                    if planted("keep-room") && batch.reply.is_closed() {
                        std::mem::forget(batch);
                        continue;
                    }
                    drop(batch.reply.send(Ok(answers)));
                }
            }
            Err(error) => {
                self.log.failed_groups.fetch_add(1, Ordering::Relaxed);
                for batch in self.batches {
                    drop(batch.reply.send(Err(error.clone())));
                }
            }
        }
    }
}

/// What the recorder of this process did since it began.
#[derive(Debug)]
pub struct RecordingLog {
    room: Arc<Semaphore>,
    /// Events that were stored.
    pub recorded: AtomicU64,
    /// Repeats of events that were stored before.
    pub duplicates: AtomicU64,
    /// Those of the duplicates that say something else than the first.
    pub differing: AtomicU64,
    /// Stored events that found their floor at its limit.
    at_limit: Mutex<ByCamera<(i64, &'static str)>>,
    /// Rows of the groups that were committed.
    pub group_rows: Histogram,
    /// How long each of them took, from the moment it was taken from the queue.
    pub commits: Histogram,
    /// Groups that were not, or of which it is unknown.
    pub failed_groups: AtomicU64,
    /// Batches that found no room in the queue.
    pub overloads: AtomicU64,
}

impl RecordingLog {
    fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MAX_QUEUED_ROWS)),
            recorded: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            differing: AtomicU64::new(0),
            at_limit: Mutex::default(),
            group_rows: Histogram::new(GROUP_ROWS),
            commits: Histogram::new(DURATIONS),
            failed_groups: AtomicU64::new(0),
            overloads: AtomicU64::new(0),
        }
    }

    fn note(&self, recorded: &Recorded) {
        if recorded.duplicate && !planted("miscount") {
            self.duplicates.fetch_add(1, Ordering::Relaxed);
            if !recorded.differs.is_empty() {
                self.differing.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        self.recorded.fetch_add(1, Ordering::Relaxed);
        let event = &recorded.event;
        if let Some(limit) = event.at_limit.map(AtLimit::as_str) {
            self.at_limit().add(Some(&event.camera_id), (event.floor_id, limit));
        }
    }

    /// Stored events that found their floor at its limit, by camera, floor and limit.
    pub fn at_limit(&self) -> MutexGuard<'_, ByCamera<(i64, &'static str)>> {
        self.at_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows that were taken into the queue and are not answered yet.
    pub fn waiting_rows(&self) -> usize {
        MAX_QUEUED_ROWS.saturating_sub(self.room.available_permits())
    }

    fn overloaded(&self) -> Error {
        self.overloads.fetch_add(1, Ordering::Relaxed);
        Error::Overloaded
    }
}

/// What a writer is asked to do next.
pub(crate) enum Work<T> {
    /// Commit these together.
    Group(Group),
    /// Something of the engine's own, alone. It gives its room back when it is done.
    Task(T, OwnedSemaphorePermit),
}

enum Item<T> {
    Batch(Batch),
    Task(T, OwnedSemaphorePermit),
}

/// The way into the queue. Clones lead to the same queue.
pub(crate) struct Recorder<T> {
    queue: mpsc::UnboundedSender<Item<T>>,
    log: Arc<RecordingLog>,
}

impl<T> Clone for Recorder<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), log: Arc::clone(&self.log) }
    }
}

/// The writer's end of the queue.
pub(crate) struct Waiting<T> {
    queue: mpsc::UnboundedReceiver<Item<T>>,
    /// What was taken from the queue but did not fit into the group.
    next: Option<Item<T>>,
    log: Arc<RecordingLog>,
}

/// A new queue.
pub(crate) fn queue<T>() -> (Recorder<T>, Waiting<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let log = Arc::new(RecordingLog::new());
    let waiting = Waiting { queue: receiver, next: None, log: Arc::clone(&log) };
    (Recorder { queue: sender, log }, waiting)
}

impl<T> Recorder<T> {
    /// Hands a batch over and waits for its answers.
    pub(crate) async fn record(
        &self,
        events: Vec<Result<NewEvent>>,
        states: Vec<StateChange>,
    ) -> Answers {
        let rows = u32::try_from(events.len().max(1)).map_err(|_| Error::Overloaded)?;
        let rows = if planted("room-for-one") { 1 } else { rows };
        let room = Arc::clone(&self.log.room).try_acquire_many_owned(rows);
        let (reply, answers) = oneshot::channel();
        let room = room.map_err(|_| self.log.overloaded())?;
        let batch = Batch {
            rows: events.len(),
            events,
            states,
            #[cfg(feature = "postgres")]
            came: Instant::now(),
            reply,
            _room: room,
        };
        self.queue.send(Item::Batch(batch)).map_err(|_| stopped())?;
        match answers.await {
            Ok(answers) => answers,
            Err(_) if planted("drop-in-silence") => Ok(Vec::new()),
            Err(_) => Err(stopped()),
        }
    }

    /// What was done so far.
    pub(crate) fn log(&self) -> &RecordingLog {
        &self.log
    }

    /// Hands a task over. Tasks and batches are done in the order they came.
    pub(crate) fn task(&self, task: T) -> Result<()> {
        let room = Arc::clone(&self.log.room).try_acquire_owned();
        let room = room.map_err(|_| self.log.overloaded())?;
        self.queue.send(Item::Task(task, room)).map_err(|_| stopped())
    }
}

/// The answer where the writer is gone.
pub(crate) fn stopped() -> Error {
    Error::Unavailable("the writer has stopped".into())
}

impl<T> Waiting<T> {
    /// Waits for work; `None` when nobody can send any more. For a writer that is a thread.
    pub(crate) fn next(&mut self) -> Option<Work<T>> {
        let first = self.set_aside().or_else(|| self.queue.blocking_recv())?;
        Some(self.gather(first))
    }

    /// [`Waiting::next`] for a writer that is a task.
    #[cfg(feature = "postgres")]
    pub(crate) async fn next_async(&mut self) -> Option<Work<T>> {
        let first = match self.set_aside() {
            Some(first) => first,
            None => self.queue.recv().await?,
        };
        Some(self.gather(first))
    }

    /// What did not fit into the last group.
    fn set_aside(&mut self) -> Option<Item<T>> {
        self.next.take_if(|_| !planted("lose-wake-up"))
    }

    /// Takes what waits behind the first item, as far as it goes into one group.
    fn gather(&mut self, first: Item<T>) -> Work<T> {
        let mut batches = Vec::new();
        let mut rows = 0;
        let mut item = first;
        loop {
            match item {
                Item::Task(task, room) if batches.is_empty() => {
                    return Work::Task(task, room);
                }
                Item::Task(task, room) if batches.len() == 1 && planted("overtake") => {
                    self.next = batches.pop().map(Item::Batch);
                    return Work::Task(task, room);
                }
                Item::Task(..) => {
                    self.next = Some(item);
                    break;
                }
                Item::Batch(batch) => {
                    rows += batch.events.len();
                    batches.push(batch);
                }
            }
            if rows >= MAX_GROUP_ROWS {
                break;
            }
            match self.queue.try_recv() {
                Ok(more) => item = more,
                Err(_) => break,
            }
        }
        Work::Group(self.group(batches))
    }

    /// A group of these batches.
    pub(crate) fn group(&self, batches: Vec<Batch>) -> Group {
        Group { batches, begun: Instant::now(), log: Arc::clone(&self.log) }
    }
}

/// Whoever waits here or is about to is told that the writer is gone: what it sent is dropped. The
/// queue by itself would keep what is put into it at this very moment, for as long as anybody may
/// send, and who sent that would wait as long.
impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        if planted("forget-late") {
            return;
        }
        self.queue.close();
        loop {
            match self.queue.try_recv() {
                Ok(item) => drop(item),
                Err(TryRecvError::Disconnected) => break,
                // Somebody was let in before and has not put it in yet.
                Err(TryRecvError::Empty) => yield_now(),
            }
        }
    }
}
