//! Statistics of a window: whole hours from their sums, the pieces of an hour at both ends from
//! the events themselves (or, where they were dropped, from their digests).

use deadpool_postgres::{ClientWrapper, Object};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::{
    connect::{prepare, query},
    floors,
    rows::{Micros, direction, micros, vehicle_type},
    transaction::Transaction,
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

/// Both pieces at once: with so many partitions planning a look costs more than the look.
const EDGES: &str = "-- get_event_statistics: pieces of an hour
SELECT timestamp >= $3, floor_id, camera_id, vehicle_type, direction, count(*)
FROM events
WHERE (timestamp >= $1 AND timestamp < $2 OR timestamp >= $3 AND timestamp < $4)
  AND ($5::bigint IS NULL OR floor_id = $5)
GROUP BY 1, floor_id, camera_id, vehicle_type, direction";

const EDGES_AT_LIMIT: &str = "-- get_event_statistics: at the limit in pieces of an hour
SELECT timestamp >= $3, floor_id, camera_id, count(*) FROM events_at_limit
WHERE (timestamp >= $1 AND timestamp < $2 OR timestamp >= $3 AND timestamp < $4)
  AND ($5::bigint IS NULL OR floor_id = $5)
GROUP BY 1, floor_id, camera_id";

const EDGES_DIGESTS: &str = "-- get_event_statistics: deleted events of the hours of the pieces
SELECT hour = $2, floor_id, data FROM event_digests
WHERE hour IN ($1, $2) AND ($3::bigint IS NULL OR floor_id = $3)";

/// From one state of the database, in one round trip.
pub(super) async fn between(
    client: Object,
    start: Timestamp,
    end: Timestamp,
    floor_id: Option<i64>,
) -> Result<Statistics> {
    let window = Window::new(start.as_microsecond(), end.as_microsecond());
    let (from, to) = (Micros(window.whole.0), Micros(window.whole.1));
    let mut tally = Tally::default();
    prepare(&client, &[floors::ALL, HOURS, EDGES, EDGES_AT_LIMIT, EDGES_DIGESTS]).await?;
    let read = Transaction::in_snapshot(client, async |client| {
        tokio::try_join!(
            biased;
            floors::all(client),
            async { query(client, HOURS, &[&from, &to, &floor_id]).await },
            Edges::of(client, window.edges, floor_id),
        )
    });
    let (mut floors, hours, edges) = read.await?;
    floors.retain(|floor| floor_id.is_none_or(|id| floor.id == id));
    if floor_id.is_some() && floors.is_empty() {
        return Err(Error::NotFound("the floor"));
    }
    for row in &hours {
        let camera: &str = row.try_get(2)?;
        tally.add(micros(row, 0)?, row.try_get(1)?, camera, &hour_sum(row, 3)?);
    }
    edges.add_to(&mut tally)?;
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

/// Where there is no piece of an hour: one in which nothing happens.
const NO_PIECE: (i64, i64) = (i64::MAX, i64::MAX);

/// What is stored of the pieces of an hour at both ends.
struct Edges {
    pieces: [(i64, i64); 2],
    events: Vec<Row>,
    at_limit: Vec<Row>,
    digests: Vec<Row>,
}

impl Edges {
    async fn of(
        client: &ClientWrapper,
        edges: [Option<(i64, i64)>; 2],
        floor_id: Option<i64>,
    ) -> Result<Self> {
        let pieces = edges.map(|piece| piece.unwrap_or(NO_PIECE));
        let [(first, first_end), (last, last_end)] =
            pieces.map(|(from, to)| (Micros(from), Micros(to)));
        let hours = pieces.map(|(from, _)| Micros(hour_of(from)));
        let within: [&(dyn ToSql + Sync); 5] = [&first, &first_end, &last, &last_end, &floor_id];
        let (events, at_limit, digests) = tokio::try_join!(
            biased;
            query(client, EDGES, &within),
            query(client, EDGES_AT_LIMIT, &within),
            async { query(client, EDGES_DIGESTS, &[&hours[0], &hours[1], &floor_id]).await },
        )?;
        Ok(Self { pieces, events, at_limit, digests })
    }

    /// The piece that a row is of.
    fn piece(&self, row: &Row) -> Result<(i64, i64)> {
        let is_last: bool = row.try_get(0)?;
        Ok(self.pieces[usize::from(is_last)])
    }

    fn add_to(&self, tally: &mut Tally) -> Result<()> {
        for row in &self.events {
            let mut sum = HourSum::default();
            sum[column(vehicle_type(row, 3)?, direction(row, 4)?)] = row.try_get(5)?;
            tally.add(hour_of(self.piece(row)?.0), row.try_get(1)?, row.try_get(2)?, &sum);
        }
        for row in &self.at_limit {
            let mut sum = HourSum::default();
            sum[AT_LIMIT] = row.try_get(3)?;
            tally.add(hour_of(self.piece(row)?.0), row.try_get(1)?, row.try_get(2)?, &sum);
        }
        for row in &self.digests {
            let piece = self.piece(row)?;
            for trace in digest::read(row.try_get(2)?, hour_of(piece.0))? {
                tally.add_trace(piece, row.try_get(1)?, &trace);
            }
        }
        Ok(())
    }
}
