//! What the database is made of and how much it holds.

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;

use super::{
    connect::query,
    events::kept,
    rows::{damaged, maybe_micros},
};
use crate::{DatabaseStats, Result, TableInfo};

const TABLES: &str = "-- get_table_info: tables, columns, indexes
SELECT c.relname::text,
    ARRAY (SELECT attname::text FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum),
    ARRAY (SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
           WHERE x.indrelid = c.oid AND NOT x.indisprimary ORDER BY i.relname)
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
ORDER BY c.relname";

const STATS: &str = concat!(
    "-- get_database_stats
SELECT (SELECT count(*) FROM floors), (SELECT count(*) FROM events WHERE ",
    kept!(),
    "),
    (SELECT count(*) FROM adjustments), (SELECT horizon FROM retention WHERE id = 1),
    (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'),
    (SELECT max(version) FROM schema_migrations)"
);

/// The size alone, which costs nothing however many rows there are.
const SIZE: &str = "-- metrics: size of the database
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";

pub(super) async fn size_bytes(client: &ClientWrapper) -> Result<u64> {
    let rows = query(client, SIZE, &[]).await?;
    let size: i64 = rows.first().ok_or_else(|| damaged("a size"))?.try_get(0)?;
    Ok(size.unsigned_abs())
}

pub(super) async fn info(client: &ClientWrapper) -> Result<Vec<TableInfo>> {
    let mut tables = Vec::new();
    for row in query(client, TABLES, &[]).await? {
        let name: String = row.try_get(0)?;
        // The name comes from the schema, not from a caller.
        let count = format!("-- get_table_info: rows\nSELECT count(*) FROM \"{name}\"");
        let rows: i64 = client.query_one(&count, &[]).await?.try_get(0)?;
        let (columns, indexes) = (row.try_get(1)?, row.try_get(2)?);
        tables.push(TableInfo { name, columns, indexes, rows: rows.unsigned_abs() });
    }
    Ok(tables)
}

pub(super) async fn stats(client: &ClientWrapper) -> Result<DatabaseStats> {
    let rows = query(client, STATS, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a list of tables"))?;
    let number = |place| row.try_get::<_, i64>(place).map(i64::unsigned_abs);
    let horizon = maybe_micros(row, 3)?.and_then(|at| Timestamp::from_microsecond(at).ok());
    Ok(DatabaseStats {
        floors: number(0)?,
        events: number(1)?,
        adjustments: number(2)?,
        horizon: horizon.map(|at| at.to_string()),
        size_bytes: number(4)?,
        schema_version: row.try_get::<_, i32>(5)?.unsigned_abs(),
    })
}
