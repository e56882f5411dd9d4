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
mod drift;
mod events;
mod facts;
mod fault;
mod file;
mod floors;
mod handle;
mod health;
mod holder;
mod horizon;
mod hours;
mod keys;
mod latest;
mod lock;
mod log;
mod migrate;
mod not_counted;
mod observe;
mod open;
mod past;
mod place;
mod places;
mod probe;
mod readers;
mod recording;
mod refusals;
mod repair;
mod retention;
mod rows;
mod seals;
mod session;
mod sign_ins;
mod site;
mod states;
mod statistics;
mod tables;
mod time;
mod traffic;
mod transfer;
mod walk;
mod withdrawals;
mod writer;

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::watch;

use super::Order;
use crate::{
    Cursor, DatabaseStats, Direction, Error, Event, EventFilter, EventPage, Floor, FloorChange,
    FloorCount, LastSeen, NewEvent, NewFloor, Options, Recorded, Result, StateChange, Statistics,
    TableInfo,
    check::Report,
    count::{Fullness, Step},
    decide::Adjustment,
    model::{CameraHour, FloorAtLimit, Receipt, RefusedInHour},
    recorder, store,
};
use changes::Changes;
use file::DatabaseFile;
use latest::Latest;
pub(crate) use lock::FileLock;
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
    file: Arc<DatabaseFile>,
    options: Arc<Options>,
    readers: Readers,
    latest: Latest,
    writer: WriterHandle,
    changes: Arc<Changes>,
}

impl Sqlite {
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
        self.write(move |session| floors::change(session, id, &change)).await
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
        let recount = move |session: &mut Session<'_>| {
            floors::recount(session, id, count, &reason, author.as_deref())
        };
        self.write(recount).await
    }

    pub(super) async fn recount_at(
        &self,
        id: i64,
        count: i64,
        at: i64,
        reason: String,
        author: Option<String>,
    ) -> Result<Floor> {
        let recount = move |session: &mut Session<'_>| {
            floors::recount_at(session, id, count, at, (&reason, author.as_deref()))
        };
        self.write(recount).await
    }

    pub(super) async fn changes_of(
        &self,
        floor_id: Option<i64>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Adjustment>> {
        self.read(move |connection| floors::changes(connection, floor_id, before, limit)).await
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
        states: Vec<StateChange>,
    ) -> Result<Vec<Result<Recorded>>> {
        self.inner.writer.record(events, states).await
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

    pub(super) async fn recent_receipts(&self, limit: usize) -> Result<Vec<Receipt>> {
        self.read(move |connection| time::recent_receipts(connection, limit)).await
    }

    pub(super) async fn newest_receipt(&self) -> Result<Option<i64>> {
        self.read(time::newest_receipt).await
    }

    pub(super) async fn clock_accepted(&self) -> Result<Option<i64>> {
        self.read(time::accepted).await
    }

    pub(super) async fn accept_clock(&self, now: i64) -> Result<()> {
        self.write(move |session| time::accept(session.connection, now)).await
    }

    pub(super) async fn earliest_event(&self) -> Result<Option<i64>> {
        self.read(time::earliest_event).await
    }

    pub(super) async fn horizon(&self) -> Result<Option<i64>> {
        self.read(past::horizon).await
    }

    pub(super) async fn statistics(
        &self,
        start: Timestamp,
        end: Timestamp,
        floor_id: Option<i64>,
    ) -> Result<Statistics> {
        self.read(move |connection| statistics::between(connection, start, end, floor_id)).await
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
        let health = self.inner.writer.health();
        health.sound()?;
        health.look()?;
        self.read(|connection| {
            migrate::require_current(connection)?;
            transfer::require_whole(connection)
        })
        .await
    }

    /// Whether the last write was refused just now.
    pub(super) async fn refused(&self) -> Result<()> {
        self.inner.writer.health().just_refused()
    }

    /// Writes in a way that leaves nothing behind. If a write was refused before, it writes much:
    /// a disk that has room for a page need not have room for an event.
    pub(super) async fn try_write(&self) -> Result<()> {
        let health = self.inner.writer.health();
        health.just_refused()?;
        if !health.is_refusing() {
            return self.write(|session| probe::write(session)).await;
        }
        let begun = Instant::now();
        self.write(|session| probe::write_much(session)).await?;
        self.write(|session| probe::undo(session)).await?;
        health.heal(begun);
        Ok(())
    }

    pub(super) async fn failed(&self) -> Error {
        self.inner.writer.health().failed().await
    }

    /// Changes with every commit that is seen, of this or of another process.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.watch()
    }

    /// A file has no replica.
    pub(super) async fn use_replica(&self, _url: &str) -> Result<()> {
        Err(Error::Unusable(
            "an embedded database has no replica: that takes a database on PostgreSQL".into(),
        ))
    }
}

/// Names the answer type of a writer that has gone.
fn gone<T>(_: T) -> Error {
    recorder::stopped()
}
