//! One server on one database file, by whatever name it comes.
//!
//! The lock is on the file itself, so it holds for every path, link and mount. Beside the file
//! lies another (`-lock`), which stays when the server stops: it says that a server ran on the
//! database under this name, and on which file.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use super::file::{DatabaseFile, beside};
use crate::{Error, Result, private};

/// The right to be the one server, until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: Arc<DatabaseFile>,
    /// Earlier versions lock this one only.
    claim: Option<fs::File>,
}

impl FileLock {
    /// Takes it for a server, and notes that one ran here.
    pub(super) fn take_for_server(file: &Arc<DatabaseFile>) -> Result<Self> {
        let mut lock = Self::take(file)?;
        let path = beside(file.path(), "-lock");
        let failed = |error| Error::Unavailable(format!("{}: {error}", path.display()));
        let claim = private::options().truncate(false).create(true).open(&path).map_err(failed)?;
        if private::set(&claim).is_err() {
            // It is another user's.
            private::tighten(&path);
        }
        claim.try_lock().map_err(|_| taken())?;
        claim.set_len(0).map_err(failed)?;
        writeln!(&claim, "{}", file.handle().id().inode()).map_err(failed)?;
        lock.claim = Some(claim);
        Ok(lock)
    }

    /// Takes it.
    pub(super) fn take(file: &Arc<DatabaseFile>) -> Result<Self> {
        if !file.handle().lock() {
            return Err(taken());
        }
        Ok(Self { file: Arc::clone(file), claim: None })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.file.handle().unlock();
    }
}

fn taken() -> Error {
    Error::Unavailable(
        "another smartpark server runs on it; stop that one first, or give this one another \
         database"
            .into(),
    )
}

/// The file that a server ran on last under this name.
pub(super) fn claimed(path: &Path) -> Option<u64> {
    fs::read_to_string(beside(path, "-lock")).ok()?.trim().parse().ok()
}
