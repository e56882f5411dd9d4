//! The months of the table of events. A month's partition is built beside the table and then
//! attached, which waits for nobody who reads or records.

use std::{collections::BTreeSet, sync::Mutex};

use deadpool_postgres::Pool;
use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{connect::query, past, transaction::Transaction};
use crate::{Error, Result, limits::MONTHS_AHEAD};

/// The first year that is partitioned by month; all before it shares one partition.
const FIRST_YEAR: i32 = 2000;

const LOCK: &str = "-- partitions: one at a time
SELECT pg_advisory_xact_lock(hashtext('smartpark partitions'), hashtext(current_schema()))";

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

impl Months {
    /// Makes what is missing of the months of these instants, and of those ahead of `now`.
    pub(super) async fn ensure(
        &self,
        pool: &Pool,
        now: i64,
        instants: impl Iterator<Item = i64>,
    ) -> Result<()> {
        let needed: BTreeSet<Month> = instants.map(Month::of).collect();
        let current = Month::of(now);
        let ahead = (0..=MONTHS_AHEAD).map(|ahead| Month(current.0 + ahead));
        let mut missing: BTreeSet<Month> = ahead.chain(needed.iter().copied()).collect();
        missing.retain(|month| *month >= Month(0));
        if let Ok(known) = self.known.lock() {
            missing.retain(|month| !known.contains(month));
        }
        for month in missing {
            match create(pool, month).await {
                Err(error) if !needed.contains(&month) => {
                    // No event waits for it. It is tried again when one does.
                    tracing::warn!("a month ahead has no partition: {error}");
                }
                made => made?,
            }
            if let Ok(mut known) = self.known.lock() {
                known.insert(month);
            }
        }
        Ok(())
    }

    /// Looks again the next time: cleanup may have dropped some.
    pub(super) fn forget(&self) {
        if let Ok(mut known) = self.known.lock() {
            known.clear();
        }
    }
}

async fn create(pool: &Pool, month: Month) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    query(&transaction, LOCK, &[]).await?;
    let name = month.name();
    let partitions = query(&transaction, EXISTING, &[]).await?;
    let exists = partitions.iter().any(|row| row.try_get(0).is_ok_and(|found: &str| found == name));
    // Events before the horizon are refused: they need no place.
    let horizon = past::horizon(&transaction).await?;
    let is_gone = month.next().start().is_some_and(|end| horizon.is_some_and(|at| end <= at));
    if !exists && !is_gone {
        let (from, to) = (month.first_instant(), month.next().first_instant());
        // All of it comes from a number: there is nothing to escape.
        let sql = format!(
            "-- partitions: a month\nCREATE TABLE {name} (LIKE events INCLUDING DEFAULTS \
             INCLUDING CONSTRAINTS INCLUDING INDEXES);\n\
             ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})"
        );
        transaction.batch_execute(&sql).await.map_err(|error| match Error::from(error) {
            Error::Internal(text) => {
                Error::Unavailable(format!("the month's partition could not be made: {text}"))
            }
            other => other,
        })?;
        tracing::info!("made the partition {name}");
    }
    transaction.commit().await
}
