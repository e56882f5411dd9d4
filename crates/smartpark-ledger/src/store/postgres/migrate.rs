//! Versioned migrations, in one transaction under an advisory lock: any number of servers may
//! start at once on an empty database.

use jiff::Timestamp;
use tokio_postgres::GenericClient;

use super::{
    connect::milliseconds, repair, rows::Micros, seals, transaction::Transaction, transfer,
};
use crate::{
    Result,
    limits::MIGRATION_LOCK_TIMEOUT,
    store::versions::{self, Applied, Migration, migrations},
};

/// Every migration, oldest first.
const MIGRATIONS: [Migration; 13] = migrations!("postgres":
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

/// One at a time in a schema; the lock ends with the transaction.
const LOCK: &str = "-- migrate: one at a time
SELECT pg_advisory_xact_lock(hashtext('smartpark migrate'), hashtext(current_schema()))";

/// Servers of the older version may still run: what they change meanwhile would be missed.
const LOCK_ROWS: &str = "-- migrate: while checksums are computed
LOCK TABLE retention, floors, floor_origins, adjustments, site, api_keys IN EXCLUSIVE MODE";

/// The version from which on events of one instant act together.
const PLACES: i32 = 9;

const CREATE: &str = "-- migrate: the list of what was done
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL
)";

const APPLIED: &str = "-- migrate: what was done
SELECT version, name, sha256 FROM schema_migrations ORDER BY version";

const EXISTS: &str = "-- migrate: is there a list
SELECT to_regclass(quote_ident(current_schema()) || '.schema_migrations') IS NOT NULL";

const INSERT: &str = "-- migrate: done
INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)";

/// A dump that was restored on another instance brings the numbers of its transactions along.
/// Those that are yet to come here would be told again as events that just happened.
const FROM_ELSEWHERE: &str = "-- migrate: events that transactions of another instance recorded
UPDATE events SET change = '0' WHERE change >= pg_snapshot_xmax(pg_current_snapshot())";

/// The same of changes; this transaction may have recorded some.
const CHANGES_FROM_ELSEWHERE: &str = "-- migrate: changes that other transactions recorded
UPDATE adjustments SET change = '0'
WHERE change >= pg_snapshot_xmax(pg_current_snapshot()) AND change <> pg_current_xact_id()";

/// Positions of that other instance mean nothing here: who comes with one is to read anew.
const BEGIN_ANEW: &str = "-- migrate: earlier positions are not known any more
UPDATE retention SET last_change = pg_current_xact_id()::text::bigint
WHERE id = 1 AND ($1 OR last_change >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)";

/// Everyone who records waits behind a change of a table that waits for a reader. So it waits a
/// moment only, and all is tried again.
fn briefly() -> String {
    format!("SET LOCAL lock_timeout = '{}'", milliseconds(MIGRATION_LOCK_TIMEOUT))
}

/// Brings the tables up to this version. Tables that are made `for_copy` are an unfinished copy
/// from their first moment.
pub(super) async fn run(transaction: Transaction, now: Timestamp, for_copy: bool) -> Result<()> {
    transaction.execute(LOCK, &[]).await?;
    transaction.batch_execute(&briefly()).await?;
    transaction.batch_execute(CREATE).await?;
    let applied = applied(&**transaction).await?;
    let pending = versions::pending(&MIGRATIONS, &applied)?;
    for migration in &pending {
        let Migration { version, name, text } = migration;
        transaction.batch_execute(text).await?;
        let now = Micros(now.as_microsecond());
        transaction.execute(INSERT, &[version, name, &migration.sha256(), &now]).await?;
        tracing::info!("migrated the database to version {version} ({name})");
    }
    let mut transaction = transaction;
    if for_copy && applied.is_empty() {
        transfer::mark_not_begun(&transaction).await?;
    }
    if !pending.is_empty() {
        transaction.batch_execute(LOCK_ROWS).await?;
        if pending.iter().any(|migration| migration.version == PLACES) {
            transaction = repair::apply_rules(transaction, now.as_microsecond()).await?;
        }
        seals::keep_all(&transaction).await?;
    }
    let events = transaction.execute(FROM_ELSEWHERE, &[]).await?;
    let changes = transaction.execute(CHANGES_FROM_ELSEWHERE, &[]).await?;
    let moved = events + changes > 0;
    transaction.execute(BEGIN_ANEW, &[&moved]).await?;
    transaction.commit().await
}

/// Makes the tables of this version in an empty schema.
pub(super) async fn make_tables(transaction: &Transaction) -> Result<()> {
    transaction.batch_execute(CREATE).await?;
    for migration in &MIGRATIONS {
        transaction.batch_execute(migration.text).await?;
    }
    Ok(())
}

/// Whether the tables are those of this version, and what to do where they are not.
pub(super) async fn require_current(client: &impl GenericClient) -> Result<()> {
    let exists: bool = client.query_one(EXISTS, &[]).await?.try_get(0)?;
    let applied = if exists { applied(client).await? } else { Vec::new() };
    versions::require_current(&MIGRATIONS, &applied)
}

async fn applied(client: &impl GenericClient) -> Result<Vec<Applied>> {
    let rows = client.query(APPLIED, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, sha256: row.try_get(2)? })
        })
        .collect()
}
