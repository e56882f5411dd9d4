//! Versioned migrations, in one transaction under the write lock.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{repair, seals, session::Session};
use crate::{
    Clock, Options, Result,
    store::versions::{self, Applied, Migration, migrations},
};

/// Every migration, oldest first.
const MIGRATIONS: [Migration; 13] = migrations!("sqlite":
    1 "initial" "0001_initial.sql",
    2 "live" "0002_live.sql",
    3 "refusals" "0003_refusals.sql",
    4 "copy" "0004_copy.sql",
    5 "keys" "0005_keys.sql",
    6 "sessions" "0006_sessions.sql",
    7 "files" "0007_files.sql",
    8 "checksums" "0008_checksums.sql",
    9 "places" "0009_places.sql",
    10 "device states" "0010_device_states.sql",
    11 "site_record" "0011_site_record.sql",
    12 "facts" "0012_facts.sql",
    13 "withdrawals" "0013_withdrawals.sql"
);

/// The version from which on events of one instant act together.
const PLACES: i32 = 9;

const CREATE: &str = "-- migrate: the list of what was done
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

const APPLIED: &str = "-- migrate: what was done
SELECT version, name, sha256 FROM schema_migrations ORDER BY version";

const EXISTS: &str = "-- migrate: is there a list
SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";

const INSERT: &str = "-- migrate: done
INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?1, ?2, ?3, ?4)";

/// Brings the tables up to this version.
pub(super) fn run(connection: &mut Connection, now: Timestamp) -> Result<()> {
    if require_current(connection).is_ok() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(CREATE, [])?;
    let pending = versions::pending(&MIGRATIONS, &applied(&transaction)?)?;
    for migration in &pending {
        let Migration { version, name, text } = migration;
        transaction.execute_batch(text)?;
        let done = (version, name, migration.sha256(), now.as_microsecond());
        transaction.execute(INSERT, done)?;
        tracing::info!("migrated the database to version {version} ({name})");
    }
    if pending.iter().any(|migration| migration.version == PLACES) {
        let options = Options { clock: Clock::fixed(now), ..Options::default() };
        repair::apply_rules(&mut Session::new(&transaction, &options))?;
    }
    if !pending.is_empty() {
        seals::keep_all(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes the tables of this version in an empty database.
pub(super) fn make_tables(connection: &Connection) -> Result<()> {
    connection.execute(CREATE, [])?;
    for migration in &MIGRATIONS {
        connection.execute_batch(migration.text)?;
    }
    Ok(())
}

/// Whether the tables are those of this version, and what to do where they are not.
pub(super) fn require_current(connection: &Connection) -> Result<()> {
    let exists: Option<i64> = connection.query_row(EXISTS, [], |row| row.get(0)).optional()?;
    let applied = if exists.is_some() { applied(connection)? } else { Vec::new() };
    versions::require_current(&MIGRATIONS, &applied)
}

/// The version of the tables.
pub(super) fn version(connection: &Connection) -> Result<u32> {
    let sql = "-- database_stats: version\nSELECT max(version) FROM schema_migrations";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn applied(connection: &Connection) -> Result<Vec<Applied>> {
    let mut statement = connection.prepare(APPLIED)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied { version: row.get(0)?, name: row.get(1)?, sha256: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::check;

    /// A database of version 8, with a floor on which an exit and an entry share an instant. By the
    /// names of its cameras the exit came first, found the floor empty, and the entry counted.
    fn of_version_8() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute(CREATE, []).expect("a list");
        for migration in &MIGRATIONS[..8] {
            connection.execute_batch(migration.text).expect("a migration");
            let done = (migration.version, migration.name, migration.sha256(), 0);
            connection.execute(INSERT, done).expect("a row");
        }
        connection
            .execute_batch(
                "INSERT INTO floors (id, name, total_slots, current_vehicles, created_at,
                     updated_at)
                 VALUES (1, 'Ground', 5, 1, 0, 0);
                 INSERT INTO floor_origins (floor_id, initial_slots) VALUES (1, 5);
                 INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction,
                     timestamp, created_at, count_delta, at_limit)
                 VALUES (1, 'a', 1, 't', 0, 1, 7000000, 7000000, 0, 1),
                        (2, 'b', 1, 't', 0, 0, 7000000, 7000000, 1, 0);
                 INSERT INTO events_at_limit VALUES (1, 1, 'a', 7000000);
                 INSERT INTO event_hours VALUES (0, 1, 'a', 0, 1, 0, 0, 0, 0, 0, 0, 1, NULL),
                                                (0, 1, 'b', 1, 0, 0, 0, 0, 0, 0, 0, 0, NULL);
                 INSERT INTO adjustments VALUES (3, 1, 0, 0, 0, 5, 'first', NULL, 1, 1);
                 INSERT INTO floor_stretches VALUES (1, 0, 0, 3, 0, 0, 1, 1, 0);",
            )
            .expect("rows");
        connection
    }

    #[test]
    fn floors_that_new_rules_count_otherwise_are_folded_again_and_say_so() {
        let mut connection = of_version_8();
        run(&mut connection, Timestamp::from_second(100).expect("an instant")).expect("migrated");
        let count: i64 = connection
            .query_row("SELECT current_vehicles FROM floors", [], |row| row.get(0))
            .expect("a floor");
        assert_eq!(count, 0, "one came and one went in the same instant");
        let (kind, delta): (i64, i64) = connection
            .query_row("SELECT kind, delta FROM adjustments ORDER BY id DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("an adjustment");
        assert_eq!((kind, delta), (6, -1));
        let report = check::run(&connection).expect("a report");
        assert_eq!(report.violations, []);
    }
}
