//! The schema on the server, and the one that the migrations make.

use deadpool_postgres::{ClientWrapper, Pool};

use super::{migrate, transaction::Transaction};
use crate::{
    Result,
    check::Report,
    store::{
        drift::{Object, Schema, compare},
        naive::violate,
    },
};

/// Tables for this transaction only: they get the names of the real ones and are gone with it.
const APART: &str = "SET LOCAL search_path TO pg_temp";

/// All that is declared in a schema. Partitions of events come and go, so of these only what does
/// not come from their table is listed. The room that a page keeps free, tablespaces and statistics
/// are for administrators to choose.
const OBJECTS: &str = "-- check: schema
WITH relations AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
), tables AS (
    SELECT * FROM relations WHERE relkind IN ('r', 'p') AND NOT relispartition
), parts AS (
    SELECT c.oid, t.relname FROM relations c JOIN pg_inherits i ON i.inhrelid = c.oid
    JOIN tables t ON t.oid = i.inhparent
)
SELECT 'table', relname::text, relname::text, concat_ws(' ',
    CASE relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
    CASE WHEN relrowsecurity OR relforcerowsecurity THEN 'with row security' END,
    'partitioned by ' || pg_get_partkeydef(oid),
    (SELECT 'with ' || count(*) || ' triggers that are not enabled' FROM pg_trigger t
     WHERE t.tgrelid = tables.oid AND t.tgenabled <> 'O' HAVING count(*) > 0))
FROM tables
UNION ALL
SELECT 'column', c.relname || '.' || a.attname, c.relname::text, concat_ws(' ',
    a.attnum::text, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'not null' END,
    'collate ' || (SELECT collname FROM pg_collation WHERE oid = a.attcollation),
    'identity ' || nullif(a.attidentity::text, ''),
    'generated ' || nullif(a.attgenerated::text, ''),
    'default ' || (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
                   WHERE adrelid = a.attrelid AND adnum = a.attnum))
FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index', i.relname::text, c.relname::text,
    pg_get_indexdef(i.oid, 0, true) || CASE WHEN x.indisvalid AND x.indisready THEN ''
                                            ELSE ', not valid' END
FROM (SELECT oid, relname FROM tables UNION ALL SELECT oid, relname FROM parts) c
JOIN pg_index x ON x.indrelid = c.oid
JOIN pg_class i ON i.oid = x.indexrelid AND NOT i.relispartition
UNION ALL
SELECT 'constraint', c.relname || '.' || k.conname, c.relname::text,
    pg_get_constraintdef(k.oid, true)
FROM (SELECT oid, relname FROM tables UNION ALL SELECT oid, relname FROM parts) c
JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    AND k.conparentid = 0 AND k.coninhcount = 0
UNION ALL
SELECT 'trigger', c.relname || '.' || t.tgname, c.relname::text, pg_get_triggerdef(t.oid, true)
FROM relations c JOIN pg_trigger t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT 'rule', c.relname || '.' || r.rulename, c.relname::text, pg_get_ruledef(r.oid, true)
FROM relations c JOIN pg_rewrite r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'view', relname::text, relname::text, pg_get_viewdef(oid, true)
FROM relations WHERE relkind = 'v'
UNION ALL
SELECT 'sequence', c.relname::text, c.relname::text, concat_ws(' ', format_type(s.seqtypid, NULL),
    'by', s.seqincrement, 'from', s.seqmin, 'to', s.seqmax, CASE WHEN s.seqcycle THEN 'cycle' END)
FROM relations c JOIN pg_sequence s ON s.seqrelid = c.oid";

/// Sequences that would give an id again, and the last id that each of their tables has given.
macro_rules! behind {
    () => {
        "(
    SELECT 'events', last_value, is_called,
        greatest((SELECT max(id) FROM events), (SELECT last_event_id FROM retention WHERE id = 1))
    FROM events_id_seq
    UNION ALL SELECT 'floors', last_value, is_called, (SELECT max(id) FROM floors)
    FROM floors_id_seq
    UNION ALL SELECT 'adjustments', last_value, is_called, (SELECT max(id) FROM adjustments)
    FROM adjustments_id_seq
    UNION ALL SELECT 'api_keys', last_value, is_called, (SELECT max(id) FROM api_keys)
    FROM api_keys_id_seq) AS w (name, last_value, is_called, given)
WHERE w.last_value - CASE WHEN w.is_called THEN 0 ELSE 1 END < w.given"
    };
}

const IDS: &str =
    concat!("-- check: ids that would be given again\nSELECT w.name FROM ", behind!());

const KEEP_IDS: &str = concat!(
    "-- ids go on after those that were given
SELECT setval(pg_get_serial_sequence(quote_ident(current_schema()) || '.' || w.name, 'id'), w.given)
FROM ",
    behind!()
);

/// Has the sequences go on after all ids that were given.
pub(super) async fn keep_ids(client: &ClientWrapper) -> Result<()> {
    client.query(KEEP_IDS, &[]).await?;
    Ok(())
}

/// The schema that the migrations make, as this server writes it. Made in a transaction that is
/// taken back.
pub(super) async fn expected(writers: &Pool) -> Result<Schema> {
    let transaction = Transaction::begin(writers).await?;
    transaction.batch_execute(APART).await?;
    migrate::make_tables(&transaction).await?;
    let schema = schema(&transaction).await?;
    transaction.batch_execute("ROLLBACK").await?;
    transaction.done();
    Ok(schema)
}

/// Compares the schema with the one that the migrations make. `client` stands in a snapshot.
pub(super) async fn check(
    client: &ClientWrapper,
    expected: &Schema,
    report: &mut Report,
) -> Result<()> {
    let found = schema(client).await?;
    compare(report, expected, &found);
    // What is missing was named above, and could not be asked.
    if !expected.keys().all(|object| found.contains_key(object)) {
        return Ok(());
    }
    for row in client.query(IDS, &[]).await? {
        let table: &str = row.try_get(0)?;
        violate(report, "I3", format!("{table}: the next id was given already"));
    }
    Ok(())
}

async fn schema(client: &ClientWrapper) -> Result<Schema> {
    let mut schema = Schema::new();
    for row in client.query(OBJECTS, &[]).await? {
        let object = Object { table: row.try_get(2)?, definition: row.try_get(3)? };
        schema.insert((row.try_get(0)?, row.try_get(1)?), object);
    }
    Ok(schema)
}
