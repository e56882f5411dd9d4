//! What both engines' migrations share: each runs once, in order; a schema that is newer than the
//! program, or whose migrations were changed, is refused.

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// One step of the schema.
pub(super) struct Migration {
    /// From 1 on.
    pub(super) version: i32,
    pub(super) name: &'static str,
    /// The statements.
    pub(super) text: &'static str,
}

/// The list of migrations from the files of one dialect.
macro_rules! migrations {
    ($dialect:literal: $($version:literal $name:literal $file:literal),+) => {
        [$($crate::store::versions::Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../../../migrations/", $dialect, "/", $file)),
        }),+]
    };
}
pub(super) use migrations;

impl Migration {
    /// The fingerprint of the statements.
    pub(super) fn sha256(&self) -> String {
        use std::fmt::Write;
        let digest = Sha256::digest(self.text.as_bytes());
        digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// A row of `schema_migrations`.
pub(super) struct Applied {
    pub(super) version: i32,
    pub(super) name: String,
    pub(super) sha256: String,
}

/// The migrations that are still to be done, where those that were are the known ones.
pub(super) fn pending<'m>(known: &'m [Migration], applied: &[Applied]) -> Result<&'m [Migration]> {
    for (place, row) in applied.iter().enumerate() {
        let Some(migration) = known.get(place) else {
            return Err(Error::Unusable(format!(
                "the database was written by a newer version of smartpark (its tables are of \
                 version {}, this program knows version {}); use that one",
                row.version,
                known.len()
            )));
        };
        let same = (row.version, row.name.as_str(), &row.sha256)
            == (migration.version, migration.name, &migration.sha256());
        if !same {
            return Err(Error::Unusable(format!(
                "the database's migration {} ({}) is not the one of this program; it was changed \
                 or made by another program",
                row.version, row.name
            )));
        }
    }
    Ok(&known[applied.len()..])
}

/// Refuses tables of an older version.
pub(super) fn require_current(known: &[Migration], applied: &[Applied]) -> Result<()> {
    if pending(known, applied)?.is_empty() {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the database's tables are of version {}, this program's of version {}; bring them up to \
         date with `smartpark migrate`",
        applied.len(),
        known.len()
    )))
}
