//! The states of adapters. They are written by what records a group.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Sqlite;
use crate::{
    Result,
    decide::{StateName, StateWrite},
    store::checksum,
};

const LOAD: &str = "-- record_with_state: a state
SELECT state FROM device_states WHERE camera_id = ?1 AND key = ?2";

const OF_KEY: &str = "-- get_states_of_key
SELECT camera_id, state FROM device_states WHERE key = ?1";

const STORE: &str = "-- record_with_state: store a state
INSERT INTO device_states (camera_id, key, state, keep_until, checksum)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (camera_id, key) DO UPDATE SET
    state = excluded.state, keep_until = excluded.keep_until, checksum = excluded.checksum";

const DELETE: &str = "-- record_with_state: delete a state
DELETE FROM device_states WHERE camera_id = ?1 AND key = ?2";

const ALL: &str = "-- copy, check: all states
SELECT camera_id, key, state, keep_until, checksum FROM device_states ORDER BY camera_id, key";

const EMPTY: &str = "-- copy: states make way\nDELETE FROM device_states";

const FORGET: &str = "-- states whose time is over
DELETE FROM device_states WHERE keep_until < ?1";

impl Sqlite {
    /// The states of these names, as far as there are any.
    pub(in crate::store) async fn states(
        &self,
        names: Vec<StateName>,
    ) -> Result<HashMap<StateName, Vec<u8>>> {
        self.read(move |connection| load(connection, &names)).await
    }

    /// The states of all cameras under one key.
    pub(in crate::store) async fn states_of_key(
        &self,
        key: String,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(OF_KEY)?;
            let states = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(states.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Deletes the states that need not be kept until `before`; returns how many.
    pub(in crate::store) async fn forget_states(&self, before: i64) -> Result<u64> {
        self.write(move |session| {
            Ok(session.connection.prepare_cached(FORGET)?.execute([before])? as u64)
        })
        .await
    }
}

/// The states of these names, as far as there are any.
pub(super) fn load(
    connection: &Connection,
    names: &[StateName],
) -> Result<HashMap<StateName, Vec<u8>>> {
    let mut states = HashMap::new();
    for name in names {
        let mut statement = connection.prepare_cached(LOAD)?;
        if let Some(state) = statement.query_row((&name.0, &name.1), |row| row.get(0)).optional()? {
            states.insert(name.clone(), state);
        }
    }
    Ok(states)
}

/// Stores a state, or deletes it.
pub(super) fn store(connection: &Connection, write: &StateWrite) -> Result<()> {
    let StateWrite { camera_id, key, state, keep_until } = write;
    match state {
        Some(state) => connection.prepare_cached(STORE)?.execute((
            camera_id,
            key,
            state,
            keep_until,
            checksum::state(write),
        ))?,
        None => connection.prepare_cached(DELETE)?.execute((camera_id, key))?,
    };
    Ok(())
}

/// All states, each with the checksum that is stored beside it.
pub(super) fn sealed(connection: &Connection) -> Result<Vec<(StateWrite, i64)>> {
    let row = |row: &Row<'_>| {
        let state = StateWrite {
            camera_id: row.get(0)?,
            key: row.get(1)?,
            state: row.get(2)?,
            keep_until: row.get(3)?,
        };
        Ok((state, row.get(4)?))
    };
    let mut statement = connection.prepare_cached(ALL)?;
    Ok(statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
}

/// All states.
pub(super) fn all(connection: &Connection) -> Result<Vec<StateWrite>> {
    Ok(sealed(connection)?.into_iter().map(|(state, _)| state).collect())
}

/// Makes the states those of the source of a copy.
pub(super) fn replace(connection: &Connection, states: &[StateWrite]) -> Result<()> {
    connection.execute(EMPTY, [])?;
    states.iter().try_for_each(|state| store(connection, state))
}
