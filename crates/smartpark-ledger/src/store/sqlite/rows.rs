//! Rows to model and back: the only place that knows how words and instants are stored.

use jiff::Timestamp;
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::super::codes::{
    adjustment_number, adjustment_of, direction_number, direction_of, limit_of, reason_number,
    reason_of, role_number, role_of, type_number, type_of,
};
use crate::{Direction, Event, Floor, RefusalReason, Role, VehicleType, decide::AdjustmentKind};

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

/// A word that the database stores as a number.
pub(super) trait Numbered: Copy {
    fn number(self) -> u8;
    fn of(number: i64) -> Option<Self>;
}

/// A word as a column of the database: its number.
pub(super) struct Code<T>(pub(super) T);

impl<T: Numbered> ToSql for Code<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::from(self.0.number()).into())
    }
}

impl<T: Numbered> FromSql for Code<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        T::of(number).map(Self).ok_or(FromSqlError::OutOfRange(number))
    }
}

macro_rules! numbered {
    ($($word:ty: $number:expr, $from:expr;)*) => {
        $(impl Numbered for $word {
            fn number(self) -> u8 {
                $number(self)
            }

            fn of(number: i64) -> Option<Self> {
                $from(number)
            }
        })*
    };
}

numbered! {
    Direction: direction_number, direction_of;
    VehicleType: type_number, type_of;
    RefusalReason: reason_number, reason_of;
    AdjustmentKind: adjustment_number, adjustment_of;
    Role: role_number, role_of;
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
    let Code(direction) = row.get(5)?;
    Ok(Event {
        id: row.get(0)?,
        camera_id: row.get(1)?,
        floor_id: row.get(2)?,
        track_id: row.get(3)?,
        vehicle_type: row.get::<_, Code<_>>(4)?.0,
        direction,
        confidence: row.get(6)?,
        timestamp: row.get::<_, Micros>(7)?.0,
        created_at: row.get::<_, Micros>(8)?.0,
        count_delta: row.get(9)?,
        at_limit: row.get::<_, bool>(10)?.then(|| limit_of(direction)),
    })
}
