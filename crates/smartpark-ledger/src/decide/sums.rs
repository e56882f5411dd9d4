//! Sums of hours: what statistics are made of.

use crate::codes::{direction_number, type_number};
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

/// The sum of an hour: events by type and direction ([`column`]), then those at the limit, then the
/// checksums of what was counted.
pub(crate) type HourSum = [i64; 10];

/// Where in an [`HourSum`] the events at the limit are.
pub(crate) const AT_LIMIT: usize = 8;

/// Where in an [`HourSum`] the sum of the checksums is.
pub(crate) const CHECKSUM: usize = 9;

/// How many numbers of an [`HourSum`] statistics are made of: all but the checksum.
pub(crate) const COUNTS: usize = 9;

/// A checksum that was never computed: the hour was recorded by an older version.
pub(crate) const UNKNOWN: i64 = -1;

/// Where in an [`HourSum`] events of a type and direction are.
pub(crate) fn column(kind: VehicleType, direction: Direction) -> usize {
    usize::from(2 * type_number(kind) + direction_number(direction))
}
