//! Rows to model and back: the only place that knows how words and instants are stored.

use jiff::Timestamp;
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::{AtLimit, Direction, Event, Floor, VehicleType, count::Act};

/// The columns of a [`Floor`], in the order that [`floor`] reads them.
macro_rules! floor_columns {
    () => {
        "id, name, description, total_slots, current_vehicles, is_active, created_at, updated_at"
    };
}

/// The columns of an [`Event`], in the order that [`event`] reads them.
macro_rules! event_columns {
    () => {
        "id, camera_id, floor_id, track_id, vehicle_type, direction, confidence, timestamp, \
         created_at, count_delta, at_limit"
    };
}

pub(super) use {event_columns, floor_columns};

/// An instant as it is stored.
pub(super) struct Micros(pub(super) Timestamp);

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let instant = Timestamp::from_microsecond(value.as_i64()?);
        instant.map(Self).map_err(|_| FromSqlError::OutOfRange(value.as_i64().unwrap_or(0)))
    }
}

impl ToSql for Direction {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Entry => 0_i64.into(),
            Self::Exit => 1_i64.into(),
        })
    }
}

impl FromSql for Direction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Entry),
            1 => Ok(Self::Exit),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

/// The number of a type: its place in [`VehicleType::ALL`].
pub(super) fn type_number(kind: VehicleType) -> usize {
    match kind {
        VehicleType::Car => 0,
        VehicleType::Motorcycle => 1,
        VehicleType::Bus => 2,
        VehicleType::Truck => 3,
    }
}

impl ToSql for VehicleType {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = i64::try_from(type_number(*self)).unwrap_or(i64::MAX);
        Ok(number.into())
    }
}

impl FromSql for VehicleType {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        let found = usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied());
        found.ok_or(FromSqlError::OutOfRange(number))
    }
}

/// What an adjustment is, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recount,
    Capacity,
    Entry,
    Exit,
}

impl Kind {
    /// The act of an adjustment of this kind that left `count` vehicles and `slots` slots.
    pub(super) fn act(self, count: i64, slots: i64) -> Act {
        match self {
            Self::Recount => Act::Recount(count),
            Self::Capacity => Act::Capacity(slots),
            Self::Entry => Act::Entry,
            Self::Exit => Act::Exit,
        }
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Recount => 0_i64.into(),
            Self::Capacity => 1_i64.into(),
            Self::Entry => 2_i64.into(),
            Self::Exit => 3_i64.into(),
        })
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Recount),
            1 => Ok(Self::Capacity),
            2 => Ok(Self::Entry),
            3 => Ok(Self::Exit),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

pub(super) fn floor(row: &Row<'_>) -> rusqlite::Result<Floor> {
    Ok(Floor {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        total_slots: row.get(3)?,
        current_vehicles: row.get(4)?,
        is_active: row.get(5)?,
        created_at: row.get::<_, Micros>(6)?.0,
        updated_at: row.get::<_, Micros>(7)?.0,
    })
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let direction = row.get(5)?;
    Ok(Event {
        id: row.get(0)?,
        camera_id: row.get(1)?,
        floor_id: row.get(2)?,
        track_id: row.get(3)?,
        vehicle_type: row.get(4)?,
        direction,
        confidence: row.get(6)?,
        timestamp: row.get::<_, Micros>(7)?.0,
        created_at: row.get::<_, Micros>(8)?.0,
        count_delta: row.get(9)?,
        at_limit: row.get::<_, bool>(10)?.then(|| limit_of(direction)),
    })
}

/// The limit that an event in this direction can find its floor at.
pub(super) fn limit_of(direction: Direction) -> AtLimit {
    match direction {
        Direction::Entry => AtLimit::Full,
        Direction::Exit => AtLimit::Empty,
    }
}
