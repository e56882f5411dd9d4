//! Local time in quarters of an hour.
//!
//! Traffic follows the local clock, so estimates count in local quarters: 96 a day, every day. On
//! the night when the clock goes forward four of them do not exist. On the night when it goes
//! back four instants share a quarter with an earlier one, and the later instant counts.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

/// Quarters of an hour in a local day.
pub const DAY: i64 = 96;
/// Quarters of an hour in a local week.
pub const WEEK: i64 = 7 * DAY;

const MINUTES: i64 = 15;

/// Numbers the local quarters of a time zone, counted from the midnight at which a date begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    zone: TimeZone,
    first: Date,
}

impl Calendar {
    /// Quarter 0 begins at midnight of `first` in `zone`.
    #[must_use]
    pub fn new(zone: TimeZone, first: Date) -> Self {
        Self { zone, first }
    }

    /// The date of quarter 0.
    #[must_use]
    pub fn first(&self) -> Date {
        self.first
    }

    /// The time zone.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The quarter that holds this instant (it begins at or before it).
    #[must_use]
    pub fn quarter(&self, at: Timestamp) -> i64 {
        let local = self.zone.to_datetime(at);
        let of_day = i64::from(local.hour()) * 4 + i64::from(local.minute()) / MINUTES;
        self.day(local.date()) * DAY + of_day
    }

    /// The number of days from the first date to this one.
    #[must_use]
    pub fn day(&self, date: Date) -> i64 {
        date.duration_since(self.first).as_hours() / 24
    }

    /// The local date and time at which a quarter begins.
    #[must_use]
    pub fn local(&self, quarter: i64) -> DateTime {
        let since = SignedDuration::from_mins(quarter.saturating_mul(MINUTES));
        self.first.to_datetime(jiff::civil::Time::midnight()).saturating_add(since)
    }

    /// The instant at which a quarter begins: the later one of a repeated hour, `None` in an hour
    /// that the clock skips.
    #[must_use]
    pub fn instant(&self, quarter: i64) -> Option<Timestamp> {
        let local = self.local(quarter);
        let offset = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { after, .. } => after,
            AmbiguousOffset::Gap { .. } => return None,
        };
        offset.to_timestamp(local).ok()
    }

    /// Whether a quarter lies on a Saturday or Sunday.
    #[must_use]
    pub fn is_weekend(&self, quarter: i64) -> bool {
        let monday = i64::from(self.first.weekday().to_monday_zero_offset());
        (quarter.div_euclid(DAY) + monday).rem_euclid(7) >= 5
    }

    /// The hour of day (0 to 23) of a quarter.
    #[must_use]
    pub fn hour(quarter: i64) -> usize {
        usize::try_from(quarter.rem_euclid(DAY) / 4).unwrap_or(0)
    }
}
