//! Statistics of a window: whole hours from their sums, the pieces of an hour at both ends from
//! the events themselves (or, where they were deleted, from their digests). The cost grows with
//! the length of the window, not with the number of events.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{floors, rows::Code};
use crate::{
    Error, Result, Statistics,
    store::{
        digest,
        sums::{AT_LIMIT, HourSum, column, hour_of},
        tally::{Tally, Window, statistics},
    },
};

const HOURS: &str = "-- get_event_statistics: whole hours
SELECT hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries, motorcycle_exits,
       bus_entries, bus_exits, truck_entries, truck_exits, at_limit
FROM event_hours WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR floor_id = ?3)";

const EDGE: &str = "-- get_event_statistics: a piece of an hour
SELECT floor_id, camera_id, vehicle_type, direction, count(*)
FROM events INDEXED BY ix_event_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND (?3 IS NULL OR floor_id = ?3)
GROUP BY floor_id, camera_id, vehicle_type, direction";

const EDGE_AT_LIMIT: &str = "-- get_event_statistics: at the limit in a piece of an hour
SELECT floor_id, camera_id, count(*) FROM events_at_limit
WHERE timestamp >= ?1 AND timestamp < ?2 AND (?3 IS NULL OR floor_id = ?3)
GROUP BY floor_id, camera_id";

const EDGE_DIGESTS: &str = "-- get_event_statistics: deleted events of an hour
SELECT floor_id, data FROM event_digests WHERE hour = ?1 AND (?2 IS NULL OR floor_id = ?2)";

pub(super) fn between(
    connection: &Connection,
    start: Timestamp,
    end: Timestamp,
    floor_id: Option<i64>,
) -> Result<Statistics> {
    let mut floors = floors::all(connection)?;
    floors.retain(|floor| floor_id.is_none_or(|id| floor.id == id));
    if floor_id.is_some() && floors.is_empty() {
        return Err(Error::NotFound("the floor"));
    }
    let mut tally = Tally::default();
    let window = Window::new(start.as_microsecond(), end.as_microsecond());
    whole_hours(connection, &mut tally, window.whole, floor_id)?;
    for piece in window.edges.into_iter().flatten() {
        edge(connection, &mut tally, piece, floor_id)?;
    }
    Ok(statistics(start, end, &floors, tally))
}

fn whole_hours(
    connection: &Connection,
    tally: &mut Tally,
    (from, to): (i64, i64),
    floor_id: Option<i64>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(HOURS)?;
    let mut rows = statement.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let camera = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        tally.add(row.get(0)?, row.get(1)?, camera, &hour_sum(row, 3)?);
    }
    Ok(())
}

/// The nine numbers of an hour, from column `first` on.
pub(super) fn hour_sum(row: &Row<'_>, first: usize) -> rusqlite::Result<HourSum> {
    let mut sum = HourSum::default();
    for (place, number) in sum.iter_mut().enumerate() {
        *number = row.get(first + place)?;
    }
    Ok(sum)
}

/// Adds the events in `from..to`, a piece of one hour.
fn edge(
    connection: &Connection,
    tally: &mut Tally,
    (from, to): (i64, i64),
    floor_id: Option<i64>,
) -> Result<()> {
    let hour = hour_of(from);
    let mut events = connection.prepare_cached(EDGE)?;
    let mut rows = events.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let mut sum = HourSum::default();
        let (Code(kind), Code(direction)) = (row.get(2)?, row.get(3)?);
        sum[column(kind, direction)] = row.get(4)?;
        tally.add(
            hour,
            row.get(0)?,
            row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
            &sum,
        );
    }
    let mut at_limit = connection.prepare_cached(EDGE_AT_LIMIT)?;
    let mut rows = at_limit.query((from, to, floor_id))?;
    while let Some(row) = rows.next()? {
        let mut sum = HourSum::default();
        sum[AT_LIMIT] = row.get(2)?;
        tally.add(
            hour,
            row.get(0)?,
            row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
            &sum,
        );
    }
    let mut digests = connection.prepare_cached(EDGE_DIGESTS)?;
    let mut rows = digests.query((hour, floor_id))?;
    while let Some(row) = rows.next()? {
        let data = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        for trace in digest::read(data, hour)? {
            tally.add_trace((from, to), row.get(0)?, &trace);
        }
    }
    Ok(())
}
