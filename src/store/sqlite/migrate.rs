//! Versioned migrations: each runs once, in order, in one transaction under the write lock. A
//! schema that is newer than the program, or whose migrations were changed, is refused.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Number, name and text of every migration, oldest first.
const MIGRATIONS: [(u32, &str, &str); 1] =
    [(1, "initial", include_str!("../../../migrations/sqlite/0001_initial.sql"))];

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
    let applied = applied(&transaction)?;
    for (version, name, text) in &MIGRATIONS[applied..] {
        transaction.execute_batch(text)?;
        transaction.execute(INSERT, (version, name, digest(text), now.as_microsecond()))?;
        tracing::info!("migrated the database to version {version} ({name})");
    }
    transaction.commit()?;
    Ok(())
}

/// Whether the tables are those of this version, and what to do where they are not.
pub(super) fn require_current(connection: &Connection) -> Result<()> {
    let exists: Option<i64> = connection.query_row(EXISTS, [], |row| row.get(0)).optional()?;
    let applied = if exists.is_some() { applied(connection)? } else { 0 };
    if applied == MIGRATIONS.len() {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the database's tables are of version {applied}, this program's of version {}; bring them \
         up to date with `smartpark migrate`",
        MIGRATIONS.len()
    )))
}

/// The version of the tables.
pub(super) fn version(connection: &Connection) -> Result<u32> {
    let sql = "-- database_stats: version\nSELECT max(version) FROM schema_migrations";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// How many of [`MIGRATIONS`] were applied, each proved to be the one that is known.
fn applied(connection: &Connection) -> Result<usize> {
    let mut statement = connection.prepare(APPLIED)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (version, name, sha256): (u32, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some((known, known_name, text)) = MIGRATIONS.get(count) else {
            return Err(Error::Unusable(format!(
                "the database was written by a newer version of smartpark (its tables are of \
                 version {version}, this program knows version {}); use that one",
                MIGRATIONS.len()
            )));
        };
        if (version, name.as_str(), sha256) != (*known, *known_name, digest(text)) {
            return Err(Error::Unusable(format!(
                "the database's migration {version} ({name}) is not the one of this program; it \
                 was changed or made by another program"
            )));
        }
        count += 1;
    }
    Ok(count)
}

fn digest(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
