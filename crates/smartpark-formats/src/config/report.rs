//! `[report]`: reports that a server writes by itself.

use super::table::Table;

/// `[report]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports {
    /// The folder that each month's report goes to. A path that is not absolute begins at the
    /// folder of the configuration file.
    pub folder: String,
}

impl Reports {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        let folder = table.required("folder");
        table.finish();
        Some(Self { folder: folder? })
    }
}
