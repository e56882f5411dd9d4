//! What one write transaction has read and is about to write: floors with their histories, the
//! sums of hours, the next ids. It is begun anew with every transaction.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{
    past::{self, Past},
    rows::{self, floor_columns},
};
use crate::{
    Event, Floor, Options, Result,
    count::{Effect, Fact, Flip, History},
    store::sums::{AT_LIMIT, HourKey, HourSum, column, hour_of},
};

const FLOOR: &str =
    concat!("-- record_event: floor\nSELECT ", floor_columns!(), " FROM floors WHERE id = ?1");

const UPDATE_FLOOR: &str = "-- record_event: count
UPDATE floors SET total_slots = ?2, current_vehicles = ?3, updated_at = ?4 WHERE id = ?1";

const NEXT_ID: &str = "-- record_event: next id
SELECT 1 + max(last_event_id, (SELECT coalesce(max(id), 0) FROM events)) FROM retention";

const ADD_HOURS: &str = "-- record_event: statistics
INSERT INTO event_hours (hour, floor_id, camera_id, car_entries, car_exits, motorcycle_entries,
    motorcycle_exits, bus_entries, bus_exits, truck_entries, truck_exits, at_limit)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (hour, floor_id, camera_id) DO UPDATE SET
    car_entries = car_entries + excluded.car_entries,
    car_exits = car_exits + excluded.car_exits,
    motorcycle_entries = motorcycle_entries + excluded.motorcycle_entries,
    motorcycle_exits = motorcycle_exits + excluded.motorcycle_exits,
    bus_entries = bus_entries + excluded.bus_entries,
    bus_exits = bus_exits + excluded.bus_exits,
    truck_entries = truck_entries + excluded.truck_entries,
    truck_exits = truck_exits + excluded.truck_exits,
    at_limit = at_limit + excluded.at_limit";

const ADD_AT_LIMIT: &str = "-- record_event: at the limit
INSERT INTO events_at_limit (event_id, floor_id, camera_id, timestamp) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (event_id) DO NOTHING";

const REMOVE_AT_LIMIT: &str = "-- record_event: no longer at the limit
DELETE FROM events_at_limit WHERE event_id = ?1";

/// A floor in a transaction.
pub(super) struct OpenFloor<'c> {
    pub(super) floor: Floor,
    history: History,
    past: Past<'c>,
    pub(super) changed: bool,
}

impl OpenFloor<'_> {
    /// The instant of the floor's latest fact.
    pub(super) fn latest(&self) -> Option<i64> {
        self.history.latest()
    }
}

/// A write transaction.
pub(super) struct Session<'c> {
    pub(super) connection: &'c Connection,
    pub(super) options: &'c Options,
    /// The time of the transaction, in microseconds since 1970 UTC.
    pub(super) now: i64,
    horizon: Option<Option<i64>>,
    next_event_id: Option<i64>,
    floors: HashMap<i64, OpenFloor<'c>>,
    hours: HashMap<HourKey, HourSum>,
}

impl<'c> Session<'c> {
    pub(super) fn new(connection: &'c Connection, options: &'c Options) -> Self {
        Self {
            connection,
            options,
            now: options.clock.now().as_microsecond(),
            horizon: None,
            next_event_id: None,
            floors: HashMap::new(),
            hours: HashMap::new(),
        }
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

    /// An id that no event ever had.
    pub(super) fn next_event_id(&mut self) -> Result<i64> {
        let id = match self.next_event_id {
            Some(id) => id,
            None => self.connection.prepare_cached(NEXT_ID)?.query_row([], |row| row.get(0))?,
        };
        self.next_event_id = Some(id + 1);
        Ok(id)
    }

    /// The floor with this id, as this transaction has it.
    pub(super) fn floor(&mut self, id: i64) -> Result<Option<&mut OpenFloor<'c>>> {
        if !self.floors.contains_key(&id) {
            let mut statement = self.connection.prepare_cached(FLOOR)?;
            let Some(floor) = statement.query_row([id], rows::floor).optional()? else {
                return Ok(None);
            };
            let horizon = self.horizon()?;
            let (past, history) = Past::open(self.connection, &floor, horizon)?;
            self.floors.insert(id, OpenFloor { floor, history, past, changed: false });
        }
        Ok(self.floors.get_mut(&id))
    }

    /// Puts a new fact into a floor's history and moves its count.
    pub(super) fn record_fact(&mut self, floor_id: i64, fact: &Fact) -> Result<Effect> {
        let now = self.now;
        let open = self.floor(floor_id)?.ok_or(crate::Error::UnknownFloor)?;
        let effect =
            open.past.resolve(&mut open.history, |history| history.record(fact.clone()))?;
        let (count, slots) = (open.history.count(), open.history.slots());
        if (count, slots) != (open.floor.current_vehicles, open.floor.total_slots) {
            (open.floor.current_vehicles, open.floor.total_slots) = (count, slots);
            let moved = now.max(open.floor.updated_at.as_microsecond() + 1);
            open.floor.updated_at = Timestamp::from_microsecond(moved).unwrap_or(Timestamp::MAX);
            open.changed = true;
        }
        if let Some(flip) = &effect.flip {
            self.flip(floor_id, flip)?;
        }
        Ok(effect)
    }

    /// Counts an event in the sums of its hour.
    pub(super) fn count_event(&mut self, event: &Event) -> Result<()> {
        let at = event.timestamp.as_microsecond();
        let kind = column(event.vehicle_type, event.direction);
        self.hour(at, event.floor_id, &event.camera_id)[kind] += 1;
        if event.at_limit.is_some() {
            let camera_id = event.camera_id.clone();
            let flip = Flip { event_id: event.id, camera_id, at, at_limit: true };
            self.flip(event.floor_id, &flip)?;
        }
        Ok(())
    }

    /// An event is now at the limit, or no longer.
    fn flip(&mut self, floor_id: i64, flip: &Flip) -> Result<()> {
        let sum = self.hour(flip.at, floor_id, &flip.camera_id);
        if flip.at_limit {
            sum[AT_LIMIT] += 1;
            let mut statement = self.connection.prepare_cached(ADD_AT_LIMIT)?;
            statement.execute((flip.event_id, floor_id, &flip.camera_id, flip.at))?;
        } else {
            sum[AT_LIMIT] -= 1;
            self.connection.prepare_cached(REMOVE_AT_LIMIT)?.execute([flip.event_id])?;
        }
        Ok(())
    }

    fn hour(&mut self, at: i64, floor_id: i64, camera_id: &str) -> &mut HourSum {
        self.hours.entry((hour_of(at), floor_id, camera_id.to_owned())).or_default()
    }

    /// Writes what changed; to be called once, before the commit.
    pub(super) fn flush(self) -> Result<()> {
        for (id, open) in &self.floors {
            past::store(self.connection, *id, &open.history)?;
            if open.changed {
                let floor = &open.floor;
                self.connection.prepare_cached(UPDATE_FLOOR)?.execute((
                    id,
                    floor.total_slots,
                    floor.current_vehicles,
                    floor.updated_at.as_microsecond(),
                ))?;
            }
        }
        add_hours(self.connection, &self.hours)
    }
}

/// Adds to the stored sums.
pub(super) fn add_hours(connection: &Connection, hours: &HashMap<HourKey, HourSum>) -> Result<()> {
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
        ])?;
    }
    Ok(())
}
