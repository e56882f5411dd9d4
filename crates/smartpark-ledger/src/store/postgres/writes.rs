//! The set-based statements of a write transaction, sent together with its commit: one round trip
//! however many rows. Where one of them fails, the server turns the commit into a rollback.

use deadpool_postgres::ClientWrapper;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio_postgres::{Statement, types::ToSql};

use super::{rows::Micros, seam, states, transaction::Transaction, withdrawals};
use crate::{
    Direction, Event, Result,
    count::{Fact, NodeRow, Source},
    decide::{
        Adjustment, Writes,
        sums::{HourKey, HourSum},
    },
    store::{
        checksum,
        codes::{adjustment_number, direction_number, type_number},
    },
};

const INSERT_EVENTS: &str = "-- record_event: insert
INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction, confidence,
    timestamp, created_at, count_delta, at_limit)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::smallint[],
    $6::smallint[], $7::double precision[], $8::timestamptz[], $9::timestamptz[],
    $10::smallint[], $11::boolean[])";

const UPSERT_STRETCHES: &str = "-- history: keep stretches
INSERT INTO floor_stretches (floor_id, level, start, facts, divided, shift, low, high, opening)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::bigint[], $5::boolean[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
ON CONFLICT (floor_id, level, start) DO UPDATE SET
    facts = excluded.facts, divided = excluded.divided, shift = excluded.shift,
    low = excluded.low, high = excluded.high, opening = excluded.opening";

const UPDATE_FLOORS: &str = "-- record_event: counts
UPDATE floors SET total_slots = w.total_slots, current_vehicles = w.current_vehicles,
    updated_at = w.updated_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[])
    AS w (id, total_slots, current_vehicles, updated_at)
WHERE floors.id = w.id";

const ADD_HOURS: &str = "-- record_event: statistics
INSERT INTO event_hours AS h (hour, floor_id, camera_id, car_entries, car_exits,
    motorcycle_entries, motorcycle_exits, bus_entries, bus_exits, truck_entries, truck_exits,
    at_limit, checksum)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
    $12::bigint[], $13::bigint[])
ON CONFLICT (hour, floor_id, camera_id) DO UPDATE SET
    car_entries = h.car_entries + excluded.car_entries,
    car_exits = h.car_exits + excluded.car_exits,
    motorcycle_entries = h.motorcycle_entries + excluded.motorcycle_entries,
    motorcycle_exits = h.motorcycle_exits + excluded.motorcycle_exits,
    bus_entries = h.bus_entries + excluded.bus_entries,
    bus_exits = h.bus_exits + excluded.bus_exits,
    truck_entries = h.truck_entries + excluded.truck_entries,
    truck_exits = h.truck_exits + excluded.truck_exits,
    at_limit = h.at_limit + excluded.at_limit,
    checksum = h.checksum + excluded.checksum";

const ADD_AT_LIMIT: &str = "-- record_event: at the limit
INSERT INTO events_at_limit (event_id, floor_id, camera_id, timestamp)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[])
ON CONFLICT (event_id) DO NOTHING";

const REMOVE_AT_LIMIT: &str = "-- record_event: no longer at the limit
DELETE FROM events_at_limit WHERE event_id = ANY ($1)";

const PUT_PLACES: &str = "-- places: of events
INSERT INTO event_places (event_id, floor_id, place, camera_id, track_id, direction, timestamp)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
    $6::smallint[], $7::timestamptz[])
ON CONFLICT (event_id) DO UPDATE SET place = excluded.place";

const PULL: &str = "-- places: of adjustments
UPDATE adjustments a SET place = w.place
FROM unnest($1::bigint[], $2::timestamptz[]) AS w (id, place) WHERE a.id = w.id";

const ERASE: &str = "-- history: stretches that no longer exist
DELETE FROM floor_stretches s
USING unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::timestamptz[])
    AS w (floor_id, level, first, past)
WHERE s.floor_id = w.floor_id AND s.level >= w.level AND s.start >= w.first AND s.start < w.past";

const ADJUST: &str = "-- adjustments: insert
INSERT INTO adjustments (id, floor_id, kind, delta, current_vehicles, total_slots, reason, author,
    timestamp, created_at, place, is_dated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// It was told in its order before: it stands before all others now.
const RESTORE: &str = "-- withdrawals: a change that counts again
INSERT INTO adjustments (id, floor_id, kind, delta, current_vehicles, total_slots, reason, author,
    timestamp, created_at, place, is_dated, change)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '0')";

const KEEP_CHECKSUM: &str = "-- adjustments: their checksum
UPDATE floors SET adjustments_checksum = adjustments_checksum + $2 WHERE id = $1";

/// The values of one parameter.
pub(super) type Column<'w> = Box<dyn ToSql + Sync + Send + 'w>;

/// A statement and its parameters.
pub(super) type Step<'w> = (&'static str, Vec<Column<'w>>);

/// One array for each value of a row.
macro_rules! columns {
    ($rows:expr, |$row:ident| $($value:expr),+ $(,)?) => {
        vec![$(Box::new($rows.iter().map(|$row| $value).collect::<Vec<_>>()) as Column<'_>),+]
    };
}

/// Writes all and commits.
pub(super) async fn commit(mut writes: Writes, transaction: Transaction) -> Result<()> {
    checksum::add_to_hours(&mut writes);
    let steps = steps(&writes);
    let mut statements = Vec::with_capacity(steps.len());
    for (sql, _) in &steps {
        statements.push(transaction.prepare_cached(sql).await?);
    }
    let mut sent: Vec<_> = statements
        .iter()
        .zip(&steps)
        .map(|(statement, (_, columns))| send(&transaction, Some(statement), columns))
        .collect();
    let is_held = seam::holds_commit(&writes);
    if !is_held {
        sent.push(send(&transaction, None, &[]));
    }
    // All are on their way before the first is answered; the server takes them in order.
    for outcome in join_all(sent).await {
        outcome?;
    }
    if is_held {
        return seam::hold(transaction).await;
    }
    transaction.done();
    Ok(())
}

/// Writes all without a commit.
pub(super) async fn run(writes: &Writes, client: &ClientWrapper) -> Result<()> {
    run_steps(steps(writes), client).await
}

/// Runs these statements without a commit.
pub(super) async fn run_steps(steps: Vec<Step<'_>>, client: &ClientWrapper) -> Result<()> {
    for (sql, columns) in steps {
        let statement = client.prepare_cached(sql).await?;
        send(client, Some(&statement), &columns).await?;
    }
    Ok(())
}

fn steps(writes: &Writes) -> Vec<Step<'_>> {
    let mut steps = withdrawals::steps(writes);
    if !writes.events.is_empty() {
        steps.push((INSERT_EVENTS, event_columns(&writes.events)));
    }
    if !writes.erased.is_empty() {
        let columns = columns!(
            writes.erased,
            |row| row.0,
            i16::from(row.1.from_level.number()),
            Micros(row.1.start),
            Micros(row.1.end),
        );
        steps.push((ERASE, columns));
    }
    if !writes.stretches.is_empty() {
        steps.push((UPSERT_STRETCHES, stretch_columns(&writes.stretches)));
    }
    if !writes.floors.is_empty() {
        let columns = columns!(
            writes.floors,
            |floor| floor.id,
            floor.total_slots,
            floor.current_vehicles,
            stored(floor.updated_at)
        );
        steps.push((UPDATE_FLOORS, columns));
    }
    if !writes.hours.is_empty() {
        steps.push((ADD_HOURS, hour_columns(&writes.hours)));
    }
    if !writes.at_limit.is_empty() {
        let columns = columns!(
            writes.at_limit,
            |row| row.1.event_id,
            row.0,
            row.1.camera_id.as_str(),
            Micros(row.1.at),
        );
        steps.push((ADD_AT_LIMIT, columns));
    }
    if !writes.no_longer.is_empty() {
        let ids = Box::new(writes.no_longer.as_slice());
        steps.push((REMOVE_AT_LIMIT, vec![ids]));
    }
    if !writes.places.is_empty() {
        steps.push((PUT_PLACES, place_columns(&writes.places)));
    }
    if !writes.pulled.is_empty() {
        steps.push((PULL, columns!(writes.pulled, |row| row.0, Micros(row.1))));
    }
    steps.extend(states::steps(&writes.states));
    for new in &writes.adjustments {
        steps.push((ADJUST, adjustment_values(new)));
        let checksum = checksum::adjustment(new);
        steps.push((KEEP_CHECKSUM, vec![Box::new(new.floor_id), Box::new(checksum)]));
    }
    steps
}

/// Sends a statement, or the commit.
async fn send(
    client: &ClientWrapper,
    statement: Option<&Statement>,
    columns: &[Column<'_>],
) -> Result<()> {
    let Some(statement) = statement else {
        return Ok(client.batch_execute("COMMIT").await?);
    };
    let parameters: Vec<&(dyn ToSql + Sync)> =
        columns.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect();
    client.execute(statement, &parameters).await?;
    Ok(())
}

fn stored(at: Timestamp) -> Micros {
    Micros(at.as_microsecond())
}

/// Sorted by key, so that two transactions that hold the same keys meet at the first one.
pub(super) fn event_columns<'w>(events: impl IntoIterator<Item = &'w Event>) -> Vec<Column<'w>> {
    let mut events: Vec<&Event> = events.into_iter().collect();
    events.sort_by(|a, b| {
        let key = |e: &Event| (e.direction == Direction::Exit, e.timestamp);
        (&a.camera_id, &a.track_id, key(a)).cmp(&(&b.camera_id, &b.track_id, key(b)))
    });
    columns!(
        events,
        |event| event.id,
        event.camera_id.as_str(),
        event.floor_id,
        event.track_id.as_str(),
        i16::from(type_number(event.vehicle_type)),
        i16::from(direction_number(event.direction)),
        event.confidence,
        stored(event.timestamp),
        stored(event.created_at),
        i16::try_from(event.count_delta).unwrap_or_default(),
        event.at_limit.is_some()
    )
}

fn stretch_columns(stretches: &[(i64, NodeRow)]) -> Vec<Column<'_>> {
    columns!(
        stretches,
        |row| row.0,
        i16::from(row.1.span.level.number()),
        Micros(row.1.span.start),
        i64::from(row.1.facts),
        row.1.divided,
        row.1.clamp.shift,
        row.1.clamp.low,
        row.1.clamp.high,
        row.1.opening,
    )
}

fn hour_columns(hours: &[(HourKey, HourSum)]) -> Vec<Column<'_>> {
    let mut columns = columns!(hours, |row| Micros(row.0.0), row.0.1, row.0.2.as_str());
    for number in 0..HourSum::default().len() {
        columns.extend(columns!(hours, |row| row.1[number]));
    }
    columns
}

/// The columns of places; every one of these facts is an event.
fn place_columns(places: &[(i64, Fact)]) -> Vec<Column<'_>> {
    let rows: Vec<_> = places
        .iter()
        .filter_map(|(floor_id, fact)| match &fact.source {
            Source::Event { camera_id, track_id, direction, timestamp } => {
                Some((*floor_id, fact, camera_id.as_str(), track_id.as_str(), direction, timestamp))
            }
            Source::Base | Source::Adjustment(_) => None,
        })
        .collect();
    columns!(
        rows,
        |row| row.1.id,
        row.0,
        Micros(row.1.at),
        row.2,
        row.3,
        i16::from(direction_number(*row.4)),
        Micros(*row.5),
    )
}

/// A withdrawn change that counts again.
pub(super) fn restored_change(change: &Adjustment) -> [Step<'_>; 2] {
    let checksum = checksum::adjustment(change);
    let keep: Vec<Column<'_>> = vec![Box::new(change.floor_id), Box::new(checksum)];
    [(RESTORE, adjustment_values(change)), (KEEP_CHECKSUM, keep)]
}

fn adjustment_values(new: &Adjustment) -> Vec<Column<'_>> {
    vec![
        Box::new(new.id),
        Box::new(new.floor_id),
        Box::new(i16::from(adjustment_number(new.kind))),
        Box::new(new.delta),
        Box::new(new.current_vehicles),
        Box::new(new.total_slots),
        Box::new(new.reason.as_deref()),
        Box::new(new.author.as_deref()),
        Box::new(Micros(new.at)),
        Box::new(Micros(new.created_at)),
        Box::new(Micros(new.place)),
        Box::new(new.is_dated),
    ]
}
