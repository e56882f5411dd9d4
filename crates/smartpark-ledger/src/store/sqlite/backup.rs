//! A copy of the file while it is in use: page by page, all from one state of the database.
//!
//! SQLite's own backup is used, not `VACUUM INTO`: it takes the pages as they are, at the speed of
//! the disk, and tells how far it is. The reading transaction around it holds the state, so that
//! what is recorded meanwhile neither waits nor makes it begin again.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use tokio::sync::oneshot;

use super::{Sqlite, check, connection, file::DatabaseFile, gone, log, place, seals};
use crate::{Error, Result, check::Report, limits::BACKUP_STEP_PAGES};

const BEGIN: &str = "BEGIN; -- backup: this state and no other
SELECT id FROM site";

/// What the original goes on to tell is not what the backup tells, should it be used one day.
const NEW_LINEAGE: &str = "-- backup: a database of its own
UPDATE site SET identity = 1 + abs(random() % 4503599627370495) WHERE id = 1;
UPDATE site SET lineage = identity WHERE id = 1;";

impl Sqlite {
    /// Writes all to a new file; `told` hears how many pages of how many are done. Returns the
    /// size of the file in bytes.
    pub(in crate::store) async fn backup(
        &self,
        file: PathBuf,
        told: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<u64> {
        let from = Arc::clone(&self.inner.file);
        let (reply, written) = oneshot::channel();
        thread::Builder::new()
            .name("smartpark-backup".into())
            .spawn(move || {
                // Where nobody waits any more there is nobody to tell.
                drop(reply.send(write(&from, &file, told)));
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        written.await.map_err(gone)?
    }

    /// Checks a backup, which stays as it is: nothing is made beside it.
    pub(in crate::store) async fn check_backup(file: PathBuf) -> Result<Report> {
        let (reply, checked) = oneshot::channel();
        thread::Builder::new()
            .name("smartpark-check".into())
            .spawn(move || {
                let connection = connection::open_alone(&file);
                drop(reply.send(connection.and_then(|connection| check::run(&connection))));
            })
            .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        checked.await.map_err(gone)?
    }
}

fn write(from: &Arc<DatabaseFile>, file: &Path, told: impl FnMut(u64, u64)) -> Result<u64> {
    let taken = || {
        let file = file.display();
        Error::Unusable(format!("{file} exists already; a backup never overwrites a file"))
    };
    if file.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let mut bytes = 0;
    let placed = place::place_new(file, |new| {
        copy(from, new, told)?;
        let file = File::open(new).and_then(|file| {
            file.sync_all()?;
            file.metadata()
        });
        bytes = file.map_err(|error| Error::Unavailable(format!("the backup: {error}")))?.len();
        Ok(())
    })?;
    if placed { Ok(bytes) } else { Err(taken()) }
}

fn copy(from: &Arc<DatabaseFile>, new: &Path, mut told: impl FnMut(u64, u64)) -> Result<()> {
    let source = connection::open(from)?;
    source.execute_batch(BEGIN)?;
    let mut target = Connection::open(new)?;
    target.pragma_update(None, "synchronous", "FULL")?;
    let backup = Backup::new(&source, &mut target)?;
    loop {
        let step = backup.step(BACKUP_STEP_PAGES)?;
        let progress = backup.progress();
        let pages = |number: i32| u64::from(number.unsigned_abs());
        told(pages(progress.pagecount - progress.remaining), pages(progress.pagecount));
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(Error::Unavailable("another process holds the backup's file".into())),
        }
    }
    drop(backup);
    begin_own_life(&target)?;
    target.close().map_err(|(_, error)| Error::from(error))
}

/// Makes a copy a database of its own, all in one file.
pub(super) fn begin_own_life(copy: &Connection) -> Result<()> {
    copy.execute_batch(NEW_LINEAGE)?;
    seals::keep_site(copy)?;
    // No log of the original belongs to it.
    copy.pragma_update(None, "user_version", log::first_number()?)?;
    // All in one file: the one that is opened next makes it a WAL again.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}
