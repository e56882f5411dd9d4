//! Connections to the file: never to a new or an empty one where a database was expected.

use std::{
    fs, io,
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    fault::is_damage,
    file::{DatabaseFile, Mode},
    place::refused_beside,
};
use crate::{
    Error, Result,
    limits::{SQLITE_BUSY_TIMEOUT, SQLITE_STATEMENTS},
};

/// Marks the file as SmartPark's: "SPrk".
pub(super) const APPLICATION_ID: i32 = 0x5350_726b;

/// A connection, and the file that it keeps open.
#[derive(Debug)]
pub(super) struct Opened {
    // In this order: the file goes last.
    connection: Connection,
    file: Arc<DatabaseFile>,
}

impl Opened {
    pub(super) fn file(&self) -> &Arc<DatabaseFile> {
        &self.file
    }

    /// Ends it in good order: if it was the last on its file, the log is copied into the file and
    /// removed. Every other connection leaves the log as it is.
    pub(super) fn close(self) {
        let closed =
            self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        let closed = closed.and_then(|_| self.connection.close().map_err(|(_, error)| error));
        if let Err(error) = closed {
            tracing::debug!("the log stays beside the database: {error}");
        }
    }
}

impl Deref for Opened {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Finds a file that exists, and that may be a database.
pub(super) fn find(path: &Path, may_be_read_only: bool) -> Result<Arc<DatabaseFile>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Unusable(format!(
                "there is no database at {}; create it with `smartpark migrate` (or \
                 `smartpark serve`), or name another one with --database",
                path.display()
            )));
        }
        Err(error) => return Err(Error::Unavailable(format!("{}: {error}", path.display()))),
        Ok(file) if file.is_dir() => {
            let path = path.display();
            return Err(Error::Unavailable(format!("{path} cannot be opened: it is a folder")));
        }
        Ok(file) if file.len() == 0 => {
            return Err(Error::Unusable(format!(
                "{} is an empty file, not a database: put a backup in its place with `smartpark \
                 restore FILE`, or move it away to begin a new one",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    DatabaseFile::open(path, may_be_read_only).map(Arc::new)
}

/// Opens a connection.
pub(super) fn open(file: &Arc<DatabaseFile>) -> Result<Opened> {
    let path = file.path();
    let connection = match file.mode() {
        Mode::Write => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)?
        }
        Mode::Read => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)?
        }
        Mode::ReadAlone => open_alone(path)?,
    };
    let opened = Opened { connection, file: Arc::clone(file) };
    configure(&opened).map_err(|error| match error {
        Error::Broken(_) => Error::Unusable(format!(
            "{} is damaged or no SQLite database: put a backup in its place with `smartpark \
             restore FILE`",
            path.display()
        )),
        Error::Unavailable(told) => Error::Unavailable(match refused_beside(path) {
            Some(why) => format!("{told}; beside it no file can be made: {why}"),
            None => told,
        }),
        other => other,
    })?;
    Ok(opened)
}

/// Opens a file that nobody writes to, without any file beside it.
pub(super) fn open_alone(path: &Path) -> Result<Connection> {
    let name = path
        .to_str()
        .ok_or_else(|| Error::Unusable(format!("{} has a name that is no text", path.display())))?;
    let name = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)?)
}

fn configure(connection: &Opened) -> Result<()> {
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
    // A connection that ends must not touch what lies beside the file: it may be another file's by
    // now. See `Opened::close`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
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
    if connection.file.mode() == Mode::Write {
        use_log(connection)?;
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

fn use_log(connection: &Connection) -> Result<()> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the file's journal mode stays {mode} instead of wal; is it on a network drive?"
    )))
}
