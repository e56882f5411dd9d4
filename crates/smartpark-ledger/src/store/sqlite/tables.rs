//! What the database is made of and how much it holds.

use jiff::Timestamp;
use rusqlite::Connection;

use super::migrate;
use crate::{DatabaseStats, Result, TableInfo};

const TABLES: &str = "-- get_table_info: tables
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY name";

const COLUMNS: &str = "-- get_table_info: columns\nSELECT name FROM pragma_table_info(?1)";

const INDEXES: &str = "-- get_table_info: indexes
SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL
ORDER BY name";

const STATS: &str = "-- get_database_stats
SELECT (SELECT count(*) FROM floors), (SELECT count(*) FROM events),
       (SELECT count(*) FROM adjustments), (SELECT horizon FROM retention),
       (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())";

/// The size alone, which costs nothing however many rows there are.
const SIZE: &str = "-- metrics: size of the database
SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())";

pub(super) fn size_bytes(connection: &Connection) -> Result<u64> {
    let size: i64 = connection.prepare_cached(SIZE)?.query_row([], |row| row.get(0))?;
    Ok(size.unsigned_abs())
}

pub(super) fn info(connection: &Connection) -> Result<Vec<TableInfo>> {
    let names = |sql: &str, table: &str| -> Result<Vec<String>> {
        let mut statement = connection.prepare(sql)?;
        let names = statement.query_map([table], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    };
    let mut statement = connection.prepare(TABLES)?;
    let tables =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    tables
        .into_iter()
        .map(|name| {
            // The name comes from the schema, not from a caller.
            let count = format!("-- get_table_info: rows\nSELECT count(*) FROM \"{name}\"");
            let rows = connection.query_row(&count, [], |row| row.get::<_, i64>(0))?;
            Ok(TableInfo {
                columns: names(COLUMNS, &name)?,
                indexes: names(INDEXES, &name)?,
                rows: rows.unsigned_abs(),
                name,
            })
        })
        .collect()
}

pub(super) fn stats(connection: &Connection) -> Result<DatabaseStats> {
    let schema_version = migrate::version(connection)?;
    let stats = connection.query_row(STATS, [], |row| {
        let number = |place| row.get::<_, i64>(place).map(i64::unsigned_abs);
        let horizon: Option<i64> = row.get(3)?;
        Ok(DatabaseStats {
            floors: number(0)?,
            events: number(1)?,
            adjustments: number(2)?,
            schema_version,
            horizon: horizon
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .map(|at| at.to_string()),
            size_bytes: number(4)?,
        })
    })?;
    Ok(stats)
}
