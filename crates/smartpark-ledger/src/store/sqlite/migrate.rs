//! Versioned migrations, in one transaction under the write lock.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{repair, seals, session::Session};
use crate::{
    Clock, Options, Result,
    store::versions::{self, Applied, Migration, migrations},
};

/// Every migration, oldest first.
const MIGRATIONS: [Migration; 10] = migrations!("sqlite":
    1 "initial" "0001_initial.sql",
    2 "live" "0002_live.sql",
    3 "refusals" "0003_refusals.sql",
    4 "copy" "0004_copy.sql",
    5 "keys" "0005_keys.sql",
    6 "sessions" "0006_sessions.sql",
    7 "files" "0007_files.sql",
    8 "checksums" "0008_checksums.sql",
    9 "places" "0009_places.sql",
    10 "site_record" "0010_site_record.sql"
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
