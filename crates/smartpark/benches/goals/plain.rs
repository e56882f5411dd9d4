//! What PostgreSQL does at most for a plain client: the tables that the program makes, one
//! connection, prepared set-based statements in three round trips a group. As in [`crate::raw`] it
//! does of an event only what nobody can do without, with a bare counter.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use smartpark::{Direction, VehicleType};
use tokio_postgres::{Client, Error, NoTls, Statement, types::ToSql};

use crate::traffic::{Seen, now};

const LOCK: &str = "-- plain: floors
SELECT id, current_vehicles, total_slots FROM floors WHERE id = ANY ($1) ORDER BY id FOR UPDATE";

const TWINS: &str = "-- plain: duplicates
SELECT e.id FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[])
    AS w (camera_id, track_id, direction, timestamp)
CROSS JOIN LATERAL (SELECT id FROM events
    WHERE camera_id = w.camera_id AND track_id = w.track_id AND direction = w.direction
      AND timestamp = w.timestamp LIMIT 1) e";

const INSERT: &str = "-- plain: insert
INSERT INTO events (camera_id, floor_id, track_id, vehicle_type, direction, confidence, timestamp,
    created_at, count_delta, at_limit)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::smallint[], $5::smallint[],
    $6::double precision[], $7::timestamptz[], $8::timestamptz[], $9::smallint[], $10::boolean[])";

const COUNT: &str = "-- plain: counts
UPDATE floors SET current_vehicles = w.current_vehicles, updated_at = $3
FROM unnest($1::bigint[], $2::bigint[]) AS w (id, current_vehicles) WHERE floors.id = w.id";

const ADD_HOURS: &str = "-- plain: statistics
INSERT INTO event_hours AS h (hour, floor_id, camera_id, car_entries, car_exits,
    motorcycle_entries, motorcycle_exits, bus_entries, bus_exits, truck_entries, truck_exits,
    at_limit)
SELECT w.hour, w.floor_id, w.camera_id,
    count(*) FILTER (WHERE kind = 0), count(*) FILTER (WHERE kind = 1),
    count(*) FILTER (WHERE kind = 2), count(*) FILTER (WHERE kind = 3),
    count(*) FILTER (WHERE kind = 4), count(*) FILTER (WHERE kind = 5),
    count(*) FILTER (WHERE kind = 6), count(*) FILTER (WHERE kind = 7),
    count(*) FILTER (WHERE at_limit)
FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::smallint[], $5::boolean[])
    AS w (hour, floor_id, camera_id, kind, at_limit)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (hour, floor_id, camera_id) DO UPDATE SET
    car_entries = h.car_entries + excluded.car_entries,
    car_exits = h.car_exits + excluded.car_exits,
    motorcycle_entries = h.motorcycle_entries + excluded.motorcycle_entries,
    motorcycle_exits = h.motorcycle_exits + excluded.motorcycle_exits,
    bus_entries = h.bus_entries + excluded.bus_entries,
    bus_exits = h.bus_exits + excluded.bus_exits,
    truck_entries = h.truck_entries + excluded.truck_entries,
    truck_exits = h.truck_exits + excluded.truck_exits,
    at_limit = h.at_limit + excluded.at_limit";

const SUMS: &str = "-- plain: events, and floors whose count is not the sum of what moved it
SELECT (SELECT count(*) FROM events),
       (SELECT count(*) FROM floors f WHERE current_vehicles <>
           (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = f.id) +
           (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = f.id) +
           (SELECT removed_delta FROM floor_origins WHERE floor_id = f.id))";

/// Partitions by month, as the program makes them.
const MONTHS: &str = "-- plain: months
DO $$ BEGIN FOR n IN 0..$months LOOP
    EXECUTE format('CREATE TABLE plain_%s PARTITION OF events FOR VALUES FROM (%L) TO (%L)', n,
        date_trunc('month', timestamptz '$first', 'UTC') + n * interval '1 month',
        date_trunc('month', timestamptz '$first', 'UTC') + (n + 1) * interval '1 month');
END LOOP; END $$";

const HOUR: i64 = 3_600_000_000;
/// Months that are made before a run.
const MONTHS_AHEAD: &str = "60";

/// A database that is written without SmartPark.
pub(crate) struct Plain {
    client: Client,
    statements: [Statement; 5],
}

/// The parameters of a statement.
type Parameters<'p, const N: usize> = [&'p (dyn ToSql + Sync); N];

/// The columns of a group.
#[derive(Default)]
struct Columns {
    cameras: Vec<String>,
    floors: Vec<i64>,
    tracks: Vec<String>,
    types: Vec<i16>,
    directions: Vec<i16>,
    confidences: Vec<f64>,
    at: Vec<SystemTime>,
    created: Vec<SystemTime>,
    deltas: Vec<i16>,
    at_limit: Vec<bool>,
    hours: Vec<SystemTime>,
    kinds: Vec<i16>,
}

/// Connects; the connection is driven until the runtime ends.
pub(crate) async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Plain {
    /// A client of a database whose tables are there, for events from `first` on.
    pub(crate) async fn open(url: &str, first: i64) -> Result<Self, Error> {
        let client = connect(url).await?;
        let first = crate::traffic::instant(first).to_string();
        let months = MONTHS.replace("$months", MONTHS_AHEAD).replace("$first", &first);
        client.batch_execute(&months).await?;
        let statements = [
            client.prepare(LOCK).await?,
            client.prepare(TWINS).await?,
            client.prepare(INSERT).await?,
            client.prepare(COUNT).await?,
            client.prepare(ADD_HOURS).await?,
        ];
        Ok(Self { client, statements })
    }

    /// Records a group in one durable transaction.
    pub(crate) async fn record(&self, group: Vec<Seen>) -> Result<(), Error> {
        let (client, [lock, twins, insert, count, add_hours]) = (&self.client, &self.statements);
        let mut ids: Vec<i64> = group.iter().map(|seen| seen.floor_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let of_floors: Parameters<'_, 1> = [&ids];
        let (begun, floors) =
            tokio::join!(biased; client.batch_execute("BEGIN"), client.query(lock, &of_floors));
        begun?;
        let counts = floors?.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let (c, counts) = Columns::of(group, counts);
        let found = client.query(twins, &[&c.cameras, &c.tracks, &c.directions, &c.at]).await?;
        assert!(found.is_empty(), "every event is new");
        let counts: Vec<i64> = counts.into_values().map(|(count, _)| count).collect();
        let events: Parameters<'_, 10> = [
            &c.cameras,
            &c.floors,
            &c.tracks,
            &c.types,
            &c.directions,
            &c.confidences,
            &c.at,
            &c.created,
            &c.deltas,
            &c.at_limit,
        ];
        let of_counts: Parameters<'_, 3> = [&ids, &counts, &c.created[0]];
        let hours: Parameters<'_, 5> = [&c.hours, &c.floors, &c.cameras, &c.kinds, &c.at_limit];
        let (inserted, counted, added, committed) = tokio::join!(
            biased;
            client.execute(insert, &events),
            client.execute(count, &of_counts),
            client.execute(add_hours, &hours),
            client.batch_execute("COMMIT"),
        );
        inserted.and(counted).and(added)?;
        committed
    }
}

impl Columns {
    /// The rows of a group, and the counts after it.
    fn of(
        group: Vec<Seen>,
        mut counts: BTreeMap<i64, (i64, i64)>,
    ) -> (Self, BTreeMap<i64, (i64, i64)>) {
        let (mut c, now) = (Self::default(), time(now()));
        for seen in group {
            let exit = i16::from(seen.direction == Direction::Exit);
            let (count, slots) = counts[&seen.floor_id];
            let moved = (count + i64::from(1 - 2 * exit)).clamp(0, slots);
            counts.insert(seen.floor_id, (moved, slots));
            let kind = vehicle(seen.vehicle_type);
            c.cameras.push(seen.camera_id);
            c.floors.push(seen.floor_id);
            c.tracks.push(seen.track_id);
            c.types.push(kind);
            c.directions.push(exit);
            c.confidences.push(seen.confidence);
            c.at.push(time(seen.at));
            c.created.push(now);
            c.deltas.push(if moved == count { 0 } else { 1 - 2 * exit });
            c.at_limit.push(moved == count);
            c.hours.push(time(seen.at - seen.at.rem_euclid(HOUR)));
            c.kinds.push(2 * kind + exit);
        }
        (c, counts)
    }
}

/// Proves that a database holds as many events as were sent, and that its counts are their sums.
pub(crate) async fn prove_sums(url: &str, sent: u64) {
    let client = connect(url).await.expect("the server runs");
    let row = client.query_one(SUMS, &[]).await.expect("the tables are there");
    let (events, wrong): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!((events.unsigned_abs(), wrong), (sent, 0));
}

fn time(at: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.unsigned_abs())
}

fn vehicle(vehicle_type: VehicleType) -> i16 {
    match vehicle_type {
        VehicleType::Car => 0,
        VehicleType::Motorcycle => 1,
        VehicleType::Bus => 2,
        VehicleType::Truck => 3,
    }
}
