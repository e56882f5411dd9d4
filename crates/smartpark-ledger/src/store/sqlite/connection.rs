//! Opening the file: never a silent new database where one was expected, never half of one.

use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{fault::is_damage, migrate};
use crate::{
    Error, Result,
    limits::{SQLITE_BUSY_TIMEOUT, SQLITE_STATEMENTS},
};

/// Marks the file as SmartPark's: "SPrk".
pub(super) const APPLICATION_ID: i32 = 0x5350_726b;

/// Tells apart the files that this process is making.
static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

/// Makes a database where there is no file. It is built under another name and then linked into
/// place, so that a crash leaves either none or a whole one, and of two processes that make the
/// same one, one wins and the other uses it.
pub(super) fn create_file(path: &Path, now: Timestamp) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    // Where another process was faster, its database is used.
    place_new(path, |new| build(new, now)).map(drop)
}

/// Makes a file that is there as a whole or not at all: `build` makes it under another name, and
/// then it is linked into place. Tells whether it was; not where another file is there.
pub(super) fn place_new(path: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<bool> {
    let name = new_name(path);
    let new = Path::new(&name);
    let failed = |error: io::Error| {
        Error::Unavailable(format!("it cannot be created at {}: {error}", path.display()))
    };
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => fs::File::create_new(new).map_err(failed)?,
    };
    let made = build(new);
    let linked = made.and_then(|()| match fs::hard_link(new, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true).map_err(failed),
    });
    fs::remove_file(new).map_err(failed)?;
    let linked = linked?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)?;
    Ok(linked)
}

/// A name beside the database that nobody else uses.
fn new_name(path: &Path) -> OsString {
    let mut name = path.as_os_str().to_owned();
    let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".new-{}-{attempt}", std::process::id()));
    name
}

/// Why no file can be made beside the database, where none can. Its log is one, and SQLite does
/// not say why that cannot be opened.
fn refused_beside(path: &Path) -> Option<io::Error> {
    let name = new_name(path);
    let refused = fs::File::create_new(&name).err();
    if refused.is_none() {
        // One that is left is empty, and of a name that nobody looks for.
        fs::remove_file(name).ok();
    }
    refused
}

fn build(path: &Path, now: Timestamp) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate::run(&mut connection, now)?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Opens a file that exists, for reading and writing.
pub(super) fn open(path: &Path) -> Result<Connection> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Unusable(format!(
                "there is no database at {}; create it with `smartpark migrate` (or \
                 `smartpark serve`), or name another one with --database",
                path.display()
            )));
        }
        Err(error) => return Err(Error::Unavailable(format!("{}: {error}", path.display()))),
        Ok(file) if file.len() == 0 => {
            return Err(Error::Unusable(format!(
                "{} is an empty file, not a database: restore it from a backup, or move it away \
                 to begin a new one",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection).map_err(|error| match error {
        Error::Broken(_) => Error::Unusable(format!(
            "{} is damaged or no SQLite database: restore it from a backup",
            path.display()
        )),
        Error::Unavailable(told) => Error::Unavailable(match refused_beside(path) {
            Some(why) => format!("{told}; beside it no file can be made: {why}"),
            None => told,
        }),
        other => other,
    })?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(
            |error| {
                if is_damage(&error) { Error::Broken(error.to_string()) } else { error.into() }
            },
        )?;
    if application != APPLICATION_ID {
        return Err(Error::Unusable(
            "the file is a database of another program; name another one with --database".into(),
        ));
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::Unusable(format!(
            "the file's journal mode stays {mode} instead of wal; is it on a network drive?"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    // The writer does it: see `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // The bundled SQLite looks into the values that are bound, and prepares a statement anew
    // whenever they change: for a lone event six times, half of the writer's own time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(SQLITE_STATEMENTS);
    Ok(())
}
