//! A write transaction: it locks floors in the order of their ids, loads what a decision lacks, and
//! stores what was decided with one set-based statement a table. Each attempt begins a new one.

use deadpool_postgres::{ClientWrapper, Pool};
use tokio_postgres::{Row, types::ToSql};

use super::{
    connect::{planning, prepare, query},
    fault::is_lock_timeout,
    floors,
    past::{self, ORIGINS},
    rows::{self, damaged, floor_columns, maybe_micros},
    transaction::Transaction,
    transfer, writes,
};
use crate::{
    Error, Floor, Result,
    decide::{Draft, Lack},
};

const NEXT_ADJUSTMENT: &str = "-- adjustments: next id
SELECT nextval(pg_get_serial_sequence(quote_ident(current_schema()) || '.adjustments', 'id'))";

/// How a transaction begins on a connection that does other things, too.
const BEGIN: &str = concat!("BEGIN; ", planning!("SET LOCAL"));

/// The rows are locked in the order of their ids, so that no two transactions wait for each other.
/// Whoever puts a row that refers to a floor, as cleanup does for minutes, is not waited for.
macro_rules! lock_floors {
    ($how:literal) => {
        concat!(
            "-- record_event: floors\nSELECT ",
            floor_columns!(),
            " FROM floors WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
            $how
        )
    };
}
const LOCK: &str = lock_floors!("");
const LOCK_FREE: &str = lock_floors!(" SKIP LOCKED");

/// The floors that there are, whether or not somebody holds them.
const EXISTING: &str = "-- record_event: which floors there are
SELECT id FROM floors WHERE id = ANY ($1)";

/// A server may run on a database that a copy is being made to since: it must write nothing there.
const HORIZON: &str = "-- record_event: horizon, and whether this is an unfinished copy
SELECT r.horizon, s.copy_of FROM retention r, site s WHERE r.id = 1 AND s.id = 1";

/// Whoever records an event without a timestamp must see those that others record of the same
/// vehicle at the same time, though they may name another floor.
const LOCK_TRACKS: &str = "-- record_event: one at a time without a timestamp
SELECT pg_advisory_xact_lock(hashtextextended(track, 0))
FROM unnest($1::text[]) WITH ORDINALITY AS w (track, place) ORDER BY place";

/// The tracks that another transaction holds; all others are locked.
const LOCK_FREE_TRACKS: &str = "-- record_event: one at a time, without waiting
SELECT track FROM unnest($1::text[]) AS w (track)
WHERE NOT pg_try_advisory_xact_lock(hashtextextended(track, 0))";

/// What a transaction does about a floor or a track that another one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It waits.
    Waits,
    /// It leaves it out.
    Skips,
}

/// What other transactions hold of what was to be locked.
#[derive(Debug, Default)]
pub(super) struct Busy {
    pub(super) floors: Vec<i64>,
    pub(super) tracks: Vec<String>,
}

/// Floors that a transaction has locked, and what they stand on.
pub(super) struct Locked {
    floors: Vec<Floor>,
    pub(super) busy: Busy,
    horizon: Option<i64>,
    origins: Vec<Row>,
}

impl Locked {
    /// The session of the transaction that has locked them.
    pub(super) fn open(self, transaction: Transaction, now: i64) -> Result<Session> {
        let floors = past::opened(self.floors, &self.origins, self.horizon)?;
        Ok(Session { transaction, draft: Draft::new(now, self.horizon, floors) })
    }
}

/// A write transaction on some floors, which it has locked.
pub(super) struct Session {
    pub(super) transaction: Transaction,
    /// What it has loaded and decided.
    pub(super) draft: Draft,
}

impl Session {
    /// Begins a transaction and locks these floors, as far as they exist.
    pub(super) async fn begin(pool: &Pool, floor_ids: &[i64], now: i64) -> Result<Self> {
        Self::begin_after("", pool, floor_ids, now).await
    }

    /// The same, with a statement before the floors are locked.
    pub(super) async fn begin_after(
        first: &str,
        pool: &Pool,
        floor_ids: &[i64],
        now: i64,
    ) -> Result<Self> {
        let transaction = Transaction::connect(pool).await?;
        Self::prepare(&transaction).await?;
        let begin = format!("{BEGIN}; {first}");
        let locked = Self::lock(&transaction, &begin, Held::Waits, floor_ids, &[]).await?;
        let locked = locked.ok_or_else(|| Error::Unavailable("the floor is in use".into()))?;
        locked.open(transaction, now)
    }

    /// Prepares what [`Session::lock`] sends, so that it sends all at once.
    pub(super) async fn prepare(client: &ClientWrapper) -> Result<()> {
        // Every statement that may be sent behind BEGIN. One that had to be prepared there would be
        // overtaken by those behind it, and they would read what the locks do not hold yet.
        let locks = [LOCK, LOCK_FREE, LOCK_TRACKS, LOCK_FREE_TRACKS];
        let reads = [EXISTING, HORIZON, ORIGINS];
        prepare(client, &[locks.as_slice(), &reads].concat()).await
    }

    /// Begins a transaction with these statements, locks these tracks and floors, as far as they
    /// exist, and reads what the floors stand on. All goes out in one round trip; as every
    /// statement sees what is committed when it begins, those after the locks see what those left
    /// who held them before. None if others held a lock for too long.
    pub(super) async fn lock(
        client: &ClientWrapper,
        begin: &str,
        held: Held,
        floor_ids: &[i64],
        tracks: &[String],
    ) -> Result<Option<Locked>> {
        let ids: [&(dyn ToSql + Sync); 1] = [&floor_ids];
        let skips = held == Held::Skips;
        let (begun, tracks, floors, existing, horizon, origins) = tokio::join!(
            biased;
            client.batch_execute(begin),
            async {
                if tracks.is_empty() {
                    return Ok(Some(Vec::new()));
                }
                let lock = if skips { LOCK_FREE_TRACKS } else { LOCK_TRACKS };
                rows_unless_held(client, lock, &[&tracks]).await
            },
            rows_unless_held(client, if skips { LOCK_FREE } else { LOCK }, &ids),
            async {
                if !skips {
                    return Ok(Vec::new());
                }
                query(client, EXISTING, &ids).await
            },
            horizon(client),
            query(client, ORIGINS, &ids),
        );
        begun?;
        let (Some(tracks), Some(floors)) = (tracks?, floors?) else { return Ok(None) };
        let floors: Vec<Floor> =
            floors.iter().map(|row| rows::floor(row, 0)).collect::<Result<_>>()?;
        let mut busy = Busy::default();
        if skips {
            busy.tracks = tracks.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            for row in existing? {
                let id = row.try_get(0)?;
                if !floors.iter().any(|floor| floor.id == id) {
                    busy.floors.push(id);
                }
            }
        }
        Ok(Some(Locked { floors, busy, horizon: horizon?, origins: origins? }))
    }

    /// Goes on in a transaction that has locked `floors`. What they stand on is read by later
    /// statements, so it is as the transactions left it that held the locks before.
    pub(super) async fn open(
        transaction: Transaction,
        floors: Vec<Floor>,
        now: i64,
    ) -> Result<Self> {
        let horizon = past::horizon(&transaction).await?;
        let floors = past::open(&transaction, floors, horizon).await?;
        Ok(Self { transaction, draft: Draft::new(now, horizon, floors) })
    }

    /// Has a change of a floor decided, and commits it. The inner result is the outcome of the
    /// commit, after which a repetition might count twice.
    pub(super) async fn change<T>(
        mut self,
        decision: impl FnMut(&mut Draft) -> Result<Result<T>, Lack>,
    ) -> Result<Result<T>> {
        let decided = self.decide(decision).await??;
        let mut writes = self.draft.into_writes();
        for floor in std::mem::take(&mut writes.settings) {
            floors::store_settings(&self.transaction, &floor).await?;
        }
        Ok(writes::commit(writes, self.transaction).await.map(|()| decided))
    }

    /// Asks the draft to decide until it lacks nothing, loading what it lacks.
    pub(super) async fn decide<T>(
        &mut self,
        mut decision: impl FnMut(&mut Draft) -> Result<T, Lack>,
    ) -> Result<T> {
        loop {
            match decision(&mut self.draft) {
                Ok(decided) => return Ok(decided),
                Err(lack) => self.load(lack).await?,
            }
        }
    }

    /// Loads what the draft lacks.
    pub(super) async fn load(&mut self, lack: Lack) -> Result<()> {
        match lack {
            Lack::Past(floor_id, missing) => {
                if let Some(open) = self.draft.floors.get_mut(&floor_id) {
                    past::load(&self.transaction, open, missing).await?;
                }
            }
            Lack::AdjustmentId => {
                let rows = query(&self.transaction, NEXT_ADJUSTMENT, &[]).await?;
                let row = rows.first().ok_or_else(|| damaged("a sequence"))?;
                self.draft.adjustment_id = Some(row.try_get(0)?);
            }
        }
        Ok(())
    }

    /// Reads a floor that this transaction has not locked.
    pub(super) async fn unlocked_floor(&self, id: i64) -> Result<Option<Floor>> {
        let rows = query(&self.transaction, floors::BY_ID, &[&id]).await?;
        rows.first().map(|row| rows::floor(row, 0)).transpose()
    }
}

/// The horizon of a database that is no unfinished copy.
async fn horizon(client: &ClientWrapper) -> Result<Option<i64>> {
    let rows = query(client, HORIZON, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a retention"))?;
    transfer::in_use(row.try_get(1)?)?;
    maybe_micros(row, 0)
}

/// The rows of a statement that locks; none if another transaction held a lock for too long.
async fn rows_unless_held(
    client: &ClientWrapper,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Option<Vec<Row>>> {
    let statement = client.prepare_cached(sql).await?;
    match client.query(&statement, parameters).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if is_lock_timeout(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
