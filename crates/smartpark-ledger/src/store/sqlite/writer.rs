//! The one thread that writes: takes what waits, one transaction, answers after the commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{
    changes::Changes, checkpoint, connection::Opened, file::Mode, gone, health::Health, log,
    recording, session::Session,
};
use crate::recorder::RecordingLog;
use crate::{
    Error, NewEvent, Options, Result, StateChange,
    limits::{
        SQLITE_BUSY_TIMEOUT, SQLITE_CHECKPOINT_PAGES, SQLITE_HOLDER_INTERVAL, SQLITE_LOCK_INTERVAL,
        SQLITE_TASK_CHECKPOINT_PAGES,
    },
    planted::planted,
    recorder::{self, Answers, Group, Recorder, Waiting, Work},
};

const BEGIN: &str = "-- write: begin\nBEGIN IMMEDIATE";

const COMMIT: &str = "-- write: commit\nCOMMIT";

type Task = Box<dyn FnOnce(&mut Writer) + Send>;

/// The way to the writing thread.
pub(super) struct WriterHandle {
    queue: Recorder<Task>,
    health: Arc<Health>,
}

impl std::fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterHandle").field("health", &self.health).finish_non_exhaustive()
    }
}

struct Writer {
    connection: Opened,
    options: Arc<Options>,
    health: Arc<Health>,
    changes: Arc<Changes>,
    /// Whether all of the log is in the file: the next transaction begins a new one, then.
    is_log_copied: bool,
    /// Whom to tell when the database is closed.
    closed: Option<oneshot::Sender<()>>,
}

impl WriterHandle {
    pub(super) fn start(
        connection: Opened,
        options: &Arc<Options>,
        changes: &Arc<Changes>,
    ) -> Result<Self> {
        let (queue, waiting) = recorder::queue();
        // It waits by itself: see `begin`.
        connection.busy_timeout(Duration::ZERO)?;
        let health = Arc::new(Health::new(Arc::clone(connection.file())));
        let writer = Writer {
            connection,
            options: Arc::clone(options),
            health: Arc::clone(&health),
            changes: Arc::clone(changes),
            is_log_copied: true,
            closed: None,
        };
        thread::Builder::new()
            .name("smartpark-write".into())
            .spawn(move || writer.run(waiting))
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { queue, health })
    }

    /// Records events; the answer comes after their commit.
    pub(super) async fn record(
        &self,
        events: Vec<Result<NewEvent>>,
        states: Vec<StateChange>,
    ) -> Answers {
        self.queue.record(events, states).await
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
        self.hand_over(move |writer| {
            writer.connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
            let result = work(&mut writer.connection);
            writer.connection.busy_timeout(Duration::ZERO)?;
            result
        })
        .await
    }

    /// Waits until all that was handed over before is done, and ends the thread. The last
    /// connection of all closes the database in good order.
    pub(super) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        let task = move |writer: &mut Writer| writer.closed = Some(reply);
        if self.queue.task(Box::new(task)).is_ok() {
            // If the thread has ended already, there is nothing left to close.
            closed.await.ok();
        }
    }

    /// Whether it can acknowledge, and why not.
    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
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
            if self.closed.is_some() {
                break;
            }
            self.keep_log_short(pages);
        }
        let closed = self.closed.take();
        // The log of a file that is not in its place any more is left alone.
        if self.health.sound().and_then(|()| self.health.look()).is_ok() {
            self.connection.close();
        } else {
            drop(self.connection);
        }
        closed.map(|reply| reply.send(()));
    }

    /// Has the log copied; a disk that fails in doing so ends the acknowledging.
    fn keep_log_short(&mut self, pages: i64) {
        if self.health.sound().is_err() || self.connection.file().mode() != Mode::Write {
            return;
        }
        match checkpoint::keep_log_short(&self.connection, pages) {
            Ok(left) => self.is_log_copied = left == 0,
            Err(error) => {
                self.health.fail_if_broken(&error);
                // What stays in the log is as safe there, and the next transaction tries again.
                tracing::debug!("the log could not be copied into the database: {error}");
            }
        }
    }

    /// Records a group of batches in one transaction and answers each after the commit.
    fn commit(&mut self, mut group: Group) {
        let (rows, states) = (group.take_rows(), group.take_states());
        let outcome = self.transact(|session| recording::record_group(session, rows, states));
        group.answer(outcome);
    }

    /// One transaction: all of `work`, durable, or nothing of it.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Session<'_>) -> Result<T>) -> Result<T> {
        self.health.sound()?;
        // What was committed to a file that is not in its place is not acknowledged; and if that is
        // why a file looks damaged, that is the thing to tell.
        let result = match self.try_transact(work) {
            Ok(done) => self.health.look().map(|()| done),
            Err(error @ Error::Broken(_)) => Err(self.health.look().err().unwrap_or(error)),
            Err(error) => Err(error),
        };
        match &result {
            Ok(_) => self.changes.bump(),
            Err(error) => {
                self.roll_back();
                self.health.note(error);
            }
        }
        result
    }

    /// Begins a transaction as soon as no other process writes.
    fn begin(&self) -> Result<()> {
        let began = Instant::now();
        let deadline = began + self.health.patience();
        let mut look = began + SQLITE_HOLDER_INTERVAL;
        loop {
            match self.connection.prepare_cached(BEGIN)?.execute([]) {
                Ok(_) => {
                    self.health.begun();
                    return Ok(());
                }
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    if Instant::now() >= look {
                        self.health.wake_holder();
                        look = Instant::now() + SQLITE_HOLDER_INTERVAL;
                    }
                    thread::sleep(SQLITE_LOCK_INTERVAL);
                }
                Err(error) if is_busy(&error) => return Err(self.health.locked()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives the file its next number, if this transaction begins a log: by that the log is known
    /// as this file's.
    fn number_log(&self) -> Result<()> {
        if !self.is_log_copied {
            return Ok(());
        }
        let number: i32 =
            self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let next = if number == 0 { log::first_number()? } else { number.wrapping_add(1).max(1) };
        self.connection.pragma_update(None, "user_version", next)?;
        Ok(())
    }

    fn try_transact<T>(&self, work: impl FnOnce(&mut Session<'_>) -> Result<T>) -> Result<T> {
        if planted("answer-before-commit") && !self.connection.is_autocommit() {
            self.connection.prepare_cached(COMMIT)?.execute([])?;
        }
        self.begin()?;
        self.number_log()?;
        let mut session = Session::new(&self.connection, &self.options);
        let result = work(&mut session)?;
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

/// Whether another process holds what is needed.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
