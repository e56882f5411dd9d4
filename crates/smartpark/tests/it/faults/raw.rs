//! What stands in the database, by statements of our own on the raw columns.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use smartpark::{Direction, VehicleType};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::journal::FloorSeen;
use crate::servers::cars::{Car, Recount};

/// A row of events.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) car: Car,
    pub(super) count_delta: i64,
}

/// A row of adjustments.
pub(super) struct Adjustment {
    pub(super) id: i64,
    pub(super) floor_id: i64,
    pub(super) kind: i64,
    pub(super) delta: i64,
    pub(super) count: i64,
    pub(super) at: i64,
}

/// All that is judged.
pub(super) struct Raw {
    pub(super) floors: Vec<FloorSeen>,
    pub(super) events: Vec<Stored>,
    pub(super) adjustments: Vec<Adjustment>,
    /// What the events that are gone did to each floor's count.
    pub(super) removed: BTreeMap<i64, i64>,
    /// Ids of the events that stand as being at the limit.
    pub(super) at_limit: Vec<i64>,
    /// Events in the sums of hours.
    pub(super) summed: i64,
    pub(super) horizon: Option<i64>,
    /// What the engine itself finds wrong.
    pub(super) faults: Vec<String>,
}

impl Raw {
    /// The recounts among the adjustments, in their order.
    pub(super) fn recounts(&self) -> Vec<Recount> {
        let mut recounts: Vec<_> = self.adjustments.iter().filter(|it| it.kind == 0).collect();
        recounts.sort_by_key(|recount| (recount.at, recount.id));
        let recount = |it: &Adjustment| Recount {
            at: Timestamp::from_microsecond(it.at).unwrap(),
            floor_id: it.floor_id,
            count: it.count,
        };
        recounts.into_iter().map(recount).collect()
    }
}

/// How many tables of a schema of PostgreSQL sessions have locked.
pub(super) fn locks(url: &str) -> i64 {
    let rows = query(
        url,
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE c.relnamespace = current_schema()::regnamespace",
    );
    rows[0][0].as_ref().map_or(0, |count| count.parse().unwrap())
}

type Rows = Vec<Vec<Option<String>>>;

/// Rows of a query, as text, from either engine.
fn query(url: &str, sql: &str) -> Rows {
    match url.strip_prefix("sqlite://") {
        Some(path) => of_sqlite(path, sql),
        None => std::thread::scope(|scope| scope.spawn(|| of_postgres(url, sql)).join().unwrap()),
    }
}

fn of_sqlite(path: &str, sql: &str) -> Rows {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(_) => panic!("no blob is asked for"),
    };
    let rows = statement
        .query_map([], |row| (0..columns).map(|column| Ok(text(row.get_ref(column)?))).collect());
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

fn of_postgres(url: &str, sql: &str) -> Rows {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let driven = tokio::spawn(connection);
        let told = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        drop(client);
        driven.await.unwrap().unwrap();
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        };
        told.into_iter().filter_map(row).collect()
    })
}

/// The number in a column.
fn number(row: &[Option<String>], column: usize) -> i64 {
    row[column].as_deref().unwrap().parse().unwrap()
}

/// An instant in microseconds.
fn micros(url: &str, column: &str) -> String {
    match url.starts_with("sqlite:") {
        true => column.to_owned(),
        false => format!("(extract(epoch FROM {column}) * 1000000)::bigint"),
    }
}

/// The retention horizon.
pub(super) fn horizon(url: &str) -> Option<i64> {
    let rows = query(url, &format!("SELECT {} FROM retention", micros(url, "horizon")));
    rows[0][0].as_deref().map(|horizon| horizon.parse().unwrap())
}

/// The last id of an event.
pub(super) fn last_id(url: &str) -> i64 {
    number(&query(url, "SELECT coalesce(max(id), 0) FROM events")[0], 0)
}

/// Events in the sums of hours: those that are stored, and those that were forgotten.
pub(super) fn summed(url: &str) -> i64 {
    let rows = query(
        url,
        "SELECT coalesce(sum(car_entries + car_exits + motorcycle_entries + motorcycle_exits
             + bus_entries + bus_exits + truck_entries + truck_exits), 0) FROM event_hours",
    );
    number(&rows[0], 0)
}

/// Everything.
pub(super) fn read(url: &str) -> Raw {
    let floor = |row: Vec<Option<String>>| FloorSeen {
        id: number(&row, 0),
        count: number(&row, 1),
        slots: number(&row, 2),
        active: matches!(row[3].as_deref(), Some("1" | "t")),
    };
    let floors = query(url, "SELECT id, current_vehicles, total_slots, is_active FROM floors");
    let removed = query(url, "SELECT floor_id, removed_delta FROM floor_origins");
    let at_limit = query(url, "SELECT event_id FROM events_at_limit ORDER BY event_id");
    Raw {
        floors: floors.into_iter().map(floor).collect(),
        events: events(url),
        adjustments: adjustments(url),
        removed: removed.iter().map(|row| (number(row, 0), number(row, 1))).collect(),
        at_limit: at_limit.iter().map(|row| number(row, 0)).collect(),
        summed: summed(url),
        horizon: horizon(url),
        faults: faults(url),
    }
}

fn events(url: &str) -> Vec<Stored> {
    let at = micros(url, "timestamp");
    let sql = format!(
        "SELECT id, camera_id, floor_id, track_id, vehicle_type, direction, confidence, {at},
             count_delta FROM events ORDER BY id"
    );
    let event = |row: Vec<Option<String>>| {
        let confidence: f64 = row[6].as_deref().unwrap().parse().unwrap();
        let car = Car {
            at: Timestamp::from_microsecond(number(&row, 7)).unwrap(),
            camera_id: row[1].clone().unwrap(),
            track_id: row[3].clone().unwrap(),
            direction: if number(&row, 5) == 0 { Direction::Entry } else { Direction::Exit },
            floor_id: number(&row, 2),
            vehicle_type: VehicleType::ALL[usize::try_from(number(&row, 4)).unwrap()],
            confidence: format!("{:.0}", confidence * 100.0).parse().unwrap(),
        };
        Stored { id: number(&row, 0), car, count_delta: number(&row, 8) }
    };
    query(url, &sql).into_iter().map(event).collect()
}

fn adjustments(url: &str) -> Vec<Adjustment> {
    let at = micros(url, "timestamp");
    let sql = format!(
        "SELECT id, floor_id, kind, delta, current_vehicles, {at} FROM adjustments ORDER BY id"
    );
    let adjustment = |row: Vec<Option<String>>| Adjustment {
        id: number(&row, 0),
        floor_id: number(&row, 1),
        kind: number(&row, 2),
        delta: number(&row, 3),
        count: number(&row, 4),
        at: number(&row, 5),
    };
    query(url, &sql).into_iter().map(adjustment).collect()
}

/// What the engine's own checks say, and rows of events without their floors.
fn faults(url: &str) -> Vec<String> {
    let mut checks =
        vec!["SELECT id FROM events WHERE floor_id NOT IN (SELECT id FROM floors) LIMIT 5"];
    if url.starts_with("sqlite:") {
        checks.extend(["PRAGMA integrity_check", "PRAGMA foreign_key_check"]);
    }
    let rows = checks.into_iter().flat_map(|sql| query(url, sql));
    let told = rows.map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "));
    told.filter(|told| told != "ok").collect()
}
