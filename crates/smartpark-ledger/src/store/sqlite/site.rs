//! What is known of the car park.

use rusqlite::Connection;

use super::{Sqlite, seals, session::Session};
use crate::{
    Result, SiteRecord,
    store::site::{self, Columns},
};

const READ: &str = "-- site: read\nSELECT slug, name, time_zone, details FROM site WHERE id = 1";

const REPLACE: &str = "-- site: replace what was read
UPDATE site SET slug = ?5, name = ?6, time_zone = ?7, details = ?8
WHERE id = 1 AND slug = ?1 AND name = ?2 AND time_zone = ?3 AND details = ?4";

const PUT: &str = "-- copy: put the site
UPDATE site SET slug = ?1, name = ?2, time_zone = ?3, details = ?4 WHERE id = 1";

impl Sqlite {
    pub(in crate::store) async fn site(&self) -> Result<SiteRecord> {
        self.read(read).await.and_then(site::record)
    }

    pub(in crate::store) async fn replace_site(
        &self,
        old: SiteRecord,
        new: SiteRecord,
    ) -> Result<bool> {
        let (old, new) = (site::columns(&old)?, site::columns(&new)?);
        self.write(move |session| replace(session, &old, &new)).await
    }
}

/// The columns as they are.
pub(super) fn read(connection: &Connection) -> Result<Columns> {
    Ok(connection
        .prepare_cached(READ)?
        .query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?)
}

fn replace(session: &mut Session<'_>, old: &Columns, new: &Columns) -> Result<bool> {
    let connection = session.connection;
    let values = rusqlite::params_from_iter(old.iter().chain(new));
    let is_replaced = connection.prepare_cached(REPLACE)?.execute(values)? > 0;
    if is_replaced {
        seals::keep_site(connection)?;
    }
    Ok(is_replaced)
}

/// Makes the columns those of another database. Its checksum is kept with what else is put.
pub(super) fn put(connection: &Connection, columns: &Columns) -> Result<()> {
    connection.prepare_cached(PUT)?.execute(rusqlite::params_from_iter(columns))?;
    Ok(())
}
