//! The engines, and the one place that tells them apart.

mod checksum;
mod digest;
mod drift;
mod facts;
mod latest;
mod naive;
pub(crate) mod nights;
pub(crate) mod observation;
#[cfg(feature = "postgres")]
mod postgres;
mod seals;
mod site;
mod sqlite;
mod tally;
pub(crate) mod transfer;
mod versions;
mod withdrawals;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    ApiKey, Cleanup, Cursor, DatabaseStats, Direction, Error, Event, EventFilter, EventPage, Floor,
    FloorChange, FloorCount, LastSeen, NewEvent, NewFloor, NewKey, NewWithdrawal, Options,
    PlacedFact, Position, Recorded, Result, ServerLock, SiteRecord, StateChange, Statistics,
    TableInfo, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    check::Report,
    count::{Fullness, Step},
    decide::Adjustment,
    keys::{KeyRing, Sealed, SealedSession, Sha256Sum},
    model::{CameraHour, FloorAtLimit, NotCountedInHour, Receipt, RefusedInHour},
    replica::Seen,
};
use crate::{
    codes,
    decide::{StateName, sums},
    recorder::RecordingLog,
};
use nights::NightTraffic;
use observation::{Ask, Observation};
#[cfg(feature = "postgres")]
use postgres::Postgres;
pub(crate) use sqlite::FileLock;
use sqlite::Sqlite;
use transfer::{Frame, Key, Mark, Rows, Stretch, Table, Totals};

/// A store of floors and events.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    /// The embedded database.
    Sqlite(Sqlite),
    /// A database that many servers share.
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

/// Which end of time a page of events begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
}

/// Hands a call on to the engine behind it.
macro_rules! dispatch {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Engine {
            $(pub(crate) async fn $name(&self, $($argument: $type),*) -> $result {
                match self {
                    Self::Sqlite(sqlite) => sqlite.$name($($argument),*).await,
                    #[cfg(feature = "postgres")]
                    Self::Postgres(postgres) => postgres.$name($($argument),*).await,
                }
            })*
        }
    };
}

dispatch! {
    fn create_tables() -> Result<()>;
    fn check_tables_exist() -> Result<bool>;
    fn table_info() -> Result<Vec<TableInfo>>;
    fn database_stats() -> Result<DatabaseStats>;
    fn size_bytes() -> Result<u64>;
    fn last_seen(from: i64, limit: usize) -> Result<Vec<LastSeen>>;
    fn floors() -> Result<Vec<Floor>>;
    fn latest_floors() -> Result<Arc<[Floor]>>;
    fn floor_by_id(id: i64) -> Result<Option<Floor>>;
    fn floor_by_name(name: &str) -> Result<Option<Floor>>;
    fn add_floor(floor: NewFloor) -> Result<Floor>;
    fn change_floor(id: i64, change: FloorChange) -> Result<Floor>;
    fn remove_floor(id: i64) -> Result<()>;
    fn recount(id: i64, count: i64, reason: String, author: Option<String>) -> Result<Floor>;
    fn recount_at(
        id: i64,
        count: i64,
        at: i64,
        reason: String,
        author: Option<String>
    ) -> Result<Floor>;
    fn changes_of(floor_id: Option<i64>, before: i64, limit: u32) -> Result<Vec<Adjustment>>;
    fn adjust(id: i64, direction: Direction) -> Result<Floor>;
    fn counts_at(at: Timestamp) -> Result<Vec<FloorCount>>;
    fn history(floor_id: Option<i64>, window: (i64, i64), width: i64) -> Result<Vec<Step>>;
    fn observe(ask: Ask) -> Result<Observation>;
    fn fullness(floor_id: i64, window: (i64, i64)) -> Result<Fullness>;
    fn at_limit(from: i64) -> Result<Vec<FloorAtLimit>>;
    fn busy_hours(window: (i64, i64)) -> Result<Vec<(i64, u64)>>;
    fn night_traffic(ends: Vec<i64>) -> Result<NightTraffic>;
    fn camera_hours(starts: &[i64], hours: i64) -> Result<Vec<CameraHour>>;
    fn add_refusals(rows: Vec<RefusedInHour>, oldest: i64) -> Result<()>;
    fn refusals(since: i64) -> Result<Vec<RefusedInHour>>;
    fn record(
        events: Vec<Result<NewEvent>>,
        states: Vec<StateChange>
    ) -> Result<Vec<Result<Recorded>>>;
    fn states(names: Vec<StateName>) -> Result<HashMap<StateName, Vec<u8>>>;
    fn states_of_key(key: String) -> Result<Vec<(String, Vec<u8>)>>;
    fn forget_states(before: i64) -> Result<u64>;
    fn add_not_counted(rows: Vec<NotCountedInHour>, oldest: i64) -> Result<()>;
    fn not_counted(since: i64) -> Result<Vec<NotCountedInHour>>;
    fn event_by_id(id: i64) -> Result<Option<Event>>;
    fn events(filter: EventFilter, limit: u32, cursor: Option<Cursor>) -> Result<EventPage>;
    fn events_oldest_first(
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>
    ) -> Result<EventPage>;
    fn site() -> Result<SiteRecord>;
    fn replace_site(old: SiteRecord, new: SiteRecord) -> Result<bool>;
    fn horizon() -> Result<Option<i64>>;
    fn position() -> Result<Position>;
    fn last_gone() -> Result<Position>;
    fn events_after(position: Position, limit: u32) -> Result<Option<Vec<(Position, Event)>>>;
    fn facts_after(position: Position, limit: u32) -> Result<Option<Vec<PlacedFact>>>;
    fn statistics(start: Timestamp, end: Timestamp, floor_id: Option<i64>) -> Result<Statistics>;
    fn recent_receipts(limit: usize) -> Result<Vec<Receipt>>;
    fn newest_receipt() -> Result<Option<i64>>;
    fn clock_accepted() -> Result<Option<i64>>;
    fn accept_clock(now: i64) -> Result<()>;
    fn earliest_event() -> Result<Option<i64>>;
    fn cleanup(horizon: Timestamp) -> Result<Cleanup>;
    fn repair_horizon() -> Result<(i64, Option<i64>)>;
    fn add_key(key: NewKey, sealed: Sealed) -> Result<ApiKey>;
    fn keys() -> Result<Vec<ApiKey>>;
    fn rotate_key(named: &str, sealed: Sealed) -> Result<ApiKey>;
    fn revoke_key(named: &str) -> Result<ApiKey>;
    fn key_ring() -> Result<KeyRing>;
    fn begin_session(session: SealedSession) -> Result<()>;
    fn renew_session(old: Sha256Sum, session: SealedSession) -> Result<bool>;
    fn end_session(sum: Sha256Sum) -> Result<()>;
    fn withdraw(new: NewWithdrawal) -> Result<Withdrawal>;
    fn preview_withdrawal(selection: WithdrawalSelection) -> Result<WithdrawalEffect>;
    fn withdrawals(before: i64, limit: u32) -> Result<Vec<Withdrawal>>;
    fn fill(floors: Vec<NewFloor>, empty_first: bool) -> Result<Vec<Floor>>;
    fn check(repair: bool) -> Result<Report>;
    fn use_replica(url: &str) -> Result<()>;
    fn ready() -> Result<()>;
    fn try_write() -> Result<()>;
    fn refused() -> Result<()>;
    fn failed() -> Error;
    fn close() -> ();
    fn require_whole() -> Result<()>;
    fn copy_mark() -> Result<Mark>;
    fn copy_totals() -> Result<Totals>;
    fn copy_read(table: Table, stretch: Stretch) -> Result<Rows>;
    fn copy_begin(source: Mark) -> Result<()>;
    fn copy_frame(source: Mark, frame: Frame) -> Result<()>;
    fn copy_put(source: Mark, table: Table, stretch: Stretch, rows: Rows) -> Result<(Key, u64)>;
    fn copy_derive(source: Mark) -> Result<()>;
    fn copy_finish(source: Mark) -> Result<()>;
}

impl Engine {
    /// Opens the database at `url`, making what is missing.
    pub(crate) async fn create(url: &str, options: &Arc<Options>) -> Result<Self> {
        let engine = match Place::of(url)? {
            Place::File(path) => Sqlite::create(path, options).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Place::Server(url) => Postgres::create(url, options).await.map(Self::Postgres),
        }?;
        engine.require_whole().await?;
        Ok(engine)
    }

    /// Opens the target of a copy, making what is missing. What this makes is an unfinished copy
    /// from its first moment, so nobody can use it if the copy is killed before it begins.
    pub(crate) async fn create_for_copy(url: &str, options: &Arc<Options>) -> Result<Self> {
        match Place::of(url)? {
            Place::File(path) => Sqlite::create_for_copy(path, options).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Place::Server(url) => Postgres::create_for_copy(url, options).await.map(Self::Postgres),
        }
    }

    /// Opens the database at `url` as it is.
    pub(crate) async fn connect(url: &str, options: &Arc<Options>) -> Result<Self> {
        match Place::of(url)? {
            Place::File(path) => Sqlite::connect(path, options).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Place::Server(url) => Postgres::connect(url, options).await.map(Self::Postgres),
        }
    }

    /// Changes with every commit that is seen, of this or of another process, while it is kept.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.changes(),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.changes(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
        }
    }

    /// What this process recorded so far.
    pub(crate) fn recording_log(&self) -> &RecordingLog {
        match self {
            Self::Sqlite(sqlite) => sqlite.recording_log(),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.recording_log(),
        }
    }

    /// The same, whose reads of the past may come from a replica: as of when is noted in `seen`.
    pub(crate) fn reading(&self, seen: &Seen) -> Self {
        match self {
            Self::Sqlite(sqlite) => {
                // A file has no replica, so there is nothing to note.
                let _ = seen;
                Self::Sqlite(sqlite.clone())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Self::Postgres(postgres.reading(seen.clone())),
        }
    }

    /// Writes all of an embedded database to a new file; returns the file's size in bytes.
    pub(crate) async fn backup(
        &self,
        file: PathBuf,
        told: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<u64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.backup(file, told).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Err(Error::Unusable(
                "a database on PostgreSQL is backed up with PostgreSQL's own tools: pg_dump for \
                 one database, pg_basebackup and WAL archiving for a server (or `smartpark copy` \
                 to a SQLite file)"
                    .into(),
            )),
        }
    }

    /// Keeps servers away from the target of a copy, as far as the engine can.
    pub(crate) fn lock_for_copy(&self) -> Result<ServerLock> {
        match self {
            Self::Sqlite(sqlite) => sqlite.lock_for_copy(),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.lock_as_server(),
        }
    }

    pub(crate) fn lock_as_server(&self) -> Result<ServerLock> {
        match self {
            Self::Sqlite(sqlite) => sqlite.lock_as_server(),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.lock_as_server(),
        }
    }
}

/// Where a database is.
enum Place<'u> {
    /// In the file at this path.
    File(&'u str),
    /// On the server that this URL names.
    #[cfg(feature = "postgres")]
    Server(&'u str),
}

impl<'u> Place<'u> {
    fn of(url: &'u str) -> Result<Self> {
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Server(url));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        path.filter(|path| !path.is_empty()).map(Self::File).ok_or_else(|| {
            Error::Unusable(
                "the database URL is not understood: give sqlite:// and a path, for example \
                 sqlite://smartpark.db (or sqlite:///var/lib/smartpark.db for an absolute one), \
                 or postgres://user:password@host/database"
                    .into(),
            )
        })
    }
}
