//! API keys: of their secrets only the sums.
//!
//! What writes returns a result in a result, as for floors: the inner one is the outcome of the
//! commit, after which a repetition would find the key changed already.

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::{
    Postgres,
    connect::query,
    fault::constraint,
    rows::{Micros, damaged, instant, maybe_micros},
    sign_ins,
    transaction::{Transaction, patiently},
};
use crate::{
    ApiKey, Error, NewKey, Result,
    keys::{KeyRing, KnownKey, Sealed, Sha256Sum},
    store::codes::{binding, bound, role_number, role_of},
};

/// The columns of a [`KnownKey`], in the order that they are read here.
macro_rules! key_columns {
    () => {
        "id, name, prefix, sha256, role, cameras, floors, created_at, rotated_at, revoked_at"
    };
}

const ALL: &str = concat!("-- keys: all\nSELECT ", key_columns!(), " FROM api_keys ORDER BY id");

const RING: &str = concat!(
    "-- keys: those that hold\nSELECT ",
    key_columns!(),
    " FROM api_keys WHERE revoked_at IS NULL"
);

const ANY: &str = "-- keys: was there ever one\nSELECT EXISTS (SELECT 1 FROM api_keys)";

const INSERT: &str = concat!(
    "-- add_key: insert
INSERT INTO api_keys (name, prefix, sha256, role, cameras, floors, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ",
    key_columns!()
);

const CLEAR: &str = "-- copy: take all keys out\nDELETE FROM api_keys";

const PUT: &str = concat!(
    "-- copy: put a key\nINSERT INTO api_keys (",
    key_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
);

const ROTATE: &str = concat!(
    "-- rotate_key
UPDATE api_keys SET prefix = $2, sha256 = $3, rotated_at = $4
WHERE (name = $1 OR prefix = $1) AND revoked_at IS NULL RETURNING ",
    key_columns!()
);

const REVOKE: &str = concat!(
    "-- revoke_key
UPDATE api_keys SET revoked_at = $2
WHERE (name = $1 OR prefix = $1) AND revoked_at IS NULL RETURNING ",
    key_columns!()
);

impl Postgres {
    pub(in crate::store) async fn add_key(&self, key: NewKey, sealed: Sealed) -> Result<ApiKey> {
        let now = self.now();
        patiently!(add(&self.inner.writers, &key, &sealed, now))?
    }

    pub(in crate::store) async fn keys(&self) -> Result<Vec<ApiKey>> {
        let known = patiently!(async { all(&*self.inner.readers.get().await?).await })?;
        Ok(known.into_iter().map(|known| known.key).collect())
    }

    pub(in crate::store) async fn rotate_key(&self, named: &str, sealed: Sealed) -> Result<ApiKey> {
        let now = self.now();
        patiently!(rotate(&self.inner.writers, named, &sealed, now))?
    }

    pub(in crate::store) async fn revoke_key(&self, named: &str) -> Result<ApiKey> {
        let now = self.now();
        patiently!(revoke(&self.inner.writers, named, now))?
    }

    pub(in crate::store) async fn key_ring(&self) -> Result<KeyRing> {
        let now = self.now();
        patiently!(async { ring(&*self.inner.readers.get().await?, now).await })
    }
}

fn known(row: &Row) -> Result<KnownKey> {
    let role: i16 = row.try_get(4)?;
    let maybe = |column| -> Result<Option<Timestamp>> {
        let at = maybe_micros(row, column)?.map(Timestamp::from_microsecond);
        at.transpose().map_err(|_| damaged("an instant"))
    };
    let sum = row.try_get::<_, &[u8]>(3)?.try_into().map_err(|_| damaged("a sum"))?;
    let key = ApiKey {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        prefix: row.try_get(2)?,
        role: role_of(role.into()).ok_or_else(|| damaged("a role"))?,
        cameras: bound(row.try_get(5)?)?,
        floors: bound(row.try_get(6)?)?,
        created_at: instant(row, 7)?,
        rotated_at: maybe(8)?,
        revoked_at: maybe(9)?,
    };
    Ok(KnownKey { key, sum: Sha256Sum(sum) })
}

/// Every key that ever was, in the order they were made.
pub(super) async fn all(client: &ClientWrapper) -> Result<Vec<KnownKey>> {
    query(client, ALL, &[]).await?.iter().map(known).collect()
}

/// Makes the keys those of another database.
pub(super) async fn replace(client: &ClientWrapper, keys: &[KnownKey]) -> Result<()> {
    query(client, CLEAR, &[]).await?;
    let micros = |at: Timestamp| Micros(at.as_microsecond());
    for KnownKey { key, sum } in keys {
        let role = i16::from(role_number(key.role));
        let values: [&(dyn ToSql + Sync); 10] = [
            &key.id,
            &key.name,
            &key.prefix,
            &&sum.0[..],
            &role,
            &binding(&key.cameras),
            &binding(&key.floors),
            &micros(key.created_at),
            &key.rotated_at.map(micros),
            &key.revoked_at.map(micros),
        ];
        query(client, PUT, &values).await?;
    }
    Ok(())
}

async fn ring(client: &ClientWrapper, now: i64) -> Result<KeyRing> {
    let sessions = sign_ins::holding(client, now).await?;
    let rows = query(client, RING, &[]).await?;
    // Asked after the keys: of one that is made in between it is known that there is one.
    let any = query(client, ANY, &[]).await?;
    let required = any.first().ok_or_else(|| damaged("no keys"))?.try_get(0)?;
    KeyRing::new(rows.iter().map(known), sessions, required)
}

async fn add(pool: &Pool, new: &NewKey, sealed: &Sealed, now: i64) -> Result<Result<ApiKey>> {
    let transaction = Transaction::begin(pool).await?;
    let statement = transaction.prepare_cached(INSERT).await?;
    let role = i16::from(role_number(new.role));
    let (cameras, floors) = (binding(&new.cameras), binding(&new.floors));
    let (sum, now) = (&sealed.sha256.0[..], Micros(now));
    let inserted = transaction
        .query_one(&statement, &[&new.name, &sealed.prefix, &sum, &role, &cameras, &floors, &now])
        .await
        .map_err(name_taken)?;
    let key = known(&inserted)?.key;
    Ok(transaction.commit().await.map(|()| key))
}

/// Another key with the name is the caller's matter; anything else is not.
fn name_taken(error: tokio_postgres::Error) -> Error {
    if constraint(&error) == Some("ix_api_key_name") { Error::KeyNameTaken } else { error.into() }
}

async fn rotate(pool: &Pool, named: &str, sealed: &Sealed, now: i64) -> Result<Result<ApiKey>> {
    let sum = &sealed.sha256.0[..];
    change(pool, ROTATE, named, &[&named, &sealed.prefix, &sum, &Micros(now)]).await
}

async fn revoke(pool: &Pool, named: &str, now: i64) -> Result<Result<ApiKey>> {
    change(pool, REVOKE, named, &[&named, &Micros(now)]).await
}

async fn change(
    pool: &Pool,
    sql: &str,
    named: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Result<ApiKey>> {
    if named.contains('\0') {
        // PostgreSQL has no text with it.
        return Err(Error::NotFound("the key"));
    }
    let transaction = Transaction::begin(pool).await?;
    let changed = query(&transaction, sql, values).await?;
    let key = known(changed.first().ok_or(Error::NotFound("the key"))?)?.key;
    Ok(transaction.commit().await.map(|()| key))
}
