//! Rows to model and back: the only place that knows how words and instants are stored.

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked},
};

use crate::{
    Direction, Error, Event, Floor, Result, VehicleType,
    decide::Adjustment,
    store::codes::{adjustment_of, direction_of, limit_of, type_of},
};

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

type Fault = Box<dyn std::error::Error + Sync + Send>;

/// 2000-01-01 in microseconds since 1970: where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// The first instant that PostgreSQL can store (4714 BC), in microseconds since 2000.
const FIRST: i64 = -211_813_488_000_000_000;

/// An instant in microseconds since 1970 UTC, stored as `timestamptz`. `i64::MIN` and `i64::MAX`
/// are its infinities, and so is what lies before the first instant that it can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Micros(pub(super) i64);

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        let stored = match self.0 {
            i64::MAX => i64::MAX,
            at => Some(at.saturating_sub(EPOCH)).filter(|at| *at >= FIRST).unwrap_or(i64::MIN),
        };
        out.put_i64(stored);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let stored = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(stored.saturating_add(EPOCH)))
    }

    accepts!(TIMESTAMPTZ);
}

/// The instant in a column.
pub(super) fn instant(row: &Row, column: usize) -> Result<Timestamp> {
    let Micros(at) = row.try_get(column)?;
    Timestamp::from_microsecond(at).map_err(|_| damaged("an instant"))
}

/// The instant in a column, in microseconds since 1970 UTC.
pub(super) fn micros(row: &Row, column: usize) -> Result<i64> {
    let Micros(at) = row.try_get(column)?;
    Ok(at)
}

/// The instant in a column that may be empty.
pub(super) fn maybe_micros(row: &Row, column: usize) -> Result<Option<i64>> {
    let at: Option<Micros> = row.try_get(column)?;
    Ok(at.map(|Micros(at)| at))
}

/// The direction in a column.
pub(super) fn direction(row: &Row, column: usize) -> Result<Direction> {
    let number: i16 = row.try_get(column)?;
    direction_of(number.into()).ok_or_else(|| damaged("a direction"))
}

/// The vehicle type in a column.
pub(super) fn vehicle_type(row: &Row, column: usize) -> Result<VehicleType> {
    let number: i16 = row.try_get(column)?;
    type_of(number.into()).ok_or_else(|| damaged("a vehicle type"))
}

/// Names what cannot be read.
pub(super) fn damaged(what: &str) -> Error {
    Error::Internal(format!("the database holds {what} that is none"))
}

/// The floor whose columns begin at `first`.
pub(super) fn floor(row: &Row, first: usize) -> Result<Floor> {
    Ok(Floor {
        id: row.try_get(first)?,
        name: row.try_get(first + 1)?,
        description: row.try_get(first + 2)?,
        total_slots: row.try_get(first + 3)?,
        current_vehicles: row.try_get(first + 4)?,
        is_active: row.try_get(first + 5)?,
        created_at: instant(row, first + 6)?,
        updated_at: instant(row, first + 7)?,
    })
}

/// The event whose columns begin at `first`.
pub(super) fn event(row: &Row, first: usize) -> Result<Event> {
    let direction = direction(row, first + 5)?;
    let count_delta: i16 = row.try_get(first + 9)?;
    Ok(Event {
        id: row.try_get(first)?,
        camera_id: row.try_get(first + 1)?,
        floor_id: row.try_get(first + 2)?,
        track_id: row.try_get(first + 3)?,
        vehicle_type: vehicle_type(row, first + 4)?,
        direction,
        confidence: row.try_get(first + 6)?,
        timestamp: instant(row, first + 7)?,
        created_at: instant(row, first + 8)?,
        count_delta: count_delta.into(),
        at_limit: row.try_get::<_, bool>(first + 10)?.then(|| limit_of(direction)),
    })
}

/// An adjustment, all its columns in the order of the table.
pub(super) fn adjustment(row: &Row) -> Result<Adjustment> {
    let kind = adjustment_of(row.try_get::<_, i16>(2)?.into());
    Ok(Adjustment {
        id: row.try_get(0)?,
        floor_id: row.try_get(1)?,
        kind: kind.ok_or_else(|| damaged("an adjustment"))?,
        delta: row.try_get(3)?,
        current_vehicles: row.try_get(4)?,
        total_slots: row.try_get(5)?,
        reason: row.try_get(6)?,
        author: row.try_get(7)?,
        at: micros(row, 8)?,
        created_at: micros(row, 9)?,
        place: micros(row, 10)?,
        is_dated: row.try_get(11)?,
    })
}
