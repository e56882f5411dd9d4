//! The states of adapters. They are written by what records a group, together with its events.
//!
//! A transaction that changes a state first takes an advisory lock of the state's name, in the same
//! statement as the locks of tracks: so it reads what the transactions left that held the lock
//! before, and a name without a row can be locked, too.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    rows::{Micros, maybe_micros},
    transaction::patiently,
    writes::{Column, Step, run_steps},
};
use crate::{
    Result, StateChange,
    decide::{StateName, StateWrite},
    store::checksum,
};

pub(super) const LOAD: &str = "-- record_with_state: states
SELECT camera_id, key, state FROM device_states
WHERE (camera_id, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))";

const OF_KEY: &str = "-- get_states_of_key
SELECT camera_id, state FROM device_states WHERE key = $1";

const STORE: &str = "-- record_with_state: store states
INSERT INTO device_states AS d (camera_id, key, state, keep_until, checksum)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::timestamptz[], $5::bigint[])
ON CONFLICT (camera_id, key) DO UPDATE SET
    state = excluded.state, keep_until = excluded.keep_until, checksum = excluded.checksum";

const DELETE: &str = "-- record_with_state: delete states
DELETE FROM device_states d USING unnest($1::text[], $2::text[]) AS w (camera_id, key)
WHERE d.camera_id = w.camera_id AND d.key = w.key";

const ALL: &str = "-- copy, check: all states
SELECT camera_id, key, state, keep_until, checksum FROM device_states ORDER BY camera_id, key";

const EMPTY: &str = "-- copy: states make way\nDELETE FROM device_states";

const FORGET: &str = "-- states whose time is over
WITH gone AS (DELETE FROM device_states WHERE keep_until < $1 RETURNING 1)
SELECT count(*) FROM gone";

impl Postgres {
    /// The states of these names, as far as there are any.
    pub(in crate::store) async fn states(
        &self,
        names: Vec<StateName>,
    ) -> Result<HashMap<StateName, Vec<u8>>> {
        patiently!(async { load(&*self.inner.readers.get().await?, &names).await })
    }

    /// The states of all cameras under one key.
    pub(in crate::store) async fn states_of_key(
        &self,
        key: String,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        patiently!(async {
            let rows = query(&*self.inner.readers.get().await?, OF_KEY, &[&key]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    /// Deletes the states that need not be kept until `before`; returns how many.
    pub(in crate::store) async fn forget_states(&self, before: i64) -> Result<u64> {
        patiently!(async {
            let client = self.inner.writers.get().await?;
            let rows = query(&client, FORGET, &[&Micros(before)]).await?;
            let gone: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            Ok(gone.unsigned_abs())
        })
    }
}

/// The name of a state's lock. No name of a track's lock looks like it: that has two line breaks.
pub(super) fn lock((camera_id, key): &StateName) -> String {
    format!("{camera_id}\n{key}")
}

/// The name of the lock of the state that changes.
pub(super) fn lock_of(change: &StateChange) -> String {
    format!("{}\n{}", change.camera_id, change.key)
}

/// The states of these names, as far as there are any.
pub(super) async fn load(
    client: &ClientWrapper,
    names: &[StateName],
) -> Result<HashMap<StateName, Vec<u8>>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let (cameras, keys): (Vec<&str>, Vec<&str>) =
        names.iter().map(|(camera, key)| (camera.as_str(), key.as_str())).unzip();
    let rows = query(client, LOAD, &[&cameras, &keys]).await?;
    let row = |row: &Row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?));
    rows.iter().map(row).collect()
}

/// The statements that store these states.
pub(super) fn steps(writes: &[StateWrite]) -> Vec<Step<'_>> {
    let (kept, gone): (Vec<_>, Vec<_>) = writes.iter().partition(|write| write.state.is_some());
    let names = |writes: &[&StateWrite]| -> [Column<'static>; 2] {
        [
            Box::new(writes.iter().map(|it| it.camera_id.clone()).collect::<Vec<_>>()),
            Box::new(writes.iter().map(|it| it.key.clone()).collect::<Vec<_>>()),
        ]
    };
    let mut steps: Vec<Step<'_>> = Vec::new();
    if !kept.is_empty() {
        let mut columns: Vec<Column<'_>> = names(&kept).into();
        let until = kept.iter().map(|it| it.keep_until.map(Micros)).collect::<Vec<_>>();
        let checksums = kept.iter().map(|it| checksum::state(it)).collect::<Vec<_>>();
        columns.push(Box::new(kept.iter().map(|it| it.state.as_deref()).collect::<Vec<_>>()));
        columns.push(Box::new(until));
        columns.push(Box::new(checksums));
        steps.push((STORE, columns));
    }
    if !gone.is_empty() {
        steps.push((DELETE, names(&gone).into()));
    }
    steps
}

/// All states, each with the checksum that is stored beside it.
pub(super) async fn sealed(client: &ClientWrapper) -> Result<Vec<(StateWrite, i64)>> {
    let row = |row: &Row| {
        let state = StateWrite {
            camera_id: row.try_get(0)?,
            key: row.try_get(1)?,
            state: row.try_get(2)?,
            keep_until: maybe_micros(row, 3)?,
        };
        Ok((state, row.try_get(4)?))
    };
    query(client, ALL, &[]).await?.iter().map(row).collect()
}

/// All states.
pub(super) async fn all(client: &ClientWrapper) -> Result<Vec<StateWrite>> {
    Ok(sealed(client).await?.into_iter().map(|(state, _)| state).collect())
}

/// Makes the states those of the source of a copy.
pub(super) async fn replace(client: &ClientWrapper, states: &[StateWrite]) -> Result<()> {
    query(client, EMPTY, &[]).await?;
    run_steps(steps(states), client).await
}
