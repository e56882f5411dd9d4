//! Making files: a new database, a backup. A file is there as a whole or not at all, it is never
//! made where another one is expected, and only its owner may read it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{connection::APPLICATION_ID, file::beside, handle::FileId, log, migrate, transfer};
use crate::{Error, Result, private};

/// Tells apart the files that this process is making.
static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

/// Makes a database if there is no file. It is built under another name and then linked into
/// place, so that a crash leaves either none or a whole one, and of two processes that make the
/// same one, one wins and the other uses it.
pub(super) fn create_file(path: &Path, now: Timestamp) -> Result<()> {
    create(path, |new| build(new, now)?.close().map_err(|(_, error)| error.into()))
}

/// The same for the target of a copy that has not begun.
pub(super) fn create_copy(path: &Path, now: Timestamp) -> Result<()> {
    create(path, |new| {
        let connection = build(new, now)?;
        transfer::mark_not_begun(&connection)?;
        connection.close().map_err(|(_, error)| error.into())
    })
}

fn create(path: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Err(error) = require_first_time(path) {
        // Another process may have made it meanwhile, with all that lies beside it.
        return if path.exists() { Ok(()) } else { Err(error) };
    }
    // If another process was faster, its database is used.
    place_new(path, build).map(drop)
}

/// Refuses to make a database if something says that there was one: then it was deleted or moved,
/// or its disk is not there, and a new one would hide that.
fn require_first_time(path: &Path) -> Result<()> {
    let refused = |what: String| {
        Err(Error::Unusable(format!(
            "there is no database at {}, but {what}. Put the database back, or a backup in its \
             place with `smartpark restore FILE`; to begin with an empty one, first remove that \
             file",
            path.display()
        )))
    };
    if let Ok(target) = fs::read_link(path) {
        return refused(format!(
            "a link leads from there to {}, where it is not",
            target.display()
        ));
    }
    let lock = beside(path, "-lock");
    for suffix in ["-wal", "-journal", "-shm"] {
        let left = beside(path, suffix);
        if left.symlink_metadata().is_ok() {
            return refused(format!("{}, a part of one, is there", left.display()));
        }
    }
    if lock.symlink_metadata().is_ok() {
        return refused(format!("a server ran on it before, as {} says", lock.display()));
    }
    Ok(())
}

fn build(path: &Path, now: Timestamp) -> Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", log::first_number()?)?;
    migrate::run(&mut connection, now)?;
    Ok(connection)
}

/// Makes a file that is there as a whole or not at all: `build` makes it under another name, and
/// then it is linked into place. Returns whether it was; not if another file is there.
pub(super) fn place_new(path: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<bool> {
    let name = new_name(path);
    let new = Path::new(&name);
    let failed = |error: io::Error| {
        Error::Unavailable(format!("it cannot be created at {}: {error}", path.display()))
    };
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => private::create_new(new).map_err(failed)?,
    };
    let made = build(new);
    let linked = made.and_then(|()| match fs::hard_link(new, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true).map_err(failed),
    });
    match fs::remove_file(new) {
        // A process that opened the new file has tidied up.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let linked = linked?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)?;
    Ok(linked)
}

/// What stands between a file's name and a number while the file is being made.
const NEW: &str = ".new-";

/// A name beside the database that nobody else uses.
fn new_name(path: &Path) -> OsString {
    let mut name = path.as_os_str().to_owned();
    let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
    name.push(format!("{NEW}{}-{attempt}", std::process::id()));
    name
}

/// Removes the names under which this file was made, which a crash may have left.
pub(super) fn remove_new_names(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let mut begin = name.as_encoded_bytes().to_vec();
    begin.extend_from_slice(NEW.as_bytes());
    let (Ok(entries), Ok(known)) = (fs::read_dir(folder), FileId::at(path)) else { return };
    for entry in entries.flatten() {
        let is_new = entry.file_name().as_encoded_bytes().starts_with(&begin);
        if is_new && FileId::at(&entry.path()).is_ok_and(|found| found == known) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Why no file can be made beside the database, if none can. Its log is one, and SQLite does not
/// say why that cannot be opened.
pub(super) fn refused_beside(path: &Path) -> Option<io::Error> {
    let name = new_name(path);
    let refused = private::create_new(Path::new(&name)).err();
    if refused.is_none() {
        // One that is left is empty, and of a name that nobody looks for.
        fs::remove_file(name).ok();
    }
    refused
}
