//! Answers from a model: how many vehicles, between which bounds, how likely a free slot.

use jiff::{SignedDuration, Timestamp};

use super::{
    series::{Reading, Series, bucket, profile},
    train::{HORIZONS, Horizon, Model, combine, features},
};
use crate::estimate::calendar::DAY;

/// Days of history from which a forecast is told.
const READY_DAYS: i64 = 14;
/// Rounding of rates may not widen a bound by a whole vehicle.
const ROUNDING: f64 = 1e-6;

/// A floor's forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Days since the floor's first reading.
    pub history_days: i64,
    /// Whether the floor has enough history (14 days). If not, every step repeats the count now,
    /// between 0 and all slots, so that a caller needs no special case.
    pub ready: bool,
    /// The asked instants in the order given.
    pub steps: Vec<Step>,
    /// How far past forecasts were off, for 15, 30, 60, 120, 240, 480, 1440 and 10080 minutes;
    /// horizons without any past forecast are left out.
    pub past_error: Vec<PastError>,
    /// The first step at which the upper bound reaches the slots: the floor may be full then.
    pub may_be_full_at: Option<Timestamp>,
    /// The first step at which the forecast itself, rounded, reaches the slots.
    pub will_be_full_at: Option<Timestamp>,
}

/// What is expected at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The instant.
    pub at: Timestamp,
    /// Expected vehicles.
    pub vehicles: f64,
    /// Lower bound of the 95 % interval, in vehicles.
    pub low: i64,
    /// Upper bound of the 95 % interval, in vehicles.
    pub high: i64,
    /// Expected free slots.
    pub available: f64,
    /// Free slots if the upper bound comes true.
    pub available_low: i64,
    /// Probability that at least one slot is free; `None` if nothing is known of past errors.
    pub p_free: Option<f64>,
}

/// How good forecasts of one horizon were over the past 28 days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastError {
    /// The horizon in minutes.
    pub minutes: i64,
    /// Mean absolute error, in vehicles of the slots now.
    pub vehicles: f64,
    /// Root mean square error, in vehicles of the slots now.
    pub root_mean_square: f64,
    /// Share of actual counts inside their intervals (0.95 is the aim).
    pub inside: f64,
}

/// The instants of a forecast: every `step` from the first full quarter of an hour after `now`,
/// as long as they lie within `length` of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The present.
    pub now: Timestamp,
    /// How far ahead.
    pub length: SignedDuration,
    /// From one instant to the next; at least a quarter of an hour.
    pub step: SignedDuration,
}

impl Window {
    /// The instants in their order.
    #[must_use]
    pub fn times(&self) -> Vec<Timestamp> {
        const QUARTER: i64 = 900;
        let first = (self.now.as_second().div_euclid(QUARTER) + 1) * QUARTER;
        let until = self.now.as_second().saturating_add(self.length.as_secs());
        let step = usize::try_from(self.step.as_secs().max(QUARTER)).unwrap_or(usize::MAX);
        (first..=until).step_by(step).filter_map(|at| Timestamp::from_second(at).ok()).collect()
    }
}

/// The floors to send a driver to, the best first.
///
/// Takes `(floor_id, step, ready)` of each open floor for the instant of arrival. The floor with
/// the most slots that are free even if the upper bound comes true stands first; among equals the
/// one with the most expected free slots, then the lowest id. Floors that are not ready are left
/// out. If nothing remains, the caller recommends by the count now.
#[must_use]
pub fn rank(floors: &[(i64, Step, bool)]) -> Vec<i64> {
    let mut ready: Vec<&(i64, Step, bool)> = floors.iter().filter(|floor| floor.2).collect();
    ready.sort_by(|a, b| {
        let low = b.1.available_low.cmp(&a.1.available_low);
        low.then(b.1.available.total_cmp(&a.1.available)).then(a.0.cmp(&b.0))
    });
    ready.into_iter().map(|floor| floor.0).collect()
}

impl Forecast {
    /// The forecast of a floor without a model: the count now, between 0 and all slots.
    #[must_use]
    pub fn unready(now: Reading, times: &[Timestamp]) -> Self {
        let slots = now.slots.max(0);
        let vehicles = now.vehicles.clamp(0, slots) as f64;
        let step = |at: &Timestamp| Step {
            at: *at,
            vehicles,
            low: 0,
            high: slots,
            available: slots as f64 - vehicles,
            available_low: 0,
            p_free: None,
        };
        Self {
            history_days: 0,
            ready: false,
            steps: times.iter().map(step).collect(),
            past_error: Vec::new(),
            may_be_full_at: None,
            will_be_full_at: None,
        }
    }
}

/// A question to a model: the series as far as it was known at `now`.
struct Asked<'a> {
    series: &'a Series,
    now: Reading,
    quarter: i64,
    ceiling: f64,
}

impl Model {
    /// The forecast for these instants, as it stands at `now`. The series may reach beyond now;
    /// later readings are not looked at.
    #[must_use]
    pub fn forecast(&self, series: &Series, now: Reading, times: &[Timestamp]) -> Forecast {
        let quarter = series.calendar().quarter(now.at);
        let history_days = series.begin().map_or(0, |first| (quarter - first).max(0) / DAY);
        let Some(rate) = now.rate().filter(|_| history_days >= READY_DAYS) else {
            return Forecast { history_days, ..Forecast::unready(now, times) };
        };
        let today = quarter.div_euclid(DAY) * DAY;
        let seen = (today..quarter).map(|quarter| series.rate(quarter));
        let ceiling = seen.fold(self.ceiling.max(rate), f64::max);
        let asked = Asked { series, now, quarter, ceiling };
        let steps: Vec<Step> = times.iter().map(|at| self.step(&asked, *at)).collect();
        let slots = now.slots as f64;
        let first = |full: &dyn Fn(&Step) -> bool| steps.iter().find(|s| full(s)).map(|s| s.at);
        Forecast {
            history_days,
            ready: true,
            may_be_full_at: first(&|step| step.high >= now.slots),
            will_be_full_at: first(&|step| step.vehicles >= slots - 0.5),
            past_error: self.past_error(slots),
            steps,
        }
    }

    fn past_error(&self, slots: f64) -> Vec<PastError> {
        let of = |(quarters, horizon): (usize, &Horizon)| {
            let past = horizon.errors.as_ref()?.past;
            Some(PastError {
                minutes: quarters as i64 * 15,
                vehicles: past.mean * slots,
                root_mean_square: past.root_mean_square * slots,
                inside: past.inside,
            })
        };
        HORIZONS.into_iter().zip(&self.horizons).filter_map(of).collect()
    }

    /// The two learned horizons around this many quarters ahead, and the weight of the later.
    fn around(&self, quarters: f64) -> Option<(&Horizon, &Horizon, f64)> {
        let after = HORIZONS.partition_point(|horizon| (*horizon as f64) < quarters);
        let after = after.min(HORIZONS.len() - 1);
        let exact = HORIZONS[after] as f64 <= quarters;
        let before = if exact { after } else { after.saturating_sub(1) };
        let (low, high) = (HORIZONS[before] as f64, HORIZONS[after] as f64);
        let weight = if high > low { (quarters - low) / (high - low) } else { 0.0 };
        Some((self.horizons.get(before)?, self.horizons.get(after)?, weight))
    }

    fn step(&self, asked: &Asked<'_>, at: Timestamp) -> Step {
        let unknown = || Forecast::unready(asked.now, &[at]).steps[0];
        let minutes = at.duration_since(asked.now.at).as_secs() as f64 / 60.0;
        let quarters = (minutes / 15.0).max(0.0);
        let Some((before, after, weight)) = self.around(quarters) else { return unknown() };
        let target = asked.series.calendar().quarter(at);
        let rate = |quarter| asked.rate(quarter);
        let usual = |quarter| profile(rate, quarter);
        let row = features(asked.quarter, target, quarters.ceil() as i64, rate, usual);
        let mix = |low: f64, high: f64| low + (high - low) * weight;
        let distance: f64 = row
            .iter()
            .zip(before.theta.iter().zip(&after.theta))
            .map(|(feature, (low, high))| feature * mix(*low, *high))
            .sum();
        let now = rate(asked.quarter);
        let mean = combine(usual(target), distance, now, asked.ceiling);
        let spread = |horizon: &Horizon| {
            let errors = horizon.errors.as_ref()?;
            let unit = errors.usual[bucket(asked.series.calendar(), target)];
            let free = (1.0 - 0.5 / asked.now.slots as f64 - mean) / unit;
            Some((errors.quantile * unit, errors.share_up_to(free)))
        };
        let spread = match (spread(before), spread(after)) {
            (Some(low), Some(high)) => Some((mix(low.0, high.0), mix(low.1, high.1))),
            _ => None,
        };
        asked.step(at, mean, spread)
    }
}

impl Asked<'_> {
    /// The rate at a quarter as known now; NaN later.
    fn rate(&self, quarter: i64) -> f64 {
        match quarter.cmp(&self.quarter) {
            std::cmp::Ordering::Less => self.series.rate(quarter),
            std::cmp::Ordering::Equal => self.now.rate().unwrap_or(f64::NAN),
            std::cmp::Ordering::Greater => f64::NAN,
        }
    }

    fn step(&self, at: Timestamp, mean: f64, spread: Option<(f64, f64)>) -> Step {
        let slots = self.now.slots as f64;
        let (low, high) = match spread {
            None => (0, self.now.slots.max((mean * slots - ROUNDING).ceil() as i64)),
            Some((half, _)) => {
                let low = (mean - half).max(0.0) * slots;
                let high = (mean + half).min(self.ceiling) * slots;
                ((low + ROUNDING).floor() as i64, (high - ROUNDING).ceil() as i64)
            }
        };
        Step {
            at,
            vehicles: mean * slots,
            low,
            high,
            available: ((1.0 - mean) * slots).max(0.0),
            available_low: (self.now.slots - high).max(0),
            p_free: spread.map(|(_, share)| share),
        }
    }
}
