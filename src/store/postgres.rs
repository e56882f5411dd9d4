//! The engine for many servers: PostgreSQL. Any number of processes work on one database at the
//! same time; none of them keeps anything that another could change.
//!
//! One task of each process takes what waits in [`crate::recorder`] and commits it as one
//! transaction of set-based statements, with the rows of the floors locked in the order of their
//! ids. What an attempt loses (a connection, a deadlock, a server that restarts) is tried again
//! for as long as a request may take; a commit whose answer was lost is settled that way, too.

mod attention;
mod changes;
mod check;
mod connect;
mod events;
mod fault;
mod floors;
mod hours;
mod migrate;
mod partitions;
mod past;
mod recording;
mod refusals;
mod repair;
mod retention;
mod rows;
mod session;
mod statistics;
mod tables;
mod transaction;
mod walk;
mod writes;

use std::sync::Arc;

use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::{
    Cleanup, Cursor, DatabaseStats, Direction, Error, Event, EventFilter, EventPage, Floor,
    FloorChange, FloorCount, NewEvent, NewFloor, Options, Position, Result, ServerLock, Statistics,
    TableInfo,
    check::Report,
    count::{Fullness, Step},
    limits::{POSTGRES_READERS, POSTGRES_WRITERS},
    model::{CameraHour, FloorAtLimit, RefusedInHour},
    recorder::{self, Answers, Batch, Recorder, Waiting, Work},
};
use changes::Changes;
use connect::Address;
use partitions::Months;
use recording::Group;
use transaction::{Transaction, patiently};

/// A database on a PostgreSQL server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    inner: Arc<Inner>,
}

/// Tells that all before it is done, and ends the recording task.
type Close = oneshot::Sender<()>;

struct Inner {
    options: Arc<Options>,
    /// Connections that write.
    writers: Pool,
    /// Connections that read.
    readers: Pool,
    queue: Recorder<Close>,
    changes: Changes,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("writers", &self.writers.status()).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Opens the database and brings its tables up to this version.
    pub(super) async fn create(url: &str, options: &Arc<Options>) -> Result<Self> {
        let park = Self::open(url, options)?;
        park.create_tables().await?;
        Ok(park)
    }

    /// Opens a database with tables of this version.
    pub(super) async fn connect(url: &str, options: &Arc<Options>) -> Result<Self> {
        let park = Self::open(url, options)?;
        park.ready().await?;
        Ok(park)
    }

    fn open(url: &str, options: &Arc<Options>) -> Result<Self> {
        let address = Address::from_url(url)?;
        let writers = address.pool(POSTGRES_WRITERS)?;
        let readers = address.pool(POSTGRES_READERS)?;
        let (queue, waiting) = recorder::queue();
        let (options, changes) = (Arc::clone(options), Changes::new());
        let task = Task {
            pool: writers.clone(),
            options: Arc::clone(&options),
            months: Months::default(),
            changes: changes.clone(),
        };
        tokio::spawn(task.run(waiting));
        Ok(Self { inner: Arc::new(Inner { options, writers, readers, queue, changes }) })
    }

    fn now(&self) -> i64 {
        self.inner.options.clock.now().as_microsecond()
    }

    pub(super) async fn create_tables(&self) -> Result<()> {
        let now = self.inner.options.clock.now();
        patiently!(async {
            migrate::run(Transaction::begin(&self.inner.writers).await?, now).await
        })
    }

    pub(super) async fn check_tables_exist(&self) -> Result<bool> {
        match self.ready().await {
            Ok(()) => Ok(true),
            Err(Error::Unusable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn ready(&self) -> Result<()> {
        patiently!(async { migrate::require_current(&**self.inner.readers.get().await?).await })
    }

    pub(super) async fn table_info(&self) -> Result<Vec<TableInfo>> {
        patiently!(async { tables::info(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn database_stats(&self) -> Result<DatabaseStats> {
        patiently!(async { tables::stats(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn floors(&self) -> Result<Vec<Floor>> {
        patiently!(async { floors::all(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn floor_by_id(&self, id: i64) -> Result<Option<Floor>> {
        patiently!(async { floors::by_id(&*self.inner.readers.get().await?, id).await })
    }

    pub(super) async fn floor_by_name(&self, name: &str) -> Result<Option<Floor>> {
        patiently!(async { floors::by_name(&*self.inner.readers.get().await?, name).await })
    }

    pub(super) async fn add_floor(&self, floor: NewFloor) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(floors::add(&self.inner.writers, &floor, now))?)
    }

    pub(super) async fn change_floor(&self, id: i64, change: FloorChange) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(floors::change(&self.inner.writers, id, &change, now))?)
    }

    pub(super) async fn remove_floor(&self, id: i64) -> Result<()> {
        let now = self.now();
        self.tell(patiently!(floors::remove(&self.inner.writers, id, now))?)
    }

    pub(super) async fn recount(
        &self,
        id: i64,
        count: i64,
        reason: String,
        author: Option<String>,
    ) -> Result<Floor> {
        let (now, why) = (self.now(), (reason.as_str(), author.as_deref()));
        self.tell(patiently!(floors::recount(&self.inner.writers, id, count, why, now))?)
    }

    pub(super) async fn adjust(&self, id: i64, direction: Direction) -> Result<Floor> {
        let now = self.now();
        self.tell(patiently!(floors::adjust(&self.inner.writers, id, direction, now))?)
    }

    /// A floor was changed, where it was.
    fn tell<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect(|_| self.inner.changes.bump())
    }

    pub(super) async fn counts_at(&self, at: Timestamp) -> Result<Vec<FloorCount>> {
        patiently!(async {
            let snapshot = Transaction::snapshot(&self.inner.readers).await?;
            let counts = past::counts_at(&snapshot, at).await?;
            snapshot.commit().await?;
            Ok(counts)
        })
    }

    pub(super) async fn history(
        &self,
        floor_id: Option<i64>,
        window: (i64, i64),
        width: i64,
    ) -> Result<Vec<Step>> {
        patiently!(async {
            let snapshot = Transaction::snapshot(&self.inner.readers).await?;
            let steps = walk::history(&snapshot, floor_id, window, width).await?;
            snapshot.commit().await?;
            Ok(steps)
        })
    }

    pub(super) async fn fullness(&self, floor_id: i64, window: (i64, i64)) -> Result<Fullness> {
        patiently!(async {
            let snapshot = Transaction::snapshot(&self.inner.readers).await?;
            let fullness = walk::fullness(&snapshot, floor_id, window).await?;
            snapshot.commit().await?;
            Ok(fullness)
        })
    }

    pub(super) async fn at_limit(&self, from: i64) -> Result<Vec<FloorAtLimit>> {
        patiently!(async { attention::at_limit(&*self.inner.readers.get().await?, from).await })
    }

    pub(super) async fn camera_hours(&self, starts: &[i64], hours: i64) -> Result<Vec<CameraHour>> {
        patiently!(async {
            attention::camera_hours(&*self.inner.readers.get().await?, starts, hours).await
        })
    }

    /// Once only: a commit whose answer was lost would count twice.
    pub(super) async fn add_refusals(&self, rows: Vec<RefusedInHour>, oldest: i64) -> Result<()> {
        refusals::add(&self.inner.writers, &rows, oldest).await
    }

    pub(super) async fn refusals(&self, since: i64) -> Result<Vec<RefusedInHour>> {
        patiently!(async { refusals::since(&*self.inner.readers.get().await?, since).await })
    }

    pub(super) async fn record(&self, events: Vec<Result<NewEvent>>) -> Answers {
        self.inner.queue.record(events).await
    }

    pub(super) async fn event_by_id(&self, id: i64) -> Result<Option<Event>> {
        patiently!(async { events::by_id(&*self.inner.readers.get().await?, id).await })
    }

    pub(super) async fn events(
        &self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        patiently!(async {
            events::page(&*self.inner.readers.get().await?, &filter, limit, cursor).await
        })
    }

    pub(super) async fn position(&self) -> Result<Position> {
        patiently!(async { events::position(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn events_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<(Position, Event)>>> {
        patiently!(async {
            events::after(&*self.inner.readers.get().await?, position, limit).await
        })
    }

    /// Changes with every commit that is seen, of this or of another server.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.watch(&self.inner.readers)
    }

    pub(super) async fn statistics(
        &self,
        start: Timestamp,
        end: Timestamp,
        floor_id: Option<i64>,
    ) -> Result<Statistics> {
        patiently!(async {
            let snapshot = Transaction::snapshot(&self.inner.readers).await?;
            let statistics = statistics::between(&snapshot, start, end, floor_id).await?;
            snapshot.commit().await?;
            Ok(statistics)
        })
    }

    /// Moves the horizon at once, then drops the months that lie wholly before it.
    pub(super) async fn cleanup(&self, horizon: Timestamp) -> Result<Cleanup> {
        let (pool, now) = (&self.inner.writers, self.now());
        let (horizon, deleted) = patiently!(retention::move_horizon(pool, horizon, now))?;
        for partition in patiently!(retention::expired(pool))? {
            retention::boil_down(pool, &partition).await?;
            if let Err(error) = patiently!(retention::drop_month(pool, &partition)) {
                let name = &partition.name;
                tracing::info!("the empty partition {name} stays until the next cleanup: {error}");
            }
        }
        Ok(Cleanup { deleted, horizon })
    }

    pub(super) async fn fill(
        &self,
        floors: Vec<NewFloor>,
        empty_first: bool,
    ) -> Result<Vec<Floor>> {
        let now = self.now();
        self.tell(patiently!(floors::fill(&self.inner.writers, &floors, empty_first, now))?)
    }

    pub(super) async fn check(&self, repair: bool) -> Result<Report> {
        let report = self.prove().await?;
        if !repair {
            return Ok(report);
        }
        repair::run(&self.inner.writers, self.now()).await?;
        Ok(Report { repaired: true, ..self.prove().await? })
    }

    async fn prove(&self) -> Result<Report> {
        let snapshot = Transaction::snapshot(&self.inner.readers).await?;
        let report = check::run(&snapshot).await?;
        snapshot.commit().await?;
        Ok(report)
    }

    /// Never: whatever happens to the server, a connection that works again is as good as new.
    pub(super) async fn failed(&self) -> Error {
        std::future::pending().await
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.inner.queue.task(done).is_ok() {
            // Where the task has ended already, there is nothing left to wait for.
            drop(closed.await);
        }
        self.inner.writers.close();
        self.inner.readers.close();
    }

    /// Any number of servers may run on one database.
    pub(super) fn lock_as_server(&self) -> Result<ServerLock> {
        Ok(ServerLock { file: None })
    }
}

/// The one task of a process that records.
struct Task {
    pool: Pool,
    options: Arc<Options>,
    months: Months,
    changes: Changes,
}

impl Task {
    async fn run(self, mut waiting: Waiting<Close>) {
        while let Some(work) = waiting.next_async().await {
            match work {
                Work::Group(batches) => self.commit(batches).await,
                Work::Task(done, _room) => {
                    // Whoever closes may have given up waiting.
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Records a group of batches in one transaction and answers each after the commit.
    async fn commit(&self, mut batches: Vec<Batch>) {
        let rows = batches.iter_mut().map(|batch| std::mem::take(&mut batch.events)).collect();
        let mut group = Group::new(rows, &self.options);
        let outcome = patiently!(self.attempt(&mut group));
        match outcome {
            Ok(()) => {
                self.changes.bump();
                for (batch, answers) in batches.into_iter().zip(group.into_answers()) {
                    batch.answer(Ok(answers));
                }
            }
            Err(error) => {
                tracing::error!("a group of events could not be recorded: {error}");
                batches.into_iter().for_each(|batch| batch.answer(Err(error.clone())));
            }
        }
    }

    async fn attempt(&self, group: &mut Group) -> Result<()> {
        let now = self.options.clock.now().as_microsecond();
        self.months.ensure(&self.pool, now, group.instants()).await?;
        let outcome = group.record(&self.pool).await;
        if outcome.is_err() {
            self.months.forget();
        }
        outcome
    }
}
