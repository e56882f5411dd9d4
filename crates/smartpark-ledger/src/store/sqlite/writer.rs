//! The one thread that writes: takes what waits, one transaction, answers after the commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{changes::Changes, checkpoint, gone, recording, session::Session};
use crate::recorder::RecordingLog;
use crate::{
    Error, NewEvent, Options, Result,
    limits::{SQLITE_CHECKPOINT_PAGES, SQLITE_TASK_CHECKPOINT_PAGES},
    planted::planted,
    recorder::{self, Answers, Group, Recorder, Waiting, Work},
};

const BEGIN: &str = "-- write: begin\nBEGIN IMMEDIATE";

const COMMIT: &str = "-- write: commit\nCOMMIT";

type Task = Box<dyn FnOnce(&mut Writer) + Send>;

/// The way to the writing thread.
pub(super) struct WriterHandle {
    queue: Recorder<Task>,
    failure: watch::Receiver<Option<Error>>,
}

impl std::fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterHandle").field("failure", &self.failure).finish_non_exhaustive()
    }
}

struct Writer {
    connection: Connection,
    options: Arc<Options>,
    failure: watch::Sender<Option<Error>>,
    changes: Arc<Changes>,
    closed: bool,
}

impl WriterHandle {
    pub(super) fn start(
        connection: Connection,
        options: &Arc<Options>,
        changes: &Arc<Changes>,
    ) -> Result<Self> {
        let (queue, waiting) = recorder::queue();
        let (failed, failure) = watch::channel(None);
        let (options, changes) = (Arc::clone(options), Arc::clone(changes));
        let writer = Writer { connection, options, failure: failed, changes, closed: false };
        thread::Builder::new()
            .name("smartpark-write".into())
            .spawn(move || writer.run(waiting))
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { queue, failure })
    }

    /// Records events; the answer comes after their commit.
    pub(super) async fn record(&self, events: Vec<Result<NewEvent>>) -> Answers {
        self.queue.record(events).await
    }

    /// What was recorded so far.
    pub(super) fn log(&self) -> &RecordingLog {
        self.queue.log()
    }

    /// Runs `work` in a transaction of its own; the answer comes after the commit.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.hand_over(move |writer| writer.transact(work)).await
    }

    /// Runs `work` on the connection, outside any transaction.
    pub(super) async fn task<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.hand_over(move |writer| work(&mut writer.connection)).await
    }

    /// Waits until all that was handed over before is done, and ends the thread.
    pub(super) async fn close(&self) {
        let closed: Result<()> = self
            .hand_over(|writer| {
                writer.closed = true;
                Ok(())
            })
            .await;
        // Where the thread has ended already, there is nothing left to close.
        drop(closed);
    }

    /// Whether the writer can still acknowledge.
    pub(super) fn sound(&self) -> Result<()> {
        self.failure.borrow().clone().map_or(Ok(()), Err)
    }

    /// Waits until it no longer can.
    pub(super) async fn failed(&self) -> Error {
        let mut failure = self.failure.clone();
        let error = failure.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        error.unwrap_or_else(recorder::stopped)
    }

    async fn hand_over<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.queue.task(Box::new(move |writer| drop(reply.send(work(writer)))))?;
        answer.await.map_err(gone)?
    }
}

impl Writer {
    fn run(mut self, mut waiting: Waiting<Task>) {
        while let Some(work) = waiting.next() {
            let pages = match work {
                Work::Group(_) => SQLITE_CHECKPOINT_PAGES,
                Work::Task(..) => SQLITE_TASK_CHECKPOINT_PAGES,
            };
            // A defect in one transaction must not end the writer: what it began is rolled back,
            // and whoever waits for it is answered (the sender is dropped).
            let outcome = catch_unwind(AssertUnwindSafe(|| match work {
                Work::Group(group) => self.commit(group),
                Work::Task(task, _room) => task(&mut self),
            }));
            if outcome.is_err() {
                tracing::error!("a write panicked; it was rolled back");
                self.roll_back();
            }
            if self.closed {
                break;
            }
            self.keep_log_short(pages);
        }
    }

    /// Has the log copied; a disk that fails in doing so ends the acknowledging.
    fn keep_log_short(&self, pages: i64) {
        if self.failure.borrow().is_some() {
            return;
        }
        if let Err(error) = checkpoint::keep_log_short(&self.connection, pages) {
            self.fail_if_broken(&error);
            // What stays in the log is as safe there, and the next transaction tries again.
            tracing::debug!("the log could not be copied into the database: {error}");
        }
    }

    /// After an error of the disk nothing can be acknowledged any more.
    fn fail_if_broken(&self, error: &Error) {
        if let Error::Broken(_) = error {
            tracing::error!("{error}");
            self.failure.send_replace(Some(error.clone()));
        }
    }

    /// Records a group of batches in one transaction and answers each after the commit.
    fn commit(&mut self, mut group: Group) {
        let rows = group.take_rows();
        let outcome = self.transact(|session| recording::record_group(session, rows));
        group.answer(outcome);
    }

    /// One transaction: all of `work`, durable, or nothing of it.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Session<'_>) -> Result<T>) -> Result<T> {
        if let Some(failure) = self.failure.borrow().clone() {
            return Err(failure);
        }
        let result = self.try_transact(work);
        match &result {
            Ok(_) => self.changes.bump(),
            Err(error) => {
                self.roll_back();
                self.fail_if_broken(error);
            }
        }
        result
    }

    fn try_transact<T>(&self, work: impl FnOnce(&mut Session<'_>) -> Result<T>) -> Result<T> {
        if planted("answer-before-commit") && !self.connection.is_autocommit() {
            self.connection.prepare_cached(COMMIT)?.execute([])?;
        }
        self.connection.prepare_cached(BEGIN)?.execute([])?;
        let mut session = Session::new(&self.connection, &self.options);
        let result = work(&mut session)?;
        session.flush()?;
        // After some errors SQLite rolls back by itself; what follows would then have been
        // committed statement by statement.
        if self.connection.is_autocommit() {
            return Err(Error::Internal("the transaction ended before its commit".into()));
        }
        if !planted("answer-before-commit") {
            self.connection.prepare_cached(COMMIT)?.execute([])?;
        }
        Ok(result)
    }

    /// Ends a transaction that failed, unless SQLite has ended it already.
    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!("a failed transaction could not be rolled back: {error}");
        }
    }
}
