//! `[backup]`: copies of the embedded database that a server makes by itself.

use std::time::Duration;

use super::{table::Table, values::duration};

/// How long after the last backup the next is made, if the table does not say.
const DEFAULT_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many backups are kept, if the table does not say.
const DEFAULT_KEEP: u64 = 14;

/// `[backup]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The folder that the files go to. A path that is not absolute begins at the folder of the
    /// configuration file.
    pub folder: String,
    /// How long after the last backup the next is made.
    pub every: Duration,
    /// How many backups are kept.
    pub keep: usize,
}

impl Backup {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        let folder = table.required("folder");
        let every = table.parsed("every", |text| match duration(text)? {
            length if length >= Duration::from_secs(60) => Ok(length),
            _ => Err("must be at least 1min".to_owned()),
        });
        let keep = table.whole("keep", 1..=10_000).unwrap_or(DEFAULT_KEEP);
        table.finish();
        Some(Self {
            folder: folder?,
            every: every.unwrap_or(DEFAULT_EVERY),
            keep: usize::try_from(keep).unwrap_or(usize::MAX),
        })
    }
}
