//! What is known of the car park.

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    Postgres,
    connect::query,
    rows::damaged,
    seals,
    transaction::{Transaction, patiently},
};
use crate::{
    Result, SiteRecord,
    store::site::{self, Columns},
};

const READ: &str = "-- site: read\nSELECT slug, name, time_zone, details FROM site WHERE id = 1";

const REPLACE: &str = "-- site: replace what was read
UPDATE site SET slug = $5, name = $6, time_zone = $7, details = $8
WHERE id = 1 AND slug = $1 AND name = $2 AND time_zone = $3 AND details = $4
RETURNING id";

const PUT: &str = "-- copy: put the site
UPDATE site SET slug = $1, name = $2, time_zone = $3, details = $4 WHERE id = 1";

impl Postgres {
    pub(in crate::store) async fn site(&self) -> Result<SiteRecord> {
        let columns = patiently!(async { read(&*self.inner.readers.get().await?).await })?;
        site::record(columns)
    }

    pub(in crate::store) async fn replace_site(
        &self,
        old: SiteRecord,
        new: SiteRecord,
    ) -> Result<bool> {
        let (old, new) = (site::columns(&old)?, site::columns(&new)?);
        patiently!(replace(&self.inner.writers, &old, &new))?
    }
}

/// The columns as they are.
pub(super) async fn read(client: &ClientWrapper) -> Result<Columns> {
    let rows = query(client, READ, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a site"))?;
    Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
}

/// The inner result is the outcome of the commit.
async fn replace(pool: &Pool, old: &Columns, new: &Columns) -> Result<Result<bool>> {
    let transaction = Transaction::begin(pool).await?;
    let [slug, name, zone, details] = old;
    let [new_slug, new_name, new_zone, new_details] = new;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [slug, name, zone, details, new_slug, new_name, new_zone, new_details];
    if query(&transaction, REPLACE, &values).await?.is_empty() {
        return Ok(Ok(false));
    }
    seals::keep_site(&transaction).await?;
    Ok(transaction.commit().await.map(|()| true))
}

/// Makes the columns those of another database. Its checksum is kept with what else is put.
pub(super) async fn put(client: &ClientWrapper, columns: &Columns) -> Result<()> {
    let [slug, name, zone, details] = columns;
    query(client, PUT, &[slug, name, zone, details]).await?;
    Ok(())
}
