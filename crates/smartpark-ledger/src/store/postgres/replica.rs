//! A replica: a standby that follows the database by streaming, and may be read where the past is
//! asked for. It is never believed: each read first asks the very server that it will read from
//! what that is and how far it has come, and the primary answers where that does not fit.
//!
//! How old a replica is, is told without any clock of the database servers: the position of the
//! primary's log is noted again and again ([`Mark`]); a standby that has replayed a mark holds
//! all that was committed before the mark was made.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::time::{Instant, sleep, timeout};

use super::{
    connect::{Address, Role, Work, query},
    migrate,
    rows::damaged,
    transaction::patiently,
};
use crate::{
    Error, Result,
    limits::{MARK_INTERVAL, POSTGRES_READERS, REPLICA_REACH, REPLICA_REST},
};

/// On a primary only: no standby has a log of its own.
const MARK: &str = "-- replica: a mark of the primary
SELECT system_identifier, ('x' || left(pg_walfile_name(flushed), 8))::bit(32)::integer,
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       current_schema()::regnamespace::oid, (flushed - '0/0')::bigint
FROM pg_control_system(), pg_current_wal_flush_lsn() AS flushed";

/// The timeline is that of its last restart point: after a failover it takes a checkpoint until
/// the standby is known to have followed. One that was left behind never gets there.
const LOOK: &str = "-- replica: what it is and how far it has come
SELECT system_identifier, timeline_id,
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       current_schema()::regnamespace::oid,
       CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END
FROM pg_control_system(), pg_control_checkpoint()";

/// Which database something is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    /// Given to a database server when it is made; its standbys have the same.
    system: i64,
    /// The database and the schema in it.
    place: (Option<u32>, Option<u32>),
    /// Counts failovers: the same position on another timeline is another state.
    timeline: i32,
}

/// A position of the primary's log, and when it had been reached at the latest.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    position: i64,
}

/// The latest marks, all of one origin, oldest first.
#[derive(Debug)]
struct Marks {
    origin: Origin,
    marks: VecDeque<Mark>,
}

/// How the replica is getting on.
#[derive(Debug)]
enum Standing {
    Good,
    /// It could not be used, or was not tried yet; nobody tries before this instant.
    Rests(Instant),
}

/// A standby to read from.
#[derive(Debug)]
pub(super) struct Replica {
    pool: Pool,
    max_lag: Duration,
    marks: Mutex<Marks>,
    standing: Mutex<Standing>,
}

impl Replica {
    /// The replica at `url` of the database that `primary` leads to. One that cannot be reached
    /// now may be so later; one that is of another database never will.
    pub(super) async fn of(primary: &Pool, url: &str, max_lag: Duration) -> Result<Arc<Self>> {
        let pool = Address::from_url(url, Role::Replica)?.pool(POSTGRES_READERS, Work::Reading)?;
        let (origin, mark) = patiently!(mark(primary))?;
        let replica = Self {
            pool,
            max_lag,
            marks: Mutex::new(Marks { origin, marks: VecDeque::from([mark]) }),
            standing: Mutex::new(Standing::Rests(mark.at)),
        };
        match timeout(REPLICA_REACH, replica.look()).await {
            Ok(Ok((_, found, _))) => same_database(origin, found)?,
            Ok(Err(error @ Error::Unusable(_))) => {
                return Err(Error::Unusable(format!("the replica: {error}")));
            }
            Ok(Err(error)) => replica.rest(&error),
            Err(_) => replica.rest(&silent()),
        }
        let replica = Arc::new(replica);
        tokio::spawn(keep_marking(Arc::downgrade(&replica), primary.clone()));
        Ok(replica)
    }

    /// A connection to read from, and as of when that is; none where it is not to be used.
    pub(super) async fn reach(&self) -> Option<(Object, Instant)> {
        let proven = self.admit()?;
        match timeout(REPLICA_REACH, self.current(proven)).await {
            Ok(Ok(reached)) => {
                let mut standing = lock(&self.standing);
                if !matches!(*standing, Standing::Good) {
                    *standing = Standing::Good;
                    tracing::info!("the replica is used");
                }
                return Some(reached);
            }
            Ok(Err(error)) => self.rest(&error),
            Err(_) => self.rest(&silent()),
        }
        None
    }

    /// Closes its connections.
    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// Whether it may be tried, and then whether it did well the last time. After a failure only
    /// one reader tries, while all others go to the primary.
    fn admit(&self) -> Option<bool> {
        let mut standing = lock(&self.standing);
        match *standing {
            Standing::Good => Some(true),
            Standing::Rests(until) if until <= Instant::now() => {
                *standing = Standing::Rests(Instant::now() + REPLICA_REACH);
                Some(false)
            }
            Standing::Rests(_) => None,
        }
    }

    /// It is not used for a while.
    fn rest(&self, why: &Error) {
        let mut standing = lock(&self.standing);
        if matches!(*standing, Standing::Good) {
            tracing::warn!("the replica is not used, the primary answers: {why}");
        } else {
            tracing::debug!("the replica cannot be used yet: {why}");
        }
        *standing = Standing::Rests(Instant::now() + REPLICA_REST);
    }

    /// A connection to a server that has what is needed, and as of when.
    async fn current(&self, proven: bool) -> Result<(Object, Instant)> {
        let (client, found, replayed) = self.look().await?;
        let as_of = self.judge(found, replayed)?;
        if !proven {
            migrate::require_current(&**client).await?;
        }
        Ok((client, as_of))
    }

    async fn look(&self) -> Result<(Object, Origin, Option<i64>)> {
        let client = self.pool.get().await?;
        let (found, replayed) = origin(&client, LOOK).await?;
        Ok((client, found, replayed))
    }

    /// As of when a standby is that says this of itself.
    fn judge(&self, found: Origin, replayed: Option<i64>) -> Result<Instant> {
        let marks = lock(&self.marks);
        same_database(marks.origin, found)?;
        let refused = |why: &str| Err(Error::Unavailable(why.into()));
        let Some(replayed) = replayed else {
            return refused("it is not a standby");
        };
        if found.timeline != marks.origin.timeline {
            return refused("it has not followed the last failover");
        }
        let reached = marks.marks.iter().rev().find(|mark| mark.position <= replayed);
        let as_of = reached.map(|mark| mark.at);
        match as_of.filter(|at| at.elapsed() <= self.max_lag) {
            Some(at) => Ok(at),
            None => refused(&format!("it is more than {:?} behind", self.max_lag)),
        }
    }

    /// Notes a mark, and forgets those that are too old to be of use.
    fn note(&self, origin: Origin, mark: Mark) {
        let mut marks = lock(&self.marks);
        if marks.origin != origin {
            // After a failover the positions are those of another history.
            *marks = Marks { origin, marks: VecDeque::new() };
        }
        marks.marks.retain(|old| old.position <= mark.position && old.at.elapsed() <= self.max_lag);
        marks.marks.push_back(mark);
    }
}

/// Notes where the primary is, for as long as the replica is kept.
async fn keep_marking(replica: Weak<Replica>, primary: Pool) {
    loop {
        sleep(MARK_INTERVAL).await;
        let marked = timeout(MARK_INTERVAL * 4, mark(&primary)).await;
        let Some(replica) = replica.upgrade() else { return };
        match marked {
            Ok(Ok((origin, mark))) => replica.note(origin, mark),
            Ok(Err(error)) => tracing::debug!("the primary could not be marked: {error}"),
            Err(_) => tracing::debug!("the primary could not be marked in time"),
        }
    }
}

async fn mark(primary: &Pool) -> Result<(Origin, Mark)> {
    // Before it is asked: what was answered until now is before the position that it names.
    let at = Instant::now();
    let (origin, position) = origin(&*primary.get().await?, MARK).await?;
    Ok((origin, Mark { at, position: position.ok_or_else(|| damaged("a position"))? }))
}

async fn origin(client: &ClientWrapper, sql: &str) -> Result<(Origin, Option<i64>)> {
    let rows = query(client, sql, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("an origin"))?;
    let place = (row.try_get(2)?, row.try_get(3)?);
    let origin = Origin { system: row.try_get(0)?, timeline: row.try_get(1)?, place };
    Ok((origin, row.try_get(4)?))
}

fn same_database(primary: Origin, found: Origin) -> Result<()> {
    if (found.system, found.place) == (primary.system, primary.place) {
        return Ok(());
    }
    Err(Error::Unusable(
        "the replica is not one of this database: it is another database, or was copied in \
         another way than by streaming replication"
            .into(),
    ))
}

fn silent() -> Error {
    Error::Unavailable("it did not answer in time".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
