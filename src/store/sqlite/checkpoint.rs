//! Copying committed pages from the log (WAL) back into the file.
//!
//! By itself SQLite does that in the commit that fills the log: whoever waits for that commit
//! waits for the copying too, and where it fails nobody is told. Here the writer does it, on its
//! own connection (no other ever copies), once the answers are out: at once where nobody waits,
//! and otherwise when the log has grown long. An error of the disk is then seen, and ends the
//! acknowledging as any other does.
//!
//! A longer log takes in more changes of the same pages before they are copied once, and copying
//! it holds the next group up for longer.

use rusqlite::{Connection, Row};

use crate::{
    Result,
    limits::{SQLITE_CHECKPOINT_PAGES, SQLITE_IDLE_CHECKPOINT_PAGES},
};

const LOG: &str = "-- checkpoint: pages in the log, and how many of them are copied
PRAGMA wal_checkpoint(NOOP)";

const COPY: &str = "-- checkpoint: copy what can be copied without waiting for anybody
PRAGMA wal_checkpoint(PASSIVE)";

/// To be called by the writer after each transaction, once its answers are out. What cannot be
/// copied now, since somebody reads an old state, stays in the log, which is as good.
pub(super) fn keep_log_short(writer: &Connection, somebody_waits: bool) -> Result<()> {
    let pages = if somebody_waits { SQLITE_CHECKPOINT_PAGES } else { SQLITE_IDLE_CHECKPOINT_PAGES };
    if left(writer)? >= pages {
        writer.prepare_cached(COPY)?.query_row([], |_| Ok(()))?;
    }
    Ok(())
}

/// How many pages are not copied yet.
fn left(connection: &Connection) -> Result<i64> {
    let pages = |row: &Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    Ok(connection.prepare_cached(LOG)?.query_row([], pages)?)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{super::connection, *};

    #[test]
    fn a_log_is_copied_where_it_is_long_or_nobody_waits() {
        let few = SQLITE_IDLE_CHECKPOINT_PAGES / 2;
        let many = (SQLITE_IDLE_CHECKPOINT_PAGES + SQLITE_CHECKPOINT_PAGES) / 2;
        let most = SQLITE_CHECKPOINT_PAGES;
        let table = [
            (few, false, false),
            (few, true, false),
            (many, false, true),
            (many, true, false),
            (most, false, true),
            (most, true, true),
        ];
        for (pages, somebody_waits, is_copied) in table {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("logged.db");
            connection::create_file(&path, Timestamp::UNIX_EPOCH).unwrap();
            let writer = connection::open(&path).unwrap();
            writer.prepare_cached(COPY).unwrap().query_row([], |_| Ok(())).unwrap();
            // Each page of a blob holds a little less than 4 096 bytes of it.
            let fill = format!("CREATE TABLE fill AS SELECT zeroblob({})", pages * 4_096);
            writer.execute_batch(&format!("-- test: fill\n{fill}")).unwrap();
            let before = left(&writer).unwrap();
            assert!((pages..pages + pages / 4).contains(&before), "{before} of {pages}");
            keep_log_short(&writer, somebody_waits).unwrap();
            let after = if is_copied { 0 } else { before };
            assert_eq!(left(&writer).unwrap(), after, "{pages} {somebody_waits}");
        }
    }
}
