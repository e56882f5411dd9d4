//! Through the public interface: agreement with an independent implementation, and the cases in
//! which a forecast could mislead.

mod cases;
mod reference;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

use super::{FloorSeries, Forecast, HISTORY_WEEKS, Model, Reading, Series, train};

/// A Monday.
pub(super) const FIRST: Date = date(2026, 2, 2);

pub(super) fn zone() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a valid rule")
}

pub(super) fn at(series: &Series, quarter: i64) -> Timestamp {
    series.calendar().instant(quarter).expect("a quarter that exists")
}

/// A series of `quarters` quarters from [`FIRST`]; `vehicles` and slots are asked for each.
pub(super) fn series_of(
    zone: TimeZone,
    quarters: i64,
    stands: impl Fn(i64) -> Option<(i64, i64)>,
) -> Series {
    series_from(zone, FIRST, quarters, stands)
}

/// The same from another Monday.
pub(super) fn series_from(
    zone: TimeZone,
    first: Date,
    quarters: i64,
    stands: impl Fn(i64) -> Option<(i64, i64)>,
) -> Series {
    let mut series = Series::new(zone, first);
    for quarter in 0..quarters {
        if let (Some((vehicles, slots)), Some(at)) =
            (stands(quarter), series.calendar().instant(quarter))
        {
            series.set(Reading { at, vehicles, slots });
        }
    }
    series
}

pub(super) fn trained(series: &Series, midnight: Date) -> Model {
    let floor = FloorSeries { floor_id: 1, series };
    train(&[floor], midnight, HISTORY_WEEKS).pop().expect("a model for the floor")
}

/// Forecasts for so many minutes ahead of a quarter, at which the floor stands so.
pub(super) fn ask(series: &Series, quarter: i64, stands: (i64, i64), minutes: &[i64]) -> Forecast {
    let now = Reading { at: at(series, quarter), vehicles: stands.0, slots: stands.1 };
    let midnight = series.calendar().local(quarter).date();
    let times: Vec<Timestamp> =
        minutes.iter().map(|ahead| now.at + SignedDuration::from_mins(*ahead)).collect();
    trained(series, midnight).forecast(series, now, &times)
}
