//! The embedded engine: one SQLite file in WAL mode with `synchronous=FULL`.
//!
//! One thread writes, on its own connection, what [`crate::recorder`] hands it; a few threads
//! read beside it, each on its own. Other processes may use the file at the same time: every
//! transaction reads what it needs anew, so nothing that is kept between transactions can be
//! out of date.

mod attention;
mod backup;
mod changes;
mod check;
mod checkpoint;
mod connection;
mod events;
mod fault;
mod floors;
mod hours;
mod keys;
mod latest;
mod migrate;
mod past;
mod probe;
mod readers;
mod recording;
mod refusals;
mod repair;
mod retention;
mod rows;
mod session;
mod statistics;
mod tables;
mod transfer;
mod walk;
mod writer;

use std::{fs::OpenOptions, path::Path, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::Order;
use crate::{
    Cleanup, Cursor, DatabaseStats, Direction, Error, Event, EventFilter, EventPage, Floor,
    FloorChange, FloorCount, LastSeen, NewEvent, NewFloor, Options, Position, Recorded, Result,
    ServerLock, Statistics, TableInfo,
    check::Report,
    count::{Fullness, Step},
    limits::CLEANUP_CHUNK_ROWS,
    model::{CameraHour, FloorAtLimit, RefusedInHour},
    recorder, store,
};
use changes::Changes;
use latest::Latest;
use readers::Readers;
use session::Session;
use writer::WriterHandle;

/// An open embedded database. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    options: Arc<Options>,
    readers: Readers,
    latest: Latest,
    writer: WriterHandle,
    changes: Arc<Changes>,
}

impl Sqlite {
    /// Opens the file, makes it where there is none, and brings its tables up to this version.
    pub(super) async fn create(path: &str, options: &Arc<Options>) -> Result<Self> {
        Self::open(path, options, |path, now| {
            connection::create_file(path, now)?;
            let mut connection = connection::open(path)?;
            migrate::run(&mut connection, now)?;
            Ok(connection)
        })
        .await
    }

    /// Opens a file that exists, with tables of this version.
    pub(super) async fn connect(path: &str, options: &Arc<Options>) -> Result<Self> {
        Self::open(path, options, |path, _| {
            let connection = connection::open(path)?;
            migrate::require_current(&connection)?;
            transfer::require_whole(&connection)?;
            Ok(connection)
        })
        .await
    }

    async fn open(
        path: &str,
        options: &Arc<Options>,
        prepare: fn(&Path, Timestamp) -> Result<Connection>,
    ) -> Result<Self> {
        let path = PathBuf::from(path);
        let options = Arc::clone(options);
        let (reply, opened) = oneshot::channel();
        // Opening may wait for another process: that must not hold the caller's runtime up.
        std::thread::Builder::new()
            .name("smartpark-open".into())
            .spawn(move || {
                let result = prepare(&path, options.clock.now()).and_then(|connection| {
                    let readers = Readers::start(&path)?;
                    let latest = Latest::open(&path)?;
                    let changes = Changes::new(path.clone());
                    let writer = WriterHandle::start(connection, &options, &changes)?;
                    let inner = Inner { path, options, readers, latest, writer, changes };
                    Ok(Self { inner: Arc::new(inner) })
                });
                drop(reply.send(result));
            })
            .map_err(|error| Error::Unavailable(format!("no thread could be started: {error}")))?;
        opened.await.map_err(|_| Error::Internal("opening the database failed".into()))?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.inner.readers.read(work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.inner.writer.write(work).await
    }

    fn now(&self) -> Timestamp {
        self.inner.options.clock.now()
    }

    pub(super) async fn create_tables(&self) -> Result<()> {
        let now = self.now();
        self.inner.writer.task(move |connection| migrate::run(connection, now)).await
    }

    pub(super) async fn check_tables_exist(&self) -> Result<bool> {
        self.read(|connection| Ok(migrate::require_current(connection).is_ok())).await
    }

    pub(super) async fn table_info(&self) -> Result<Vec<TableInfo>> {
        self.read(tables::info).await
    }

    pub(super) async fn size_bytes(&self) -> Result<u64> {
        self.read(tables::size_bytes).await
    }

    pub(super) async fn last_seen(&self, from: i64, limit: usize) -> Result<Vec<LastSeen>> {
        self.read(move |connection| attention::last_seen(connection, from, limit)).await
    }

    pub(super) async fn database_stats(&self) -> Result<DatabaseStats> {
        self.read(tables::stats).await
    }

    pub(super) async fn floors(&self) -> Result<Vec<Floor>> {
        self.read(floors::all).await
    }

    /// All floors, most free slots first, as all readers share them.
    pub(super) async fn latest_floors(&self) -> Result<Arc<[Floor]>> {
        match self.inner.latest.floors().await {
            Some(floors) => Ok(floors),
            None => Ok(store::latest::after(None, self.floors().await?)),
        }
    }

    pub(super) async fn floor_by_id(&self, id: i64) -> Result<Option<Floor>> {
        self.read(move |connection| floors::by_id(connection, id)).await
    }

    pub(super) async fn floor_by_name(&self, name: &str) -> Result<Option<Floor>> {
        let name = name.to_owned();
        self.read(move |connection| floors::by_name(connection, &name)).await
    }

    pub(super) async fn add_floor(&self, floor: NewFloor) -> Result<Floor> {
        self.write(move |session| floors::add(session, &floor)).await
    }

    pub(super) async fn change_floor(&self, id: i64, change: FloorChange) -> Result<Floor> {
        self.write(move |session| floors::change(session, id, change)).await
    }

    pub(super) async fn remove_floor(&self, id: i64) -> Result<()> {
        self.write(move |session| floors::remove(session, id)).await
    }

    pub(super) async fn recount(
        &self,
        id: i64,
        count: i64,
        reason: String,
        author: Option<String>,
    ) -> Result<Floor> {
        self.write(move |session| floors::recount(session, id, count, reason, author)).await
    }

    pub(super) async fn adjust(&self, id: i64, direction: Direction) -> Result<Floor> {
        self.write(move |session| floors::adjust(session, id, direction)).await
    }

    pub(super) async fn counts_at(&self, at: Timestamp) -> Result<Vec<FloorCount>> {
        self.read(move |connection| past::counts_at(connection, at)).await
    }

    pub(super) async fn history(
        &self,
        floor_id: Option<i64>,
        window: (i64, i64),
        width: i64,
    ) -> Result<Vec<Step>> {
        self.read(move |connection| walk::history(connection, floor_id, window, width)).await
    }

    pub(super) async fn fullness(&self, floor_id: i64, window: (i64, i64)) -> Result<Fullness> {
        self.read(move |connection| walk::fullness(connection, floor_id, window)).await
    }

    pub(super) async fn at_limit(&self, from: i64) -> Result<Vec<FloorAtLimit>> {
        self.read(move |connection| attention::at_limit(connection, from)).await
    }

    pub(super) async fn camera_hours(&self, starts: &[i64], hours: i64) -> Result<Vec<CameraHour>> {
        let starts = starts.to_vec();
        self.read(move |connection| attention::camera_hours(connection, &starts, hours)).await
    }

    pub(super) async fn add_refusals(&self, rows: Vec<RefusedInHour>, oldest: i64) -> Result<()> {
        self.write(move |session| refusals::add(session, &rows, oldest)).await
    }

    pub(super) async fn refusals(&self, since: i64) -> Result<Vec<RefusedInHour>> {
        self.read(move |connection| refusals::since(connection, since)).await
    }

    pub(super) async fn record(
        &self,
        events: Vec<Result<NewEvent>>,
    ) -> Result<Vec<Result<Recorded>>> {
        self.inner.writer.record(events).await
    }

    /// What this process recorded so far.
    pub(super) fn recording_log(&self) -> &recorder::RecordingLog {
        self.inner.writer.log()
    }

    pub(super) async fn event_by_id(&self, id: i64) -> Result<Option<Event>> {
        self.read(move |connection| events::by_id(connection, id)).await
    }

    pub(super) async fn events(
        &self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        let newest = Order::NewestFirst;
        self.read(move |connection| events::page(connection, &filter, limit, cursor, newest)).await
    }

    pub(super) async fn events_oldest_first(
        &self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        let oldest = Order::OldestFirst;
        self.read(move |connection| events::page(connection, &filter, limit, cursor, oldest)).await
    }

    pub(super) async fn horizon(&self) -> Result<Option<i64>> {
        self.read(past::horizon).await
    }

    pub(super) async fn position(&self) -> Result<Position> {
        self.read(events::position).await
    }

    pub(super) async fn events_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<(Position, Event)>>> {
        self.read(move |connection| events::after(connection, position, limit)).await
    }

    pub(super) async fn statistics(
        &self,
        start: Timestamp,
        end: Timestamp,
        floor_id: Option<i64>,
    ) -> Result<Statistics> {
        self.read(move |connection| statistics::between(connection, start, end, floor_id)).await
    }

    /// Moves the horizon at once, then deletes in short transactions with recording in between.
    pub(super) async fn cleanup(&self, horizon: Timestamp) -> Result<Cleanup> {
        let horizon = self.write(move |session| retention::move_horizon(session, horizon)).await?;
        let some = CLEANUP_CHUNK_ROWS as u64;
        while self.write(retention::forget_stretches).await? == some {}
        let mut deleted = 0;
        loop {
            let chunk = self.write(retention::delete_chunk).await?;
            deleted += chunk;
            if chunk < some {
                return Ok(Cleanup { deleted, horizon });
            }
        }
    }

    pub(super) async fn fill(
        &self,
        floors: Vec<NewFloor>,
        empty_first: bool,
    ) -> Result<Vec<Floor>> {
        self.write(move |session| floors::fill(session, &floors, empty_first)).await
    }

    pub(super) async fn check(&self, repair: bool) -> Result<Report> {
        let report = self.read(check::run).await?;
        if !repair {
            return Ok(report);
        }
        self.write(repair::run).await?;
        let after = self.read(check::run).await?;
        Ok(Report { repaired: true, ..after })
    }

    pub(super) async fn ready(&self) -> Result<()> {
        self.inner.writer.sound()?;
        self.read(|connection| {
            migrate::require_current(connection)?;
            transfer::require_whole(connection)
        })
        .await
    }

    pub(super) async fn try_write(&self) -> Result<()> {
        self.write(|session| probe::write(session)).await
    }

    pub(super) async fn failed(&self) -> Error {
        self.inner.writer.failed().await
    }

    /// Changes with every commit that is seen, of this or of another process.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.watch()
    }

    pub(super) async fn close(&self) {
        self.inner.changes.close();
        self.inner.writer.close().await;
    }

    /// A file has no replica.
    pub(super) async fn use_replica(&self, _url: &str) -> Result<()> {
        Err(Error::Unusable(
            "an embedded database has no replica: that takes a database on PostgreSQL".into(),
        ))
    }

    /// A lock on a file beside the database, not on the database itself: closing any handle on
    /// that would let go of SQLite's own locks.
    pub(super) fn lock_as_server(&self) -> Result<ServerLock> {
        let mut path = self.inner.path.clone().into_os_string();
        path.push("-lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|error| {
            Error::Unavailable(format!("the lock file beside the database: {error}"))
        })?;
        file.try_lock().map_err(|_| {
            Error::Unavailable(
                "another smartpark server runs on it; stop that one first, or give this one \
                 another database"
                    .into(),
            )
        })?;
        Ok(ServerLock { file: Some(file) })
    }
}

/// Names the answer type of a writer that has gone.
fn gone<T>(_: T) -> Error {
    recorder::stopped()
}
