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
mod days;
mod drift;
mod events;
mod facts;
mod fault;
mod floors;
mod horizon;
mod hours;
mod keys;
mod lanes;
mod latest;
mod migrate;
mod not_counted;
mod observe;
mod partitions;
mod past;
mod probe;
mod recording;
mod refusals;
mod repair;
mod replica;
mod retention;
mod rows;
mod seals;
mod seam;
mod session;
mod sign_ins;
mod site;
mod states;
mod statistics;
mod stream;
mod tables;
mod task;
mod terms;
mod time;
mod traffic;
mod transaction;
mod transfer;
mod twins;
mod waits;
mod walk;
mod wants;
mod withdrawals;
mod writes;

use std::sync::{Arc, OnceLock};

use deadpool_postgres::{Object, Pool};
use jiff::Timestamp;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout},
};

use super::Order;
use crate::{
    Cleanup, Cursor, DatabaseStats, Error, Event, EventFilter, EventPage, Floor, FloorCount,
    LastSeen, NewEvent, NewFloor, Options, Result, ServerLock, StateChange, Statistics, TableInfo,
    check::Report,
    count::{Fullness, Step},
    limits::{
        POSTGRES_PATIENCE, POSTGRES_READERS, POSTGRES_RECORDERS, POSTGRES_WRITERS,
        REFUSALS_PATIENCE, REPLICA_PATIENCE,
    },
    model::{CameraHour, FloorAtLimit, RefusedInHour},
    recorder::{self, Answers, Recorder},
    replica::Seen,
};
use changes::Changes;
use connect::{Address, Role, Work};
use latest::Latest;
use partitions::Months;
use replica::Replica;
use task::{Close, Task};
use transaction::{Patience, Transaction, not_in_time, patiently};
use waits::Waits;

/// A database on a PostgreSQL server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    inner: Arc<Inner>,
    /// Set where reads of the past may come from the replica.
    reading: Option<Seen>,
}

/// Reads what was with `$client`: from the replica where that may be, or else from the primary.
/// What a replica answers with an error may only be late: then the primary is asked.
macro_rules! read_past {
    ($self:ident, $client:ident => $read:expr) => {{
        let mut found = None;
        if let Some(($client, as_of, seen)) = $self.replica().await {
            let read: Result<Result<_>, _> = timeout(REPLICA_PATIENCE, async { $read }).await;
            match read {
                Ok(Ok(read)) => {
                    seen.note(as_of);
                    found = Some(read);
                }
                Ok(Err(error)) => tracing::debug!("the replica did not answer: {error}"),
                Err(_) => tracing::debug!("the replica did not answer in time"),
            }
        }
        match found {
            Some(found) => Ok(found),
            None => patiently!(async {
                let $client = $self.inner.readers.get().await?;
                $read
            }),
        }
    }};
}

struct Inner {
    options: Arc<Options>,
    /// Connections that record.
    recorders: Pool,
    /// Connections for all else that writes.
    writers: Pool,
    /// Connections that read.
    readers: Pool,
    replica: OnceLock<Arc<Replica>>,
    queue: Recorder<Close>,
    changes: Changes,
    latest: Latest,
    months: Arc<Months>,
    /// How long events wait for what others hold.
    waits: Arc<Waits>,
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

    /// The same for the target of a copy: tables that this makes are an unfinished copy.
    pub(super) async fn create_for_copy(url: &str, options: &Arc<Options>) -> Result<Self> {
        let park = Self::open(url, options)?;
        park.make_tables(true).await?;
        Ok(park)
    }

    /// Opens a database with tables of this version, and nothing unfinished in them.
    pub(super) async fn connect(url: &str, options: &Arc<Options>) -> Result<Self> {
        let park = Self::open(url, options)?;
        park.ready().await?;
        Ok(park)
    }

    fn open(url: &str, options: &Arc<Options>) -> Result<Self> {
        let address = Address::from_url(url, Role::Primary)?;
        let recorders = address.pool(POSTGRES_RECORDERS, Work::Recording)?;
        let writers = address.pool(POSTGRES_WRITERS, Work::Writing)?;
        let readers = address.pool(POSTGRES_READERS, Work::Reading)?;
        let (queue, waiting) = recorder::queue();
        let (options, changes) = (Arc::clone(options), Changes::new());
        let (months, waits) = (Arc::<Months>::default(), Arc::<Waits>::default());
        let task = Task {
            pool: recorders.clone(),
            waits: Arc::clone(&waits),
            options: Arc::clone(&options),
            months: Arc::clone(&months),
            changes: changes.clone(),
        };
        tokio::spawn(task.run(waiting));
        let (latest, replica) = (Latest::new(&readers, &changes), OnceLock::new());
        let inner = Inner {
            options,
            recorders,
            writers,
            readers,
            replica,
            queue,
            changes,
            latest,
            months,
            waits,
        };
        Ok(Self { inner: Arc::new(inner), reading: None })
    }

    /// Names the one replica that reads of the past may come from.
    pub(super) async fn use_replica(&self, url: &str) -> Result<()> {
        let max_lag = self.inner.options.max_replica_lag;
        let replica = Replica::of(&self.inner.readers, url, max_lag).await?;
        let taken = || Error::Unusable("there is a replica already".into());
        self.inner.replica.set(replica).map_err(|_| taken())
    }

    /// The same, whose reads of the past may come from the replica.
    pub(super) fn reading(&self, seen: Seen) -> Self {
        Self { inner: Arc::clone(&self.inner), reading: Some(seen) }
    }

    /// A connection to the replica, as of when it is, and where to note that; none where the
    /// primary is to be read.
    async fn replica(&self) -> Option<(Object, Instant, &Seen)> {
        let (seen, replica) = (self.reading.as_ref()?, self.inner.replica.get()?);
        let (client, as_of) = replica.reach().await?;
        Some((client, as_of, seen))
    }

    fn now(&self) -> i64 {
        self.inner.options.clock.now().as_microsecond()
    }

    pub(super) async fn create_tables(&self) -> Result<()> {
        self.make_tables(false).await
    }

    async fn make_tables(&self, for_copy: bool) -> Result<()> {
        let now = self.inner.options.clock.now();
        patiently!(async {
            migrate::run(Transaction::begin(&self.inner.writers).await?, now, for_copy).await
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
        patiently!(async {
            let client = self.inner.readers.get().await?;
            migrate::require_current(&**client).await?;
            transfer::require_whole(&client).await
        })
    }

    pub(super) async fn try_write(&self) -> Result<()> {
        self.inner.waits.require_progress()?;
        patiently!(probe::write(&self.inner.writers))
    }

    /// The next probe finds out what a write that was refused just now would say.
    pub(super) async fn refused(&self) -> Result<()> {
        Ok(())
    }

    pub(super) async fn table_info(&self) -> Result<Vec<TableInfo>> {
        patiently!(async { tables::info(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn size_bytes(&self) -> Result<u64> {
        patiently!(async { tables::size_bytes(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn last_seen(&self, from: i64, limit: usize) -> Result<Vec<LastSeen>> {
        patiently!(async {
            attention::last_seen(&*self.inner.readers.get().await?, from, limit).await
        })
    }

    pub(super) async fn database_stats(&self) -> Result<DatabaseStats> {
        patiently!(async { tables::stats(&*self.inner.readers.get().await?).await })
    }

    pub(super) async fn counts_at(&self, at: Timestamp) -> Result<Vec<FloorCount>> {
        read_past!(self, client => {
            let snapshot = Transaction::snapshot(client).await?;
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
        read_past!(self, client => {
            let snapshot = Transaction::snapshot(client).await?;
            let steps = walk::history(&snapshot, floor_id, window, width).await?;
            snapshot.commit().await?;
            Ok(steps)
        })
    }

    pub(super) async fn fullness(&self, floor_id: i64, window: (i64, i64)) -> Result<Fullness> {
        read_past!(self, client => {
            let snapshot = Transaction::snapshot(client).await?;
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

    /// Once only: a commit whose answer was lost would count twice. And not for long: whoever
    /// closes the park waits for it.
    pub(super) async fn add_refusals(&self, rows: Vec<RefusedInHour>, oldest: i64) -> Result<()> {
        let add = refusals::add(&self.inner.writers, &rows, oldest);
        let late = |_| Error::Unavailable("it did not answer in time".into());
        timeout(REFUSALS_PATIENCE, add).await.map_err(late)?
    }

    pub(super) async fn refusals(&self, since: i64) -> Result<Vec<RefusedInHour>> {
        patiently!(async { refusals::since(&*self.inner.readers.get().await?, since).await })
    }

    /// Records events. The answer comes in time, whatever the group that they are part of waits
    /// for: an error then says that it is not known whether they were recorded.
    pub(super) async fn record(
        &self,
        events: Vec<Result<NewEvent>>,
        states: Vec<StateChange>,
    ) -> Answers {
        let recorded = timeout(POSTGRES_PATIENCE, self.inner.queue.record(events, states));
        recorded.await.map_err(|_| not_in_time())?
    }

    /// What this process recorded so far.
    pub(super) fn recording_log(&self) -> &recorder::RecordingLog {
        self.inner.queue.log()
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
        let newest = Order::NewestFirst;
        read_past!(self, client => events::page(&client, &filter, limit, cursor, newest).await)
    }

    pub(super) async fn events_oldest_first(
        &self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        let oldest = Order::OldestFirst;
        patiently!(async {
            events::page(&*self.inner.readers.get().await?, &filter, limit, cursor, oldest).await
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
        read_past!(self, client => statistics::between(client, start, end, floor_id).await)
    }

    /// Moves the horizon at once, then drops the months that lie wholly before it.
    pub(super) async fn cleanup(&self, horizon: Timestamp) -> Result<Cleanup> {
        let (readers, pool) = (&self.inner.readers, &self.inner.writers);
        // How long this takes depends on how many floors there are, so no deadline ends it.
        let mut patience = Patience::new();
        let (horizon, deleted) = loop {
            match retention::move_horizon((readers, pool), horizon).await {
                Ok(moved) => break moved,
                Err(error) => patience.again(error).await?,
            }
        };
        retention::forget_stretches(pool).await?;
        for partition in patiently!(retention::expired(pool))? {
            match retention::forget(pool, &partition).await {
                Err(error) if fault::is_transient(&error) => {
                    // What is in the way of one is in the way of all, and no reader misses it.
                    let name = &partition.name;
                    tracing::info!("old events stay from {name} on until a cleanup: {error}");
                    break;
                }
                forgotten => forgotten?,
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
        self.tell(repair::run(&self.inner.writers, self.now()).await)?;
        Ok(Report { repaired: true, ..self.prove().await? })
    }

    async fn prove(&self) -> Result<Report> {
        let schema = drift::expected(&self.inner.writers).await?;
        let snapshot = Transaction::snapshot(self.inner.readers.get().await?).await?;
        let report = check::run(&snapshot, &schema).await?;
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
        self.inner.recorders.close();
        self.inner.writers.close();
        self.inner.readers.close();
        if let Some(replica) = self.inner.replica.get() {
            replica.close();
        }
    }

    /// Any number of servers may run on one database.
    pub(super) fn lock_as_server(&self) -> Result<ServerLock> {
        Ok(ServerLock { file: None })
    }
}
