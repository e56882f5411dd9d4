//! Copying committed pages from the log (WAL) back into the file.
//!
//! By itself SQLite does that in the commit that fills the log: whoever waits for that commit
//! waits for the copying too, and where it fails nobody is told. Here the writer does it, on its
//! own connection (no other ever copies), once the answers are out. An error of the disk is then
//! seen, and ends the acknowledging as any other does.
//!
//! A longer log takes in more changes of the same pages before they are copied once, and copying
//! it holds the next group up for longer. (That nobody waits at the moment says nothing: right
//! after a commit all are being answered.)

use rusqlite::{Connection, Row};

use crate::Result;

const LOG: &str = "-- checkpoint: pages in the log, and how many of them are copied
PRAGMA wal_checkpoint(NOOP)";

const COPY: &str = "-- checkpoint: copy what can be copied without waiting for anybody
PRAGMA wal_checkpoint(PASSIVE)";

/// To be called by the writer after each transaction, once its answers are out. What cannot be
/// copied now, since somebody reads an old state, stays in the log, which is as good.
/// Returns how many pages are still to be copied.
pub(super) fn keep_log_short(writer: &Connection, pages: i64) -> Result<i64> {
    let left = left(writer)?;
    if left < pages {
        return Ok(left);
    }
    Ok(writer.prepare_cached(COPY)?.query_row([], to_copy)?)
}

/// How many pages are not copied yet.
fn left(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached(LOG)?.query_row([], to_copy)?)
}

fn to_copy(row: &Row<'_>) -> rusqlite::Result<i64> {
    Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{
        super::{connection, place},
        *,
    };
    use crate::limits::SQLITE_CHECKPOINT_PAGES;

    #[test]
    fn a_long_log_is_copied_and_a_short_one_is_not() {
        let (few, most) = (SQLITE_CHECKPOINT_PAGES / 2, SQLITE_CHECKPOINT_PAGES);
        for (pages, is_copied) in [(few, false), (most, true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("logged.db");
            place::create_file(&path, Timestamp::UNIX_EPOCH).unwrap();
            let writer = connection::open(&connection::find(&path, false).unwrap()).unwrap();
            // Each page of a blob holds a little less than 4 096 bytes of it.
            let fill = format!("CREATE TABLE fill AS SELECT zeroblob({})", pages * 4_096);
            writer.execute_batch(&format!("-- test: fill\n{fill}")).unwrap();
            let before = left(&writer).unwrap();
            assert!((pages..pages + pages / 4).contains(&before), "{before} of {pages}");
            keep_log_short(&writer, most).unwrap();
            assert_eq!(left(&writer).unwrap(), if is_copied { 0 } else { before }, "{pages}");
        }
    }
}
