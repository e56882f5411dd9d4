//! S: what SQLite does at most. The tables and indexes that the program makes, the settings that
//! it sets, one connection, prepared statements, and of an event only what nobody can do without:
//! look its key up, insert it, and once a group the floors' counts and the hours' sums. The
//! counter is a bare one: it knows no late event, so nothing of a history is read or kept.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension, Result, config::DbConfig, params};
use smartpark::{Direction, VehicleType, limits::SQLITE_CHECKPOINT_PAGES};

use crate::{
    servers,
    traffic::{Seen, now},
};

const TWIN: &str = "-- raw: duplicate
SELECT id FROM events
WHERE camera_id = ?1 AND track_id = ?2 AND direction = ?3 AND timestamp = ?4";

const INSERT: &str = "-- raw: insert
INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction, confidence,
    timestamp, created_at, count_delta, at_limit)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

const FLOOR: &str = "-- raw: floor
SELECT current_vehicles, total_slots FROM floors WHERE id = ?1";

const COUNT: &str = "-- raw: count
UPDATE floors SET current_vehicles = ?2, updated_at = ?3 WHERE id = ?1";

const ADD_HOUR: &str = "-- raw: statistics
INSERT INTO event_hours (hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries,
    motorcycle_exits, bus_entries, bus_exits, truck_entries, truck_exits, at_limit)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (hour, floor_id, camera_id) DO UPDATE SET
    car_entries = car_entries + excluded.car_entries,
    car_exits = car_exits + excluded.car_exits,
    motorcycle_entries = motorcycle_entries + excluded.motorcycle_entries,
    motorcycle_exits = motorcycle_exits + excluded.motorcycle_exits,
    bus_entries = bus_entries + excluded.bus_entries,
    bus_exits = bus_exits + excluded.bus_exits,
    truck_entries = truck_entries + excluded.truck_entries,
    truck_exits = truck_exits + excluded.truck_exits,
    at_limit = at_limit + excluded.at_limit";

const SUMS: &str = "-- raw: events, and floors whose count is not the sum of what moved it
SELECT (SELECT count(*) FROM events),
       (SELECT count(*) FROM floors f WHERE current_vehicles <>
           (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = f.id) +
           (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = f.id) +
           (SELECT removed_delta FROM floor_origins WHERE floor_id = f.id))";

const HOUR: i64 = 3_600_000_000;
/// The places of the sums: four types, each come and gone, and those at the limit.
const AT_LIMIT: usize = 8;

/// A database that is written without SmartPark.
pub(crate) struct Raw {
    connection: Connection,
    next_id: i64,
}

impl Raw {
    /// A new database in a folder, made by the program.
    pub(crate) fn create(folder: &Path, name: &str) -> Self {
        servers::run(&servers::sqlite(folder, name), &["seed"]);
        let connection = Connection::open(folder.join(format!("{name}.db")));
        let connection = connection.expect("the program has made it");
        let log = SQLITE_CHECKPOINT_PAGES.to_string();
        for (pragma, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("foreign_keys", "ON"),
            ("wal_autocheckpoint", log.as_str()),
        ] {
            let set = connection.pragma_update_and_check(None, pragma, value, |_| Ok(()));
            set.or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                other => Err(other),
            })
            .expect("SQLite knows the setting");
        }
        connection.pragma_update(None, "cache_size", -32_768).expect("SQLite knows the setting");
        // No statement is prepared anew for other values.
        let stable = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
        stable.expect("SQLite knows the setting");
        Self { connection, next_id: 1 }
    }

    /// Records a group in one durable transaction.
    pub(crate) fn record(&mut self, group: impl Iterator<Item = Seen>) {
        self.try_record(group).expect("SQLite records new events");
    }

    fn try_record(&mut self, group: impl Iterator<Item = Seen>) -> Result<()> {
        let connection = &self.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut floors: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let mut hours: BTreeMap<(i64, i64, String), [i64; 9]> = BTreeMap::new();
        let now = now();
        for seen in group {
            let Seen { camera_id, floor_id, track_id, at, .. } = &seen;
            let (kind, exit) = (vehicle(seen.vehicle_type), seen.direction == Direction::Exit);
            let mut twin = connection.prepare_cached(TWIN)?;
            let twin: Option<i64> = twin
                .query_row(params![camera_id, track_id, exit, at], |row| row.get(0))
                .optional()?;
            assert!(twin.is_none(), "every event is new");
            let (count, slots) = match floors.get(floor_id) {
                Some(known) => *known,
                None => connection
                    .prepare_cached(FLOOR)?
                    .query_row([floor_id], |row| Ok((row.get(0)?, row.get(1)?)))?,
            };
            let moved = (if exit { count - 1 } else { count + 1 }).clamp(0, slots);
            floors.insert(*floor_id, (moved, slots));
            connection.prepare_cached(INSERT)?.execute(params![
                self.next_id,
                camera_id,
                floor_id,
                track_id,
                kind as i64,
                exit,
                seen.confidence,
                at,
                now,
                moved - count,
                moved == count,
            ])?;
            self.next_id += 1;
            let sums = hours.entry((at - at.rem_euclid(HOUR), *floor_id, seen.camera_id));
            let sums = sums.or_default();
            sums[2 * kind + usize::from(exit)] += 1;
            sums[AT_LIMIT] += i64::from(moved == count);
        }
        for (id, (count, _)) in floors {
            connection.prepare_cached(COUNT)?.execute((id, count, now))?;
        }
        for ((hour, floor_id, camera_id), s) in hours {
            connection.prepare_cached(ADD_HOUR)?.execute(params![
                hour, floor_id, camera_id, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8],
            ])?;
        }
        connection.execute_batch("COMMIT")
    }

    /// Proves that it holds as many events as were sent, and that its counts are their sums.
    pub(crate) fn prove(&self, sent: u64) {
        assert_eq!(sums(&self.connection), (sent, 0));
    }
}

/// Proves the same of a database of SmartPark's, where checking every event would take minutes.
pub(crate) fn prove_sums(folder: &Path, name: &str, sent: u64) {
    let connection = Connection::open(folder.join(format!("{name}.db")));
    assert_eq!(sums(&connection.expect("it is there")), (sent, 0));
}

/// The number of events, and of floors whose count is not what moved it.
fn sums(connection: &Connection) -> (u64, u64) {
    let read = connection.query_row(SUMS, [], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
    });
    read.expect("the tables are there")
}

fn vehicle(vehicle_type: VehicleType) -> usize {
    match vehicle_type {
        VehicleType::Car => 0,
        VehicleType::Motorcycle => 1,
        VehicleType::Bus => 2,
        VehicleType::Truck => 3,
    }
}
