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
        sha256(self.text)
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(super) fn sha256(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A row of `schema_migrations`.
pub(super) struct Applied {
    pub(super) version: i32,
    pub(super) name: String,
    pub(super) sha256: String,
}

/// The migrations that are still to be done, oldest first. Those that were done must be known
/// ones. Two branches of the program may have brought migrations in another order: what counts is
/// which were done, not in what order.
pub(super) fn pending<'m>(
    known: &'m [Migration],
    applied: &[Applied],
) -> Result<Vec<&'m Migration>> {
    for row in applied {
        let Some(migration) = known.iter().find(|known| known.version == row.version) else {
            return Err(Error::Unusable(format!(
                "the database was written by a newer version of smartpark (its tables are of \
                 version {}, this program knows version {}); use that one, or go back to the \
                 backup from before the upgrade with `smartpark restore FILE`",
                row.version,
                newest(known.iter().map(|known| known.version))
            )));
        };
        if (row.name.as_str(), &row.sha256) != (migration.name, &migration.sha256()) {
            return Err(Error::Unusable(format!(
                "the database's migration {} ({}) is not the one of this program; it was changed \
                 or made by another program",
                row.version, row.name
            )));
        }
    }
    let done = |known: &&Migration| applied.iter().any(|row| row.version == known.version);
    Ok(known.iter().filter(|known| !done(known)).collect())
}

fn newest(versions: impl Iterator<Item = i32>) -> i32 {
    versions.max().unwrap_or_default()
}

/// Refuses tables of an older version.
pub(super) fn require_current(known: &[Migration], applied: &[Applied]) -> Result<()> {
    let pending = pending(known, applied)?;
    if pending.is_empty() {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the database's tables are of version {}, this program's of version {}; bring them up to \
         date with `smartpark migrate`",
        newest(applied.iter().map(|row| row.version)),
        newest(known.iter().map(|known| known.version))
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 3] = [
        Migration { version: 1, name: "one", text: "1" },
        Migration { version: 2, name: "two", text: "2" },
        Migration { version: 3, name: "three", text: "3" },
    ];

    fn applied(places: &[usize]) -> Vec<Applied> {
        let row = |place: &usize| {
            let Migration { version, name, .. } = KNOWN[*place];
            Applied { version, name: name.to_owned(), sha256: KNOWN[*place].sha256() }
        };
        places.iter().map(row).collect()
    }

    #[test]
    fn a_migration_that_was_left_out_is_done_later() {
        let versions = |places: &[usize]| {
            let pending = pending(&KNOWN, &applied(places)).unwrap();
            pending.iter().map(|it| it.version).collect::<Vec<_>>()
        };
        assert_eq!(versions(&[]), [1, 2, 3]);
        assert_eq!(versions(&[0, 2]), [2]);
        assert_eq!(versions(&[0, 1, 2]), [0; 0]);
    }

    #[test]
    fn an_unknown_or_changed_migration_is_refused() {
        let told = pending(&KNOWN[..2], &applied(&[0, 2])).err().unwrap().to_string();
        assert!(told.contains("version 3") && told.contains("knows version 2"), "{told}");
        let mut changed = applied(&[0]);
        changed[0].sha256.clear();
        assert!(pending(&KNOWN, &changed).is_err());
    }
}
