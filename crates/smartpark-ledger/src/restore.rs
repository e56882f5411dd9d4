//! Putting a backup in the place of an embedded database.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::{Clock, Result, check::Report, store::Engine};

/// A step of a restore that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreStep {
    /// The backup was copied beside the database, in so many bytes.
    Copied {
        /// The size of the copy.
        bytes: u64,
    },
    /// The copy has the tables of this version, and passed this check.
    Checked(Report),
    /// A file of the old database was moved aside.
    MovedAside {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// The copy is in the place of the database.
    Placed {
        /// That place.
        path: PathBuf,
    },
}

/// How a restore ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Whether the backup is in place. It is not if the check found faults and
    /// `despite_faults` was false; then nothing was changed.
    pub is_placed: bool,
    /// What the check of the backup found.
    pub report: Report,
    /// When the server received the newest event in the backup.
    pub newest_event_received_at: Option<Timestamp>,
    /// Where the old database is now; its log lies beside it. None if there was none.
    pub old_database: Option<PathBuf>,
}

/// Puts the backup in `file` in the place of the embedded database at `url`. No server may run on
/// that database. The steps:
///
/// 1. Copy `file`, with its log if one lies beside it, beside the database. `file` stays as it is.
/// 2. Bring the copy's tables up to this version, and check it as [`SmartPark::check`] does.
/// 3. Move the old database aside, with its log.
/// 4. Rename the copy into place.
///
/// A crash leaves the old database in place, or none; then the same call completes it. `told`
/// hears of each step. With `despite_faults` a backup that the check finds faults in is put in
/// place, too.
///
/// [`SmartPark::check`]: crate::SmartPark::check
///
/// ```
/// # smartpark_ledger::doctest(async |park| {
/// # let folder = tempfile::tempdir().unwrap();
/// let (file, place) = (folder.path().join("backup.db"), folder.path().join("smartpark.db"));
/// park.backup(file.clone(), |_, _| {}).await?;
/// let url = format!("sqlite://{}", place.display());
/// let clock = smartpark_ledger::Clock::system();
/// let restored = smartpark_ledger::restore(&url, &file, false, clock, |_| {}).await?;
/// assert!(restored.is_placed && restored.report.is_clean());
/// # Ok(()) });
/// ```
///
/// # Errors
/// [`Error::Unusable`](crate::Error::Unusable) if the file is no database of SmartPark, is damaged,
/// in use, or of a newer version, or if `url` is on PostgreSQL;
/// [`Error::Unavailable`](crate::Error::Unavailable) if a server runs on the database, or a file
/// cannot be read or written. Nothing was changed then, if the error does not say so.
pub async fn restore(
    url: &str,
    file: &Path,
    despite_faults: bool,
    clock: Clock,
    told: impl FnMut(RestoreStep) + Send + 'static,
) -> Result<Restored> {
    Engine::restore(url, file.to_owned(), despite_faults, clock, told).await
}
