//! The bounded queue in front of a store's writer: group commit without a timer.
//!
//! What waits is taken together and committed as one transaction; while that syncs, the next
//! group gathers. A lone event never waits for company. The number of rows that may wait is
//! bounded: one more is refused at once ([`Error::Overloaded`]), so memory stays bounded too.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    Error, NewEvent, Recorded, Result,
    limits::{MAX_GROUP_ROWS, MAX_QUEUED_ROWS},
};

/// The answers to a batch, row by row, or the failure of the whole.
pub(crate) type Answers = Result<Vec<Result<Recorded>>>;

/// Events that wait to be recorded, and where their answers go.
pub(crate) struct Batch {
    /// The rows; those that were refused already keep their place.
    pub(crate) events: Vec<Result<NewEvent>>,
    reply: oneshot::Sender<Answers>,
    /// Room in the queue, given back with the answer.
    _room: OwnedSemaphorePermit,
}

impl Batch {
    /// Answers the batch. Its sender may be gone: that changes nothing about what is stored.
    pub(crate) fn answer(self, answers: Answers) {
        drop(self.reply.send(answers));
    }
}

/// What a writer is asked to do next.
pub(crate) enum Work<T> {
    /// Commit these together.
    Group(Vec<Batch>),
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
    room: Arc<Semaphore>,
}

impl<T> Clone for Recorder<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), room: Arc::clone(&self.room) }
    }
}

/// The writer's end of the queue.
pub(crate) struct Waiting<T> {
    queue: mpsc::UnboundedReceiver<Item<T>>,
    /// What was taken from the queue but did not fit into the group.
    next: Option<Item<T>>,
}

/// A new queue.
pub(crate) fn queue<T>() -> (Recorder<T>, Waiting<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(MAX_QUEUED_ROWS));
    (Recorder { queue: sender, room }, Waiting { queue: receiver, next: None })
}

impl<T> Recorder<T> {
    /// Hands a batch over and waits for its answers.
    pub(crate) async fn record(&self, events: Vec<Result<NewEvent>>) -> Answers {
        let rows = u32::try_from(events.len().max(1)).map_err(|_| Error::Overloaded)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(rows);
        let (reply, answers) = oneshot::channel();
        let batch = Batch { events, reply, _room: room.map_err(|_| Error::Overloaded)? };
        self.queue.send(Item::Batch(batch)).map_err(|_| stopped())?;
        answers.await.map_err(|_| stopped())?
    }

    /// Hands a task over. Tasks and batches are done in the order they came.
    pub(crate) fn task(&self, task: T) -> Result<()> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Error::Overloaded)?;
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
        let first = self.next.take().or_else(|| self.queue.blocking_recv())?;
        Some(self.gather(first))
    }

    /// [`Waiting::next`] for a writer that is a task.
    #[cfg(feature = "postgres")]
    pub(crate) async fn next_async(&mut self) -> Option<Work<T>> {
        let first = match self.next.take() {
            Some(first) => first,
            None => self.queue.recv().await?,
        };
        Some(self.gather(first))
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
        Work::Group(batches)
    }
}
