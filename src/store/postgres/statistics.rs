//! Statistics of a window: whole hours from their sums, the pieces of an hour at both ends from
//! the events themselves (or, where they were dropped, from their digests).

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{
    connect::query,
    floors,
    rows::{Micros, direction, micros, vehicle_type},
};
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
FROM event_hours WHERE hour >= $1 AND hour < $2 AND ($3::bigint IS NULL OR floor_id = $3)";

const EDGE: &str = "-- get_event_statistics: a piece of an hour
SELECT floor_id, camera_id, vehicle_type, direction, count(*)
FROM events
WHERE timestamp >= $1 AND timestamp < $2 AND ($3::bigint IS NULL OR floor_id = $3)
GROUP BY floor_id, camera_id, vehicle_type, direction";

const EDGE_AT_LIMIT: &str = "-- get_event_statistics: at the limit in a piece of an hour
SELECT floor_id, camera_id, count(*) FROM events_at_limit
WHERE timestamp >= $1 AND timestamp < $2 AND ($3::bigint IS NULL OR floor_id = $3)
GROUP BY floor_id, camera_id";

const EDGE_DIGESTS: &str = "-- get_event_statistics: deleted events of an hour
SELECT floor_id, data FROM event_digests
WHERE hour = $1 AND ($2::bigint IS NULL OR floor_id = $2)";

/// `client` stands in a snapshot.
pub(super) async fn between(
    client: &ClientWrapper,
    start: Timestamp,
    end: Timestamp,
    floor_id: Option<i64>,
) -> Result<Statistics> {
    let window = Window::new(start.as_microsecond(), end.as_microsecond());
    let (from, to) = (Micros(window.whole.0), Micros(window.whole.1));
    let mut tally = Tally::default();
    let [first, last] = window.edges;
    let (mut floors, hours, first, last) = tokio::try_join!(
        biased;
        floors::all(client),
        async { query(client, HOURS, &[&from, &to, &floor_id]).await },
        edge(client, first, floor_id),
        edge(client, last, floor_id),
    )?;
    floors.retain(|floor| floor_id.is_none_or(|id| floor.id == id));
    if floor_id.is_some() && floors.is_empty() {
        return Err(Error::NotFound("the floor"));
    }
    for row in &hours {
        let camera: &str = row.try_get(2)?;
        tally.add(micros(row, 0)?, row.try_get(1)?, camera, &hour_sum(row, 3)?);
    }
    for edge in [first, last].into_iter().flatten() {
        edge.add_to(&mut tally)?;
    }
    Ok(statistics(start, end, &floors, tally))
}

/// The nine numbers of an hour, from column `first` on.
pub(super) fn hour_sum(row: &Row, first: usize) -> Result<HourSum> {
    let mut sum = HourSum::default();
    for (place, number) in sum.iter_mut().enumerate() {
        *number = row.try_get(first + place)?;
    }
    Ok(sum)
}

/// What is stored of a piece of an hour.
struct Edge {
    piece: (i64, i64),
    events: Vec<Row>,
    at_limit: Vec<Row>,
    digests: Vec<Row>,
}

async fn edge(
    client: &ClientWrapper,
    piece: Option<(i64, i64)>,
    floor_id: Option<i64>,
) -> Result<Option<Edge>> {
    let Some(piece) = piece else { return Ok(None) };
    let (from, to, hour) = (Micros(piece.0), Micros(piece.1), Micros(hour_of(piece.0)));
    let (events, at_limit, digests) = tokio::try_join!(
        biased;
        async { query(client, EDGE, &[&from, &to, &floor_id]).await },
        async { query(client, EDGE_AT_LIMIT, &[&from, &to, &floor_id]).await },
        async { query(client, EDGE_DIGESTS, &[&hour, &floor_id]).await },
    )?;
    Ok(Some(Edge { piece, events, at_limit, digests }))
}

impl Edge {
    fn add_to(&self, tally: &mut Tally) -> Result<()> {
        let hour = hour_of(self.piece.0);
        for row in &self.events {
            let mut sum = HourSum::default();
            sum[column(vehicle_type(row, 2)?, direction(row, 3)?)] = row.try_get(4)?;
            tally.add(hour, row.try_get(0)?, row.try_get(1)?, &sum);
        }
        for row in &self.at_limit {
            let mut sum = HourSum::default();
            sum[AT_LIMIT] = row.try_get(2)?;
            tally.add(hour, row.try_get(0)?, row.try_get(1)?, &sum);
        }
        for row in &self.digests {
            for trace in digest::read(row.try_get(1)?, hour)? {
                tally.add_trace(self.piece, row.try_get(0)?, &trace);
            }
        }
        Ok(())
    }
}
