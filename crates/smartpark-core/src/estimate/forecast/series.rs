//! How full a floor was, quarter by quarter, and what is usual then.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::estimate::calendar::{Calendar, DAY, WEEK};

/// The profile looks back this many weeks …
const WEEKS: usize = 12;
/// … and each week counts this much of the one after it.
const DECAY: f64 = 0.9;
/// A deviation below this occupancy rate is never an outlier.
const USUAL_DEVIATION: f64 = 0.02;

/// A count at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When the floor stood so.
    pub at: Timestamp,
    /// Vehicles on the floor.
    pub vehicles: i64,
    /// Slots at that instant.
    pub slots: i64,
}

impl Reading {
    /// Vehicles per slot; `None` for a floor without slots.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.slots > 0).then(|| self.vehicles.max(0) as f64 / self.slots as f64)
    }
}

/// A period without trustworthy counts: a camera was blind, or the floor did not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blind {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// A floor's occupancy rate (vehicles per slot) at each local quarter of an hour.
///
/// A quarter without a reading is unknown: the floor did not exist yet, a camera was blind, the
/// floor had no slots, or the clock skipped the quarter. Readings may be set in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    calendar: Calendar,
    /// One rate a quarter; NaN if unknown.
    rates: Vec<f64>,
}

impl Series {
    /// An empty series. Quarter 0 begins at midnight of `first`; earlier readings are ignored.
    #[must_use]
    pub fn new(zone: TimeZone, first: Date) -> Self {
        Self { calendar: Calendar::new(zone, first), rates: Vec::new() }
    }

    /// The series of a floor that changed at these instants, given in their order, up to and
    /// including `until`. A level holds from its instant on; a reading is the level just before
    /// the quarter begins. Quarters in a `blind` period stay unknown.
    #[must_use]
    pub fn from_levels(
        zone: TimeZone,
        levels: &[Reading],
        blind: &[Blind],
        until: Timestamp,
    ) -> Self {
        let Some(start) = levels.first() else {
            return Self::new(zone.clone(), zone.to_datetime(until).date());
        };
        let first = zone.to_datetime(start.at).date();
        let mut series = Self::new(zone, first);
        let mut next = 0;
        let from = series.calendar.quarter(start.at);
        for quarter in from..=series.calendar.quarter(until) {
            let Some(at) = series.calendar.instant(quarter).filter(|at| *at <= until) else {
                continue;
            };
            while levels.get(next).is_some_and(|level| level.at < at) {
                next += 1;
            }
            let seen = !blind.iter().any(|period| period.from <= at && at < period.until);
            if let Some(level) = next.checked_sub(1).and_then(|last| levels.get(last))
                && seen
            {
                series.set(Reading { at, ..*level });
            }
        }
        series
    }

    /// Sets the reading of the quarter that begins at `reading.at`. Of a repeated hour the later
    /// instants count, so a reading at an earlier one changes nothing.
    pub fn set(&mut self, reading: Reading) {
        let quarter = self.calendar.quarter(reading.at);
        let Ok(place) = usize::try_from(quarter) else { return };
        if self.calendar.instant(quarter) != Some(reading.at) {
            return;
        }
        if self.rates.len() <= place {
            self.rates.resize(place + 1, f64::NAN);
        }
        if let (Some(rate), Some(value)) = (self.rates.get_mut(place), reading.rate()) {
            *rate = value;
        }
    }

    /// A digest of all readings before a local midnight: models trained for that midnight from
    /// series of the same digest are the same.
    #[must_use]
    pub fn digest_before(&self, midnight: Date) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let known = usize::try_from(self.calendar.day(midnight) * DAY).unwrap_or(0);
        let mut hasher = DefaultHasher::new();
        self.calendar.first().hash(&mut hasher);
        for rate in self.rates.iter().take(known) {
            hasher.write_u64(rate.to_bits());
        }
        hasher.finish()
    }

    /// The numbering of its quarters.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The first quarter with a reading.
    #[must_use]
    pub fn begin(&self) -> Option<i64> {
        let place = self.rates.iter().position(|rate| !rate.is_nan())?;
        i64::try_from(place).ok()
    }

    /// The rate of the quarter that holds an instant; `None` if it is unknown.
    #[must_use]
    pub fn known_rate(&self, at: Timestamp) -> Option<f64> {
        Some(self.rate(self.calendar.quarter(at))).filter(|rate| !rate.is_nan())
    }

    /// The rate at a quarter; NaN if unknown.
    pub(super) fn rate(&self, quarter: i64) -> f64 {
        usize::try_from(quarter)
            .ok()
            .and_then(|place| self.rates.get(place))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

/// What is usual at a quarter: the mean of the same quarter in the 12 weeks before it, recent
/// weeks first. The mean is taken twice: the second time, weeks far from the first mean weigh
/// less, so one holiday does not bend it. NaN if no week has a reading.
///
/// `rate` gives the rate at a quarter; it is asked for earlier quarters only.
pub(super) fn profile(rate: impl Fn(i64) -> f64, quarter: i64) -> f64 {
    let mut values = [0.0; WEEKS];
    let mut weights = [0.0; WEEKS];
    let (mut have, mut weight) = (0, 1.0);
    for week in 1..=WEEKS as i64 {
        let value = rate(quarter - week * WEEK);
        if !value.is_nan() {
            values[have] = value;
            weights[have] = weight;
            have += 1;
        }
        weight *= DECAY;
    }
    if have == 0 {
        return f64::NAN;
    }
    let (values, weights) = (&values[..have], &mut weights[..have]);
    let mean = weighted_mean(values, weights);
    let mut deviations = [0.0; WEEKS];
    for (deviation, value) in deviations.iter_mut().zip(values) {
        *deviation = (value - mean).abs();
    }
    let mut sorted = deviations;
    let usual = 2.0 * (USUAL_DEVIATION + median(&mut sorted[..have]));
    for (weight, deviation) in weights.iter_mut().zip(deviations) {
        *weight *= (usual / deviation.max(1e-9)).min(1.0);
    }
    weighted_mean(values, weights)
}

fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / sum
}

/// The median; 0 for no values.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => 0.0,
        values if values.len() % 2 == 1 => values[middle],
        values => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A stretch of a series with its profile, cut for training: whole days before a midnight.
pub(super) struct History {
    /// The rates; NaN if unknown.
    pub(super) rates: Vec<f64>,
    /// What was usual at each of these quarters.
    pub(super) profile: Vec<f64>,
    /// How far the rate was from the profile; NaN if unknown.
    pub(super) rest: Vec<f64>,
    /// Hour of day, plus 24 on a weekend.
    buckets: Vec<u8>,
    /// Where full is: 1, or the most that was seen so far.
    pub(super) ceilings: Vec<f64>,
}

/// Hours of a weekday, then hours of a weekend day.
pub(super) const BUCKETS: usize = 48;

/// The bucket of a quarter: its hour of day, plus 24 on a weekend.
pub(super) fn bucket(calendar: &Calendar, quarter: i64) -> usize {
    Calendar::hour(quarter) + if calendar.is_weekend(quarter) { 24 } else { 0 }
}

impl History {
    /// The days from `begin` on, `days` of them, numbered as the series numbers its quarters.
    pub(super) fn cut(series: &Series, begin: i64, days: i64) -> Self {
        let quarters = begin * DAY..(begin + days) * DAY;
        let from = quarters.start;
        let rates: Vec<f64> = quarters.clone().map(|quarter| series.rate(quarter)).collect();
        let known = |quarter: i64| {
            let place = usize::try_from(quarter - from).unwrap_or(usize::MAX);
            rates.get(place).copied().unwrap_or(f64::NAN)
        };
        let profile: Vec<f64> = quarters.clone().map(|q| profile(known, q)).collect();
        let rest = rates.iter().zip(&profile).map(|(rate, usual)| rate - usual).collect();
        let calendar = series.calendar();
        let hour = |quarter| u8::try_from(bucket(calendar, quarter)).unwrap_or(0);
        let buckets = quarters.map(hour).collect();
        let ceilings = rates.iter().scan(1.0, ceiling).collect();
        Self { rates, profile, rest, buckets, ceilings }
    }

    /// The bucket of a place.
    pub(super) fn bucket(&self, place: usize) -> usize {
        self.buckets.get(place).map_or(0, |bucket| usize::from(*bucket))
    }
}

fn ceiling(most: &mut f64, rate: &f64) -> Option<f64> {
    *most = most.max(*rate);
    Some(*most)
}
