//! The handle of the ledger: the way to all operations.

use std::{path::PathBuf, sync::Arc, time::Instant};

use jiff::Timestamp;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::{
    Error, EstimateOperations, EventOperations, FloorOperations, KeyOperations, Migrations,
    Options, PlacedFact, Position, Reading, RefusalReason, Result, Seed, WithdrawalOperations,
    attention::Drawn,
    check,
    estimates::Estimates,
    events, limits, live,
    not_counted::Uncounted,
    recorder::RecordingLog,
    refusals::Refusals,
    store::{Engine, FileLock},
    trust::{Told, Trust},
};

/// A car park: the way to all operations. Clones share one database and are cheap.
#[derive(Clone, Debug)]
pub struct SmartPark {
    pub(crate) engine: Engine,
    pub(crate) options: Arc<Options>,
    pub(crate) hub: Arc<live::Hub>,
    /// A permit for each walk along a history.
    pub(crate) walks: Arc<Semaphore>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) uncounted: Arc<Uncounted>,
    pub(crate) attention: Arc<Drawn>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) estimates: Arc<Estimates>,
    pub(crate) tried: Arc<Mutex<Option<Trial>>>,
}

/// When it was tried whether the store takes writes, and whether it did.
#[derive(Debug)]
pub(crate) struct Trial {
    at: Instant,
    outcome: Result<()>,
}

impl SmartPark {
    /// Opens the database at `url` (`sqlite://path/to/file.db`), creating the file and its tables
    /// where there are none.
    ///
    /// # Errors
    /// [`Error::Unusable`] where the URL is not understood, the file is no SmartPark database, is
    /// damaged, or was written by a newer version; [`Error::Unavailable`] where it cannot be
    /// reached.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, Options::default()).await
    }

    /// [`SmartPark::open`] with options.
    ///
    /// # Errors
    /// As [`SmartPark::open`].
    pub async fn open_with(url: &str, options: Options) -> Result<Self> {
        let options = Arc::new(options);
        let engine = Engine::create(url, &options).await?;
        Ok(Self::on(engine, options))
    }

    /// Opens a database that exists and whose tables are current; creates and changes nothing.
    ///
    /// # Errors
    /// As [`SmartPark::open`]; [`Error::Unusable`] also where there is no database yet or its
    /// tables are older than this version, with what to do about it.
    pub async fn connect(url: &str, options: Options) -> Result<Self> {
        let options = Arc::new(options);
        let engine = Engine::connect(url, &options).await?;
        Ok(Self::on(engine, options))
    }

    pub(crate) fn on(engine: Engine, options: Arc<Options>) -> Self {
        let hub = live::Hub::new(engine.clone());
        let walks = Arc::new(Semaphore::new(limits::MAX_WALKS));
        let (refusals, uncounted, attention, trust) = Default::default();
        let (estimates, tried) = Default::default();
        Self {
            engine,
            options,
            hub,
            walks,
            refusals,
            uncounted,
            attention,
            trust,
            estimates,
            tried,
        }
    }

    /// Names a standby of this PostgreSQL database that reads of the past may come from, where
    /// they are made with [`SmartPark::from_replica`]. One that cannot be reached, is too far
    /// behind or has no tables of this version is left aside for as long as that lasts.
    ///
    /// # Errors
    /// [`Error::Unusable`] where it is a replica of another database or refuses the connection,
    /// where there is one already, and with an embedded database; [`Error::Unavailable`].
    pub async fn use_replica(&self, url: &str) -> Result<()> {
        self.engine.use_replica(url).await
    }

    /// Operations that read the past from the replica, if there is one, and say how old it is.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let reading = park.from_replica();
    /// let statistics = reading.events().get_event_statistics(24).await?;
    /// assert_eq!(statistics.total_events, 0);
    /// assert_eq!(reading.age(), None); // An embedded database has no replica.
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn from_replica(&self) -> Reading {
        Reading::new(self)
    }

    /// The operations on floors.
    #[must_use]
    pub fn floors(&self) -> FloorOperations<'_> {
        FloorOperations { park: self }
    }

    /// The operations on events.
    #[must_use]
    pub fn events(&self) -> EventOperations<'_> {
        EventOperations { park: self }
    }

    /// The operations that estimate: what comes next, and how far counts may be off.
    #[must_use]
    pub fn estimates(&self) -> EstimateOperations<'_> {
        EstimateOperations { park: self }
    }

    /// The operations on API keys.
    #[must_use]
    pub fn keys(&self) -> KeyOperations<'_> {
        KeyOperations { park: self }
    }

    /// The operations on withdrawals.
    #[must_use]
    pub fn withdrawals(&self) -> WithdrawalOperations<'_> {
        WithdrawalOperations { park: self }
    }

    /// The operations on the tables.
    #[must_use]
    pub fn migrations(&self) -> Migrations<'_> {
        Migrations { park: self }
    }

    /// The operations that fill an empty database.
    #[must_use]
    pub fn seed(&self) -> Seed<'_> {
        Seed { park: self }
    }

    /// The options it was opened with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether the store takes reads and writes now: it is read, and written to in a way that
    /// leaves nothing behind, at most once a second however many ask.
    ///
    /// # Errors
    /// [`Error::Unavailable`] says why not. [`Error::ClockDistrusted`]: what depends on the clock
    /// of this server is not recorded.
    pub async fn ready(&self) -> Result<()> {
        self.engine.ready().await?;
        self.require_clock().await?;
        let mut last = self.tried.lock().await;
        if let Some(trial) = last.as_ref().filter(|it| it.at.elapsed() < limits::READY_KEPT) {
            trial.outcome.clone()?;
            return self.engine.refused().await;
        }
        let outcome = self.engine.try_write().await;
        *last = Some(Trial { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    /// Whether what depends on this server's clock may be recorded now.
    ///
    /// # Errors
    /// [`Error::ClockDistrusted`] says why not; [`Error::Unavailable`].
    pub async fn require_clock(&self) -> Result<()> {
        if !self.trust.knows_newest() {
            self.trust.learn(self.engine.newest_receipt().await?);
        }
        let (now, skew) = (Told::of(&self.options.clock), self.skew());
        match self.trust.judge(now, skew, None) {
            // Only then is it worth a look whether somebody has accepted the clock.
            Err(_) => self.trust.judge(now, skew, self.engine.clock_accepted().await?),
            trusted => trusted,
        }
    }

    /// A person says that this machine's clock is right, whatever the database and the cameras say.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: not known whether that is stored.
    pub async fn accept_clock(&self) -> Result<()> {
        self.engine.accept_clock(self.now().as_microsecond()).await
    }

    /// How far ahead of the clock an event may lie, in microseconds.
    pub(crate) fn skew(&self) -> i64 {
        i64::try_from(self.options.max_clock_skew.as_micros()).unwrap_or(i64::MAX / 4)
    }

    /// Waits until the store can no longer acknowledge anything (a failed sync, a damaged file),
    /// and says why. The process should end then: a restart recovers what was acknowledged.
    pub async fn failed(&self) -> Error {
        self.engine.failed().await
    }

    /// Tells that something was committed, by this or by another process: the value changes, some
    /// commits may share one change. What it was is to be read, for example with
    /// [`SmartPark::facts_after`]. Costs a look at the database four times a second for
    /// as long as any result is kept. To be called on a runtime with timers.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.engine.changes()
    }

    /// The facts of the site that were committed after a position, in that order, at most `limit`,
    /// each with its own position: events of cameras and changes that no camera made. Reading on
    /// from the last position tells each fact once and leaves none out, whatever stopped in
    /// between. `None` if the position is not known any more: facts after it were deleted, or the
    /// database is another one (a copy, a restored backup). Begin with
    /// [`EventOperations::get_position`] then.
    ///
    /// ```
    /// # use smartpark_ledger::{Position, SiteFact};
    /// # smartpark_ledger::doctest(async |park| {
    /// let begin = park.events().get_position().await?;
    /// park.floors().recount(1, 5, "night round", Some("Kim")).await?;
    /// let facts = park.facts_after(begin, 100).await?.unwrap();
    /// let (position, SiteFact::Change(change)) = &facts[0] else { panic!("a recount") };
    /// assert_eq!(change.author.as_deref(), Some("Kim"));
    /// assert!(park.facts_after(*position, 100).await?.unwrap().is_empty());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn facts_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<PlacedFact>>> {
        events::fitting_limit(limit)?;
        self.engine.facts_after(position, limit).await
    }

    /// Watches what happens, from now on or on from a position: any number of watchers may. To be
    /// called on a runtime with timers.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType, live::News};
    /// # smartpark_ledger::doctest(async |park| {
    /// let mut watcher = park.watch(None).await?;
    /// let begin = watcher.next().await?;
    /// assert!(matches!(begin[0], News::Floor(_)));
    /// let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// let recorded = park.events().record_event(entry).await?;
    /// let event = loop {
    ///     let told = watcher.next().await?.into_iter().find_map(|news| match news {
    ///         News::Event(_, event) => Some(event),
    ///         _ => None,
    ///     });
    ///     if let Some(event) = told {
    ///         break event;
    ///     }
    /// };
    /// assert_eq!(*event, recorded.event);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Overloaded`] where too many watch; [`Error::Unavailable`].
    pub async fn watch(&self, after: Option<Position>) -> Result<live::Watcher> {
        Arc::clone(&self.hub).watch(after).await
    }

    /// [`SmartPark::watch`] for a caller that bounds the number of its watchers itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn watch_seated(&self, after: Option<Position>) -> Result<live::Watcher> {
        Arc::clone(&self.hub).watch_seated(after).await
    }

    /// Takes the right to be the one server on this database, until the result is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where another server has it.
    pub fn lock_as_server(&self) -> Result<ServerLock> {
        self.engine.lock_as_server()
    }

    /// Proves the stored data against the invariants; with `repair` rebuilds what is derived.
    /// Safe beside a running server.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Internal`] of the store; what does not hold is no
    /// error but part of the report.
    pub async fn check(&self, repair: bool) -> Result<check::Report> {
        self.engine.check(repair).await
    }

    /// Writes all of an embedded database to a new file, while others go on recording: the backup
    /// is the database as it was at one moment. The file is there as a whole or not at all, and is
    /// a database by itself. `told` hears how many pages of how many are done. Returns the file's
    /// size in bytes.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// # let folder = tempfile::tempdir().unwrap();
    /// let file = folder.path().join("backup.db");
    /// park.backup(file.clone(), |_, _| {}).await?;
    /// let url = format!("sqlite://{}", file.display());
    /// let restored = smartpark_ledger::SmartPark::open(&url).await?;
    /// assert!(restored.check(false).await?.is_clean());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unusable`] where the file exists already, or the database is on PostgreSQL, with
    /// what to do; [`Error::Unavailable`] where it cannot be written.
    pub async fn backup(
        &self,
        file: PathBuf,
        told: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<u64> {
        self.engine.backup(file, told).await
    }

    /// Waits until all that was handed over is recorded, and closes the database's files.
    pub async fn close(self) {
        if let Err(error) = self.events().store_refusals().await {
            tracing::debug!("the last refused events are not counted: {error}");
        }
        if let Err(error) = self.events().store_not_counted().await {
            tracing::debug!("the last messages that were not counted are not shown: {error}");
        }
        self.engine.close().await;
    }

    /// The name of the engine behind the ledger: `sqlite` or `postgres`.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// What this process counts of its own recording.
    #[must_use]
    pub fn recording_log(&self) -> &RecordingLog {
        self.engine.recording_log()
    }

    /// The events that this process refused since it started: by camera and reason.
    #[must_use]
    pub fn refused_events(&self) -> Vec<(Option<String>, RefusalReason, u64)> {
        self.refusals.ever()
    }

    /// How often this process did not count something a device sent since it started: by camera and
    /// reason.
    #[must_use]
    pub fn not_counted(&self) -> Vec<(Option<String>, &'static str, u64)> {
        self.uncounted.ever()
    }

    /// How many watchers this process serves now.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.hub.watchers()
    }

    /// What files call this ledger: a random name that it was given when it was created. Files
    /// that name another one come from another site, whose floors have other ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ledger_id(&self) -> Result<String> {
        Ok(format!("{:x}", self.engine.copy_mark().await?.identity))
    }

    /// The time by the ledger's clock, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.options.clock.now()
    }
}

/// The right to be the one server on an embedded database.
#[derive(Debug)]
pub struct ServerLock {
    #[expect(dead_code, reason = "the right lasts until it is dropped")]
    pub(crate) file: Option<FileLock>,
}
