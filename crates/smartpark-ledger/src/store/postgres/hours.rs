//! The sums of hours, recomputed from events and digests: what `check` compares the stored ones
//! with, and what repairing rebuilds them from. Works day by day, so memory stays small.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::{
    connect::query,
    rows::{self, Micros, event_columns, maybe_micros, micros},
    statistics::hour_sum,
    stream::Stream,
};
use crate::{
    Result,
    store::{
        checksum, digest,
        sums::{AT_LIMIT, CHECKSUM, COUNTS, DAY, HourKey, HourSum, UNKNOWN, column, hour_of},
    },
};

const NEXT: &str = "-- check: the next hour with digests or sums
SELECT least((SELECT min(hour) FROM event_digests WHERE hour >= $1),
    (SELECT min(hour) FROM event_hours WHERE hour >= $1))";

/// All events, and the cursor that reads them.
const EVENTS: (&str, &str) = (
    concat!(
        "-- check: events by hour\nDECLARE check_hours NO SCROLL CURSOR FOR\nSELECT ",
        event_columns!(),
        " FROM events ORDER BY timestamp"
    ),
    "check_hours",
);

const EVENTS_AT_LIMIT: &str = "-- check: events at the limit by hour
SELECT timestamp, floor_id, camera_id FROM events_at_limit
WHERE timestamp >= $1 AND timestamp < $2";

const DIGESTS: &str = "-- check: deleted events by hour
SELECT hour, floor_id, data FROM event_digests WHERE hour >= $1 AND hour < $2";

const STORED: &str = "-- check: stored sums
SELECT hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries, motorcycle_exits,
       bus_entries, bus_exits, truck_entries, truck_exits, at_limit, checksum
FROM event_hours WHERE hour >= $1 AND hour < $2";

/// The sums of a day.
pub(super) type DaySums = HashMap<HourKey, HourSum>;

/// An event as it is counted: its hour's key, its place among the sums, its checksum.
type Counted = (HourKey, usize, i64);

/// The days in which anything was counted, with their sums as events and digests have them.
pub(super) struct HourDays<'c> {
    client: &'c ClientWrapper,
    events: Stream<'c, Counted>,
    from: i64,
}

impl<'c> HourDays<'c> {
    /// Begins with the first of all days. `client` stands in a transaction.
    pub(super) async fn begin(client: &'c ClientWrapper) -> Result<Self> {
        Ok(Self {
            client,
            events: Stream::begin(client, EVENTS, &[], counted).await?,
            from: i64::MIN,
        })
    }

    /// The beginning of the next day, and its sums; an error in these where a digest is damaged.
    pub(super) async fn next(&mut self) -> Result<Option<(i64, Result<DaySums>)>> {
        let event = self.events.peek().await?.map(|((hour, ..), ..)| *hour);
        let rows = query(self.client, NEXT, &[&Micros(self.from)]).await?;
        let other = rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))?;
        let Some(first) = event.into_iter().chain(other).min() else { return Ok(None) };
        let day = first.div_euclid(DAY) * DAY;
        self.from = day + DAY;
        let mut sums: HashMap<HourKey, HourSum> = HashMap::new();
        // All events of the day are taken before anything can fail, so that the next day can
        // follow.
        while let Some((key, kind, checksum)) =
            self.events.next_if(|((hour, ..), ..)| *hour < day + DAY).await?
        {
            let sum = sums.entry(key).or_default();
            sum[kind] += 1;
            sum[CHECKSUM] += checksum;
        }
        Ok(Some((day, add_beside(self.client, day, sums).await)))
    }

    /// Ends the walk.
    pub(super) async fn close(self) -> Result<()> {
        self.events.close().await
    }
}

fn counted(row: &Row) -> Result<Counted> {
    let event = rows::event(row, 0)?;
    let checksum = checksum::event(&event);
    let hour = hour_of(event.timestamp.as_microsecond());
    let place = column(event.vehicle_type, event.direction);
    Ok(((hour, event.floor_id, event.camera_id), place, checksum))
}

/// Adds what is in the sums of a day beside its events: those at the limit, and those deleted.
async fn add_beside(client: &ClientWrapper, day: i64, mut sums: DaySums) -> Result<DaySums> {
    let (from, to) = (Micros(day), Micros(day + DAY));
    for row in query(client, EVENTS_AT_LIMIT, &[&from, &to]).await? {
        let key = (hour_of(micros(&row, 0)?), row.try_get(1)?, row.try_get(2)?);
        sums.entry(key).or_default()[AT_LIMIT] += 1;
    }
    for row in query(client, DIGESTS, &[&from, &to]).await? {
        let (hour, floor_id): (i64, i64) = (micros(&row, 0)?, row.try_get(1)?);
        for trace in digest::read(row.try_get(2)?, hour)? {
            let checksum = checksum::trace(floor_id, &trace);
            let sum = sums.entry((hour, floor_id, trace.camera_id)).or_default();
            sum[column(trace.vehicle_type, trace.direction)] += 1;
            sum[AT_LIMIT] += i64::from(trace.at_limit);
            sum[CHECKSUM] += checksum;
        }
    }
    Ok(sums)
}

/// The sums of a day, as they are stored.
pub(super) async fn stored(client: &ClientWrapper, day: i64) -> Result<DaySums> {
    let rows = query(client, STORED, &[&Micros(day), &Micros(day + DAY)]).await?;
    let sums = rows.iter().map(|row| {
        let mut sum = hour_sum(row, 3)?;
        sum[CHECKSUM] = row.try_get::<_, Option<i64>>(3 + COUNTS)?.unwrap_or(UNKNOWN);
        Ok(((micros(row, 0)?, row.try_get(1)?, row.try_get(2)?), sum))
    });
    sums.collect()
}
