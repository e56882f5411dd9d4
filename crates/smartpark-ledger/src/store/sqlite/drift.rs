//! The schema of the file, and the one that the migrations make.

use rusqlite::Connection;

use super::migrate;
use crate::{
    Result,
    check::Report,
    store::drift::{Object, Schema, compare},
};

/// SQLite keeps what was declared, word by word. What it makes by itself has a reserved name.
const OBJECTS: &str = "-- check: schema
SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema
WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/// Compares the file's schema with the one that the migrations make in an empty database.
pub(super) fn check(connection: &Connection, report: &mut Report) -> Result<()> {
    let empty = Connection::open_in_memory()?;
    migrate::make_tables(&empty)?;
    compare(report, &schema(&empty)?, &schema(connection)?);
    Ok(())
}

fn schema(connection: &Connection) -> Result<Schema> {
    let mut statement = connection.prepare(OBJECTS)?;
    let objects = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), Object { table: row.get(2)?, definition: row.get(3)? }))
    })?;
    Ok(objects.collect::<rusqlite::Result<_>>()?)
}
