//! The months of the table of events. A month's partition is built beside the table and then
//! attached, which waits for nobody who reads or records.

use std::{collections::BTreeSet, sync::Mutex};

use deadpool_postgres::Pool;
use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{
    connect::{milliseconds, query},
    past,
    transaction::{Patience, Transaction},
};
use crate::{
    Error, Result,
    limits::{MONTHS_AHEAD, MONTHS_AT_ONCE, MONTHS_LOCK_TIMEOUT},
};

/// The first year that is partitioned by month; all before it shares one partition.
const FIRST_YEAR: i32 = 2000;

const EXISTING: &str = "-- partitions: all
SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass ORDER BY c.relname";

/// A month, counted from January 2000; negative for all before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(i32);

impl Month {
    /// The month that holds an instant, in UTC.
    pub(super) fn of(micros: i64) -> Self {
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
        let date = Offset::UTC.to_datetime(at).date();
        Self((i32::from(date.year()) - FIRST_YEAR) * 12 + i32::from(date.month()) - 1)
    }

    /// The month whose partition has this name.
    fn from_name(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("events_")?.split_once('_')?;
        let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
        Some(Self((year - FIRST_YEAR) * 12 + month - 1))
    }

    fn next(self) -> Self {
        Self(self.0 + 1)
    }

    fn year_and_month(self) -> (i32, i32) {
        (FIRST_YEAR + self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// The name of its partition.
    fn name(self) -> String {
        let (year, month) = self.year_and_month();
        format!("events_{year:04}_{month:02}")
    }

    /// Its first instant, as SQL.
    fn first_instant(self) -> String {
        let (year, month) = self.year_and_month();
        format!("'{year:04}-{month:02}-01 00:00:00+00'")
    }

    /// Its first instant, in microseconds since 1970 UTC.
    fn start(self) -> Option<i64> {
        let (year, month) = self.year_and_month();
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, 1).ok()?;
        let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(at.as_microsecond())
    }
}

/// A partition of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: String,
    /// The first instant after it, in microseconds since 1970 UTC.
    pub(super) end: i64,
    /// Whether it is a month, which can be dropped; what is older than all months stays.
    pub(super) is_month: bool,
}

/// The partitions that there are, oldest first.
pub(super) async fn existing(client: &deadpool_postgres::ClientWrapper) -> Result<Vec<Partition>> {
    let mut partitions = Vec::new();
    for row in query(client, EXISTING, &[]).await? {
        let name: String = row.try_get(0)?;
        let month = Month::from_name(&name);
        let end = month.map_or(Some(Month(0)), |month| Some(month.next()));
        // One that a person attached under a name of another kind is left to that person.
        if (month.is_some() || name == "events_before_2000")
            && let Some(end) = end.and_then(Month::start)
        {
            partitions.push(Partition { name, end, is_month: month.is_some() });
        }
    }
    partitions.sort_by_key(|partition| partition.end);
    Ok(partitions)
}

/// The months that are known to have their partition, or to need none.
#[derive(Debug, Default)]
pub(super) struct Months {
    known: Mutex<BTreeSet<Month>>,
}

/// Months that may have no partition yet.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// Some event needs them.
    needed: BTreeSet<Month>,
    /// Those ahead of now, for events to come.
    ahead: BTreeSet<Month>,
}

impl Unknown {
    pub(super) fn is_empty(&self) -> bool {
        self.needed.is_empty() && self.ahead.is_empty()
    }
}

impl Months {
    /// Those of these instants, and those ahead of `now`, that are not known.
    pub(super) fn unknown(&self, now: i64, instants: impl Iterator<Item = i64>) -> Unknown {
        let Ok(known) = self.known.lock() else { return Unknown::default() };
        let is_unknown = |month: &Month| *month >= Month(0) && !known.contains(month);
        let current = Month::of(now);
        let ahead = (0..=MONTHS_AHEAD).map(|ahead| Month(current.0 + ahead));
        Unknown {
            needed: instants.map(Month::of).filter(is_unknown).collect(),
            ahead: ahead.filter(is_unknown).collect(),
        }
    }

    /// Makes what is missing of these months.
    ///
    /// # Errors
    /// If a month that is needed cannot be made. A month ahead is tried again when an event needs
    /// it.
    pub(super) async fn make(&self, pool: &Pool, unknown: &Unknown) -> Result<()> {
        let (existing, horizon) = {
            let client = pool.get().await?;
            (existing(&client).await?, past::horizon(&client).await?)
        };
        let names: BTreeSet<&str> = existing.iter().map(|it| it.name.as_str()).collect();
        // Events before the horizon are refused: they need no place.
        let is_gone = |end: i64| horizon.is_some_and(|horizon| end <= horizon);
        let is_missing = |month: &&Month| {
            !names.contains(month.name().as_str()) && !month.next().start().is_some_and(is_gone)
        };
        let missing: Vec<Month> = unknown.needed.iter().filter(is_missing).copied().collect();
        for months in missing.chunks(MONTHS_AT_ONCE) {
            create(pool, months).await?;
        }
        let ahead = unknown.ahead.difference(&unknown.needed).filter(is_missing);
        let ahead: Vec<Month> = ahead.copied().collect();
        for month in &ahead {
            if let Err(error) = create(pool, &[*month]).await {
                tracing::warn!("a month ahead has no partition: {error}");
            }
        }
        if let Ok(mut known) = self.known.lock() {
            known.extend(unknown.needed.iter().chain(&unknown.ahead));
        }
        Ok(())
    }

    /// Makes what is missing of the months of these instants.
    pub(super) async fn ensure(
        &self,
        pool: &Pool,
        now: i64,
        instants: impl Iterator<Item = i64>,
    ) -> Result<()> {
        let unknown = self.unknown(now, instants);
        if unknown.is_empty() { Ok(()) } else { self.make(pool, &unknown).await }
    }

    /// Looks again the next time: cleanup may have dropped some.
    pub(super) fn forget(&self) {
        if let Ok(mut known) = self.known.lock() {
            known.clear();
        }
    }
}

/// Makes partitions in one transaction, as one message: a server that stands still in the middle
/// of it holds nothing.
///
/// Attaching them takes a lock on the floors, because of the foreign key. It waits for groups of
/// events that are being written, and new ones wait behind it; so it waits a moment only, and is
/// tried again.
async fn create(pool: &Pool, months: &[Month]) -> Result<()> {
    let sql = creation(months);
    let mut patience = Patience::new();
    loop {
        let transaction = Transaction::connect(pool).await?;
        match transaction.batch_execute(&sql).await {
            Ok(()) => {
                transaction.done();
                for month in months {
                    tracing::info!("made the partition {}", month.name());
                }
                return Ok(());
            }
            Err(error) => {
                let error = match Error::from(error) {
                    Error::Internal(text) => {
                        return Err(Error::Unavailable(format!(
                            "the month's partition could not be made: {text}"
                        )));
                    }
                    other => other,
                };
                patience.again(error).await?;
            }
        }
    }
}

/// The statement that makes partitions. All of it comes from numbers: there is nothing to escape.
fn creation(months: &[Month]) -> String {
    let mut sql = String::from(
        "-- partitions: months, one server at a time
DO $$ BEGIN
PERFORM pg_advisory_xact_lock(hashtext('smartpark partitions'), hashtext(current_schema()));
",
    );
    let missing = |name: &str| {
        format!(
            "IF NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'events'::regclass AND c.relname = '{name}') THEN"
        )
    };
    for month in months {
        let name = month.name();
        sql.push_str(&format!(
            "{} CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS \
             INCLUDING INDEXES); END IF;\n",
            missing(&name)
        ));
    }
    let wait = milliseconds(MONTHS_LOCK_TIMEOUT);
    sql.push_str(&format!("SET LOCAL lock_timeout = '{wait}';\n"));
    for month in months {
        let (name, from, to) = (month.name(), month.first_instant(), month.next().first_instant());
        sql.push_str(&format!(
            "{} ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to}); \
             END IF;\n",
            missing(&name)
        ));
    }
    sql.push_str("END $$");
    sql
}
