//! Sums of hours: what statistics are made of.

use crate::store::codes::{direction_number, type_number};
use crate::{Direction, VehicleType};

/// An hour in microseconds: the unit of the sums.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// A day in microseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The hour that holds an instant.
pub(crate) fn hour_of(at: i64) -> i64 {
    at.div_euclid(HOUR) * HOUR
}

/// The hour, floor and camera that a sum belongs to.
pub(crate) type HourKey = (i64, i64, String);

/// The sum of an hour: events by type and direction ([`column`]), then those at the limit.
pub(crate) type HourSum = [i64; 9];

/// Where in an [`HourSum`] the events at the limit are.
pub(crate) const AT_LIMIT: usize = 8;

/// Where in an [`HourSum`] events of a type and direction are.
pub(crate) fn column(kind: VehicleType, direction: Direction) -> usize {
    usize::from(2 * type_number(kind) + direction_number(direction))
}
