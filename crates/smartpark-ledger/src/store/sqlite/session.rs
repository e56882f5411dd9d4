//! A write transaction: it loads what a decision lacks, and stores what was decided.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::{
    floors,
    past::{self, Past},
    places, recording,
    rows::{self, floor_columns},
    states, withdrawals,
};
use crate::{
    Options, Result,
    decide::{
        Draft, Lack, Writes,
        sums::{AT_LIMIT, CHECKSUM, HourKey, HourSum},
    },
    store::checksum,
};

const FLOOR: &str =
    concat!("-- record_event: floor\nSELECT ", floor_columns!(), " FROM floors WHERE id = ?1");

const UPDATE_FLOOR: &str = "-- record_event: count
UPDATE floors SET total_slots = ?2, current_vehicles = ?3, updated_at = ?4 WHERE id = ?1";

const NEXT_ID: &str = "-- record_event: next id
SELECT 1 + max(last_event_id, (SELECT coalesce(max(id), 0) FROM events),
    (SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1))
FROM retention";

const NEXT_ADJUSTMENT: &str = "-- adjustments: next id
SELECT 1 + max(last_adjustment_id, (SELECT coalesce(max(id), 0) FROM adjustments)) FROM retention";

const ADD_HOURS: &str = "-- record_event: statistics
INSERT INTO event_hours (hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries,
    motorcycle_exits, bus_entries, bus_exits, truck_entries, truck_exits, at_limit, checksum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (hour, floor_id, camera_id) DO UPDATE SET
    car_entries = car_entries + excluded.car_entries,
    car_exits = car_exits + excluded.car_exits,
    motorcycle_entries = motorcycle_entries + excluded.motorcycle_entries,
    motorcycle_exits = motorcycle_exits + excluded.motorcycle_exits,
    bus_entries = bus_entries + excluded.bus_entries,
    bus_exits = bus_exits + excluded.bus_exits,
    truck_entries = truck_entries + excluded.truck_entries,
    truck_exits = truck_exits + excluded.truck_exits,
    at_limit = at_limit + excluded.at_limit,
    checksum = checksum + excluded.checksum";

const ADD_AT_LIMIT: &str = "-- record_event: at the limit
INSERT INTO events_at_limit (event_id, floor_id, camera_id, timestamp) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (event_id) DO NOTHING";

const REMOVE_AT_LIMIT: &str = "-- record_event: no longer at the limit
DELETE FROM events_at_limit WHERE event_id = ?1";

/// A write transaction.
pub(super) struct Session<'c> {
    pub(super) connection: &'c Connection,
    pub(super) options: &'c Options,
    /// The time of the transaction, in microseconds since 1970 UTC.
    pub(super) now: i64,
    horizon: Option<Option<i64>>,
}

impl<'c> Session<'c> {
    pub(super) fn new(connection: &'c Connection, options: &'c Options) -> Self {
        let now = options.clock.now().as_microsecond();
        Self { connection, options, now, horizon: None }
    }

    /// The retention horizon.
    pub(super) fn horizon(&mut self) -> Result<Option<i64>> {
        if let Some(horizon) = self.horizon {
            return Ok(horizon);
        }
        let horizon = past::horizon(self.connection)?;
        self.horizon = Some(horizon);
        Ok(horizon)
    }

    /// A draft that has loaded these floors, as far as they exist.
    pub(super) fn draft(&mut self, floor_ids: impl IntoIterator<Item = i64>) -> Result<Draft> {
        let horizon = self.horizon()?;
        let mut floors = BTreeMap::new();
        for id in floor_ids {
            let mut statement = self.connection.prepare_cached(FLOOR)?;
            if let Some(floor) = statement.query_row([id], rows::floor).optional()? {
                floors.insert(id, Past::open(self.connection, floor, horizon)?.1);
            }
        }
        Ok(Draft::new(self.now, horizon, floors))
    }

    /// Asks the draft to decide until it lacks nothing, loading what it lacks.
    pub(super) fn decide<T>(
        &self,
        draft: &mut Draft,
        mut decision: impl FnMut(&mut Draft) -> Result<T, Lack>,
    ) -> Result<T> {
        loop {
            match decision(draft) {
                Ok(decided) => return Ok(decided),
                Err(Lack::Past(floor_id, missing)) => {
                    if let Some(open) = draft.floors.get_mut(&floor_id) {
                        Past::of(self.connection, floor_id).load(open, missing)?;
                    }
                }
                Err(Lack::AdjustmentId) => {
                    let mut statement = self.connection.prepare_cached(NEXT_ADJUSTMENT)?;
                    let next = statement.query_row([], |row| row.get(0))?;
                    draft.adjustment_id = Some(draft.next_adjustment(next));
                }
            }
        }
    }

    /// An id that no event ever had; those after it are free, too.
    pub(super) fn next_event_id(&self) -> Result<i64> {
        Ok(self.connection.prepare_cached(NEXT_ID)?.query_row([], |row| row.get(0))?)
    }

    /// Stores what was decided.
    pub(super) fn store(&self, mut writes: Writes) -> Result<()> {
        checksum::add_to_hours(&mut writes);
        let connection = self.connection;
        withdrawals::store(connection, &writes)?;
        for event in &writes.events {
            recording::insert(connection, event)?;
        }
        for floor in &writes.settings {
            floors::store_settings(connection, floor)?;
        }
        for (floor_id, erased) in &writes.erased {
            past::erase(connection, *floor_id, erased)?;
        }
        for (floor_id, fact) in &writes.places {
            places::put(connection, *floor_id, fact)?;
        }
        for (id, place) in &writes.pulled {
            places::pull(connection, *id, *place)?;
        }
        for (floor_id, node) in &writes.stretches {
            past::store(connection, *floor_id, node)?;
        }
        for floor in &writes.floors {
            connection.prepare_cached(UPDATE_FLOOR)?.execute((
                floor.id,
                floor.total_slots,
                floor.current_vehicles,
                floor.updated_at.as_microsecond(),
            ))?;
        }
        add_hours(connection, writes.hours.iter().map(|(key, sum)| (key, sum)))?;
        for (floor_id, flip) in &writes.at_limit {
            let mut statement = connection.prepare_cached(ADD_AT_LIMIT)?;
            statement.execute((flip.event_id, floor_id, &flip.camera_id, flip.at))?;
        }
        for id in &writes.no_longer {
            connection.prepare_cached(REMOVE_AT_LIMIT)?.execute([id])?;
        }
        for adjustment in &writes.adjustments {
            floors::insert_adjustment(connection, adjustment)?;
        }
        for state in &writes.states {
            states::store(connection, state)?;
        }
        Ok(())
    }
}

/// Adds to the stored sums.
pub(super) fn add_hours<'s>(
    connection: &Connection,
    hours: impl IntoIterator<Item = (&'s HourKey, &'s HourSum)>,
) -> Result<()> {
    for ((hour, floor_id, camera_id), sum) in hours {
        let mut statement = connection.prepare_cached(ADD_HOURS)?;
        statement.execute(rusqlite::params![
            hour,
            floor_id,
            camera_id,
            sum[0],
            sum[1],
            sum[2],
            sum[3],
            sum[4],
            sum[5],
            sum[6],
            sum[7],
            sum[AT_LIMIT],
            sum[CHECKSUM],
        ])?;
    }
    Ok(())
}
