//! Sums of hours: what statistics are made of.

use super::codes::{direction_number, type_number};
use crate::{Direction, VehicleType};

/// An hour in microseconds: the unit of the sums.
pub(super) const HOUR: i64 = 3_600_000_000;

/// A day in microseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// The hour that holds an instant.
pub(super) fn hour_of(at: i64) -> i64 {
    at.div_euclid(HOUR) * HOUR
}

/// The hour, floor and camera that a sum belongs to.
pub(super) type HourKey = (i64, i64, String);

/// The sum of an hour: events by type and direction ([`column`]), then those at the limit.
pub(super) type HourSum = [i64; 9];

/// Where in an [`HourSum`] the events at the limit are.
pub(super) const AT_LIMIT: usize = 8;

/// Where in an [`HourSum`] events of a type and direction are.
pub(super) fn column(kind: VehicleType, direction: Direction) -> usize {
    usize::from(2 * type_number(kind) + direction_number(direction))
}
