//! Puts a backup in the place of a database file, and moves the old one aside.
//!
//! The old file may be damaged, and the log beside it another file's: so nothing here opens it as
//! a database. The lock of the one server keeps servers away meanwhile. A command that has the old
//! file open sees that it was moved, and acknowledges nothing more.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    thread,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    Sqlite, backup, check, connection,
    file::beside,
    gone,
    handle::{FileId, Handle},
    log, migrate, time, transfer,
};
use crate::{
    Clock, Error, Result,
    check::Report,
    private,
    restore::{RestoreStep, Restored},
};

/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

impl Sqlite {
    /// See [`restore`](crate::restore()).
    pub(in crate::store) async fn restore(
        path: &str,
        file: PathBuf,
        despite_faults: bool,
        clock: Clock,
        told: impl FnMut(RestoreStep) + Send + 'static,
    ) -> Result<Restored> {
        let path = PathBuf::from(path);
        let (reply, restored) = oneshot::channel();
        thread::Builder::new()
            .name("smartpark-restore".into())
            .spawn(move || {
                let restored = restore(&path, &file, despite_faults, clock.now(), told);
                // If nobody waits any more, nobody is to be told.
                drop(reply.send(restored));
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        restored.await.map_err(gone)?
    }
}

fn restore(
    path: &Path,
    file: &Path,
    despite_faults: bool,
    now: Timestamp,
    mut told: impl FnMut(RestoreStep),
) -> Result<Restored> {
    let source = Source::open(file)?;
    let path = real_path(path)?;
    if FileId::at(&path).is_ok_and(|id| id == source.id()) {
        let file = file.display();
        return Err(Error::Unusable(format!("{file} is the database itself: name its backup")));
    }
    let target = Target::take(path)?;
    let copy = Copy::of(&source, &target.path)?;
    told(RestoreStep::Copied { bytes: copy.bytes });
    let (report, newest) = copy.prove(now).map_err(|error| copy.named(error, file))?;
    told(RestoreStep::Checked(report.clone()));
    let mut restored = Restored {
        is_placed: report.is_clean() || despite_faults,
        report,
        newest_event_received_at: newest.and_then(|at| Timestamp::from_microsecond(at).ok()),
        old_database: None,
    };
    if restored.is_placed {
        restored.old_database = target.replace(&copy, now, &mut told)?;
    }
    Ok(restored)
}

/// The path under its own name, if it is there; else in the folder's own name.
fn real_path(path: &Path) -> Result<PathBuf> {
    let failed = |error: io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
    if path.exists() {
        return fs::canonicalize(path).map_err(failed);
    }
    if let Ok(target) = fs::read_link(path) {
        return Err(Error::Unusable(format!(
            "{} is a link to {}, where nothing is: name that path with --database",
            path.display(),
            target.display()
        )));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// The backup. No server may run on it.
struct Source<'f> {
    file: &'f Path,
    handle: Handle,
}

impl<'f> Source<'f> {
    fn open(file: &'f Path) -> Result<Self> {
        let shown = file.display();
        let unusable = |why: &str| Err(Error::Unusable(format!("{shown} {why}")));
        match fs::metadata(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return unusable("does not exist: name the file of a backup");
            }
            Err(error) => return Err(Error::Unavailable(format!("{shown}: {error}"))),
            Ok(found) if !found.is_file() => return unusable("is no file: name a backup"),
            Ok(found) if found.len() == 0 => return unusable("is empty: name another backup"),
            Ok(_) => {}
        }
        let handle = Handle::open(file, true);
        let handle = handle.map_err(|error| Error::Unavailable(format!("{shown}: {error}")))?;
        if !handle.lock() {
            return unusable(
                "is the database of a running server: make a backup of it with `smartpark backup`",
            );
        }
        let source = Self { file, handle };
        source.require_own_log()?;
        Ok(source)
    }

    fn id(&self) -> FileId {
        self.handle.id()
    }

    /// Refuses a log that is another file's: with it the copy would be neither.
    fn require_own_log(&self) -> Result<()> {
        let path = beside(self.file, "-wal");
        let mut start = [0; 100];
        let (Ok(Some(numbers)), Ok(())) = (log::numbers(&path), self.handle.read_start(&mut start))
        else {
            return Ok(());
        };
        if log::belongs(log::number_in(&start), &numbers) {
            return Ok(());
        }
        Err(Error::Unusable(format!(
            "the log {} belongs to another file than {}: move the log away, then restore",
            path.display(),
            self.file.display()
        )))
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        self.handle.unlock();
    }
}

/// The place of the database, which no server runs on.
struct Target {
    path: PathBuf,
    old: Option<Handle>,
    /// The lock file, which is locked, too.
    _claim: File,
    /// Whether the lock file was made here.
    is_new: bool,
}

impl Target {
    fn take(path: PathBuf) -> Result<Self> {
        let failed = |error: io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        let served = || {
            Error::Unavailable(format!(
                "a smartpark server runs on {}: stop it (systemctl stop smartpark), then restore",
                path.display()
            ))
        };
        let old = if path.exists() {
            let handle = Handle::open(&path, false).map_err(failed)?;
            if !handle.lock() {
                return Err(served());
            }
            Some(handle)
        } else {
            None
        };
        let claim = beside(&path, "-lock");
        let is_new = !claim.exists();
        let claim = private::options().truncate(false).create(true).open(claim);
        // A server whose file was deleted still has this lock.
        let claim = claim.map_err(failed).and_then(|claim| match claim.try_lock() {
            Ok(()) => Ok(claim),
            Err(_) => Err(served()),
        });
        match claim {
            Ok(claim) => Ok(Self { path, old, _claim: claim, is_new }),
            Err(error) => {
                old.inspect(Handle::unlock);
                Err(error)
            }
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Moves the old files aside and the copy into place; returns where the old database is.
    fn replace(
        &self,
        copy: &Copy,
        now: Timestamp,
        told: &mut impl FnMut(RestoreStep),
    ) -> Result<Option<PathBuf>> {
        let owner = if self.old.is_some() { self.path.as_path() } else { self.folder() };
        give(&copy.path, owner).map_err(|error| {
            Error::Unavailable(format!("the copy cannot be given to the owner: {error}"))
        })?;
        let aside = free_name(&self.path, now);
        let mut moved = Vec::new();
        // The database first: what a crash leaves is then no database, and no server starts on it.
        for suffix in [""].into_iter().chain(BESIDE) {
            let (from, to) = (beside(&self.path, suffix), beside(&aside, suffix));
            if from.symlink_metadata().is_err() {
                continue;
            }
            if let Err(error) = fs::rename(&from, &to) {
                return Err(put_back(&moved, &from, &error));
            }
            moved.push((from, to));
        }
        if let Err(error) = fs::rename(&copy.path, &self.path) {
            return Err(put_back(&moved, &copy.path, &error));
        }
        let folder = self.folder();
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| {
            Error::Unavailable(format!(
                "the backup is in place, but perhaps not on disk yet: {}: {error}",
                folder.display()
            ))
        })?;
        let has_old = moved.iter().any(|(from, _)| *from == self.path);
        for (from, to) in moved {
            told(RestoreStep::MovedAside { from, to });
        }
        told(RestoreStep::Placed { path: self.path.clone() });
        Ok(has_old.then_some(aside))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(old) = &self.old {
            old.unlock();
        }
        if self.is_new && !self.path.exists() {
            // Without a database, it would say that one is missing.
            fs::remove_file(beside(&self.path, "-lock")).ok();
        }
    }
}

/// Gives a file of root to the owner of another: root must not lock the server out.
#[cfg(unix)]
fn give(file: &Path, like: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let owner = fs::metadata(like)?;
    if fs::metadata(file)?.uid() != 0 || owner.uid() == 0 {
        return Ok(());
    }
    chown(file, Some(owner.uid()), Some(owner.gid()))
}

/// Files have no owner here.
#[cfg(not(unix))]
fn give(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A name for the old database that nothing has.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|number| {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        beside(path, &format!(".before-restore-{at}{number}"))
    });
    let is_free = |name: &PathBuf| {
        let all = [""].into_iter().chain(BESIDE);
        all.map(|suffix| beside(name, suffix)).all(|name| name.symlink_metadata().is_err())
    };
    names.into_iter().find(is_free).unwrap_or_else(|| beside(path, ".before-restore"))
}

/// Undoes what was moved, after `error`.
fn put_back(moved: &[(PathBuf, PathBuf)], at: &Path, error: &io::Error) -> Error {
    let mut told = format!("{} cannot be moved: {error}", at.display());
    for (from, to) in moved.iter().rev() {
        if let Err(error) = fs::rename(to, from) {
            let (from, to) = (from.display(), to.display());
            told.push_str(&format!("; {to} was moved from {from} and cannot go back: {error}"));
        }
    }
    Error::Unavailable(told)
}

/// The copy beside the database; removed unless it is put in place.
struct Copy {
    path: PathBuf,
    bytes: u64,
}

impl Copy {
    fn of(source: &Source<'_>, path: &Path) -> Result<Self> {
        let mut copy = Self { path: beside(path, ".restoring"), bytes: 0 };
        // A restore that was killed may have left one.
        copy.remove();
        for suffix in ["", "-wal"] {
            let (from, to) = (beside(source.file, suffix), beside(&copy.path, suffix));
            if suffix.is_empty() || from.exists() {
                let failed = |error| {
                    let (from, to) = (from.display(), to.display());
                    Error::Unavailable(format!("{from} cannot be copied to {to}: {error}"))
                };
                copy.bytes += copy_file(&from, &to).map_err(failed)?;
            }
        }
        Ok(copy)
    }

    fn remove(&self) {
        for suffix in [""].into_iter().chain(BESIDE) {
            fs::remove_file(beside(&self.path, suffix)).ok();
        }
    }

    /// Brings the tables up to this version, checks all, and makes it one file of its own. Returns
    /// what the check found, and when the newest event was received, in microseconds.
    fn prove(&self, now: Timestamp) -> Result<(Report, Option<i64>)> {
        let mut connection = connection::open(&connection::find(&self.path, false)?)?;
        migrate::run(&mut connection, now)?;
        transfer::require_whole(&connection)?;
        let report = check::run(&connection)?;
        let newest = time::newest_receipt(&connection)?;
        backup::begin_own_life(&connection)?;
        connection.close();
        let file = File::open(&self.path).and_then(|file| file.sync_all());
        file.map_err(|error| Error::Unavailable(format!("the copy: {error}")))?;
        Ok((report, newest))
    }

    /// An error that names the backup, not the copy.
    fn named(&self, error: Error, file: &Path) -> Error {
        let (ours, theirs) = (self.path.display().to_string(), file.display().to_string());
        let told = error.to_string().replace(&ours, &theirs);
        match error {
            Error::Unavailable(_) => Error::Unavailable(told),
            Error::Broken(_) => {
                Error::Unusable(format!("{theirs} is damaged, restore another backup: {told}"))
            }
            _ => Error::Unusable(format!("{theirs} cannot be restored: {told}")),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Copies a file into a new private one, and onto the disk; returns its size.
fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let mut new = private::create_new(to)?;
    let mut old = File::open(from)?;
    let size = old.metadata()?.len();
    let copied = io::copy(&mut (&mut old).take(size), &mut new)?;
    new.sync_all()?;
    Ok(copied)
}
