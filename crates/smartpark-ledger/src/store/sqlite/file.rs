//! The database file while it is open, and what lies beside it: whether they are still the files
//! that were opened. SQLite goes on writing to a file that was deleted, moved or replaced, and
//! whoever starts next finds nothing of it: so the writer looks after each commit, before it
//! answers, and readiness looks, too. A look costs three calls of `stat`.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    handle::{FileId, Handle},
    log,
};
use crate::{
    Error, Result,
    limits::{SQLITE_LOG_ATTEMPTS, SQLITE_NUMBERS_AHEAD},
};

/// Bytes of the file that tell what it is.
const START: usize = 100;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How a file may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Read and written.
    Write,
    /// Only read, by a user or on a disk that allows no more.
    Read,
    /// Only read, where SQLite cannot even keep its index beside it: nobody writes to it.
    ReadAlone,
}

/// An open database file. Connections keep it: it goes after them.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    handle: Handle,
    mode: Mode,
    /// The files beside it, once a connection has them open: the log and its index.
    beside: OnceLock<[(PathBuf, FileId); 2]>,
    /// The number that the file had on disk at the last look; see [`log`].
    number: AtomicI32,
    /// When it was written last, and its size, as a look found them.
    looked: Mutex<Option<(Option<SystemTime>, u64)>>,
}

impl DatabaseFile {
    /// The file at `path`, under its own name: links and relative paths lead to one name, by which
    /// SQLite names the log. A log beside it that is another file's is refused.
    pub(super) fn open(path: &Path, may_be_read_only: bool) -> Result<Self> {
        let failed = |error: io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        let real = fs::canonicalize(path).map_err(failed)?;
        let handle = Handle::open(&real, may_be_read_only).map_err(failed)?;
        let mode = if may_be_read_only { mode(&real, &handle) } else { Mode::Write };
        let file = Self {
            path: real,
            handle,
            mode,
            beside: OnceLock::new(),
            number: AtomicI32::default(),
            looked: Mutex::default(),
        };
        file.number.store(file.number_on_disk().unwrap_or_default(), Ordering::Relaxed);
        file.require_own_log()?;
        file.require_one_name()?;
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The name of a file beside it.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    /// Remembers the files beside it. To be called when a connection has them open.
    pub(super) fn remember(&self) -> Result<()> {
        if self.mode != Mode::Write {
            return Ok(());
        }
        let [log, index] = ["-wal", "-shm"].map(|suffix| self.beside(suffix));
        let (Ok(log_id), Ok(index_id)) = (FileId::at(&log), FileId::at(&index)) else {
            return Err(self.gone(&log));
        };
        self.beside.get_or_init(|| [(log, log_id), (index, index_id)]);
        Ok(())
    }

    /// Whether all is still as it was opened.
    ///
    /// # Errors
    /// [`Error::Broken`] says which file was deleted, moved, replaced or overwritten.
    pub(super) fn look(&self) -> Result<()> {
        if self.mode != Mode::Write {
            return Ok(());
        }
        self.look_at(&self.path, self.handle.id())?;
        for (path, known) in self.beside.get().into_iter().flatten() {
            self.look_at(path, *known)?;
        }
        self.look_inside()
    }

    fn look_at(&self, path: &Path, known: FileId) -> Result<()> {
        match FileId::at(path) {
            Ok(found) if found == known => Ok(()),
            Ok(_) => Err(self.replaced(path)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Err(self.gone(path)),
                // It is not seen, which says nothing of the open file.
                _ => Ok(()),
            },
        }
    }

    /// Looks whether the file was overwritten in place. Only if it was written to since the last
    /// look: that is, if a log was copied into it.
    fn look_inside(&self) -> Result<()> {
        let Ok(found) = self.handle.metadata() else { return Ok(()) };
        let found = (found.modified().ok(), found.len());
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if *looked == Some(found) {
            return Ok(());
        }
        if !self.is_inside_as_known() {
            // A page that is being written may be seen half.
            std::thread::sleep(Duration::from_millis(5));
            if !self.is_inside_as_known() {
                return Err(self.overwritten());
            }
        }
        *looked = Some(found);
        Ok(())
    }

    fn is_inside_as_known(&self) -> bool {
        let Some(found) = self.number_on_disk() else { return false };
        // Numbers only grow, by one with each log.
        let known = self.number.load(Ordering::Relaxed);
        let ahead = known..=known.saturating_add(SQLITE_NUMBERS_AHEAD);
        let is_as_known = known == 0 || ahead.contains(&found);
        if is_as_known {
            self.number.store(found, Ordering::Relaxed);
        }
        is_as_known
    }

    /// The number in the file as it is on disk; none if it is no database (any more).
    fn number_on_disk(&self) -> Option<i32> {
        let mut start = [0; START];
        self.handle.read_start(&mut start).ok()?;
        start.starts_with(MAGIC).then(|| log::number_in(&start))
    }

    fn gone(&self, path: &Path) -> Error {
        Error::Broken(format!(
            "{} was deleted or moved while it was in use, or its disk was taken away; nothing \
             more is acknowledged. Put it back, or put a backup in place of {} with `smartpark \
             restore FILE`, and start again",
            path.display(),
            self.path.display()
        ))
    }

    fn replaced(&self, path: &Path) -> Error {
        Error::Broken(format!(
            "{} was replaced by another file while it was in use; nothing more is acknowledged. \
             See that the right {} is in its place (`smartpark restore FILE` puts a backup \
             there), and start again",
            path.display(),
            self.path.display()
        ))
    }

    fn overwritten(&self) -> Error {
        Error::Broken(format!(
            "{} was overwritten while it was in use; nothing more is acknowledged. Put a backup in \
             its place with `smartpark restore FILE`, and start again",
            self.path.display()
        ))
    }

    /// Refuses a log that is not this file's.
    fn require_own_log(&self) -> Result<()> {
        let path = self.beside("-wal");
        for attempt in 0..SQLITE_LOG_ATTEMPTS {
            let numbers = match log::numbers(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                // SQLite will say what is wrong with it.
                Err(_) | Ok(None) => return Ok(()),
                Ok(Some(numbers)) => numbers,
            };
            if self.number_on_disk().is_none_or(|number| log::belongs(number, &numbers)) {
                return Ok(());
            }
            // Somebody may be writing just now: the log may be one further than the file was.
            std::thread::sleep(Duration::from_millis(10 << attempt));
        }
        Err(Error::Unusable(format!(
            "the log {} belongs to another file than {}: it was replaced, perhaps by a backup, \
             and the log of the old one was left. `smartpark restore FILE` puts a backup in place \
             and moves the old log aside. If the file is the right one already, move the log (and \
             the -shm file) away yourself",
            path.display(),
            self.path.display()
        )))
    }

    /// Refuses a file with several names (hard links), unless a server ran on it under this one:
    /// SQLite keeps a log beside each name, and whoever opens another name does not see it.
    fn require_one_name(&self) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let names = || self.handle.metadata().map_or(1, |file| file.nlink());
            if names() > 1 {
                super::place::remove_new_names(&self.path);
            }
            let names = names();
            if names > 1 && super::lock::claimed(&self.path) != Some(self.handle.id().inode()) {
                return Err(Error::Unusable(format!(
                    "{} has {names} names (hard links), and its log is kept beside one of them \
                     only: remove the others, which `find / -xdev -samefile {0}` finds, or name \
                     the one that the server runs on",
                    self.path.display()
                )));
            }
        }
        Ok(())
    }
}

/// The name of a file beside the one at `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// How a file that need not be written to may be used.
fn mode(path: &Path, handle: &Handle) -> Mode {
    let has_log = beside(path, "-wal").exists();
    if handle.is_writable() && (has_log || super::place::refused_beside(path).is_none()) {
        return Mode::Write;
    }
    // Whoever writes has a log.
    if has_log { Mode::Read } else { Mode::ReadAlone }
}
