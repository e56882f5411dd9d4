//! What a floor's facts say to the estimates, day by day of UTC.
//!
//! An [`Observer`] takes the facts of a floor in their order and folds them into [`Day`]s: the
//! facts of each hour for [`drift`](super::drift), and the count at each quarter of an hour for
//! [`forecast`](super::forecast). [`Observed`] holds the days of a floor and makes of them what
//! the estimates take. A day is worth keeping: it only changes if one of its facts changes, which
//! [`first_change`] tells.

mod blind;
mod days;
mod observer;

#[cfg(test)]
mod tests;

pub use days::{Observed, Site};
pub use observer::{Day, Observer};

use crate::count::NodeRow;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
/// A day of UTC in microseconds.
const DAY: i64 = 24 * HOUR;
/// A quarter of an hour in microseconds.
const QUARTER: i64 = HOUR / 4;
/// Hours in a day of UTC.
const HOURS: usize = 24;
/// Quarters of an hour in a day of UTC.
const QUARTERS: usize = 96;
/// Cameras of one floor that are told apart. Events of further ones count as those of the last:
/// the estimates keep numbers of each camera and hour.
const MOST_CAMERAS: usize = 64;

/// The first day on which two lists of a floor's day-level stretches differ, as an instant in
/// microseconds; `None` if they are the same. Facts of earlier days are the same in both.
#[must_use]
pub fn first_change(known: &[NodeRow], found: &[NodeRow]) -> Option<i64> {
    let same = known.iter().zip(found).take_while(|(a, b)| a == b).count();
    let start = |list: &[NodeRow]| list.get(same).map(|day| day.span.start);
    start(known).into_iter().chain(start(found)).min()
}
