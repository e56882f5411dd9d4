//! Backups that the server makes by itself.

use std::time::Duration;

use smartpark_formats::config::Connections;
use tokio::time::sleep;

use crate::{SmartPark, cli::Usage, limits::BACKUP_LOOK_INTERVAL};

/// Refuses the table `[backup]` for a database that is no file.
pub(super) fn require_file(connections: &Connections, database: &str) -> anyhow::Result<()> {
    if connections.backup.is_none() || database.starts_with("sqlite:") {
        return Ok(());
    }
    let told = "[backup] makes backups of a SQLite database, and this one is on PostgreSQL: take \
                the table out, and let PostgreSQL make backups (pg_basebackup with a WAL archive, \
                or pg_dump from a timer)";
    Err(Usage(told.to_owned()).into())
}

/// Makes each backup that is due, for as long as it is polled.
pub(super) async fn make_by_plan(park: SmartPark) {
    if park.options().backups.is_none() {
        return;
    }
    let mut pause = Duration::ZERO;
    loop {
        sleep(pause).await;
        pause = BACKUP_LOOK_INTERVAL;
        match park.back_up_if_due().await {
            Ok(None) => {}
            Ok(Some(made)) => tracing::info!(
                file = %made.file.display(),
                bytes = made.bytes,
                events = made.report.events,
                deleted = made.deleted,
                "backup made and proved"
            ),
            Err(fault) => tracing::error!(
                "no backup was made: {fault}. The next is tried in ten minutes; see that the \
                 folder is there, has room and may be written to"
            ),
        }
    }
}
