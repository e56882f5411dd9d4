//! API keys: of their secrets only the sums.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    Sqlite,
    rows::{Code, Micros},
    session::Session,
    sign_ins,
};
use crate::{
    ApiKey, Error, NewKey, Result,
    keys::{KeyRing, KnownKey, Sealed, Sha256Sum},
    store::codes::{binding, bound},
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

const NAMED: &str = "-- keys: the one with this name\nSELECT 1 FROM api_keys
WHERE name = ?1 AND revoked_at IS NULL";

const INSERT: &str = concat!(
    "-- add_key: insert
INSERT INTO api_keys (name, prefix, sha256, role, cameras, floors, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING ",
    key_columns!()
);

const CLEAR: &str = "-- copy: take all keys out\nDELETE FROM api_keys";

const PUT: &str = concat!(
    "-- copy: put a key\nINSERT INTO api_keys (",
    key_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);

const ROTATE: &str = concat!(
    "-- rotate_key
UPDATE api_keys SET prefix = ?2, sha256 = ?3, rotated_at = ?4
WHERE (name = ?1 OR prefix = ?1) AND revoked_at IS NULL RETURNING ",
    key_columns!()
);

const REVOKE: &str = concat!(
    "-- revoke_key
UPDATE api_keys SET revoked_at = ?2
WHERE (name = ?1 OR prefix = ?1) AND revoked_at IS NULL RETURNING ",
    key_columns!()
);

impl Sqlite {
    pub(in crate::store) async fn add_key(&self, key: NewKey, sealed: Sealed) -> Result<ApiKey> {
        self.write(move |session| add(session, &key, &sealed)).await
    }

    pub(in crate::store) async fn keys(&self) -> Result<Vec<ApiKey>> {
        let known = self.read(all).await?;
        Ok(known.into_iter().map(|known| known.key).collect())
    }

    pub(in crate::store) async fn rotate_key(&self, named: &str, sealed: Sealed) -> Result<ApiKey> {
        let named = named.to_owned();
        self.write(move |session| rotate(session, &named, &sealed)).await
    }

    pub(in crate::store) async fn revoke_key(&self, named: &str) -> Result<ApiKey> {
        let named = named.to_owned();
        self.write(move |session| revoke(session, &named)).await
    }

    pub(in crate::store) async fn key_ring(&self) -> Result<KeyRing> {
        let now = self.now().as_microsecond();
        self.read(move |connection| ring(connection, now)).await
    }
}

/// A key as it is stored: its bindings are yet to be read.
type Stored = (KnownKey, Option<String>, Option<String>);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let maybe = |column| -> rusqlite::Result<_> {
        let at: Option<Micros> = row.get(column)?;
        Ok(at.map(|Micros(at)| at))
    };
    let key = ApiKey {
        id: row.get(0)?,
        name: row.get(1)?,
        prefix: row.get(2)?,
        role: row.get::<_, Code<_>>(4)?.0,
        cameras: Vec::new(),
        floors: Vec::new(),
        created_at: row.get::<_, Micros>(7)?.0,
        rotated_at: maybe(8)?,
        revoked_at: maybe(9)?,
    };
    Ok((KnownKey { key, sum: Sha256Sum(row.get(3)?) }, row.get(5)?, row.get(6)?))
}

fn known((known, cameras, floors): Stored) -> Result<KnownKey> {
    let key = ApiKey { cameras: bound(cameras)?, floors: bound(floors)?, ..known.key };
    Ok(KnownKey { key, ..known })
}

/// Every key that ever was, in the order they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<KnownKey>> {
    let mut statement = connection.prepare_cached(ALL)?;
    let rows = statement.query_map([], stored)?;
    rows.map(|row| known(row?)).collect()
}

/// Makes the keys those of another database.
pub(super) fn replace(connection: &Connection, keys: &[KnownKey]) -> Result<()> {
    connection.execute(CLEAR, [])?;
    for KnownKey { key, sum } in keys {
        connection.prepare_cached(PUT)?.execute((
            key.id,
            &key.name,
            &key.prefix,
            sum.0,
            Code(key.role),
            binding(&key.cameras),
            binding(&key.floors),
            key.created_at.as_microsecond(),
            key.rotated_at.map(Timestamp::as_microsecond),
            key.revoked_at.map(Timestamp::as_microsecond),
        ))?;
    }
    Ok(())
}

fn ring(connection: &Connection, now: i64) -> Result<KeyRing> {
    let sessions = sign_ins::holding(connection, now)?;
    let mut statement = connection.prepare_cached(RING)?;
    let keys = statement.query_map([], stored)?.map(|row| known(row?));
    KeyRing::new(keys, sessions, connection.prepare_cached(ANY)?.query_row([], |row| row.get(0))?)
}

fn add(session: &mut Session<'_>, new: &NewKey, sealed: &Sealed) -> Result<ApiKey> {
    let connection = session.connection;
    let taken: Option<i64> =
        connection.prepare_cached(NAMED)?.query_row([&new.name], |row| row.get(0)).optional()?;
    if taken.is_some() {
        return Err(Error::KeyNameTaken);
    }
    let values = (
        &new.name,
        &sealed.prefix,
        sealed.sha256.0,
        Code(new.role),
        binding(&new.cameras),
        binding(&new.floors),
        session.now,
    );
    Ok(known(connection.prepare_cached(INSERT)?.query_row(values, stored)?)?.key)
}

fn rotate(session: &mut Session<'_>, named: &str, sealed: &Sealed) -> Result<ApiKey> {
    let mut statement = session.connection.prepare_cached(ROTATE)?;
    let values = (named, &sealed.prefix, sealed.sha256.0, session.now);
    changed(statement.query_row(values, stored).optional()?)
}

fn revoke(session: &mut Session<'_>, named: &str) -> Result<ApiKey> {
    let mut statement = session.connection.prepare_cached(REVOKE)?;
    changed(statement.query_row((named, session.now), stored).optional()?)
}

fn changed(row: Option<Stored>) -> Result<ApiKey> {
    Ok(known(row.ok_or(Error::NotFound("the key"))?)?.key)
}
