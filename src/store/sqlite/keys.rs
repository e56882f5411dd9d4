//! API keys: of their secrets only the sums.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{rows::Micros, session::Session};
use crate::{
    ApiKey, Error, NewKey, Result,
    keys::{KeyRing, KnownKey, Sealed, Sha256Sum},
    store::codes::{binding, bound},
};

/// The columns of an [`ApiKey`], in the order that [`key`] reads them.
macro_rules! key_columns {
    () => {
        "id, name, prefix, role, cameras, floors, created_at, rotated_at, revoked_at"
    };
}

const ALL: &str = concat!("-- keys: all\nSELECT ", key_columns!(), " FROM api_keys ORDER BY id");

const RING: &str = concat!(
    "-- keys: those that hold\nSELECT ",
    key_columns!(),
    ", sha256 FROM api_keys WHERE revoked_at IS NULL"
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

/// A key as it is stored: its bindings are yet to be read.
type Stored = (ApiKey, Option<String>, Option<String>);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let maybe = |column| -> rusqlite::Result<_> {
        let at: Option<Micros> = row.get(column)?;
        Ok(at.map(|Micros(at)| at))
    };
    let key = ApiKey {
        id: row.get(0)?,
        name: row.get(1)?,
        prefix: row.get(2)?,
        role: row.get(3)?,
        cameras: Vec::new(),
        floors: Vec::new(),
        created_at: row.get::<_, Micros>(6)?.0,
        rotated_at: maybe(7)?,
        revoked_at: maybe(8)?,
    };
    Ok((key, row.get(4)?, row.get(5)?))
}

fn key((key, cameras, floors): Stored) -> Result<ApiKey> {
    Ok(ApiKey { cameras: bound(cameras)?, floors: bound(floors)?, ..key })
}

pub(super) fn all(connection: &Connection) -> Result<Vec<ApiKey>> {
    let mut statement = connection.prepare_cached(ALL)?;
    let rows = statement.query_map([], stored)?;
    rows.map(|row| key(row?)).collect()
}

pub(super) fn ring(connection: &Connection) -> Result<KeyRing> {
    let mut statement = connection.prepare_cached(RING)?;
    let rows = statement.query_map([], |row| Ok((stored(row)?, row.get(9)?)))?;
    let keys = rows.map(|row| {
        let (stored, sum) = row?;
        Ok(KnownKey { key: key(stored)?, sum: Sha256Sum(sum) })
    });
    KeyRing::new(keys, connection.prepare_cached(ANY)?.query_row([], |row| row.get(0))?)
}

pub(super) fn add(session: &mut Session<'_>, new: &NewKey, sealed: &Sealed) -> Result<ApiKey> {
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
        new.role,
        binding(&new.cameras),
        binding(&new.floors),
        session.now,
    );
    key(connection.prepare_cached(INSERT)?.query_row(values, stored)?)
}

pub(super) fn rotate(session: &mut Session<'_>, named: &str, sealed: &Sealed) -> Result<ApiKey> {
    let mut statement = session.connection.prepare_cached(ROTATE)?;
    let values = (named, &sealed.prefix, sealed.sha256.0, session.now);
    changed(statement.query_row(values, stored).optional()?)
}

pub(super) fn revoke(session: &mut Session<'_>, named: &str) -> Result<ApiKey> {
    let mut statement = session.connection.prepare_cached(REVOKE)?;
    changed(statement.query_row((named, session.now), stored).optional()?)
}

fn changed(row: Option<Stored>) -> Result<ApiKey> {
    key(row.ok_or(Error::NotFound("the key"))?)
}
