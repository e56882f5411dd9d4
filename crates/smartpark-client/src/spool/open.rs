//! Opening the file, and making its tables.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::sqlite_error;
use crate::{Error, Result, limits::BUSY_TIMEOUT};

const SCHEMA: &str = include_str!("schema.sql");
/// "SPKC": what tells a spool from other SQLite files.
const APPLICATION: i32 = 0x5350_4b43;
const VERSION: i32 = 1;

pub(super) fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error: rusqlite::Error| sqlite_error(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Setting the mode only now and then would leave a file that another program switched over.
    connection.pragma_update(None, "journal_mode", "TRUNCATE").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    let found: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(Error::Damaged { path: path.to_owned(), reason: found });
    }
    match make(&mut connection).map_err(failed)? {
        None => Ok(connection),
        Some(reason) => Err(Error::NotASpool { path: path.to_owned(), reason }),
    }
}

/// Makes the tables in an empty file. Returns why the file is no spool, if it is none.
fn make(connection: &mut Connection) -> rusqlite::Result<Option<String>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i64 =
        transaction.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    if (tables, application) == (0, 0) {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    } else if application != APPLICATION {
        return Ok(Some("it is the SQLite file of another program".into()));
    } else if version != VERSION {
        let reason = format!("version {version} of its tables is newer than this program");
        return Ok(Some(reason));
    }
    transaction.commit()?;
    Ok(None)
}
