//! Learns, at a midnight, how to forecast each floor of a site.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{
    interval::{self, Errors},
    ridge::{Normal, Row, SIZE, dot},
    series::{History, Series},
};
use crate::estimate::calendar::{DAY, WEEK};

/// The horizons that are learned, in quarters of an hour: 15 minutes to 7 days.
pub(super) const HORIZONS: [usize; 8] = [1, 2, 4, 8, 16, 32, 96, 672];

/// Weeks of history that [`train`] needs. With 13 the error 7 days ahead grew by 2 % on one of
/// three data sets; older weeks hardly count any more.
pub const HISTORY_WEEKS: u16 = 19;

/// Floors that learn from one another. A site with more is trained in groups of this size, so
/// that the memory for training is bounded (about 3 MB a floor, for the time of the call).
const GROUP: usize = 32;

/// Normal equations lose this much a day.
const FORGET: f64 = 0.98;
/// Without experience the distance from the profile fades by this much an hour.
const FADE: f64 = 0.9;
/// The mean of the other floors' equations counts this much beside a floor's own.
const NEIGHBOURS: f64 = 1.0;
/// An error above this occupancy rate counts linearly, not squared.
const OUTLIER: f64 = 0.03;

/// A floor and its occupancy.
#[derive(Clone, Copy, Debug)]
pub struct FloorSeries<'a> {
    /// The floor.
    pub floor_id: i64,
    /// Its occupancy up to the midnight at least. All series of one call share a time zone.
    pub series: &'a Series,
}

/// What was learned about one floor up to a midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) midnight: Date,
    /// Where full is: 1, or the most that was seen.
    pub(super) ceiling: f64,
    pub(super) horizons: Vec<Horizon>,
}

/// What was learned about one horizon.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Horizon {
    pub(super) theta: Row,
    pub(super) errors: Option<Errors>,
}

impl Model {
    /// The local date at whose beginning the model was made.
    #[must_use]
    pub fn midnight(&self) -> Date {
        self.midnight
    }
}

/// Learns from what was known when the local day `midnight` began, over the `weeks` before it
/// (use [`HISTORY_WEEKS`]). Returns one model for each floor, in the order given.
///
/// Each floor has coefficients of its own and learns from the mean of the others (groups of 32,
/// by floor id). The order of `floors` changes no model. Cost: a few milliseconds a floor.
///
/// Method: ridge regression on eight features of the distance from the profile, refitted each
/// midnight, with outlying errors weighted down in a second fit; conformal intervals.
#[must_use]
pub fn train(floors: &[FloorSeries<'_>], midnight: Date, weeks: u16) -> Vec<Model> {
    let mut order: Vec<usize> = (0..floors.len()).collect();
    order.sort_by_key(|place| floors[*place].floor_id);
    let mut models: HashMap<usize, Model> = HashMap::new();
    for group in order.chunks(GROUP) {
        let histories: Vec<History> = cut(floors, group, midnight, weeks);
        let mut learned: Vec<Vec<Horizon>> = vec![Vec::new(); group.len()];
        for horizon in HORIZONS {
            for (floor, found) in learned.iter_mut().zip(learn(&histories, horizon)) {
                floor.push(found);
            }
        }
        for ((place, history), horizons) in group.iter().zip(&histories).zip(learned) {
            let ceiling = history.ceilings.last().copied().unwrap_or(1.0);
            models.insert(*place, Model { midnight, ceiling, horizons });
        }
    }
    (0..floors.len()).filter_map(|place| models.remove(&place)).collect()
}

/// The days before the midnight of each floor of a group, all of one length: none before the
/// first reading of the oldest floor.
fn cut(floors: &[FloorSeries<'_>], group: &[usize], midnight: Date, weeks: u16) -> Vec<History> {
    let until = |series: &Series| series.calendar().day(midnight);
    let age = |series: &Series| series.begin().map_or(0, |from| until(series) - from / DAY);
    let oldest = group.iter().map(|place| age(floors[*place].series)).max().unwrap_or(0);
    let days = oldest.clamp(0, i64::from(weeks) * WEEK / DAY);
    let history = |place: &usize| {
        let series = floors[*place].series;
        History::cut(series, until(series) - days, days)
    };
    group.iter().map(history).collect()
}

/// The features and targets of one floor for one horizon, with each place as the origin.
struct Rows<'h> {
    history: &'h History,
    horizon: usize,
    rows: Vec<Row>,
    /// Actual minus profile at the target; NaN if a pair teaches nothing.
    targets: Vec<f64>,
}

/// The features of a forecast, as rates relative to the profile. What is unknown is 0.
///
/// `now`, `target`: quarters; `rate`, `usual`: rate and profile at a quarter, NaN if unknown.
pub(super) fn features(
    now: i64,
    target: i64,
    ahead: i64,
    rate: impl Fn(i64) -> f64,
    usual: impl Fn(i64) -> f64,
) -> Row {
    let rest = |quarter: i64| rate(quarter) - usual(quarter);
    let days = (ahead.max(target - now).max(1) + DAY - 1) / DAY;
    let back = days * DAY;
    let (p, then) = (usual(now), usual(target));
    let distance = rate(now) - p;
    let mut row = [
        distance,
        distance - rest(now - 2),
        rest(target - back),
        rest(now - back),
        rate(target - WEEK) - then,
        rate(now - WEEK) - p,
        then - p,
        distance * (then - p),
    ];
    for feature in &mut row {
        if feature.is_nan() {
            *feature = 0.0;
        }
    }
    row
}

impl<'h> Rows<'h> {
    fn new(history: &'h History, horizon: usize) -> Self {
        let count = history.rates.len();
        let at = |list: &[f64], quarter: i64| {
            let place = usize::try_from(quarter).unwrap_or(usize::MAX);
            list.get(place).copied().unwrap_or(f64::NAN)
        };
        let ahead = horizon as i64;
        let row = |origin: usize| {
            let now = origin as i64;
            let rate = |quarter| at(&history.rates, quarter);
            let usual = |quarter| at(&history.profile, quarter);
            features(now, now + ahead, ahead, rate, usual)
        };
        let target = |origin: usize| {
            let then = origin + horizon;
            let known = history.rest.get(then).copied().unwrap_or(f64::NAN);
            if history.rest[origin].is_nan() { f64::NAN } else { known }
        };
        Self {
            history,
            horizon,
            rows: (0..count).map(row).collect(),
            targets: (0..count).map(target).collect(),
        }
    }

    /// The sums up to each midnight, the last one included: a row counts from the day on which
    /// its target is known. `weight` is asked for each origin; a row without weight costs nothing.
    fn equations(&self, weight: impl Fn(usize) -> f64) -> Vec<Normal> {
        let per_day = DAY as usize;
        let mut sum = Normal::default();
        let mut all = vec![sum];
        for end in (per_day..=self.rows.len()).step_by(per_day) {
            sum = sum.times(FORGET);
            for target in (end - per_day).max(self.horizon)..end {
                let origin = target - self.horizon;
                let actual = self.targets[origin];
                if actual.is_nan() {
                    continue;
                }
                let weight = weight(origin);
                if weight > 0.0 {
                    sum.add(&self.rows[origin], actual, weight);
                }
            }
            all.push(sum);
        }
        all
    }

    /// The sums again, with outlying errors weighted down: what outliers lose is taken off the
    /// first sums, because most rows lose nothing.
    fn robust(&self, first: &[Normal], thetas: &[Row]) -> Vec<Normal> {
        let fitted = self.fitted(thetas);
        let lost = self.equations(|origin| {
            let error = (self.targets[origin] - fitted[origin]).abs();
            1.0 - (OUTLIER / error.max(OUTLIER))
        });
        first.iter().zip(&lost).map(|(all, lost)| all.plus(&lost.times(-1.0))).collect()
    }

    /// Forecast minus profile for each origin, with the coefficients of its day.
    fn fitted(&self, thetas: &[Row]) -> Vec<f64> {
        let days = self.rows.chunks(DAY as usize).zip(thetas);
        days.flat_map(|(rows, theta)| rows.iter().map(|row| dot(row, theta))).collect()
    }

    /// Actual minus forecast for each origin; NaN if one is unknown.
    fn errors(&self, thetas: &[Row]) -> Vec<f64> {
        let fitted = self.fitted(thetas);
        let history = self.history;
        let at = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(f64::NAN);
        let error = |(origin, rest): (usize, f64)| {
            let target = origin + self.horizon;
            let usual = at(&history.profile, target);
            let forecast = combine(usual, rest, history.rates[origin], history.ceilings[origin]);
            at(&history.rates, target) - forecast
        };
        fitted.into_iter().enumerate().map(error).collect()
    }
}

/// Profile and fitted distance as a forecast; without a profile, the value now.
pub(super) fn combine(usual: f64, distance: f64, now: f64, ceiling: f64) -> f64 {
    let forecast = if usual.is_nan() { now } else { usual + distance };
    forecast.clamp(0.0, ceiling)
}

/// Learns one horizon for a group of floors.
fn learn(histories: &[History], horizon: usize) -> Vec<Horizon> {
    let floors: Vec<Rows<'_>> = histories.iter().map(|h| Rows::new(h, horizon)).collect();
    let first: Vec<_> = floors.iter().map(|floor| floor.equations(|_| 1.0)).collect();
    let thetas = solved(&first, horizon);
    let second: Vec<Vec<Normal>> = floors
        .iter()
        .zip(first.iter().zip(&thetas))
        .map(|(floor, (first, thetas))| floor.robust(first, thetas))
        .collect();
    let thetas = solved(&second, horizon);
    let found = |(floor, thetas): (&Rows<'_>, &Vec<Row>)| Horizon {
        theta: thetas.last().copied().unwrap_or_else(|| prior(horizon)),
        errors: interval::learn(floor.history, &floor.errors(thetas), horizon),
    };
    floors.iter().zip(&thetas).map(found).collect()
}

/// The coefficients without experience: only the distance from the profile counts, and fades.
fn prior(horizon: usize) -> Row {
    let mut prior = [0.0; SIZE];
    prior[0] = FADE.powf(horizon as f64 / 4.0);
    prior
}

/// Each floor's coefficients at each midnight, from its own equations and the mean of the others.
fn solved(floors: &[Vec<Normal>], horizon: usize) -> Vec<Vec<Row>> {
    let prior = prior(horizon);
    let days = floors.first().map_or(0, Vec::len);
    let sum = |day: usize| {
        let add = |sum: Normal, floor: &Vec<Normal>| sum.plus(&floor[day]);
        floors.iter().fold(Normal::default(), add)
    };
    let sums: Vec<Normal> = (0..days).map(sum).collect();
    let share = NEIGHBOURS / floors.len().saturating_sub(1).max(1) as f64;
    let solve = |(own, sum): (&Normal, &Normal)| {
        own.times(1.0 - share).plus(&sum.times(share)).solve(&prior)
    };
    let of = |own: &Vec<Normal>| own.iter().zip(&sums).map(solve).collect();
    floors.iter().map(of).collect()
}
