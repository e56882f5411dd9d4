//! How far past forecasts were off, and how wide an interval must be to hold 95 % of them.
//!
//! Source: conformal prediction (V. Vovk and others, "Algorithmic Learning in a Random World",
//! 2005) on errors divided by what is usual at that hour. The level follows what was missed, as
//! in I. Gibbs and E. Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021.

use std::collections::VecDeque;

use super::series::{BUCKETS, History};
use crate::estimate::calendar::DAY;

/// The share of actual counts that an interval shall hold.
pub const LEVEL: f64 = 0.95;
/// Days of errors that an interval is drawn from.
const WINDOW: usize = 28;
/// Days of errors that are looked at to learn what is usual and how far the level must go.
const LEARNED: usize = 84;
/// How fast the level answers to a day that was missed more or less often than it should be.
const GAMMA: f64 = 0.02;
/// Bounds of the share that may be missed.
const MISSED: (f64, f64) = (0.005, 0.2);
/// Sums of usual errors lose this much a day.
const FORGET: f64 = 0.97;
/// A bucket takes over the mean of all buckets with the weight of this many errors.
const SHARED: f64 = 10.0;
/// The quantile before any error is known.
const FIRST_QUANTILE: f64 = 4.0;
/// Points at which a model keeps the distribution of signed errors.
const POINTS: usize = 257;

/// What is known of the errors of one horizon at a midnight.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Errors {
    /// The usual error of each bucket, as a rate.
    pub(super) usual: [f64; BUCKETS],
    /// Half the width of the interval, in usual errors.
    pub(super) quantile: f64,
    /// Evenly spaced quantiles of the signed errors (actual minus forecast), in usual errors.
    signed: Vec<f64>,
    /// What the past forecasts came to.
    pub(super) past: Past,
}

/// How good the past 28 days of forecasts were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Past {
    /// Mean of the absolute error, as a rate.
    pub(super) mean: f64,
    /// Root of the mean square error, as a rate.
    pub(super) root_mean_square: f64,
    /// The share of actual values that lay inside their intervals.
    pub(super) inside: f64,
}

impl Errors {
    /// The share of past errors that were at most this many usual errors.
    pub(super) fn share_up_to(&self, error: f64) -> f64 {
        let [first, .., last] = self.signed.as_slice() else { return f64::from(error >= 0.0) };
        if error < *first {
            return 0.0;
        }
        if error >= *last {
            return 1.0;
        }
        let above = self.signed.partition_point(|point| *point <= error);
        let (low, high) = (self.signed[above - 1], self.signed[above]);
        (above as f64 - 1.0 + (error - low) / (high - low)) / (self.signed.len() - 1) as f64
    }
}

/// One day's errors, as they became known.
#[derive(Default)]
struct Known {
    /// Absolute errors in usual errors, sorted.
    scaled: Vec<f64>,
    signed: Vec<f64>,
    sum: f64,
    squares: f64,
    /// Intervals that were told, and those that held the actual value.
    told: usize,
    inside: usize,
}

/// Walks through the days of a history and learns from the errors of its forecasts.
struct Walk<'h> {
    history: &'h History,
    /// Actual minus forecast for each origin; NaN if one is unknown.
    errors: &'h [f64],
    horizon: usize,
    sums: [f64; BUCKETS],
    counts: [f64; BUCKETS],
    total: (f64, f64),
    /// For each origin: the usual error told then, and half the width.
    told: Vec<(f64, f64)>,
    days: VecDeque<Known>,
    /// All scaled errors of `days`, sorted.
    sorted: Vec<f64>,
    missed: f64,
}

/// What is known at the end of the history. `errors` holds actual minus forecast for each place
/// as the origin; `None` if no error of this horizon is known yet.
pub(super) fn learn(history: &History, errors: &[f64], horizon: usize) -> Option<Errors> {
    let per_day = DAY as usize;
    let mut walk = Walk {
        history,
        errors,
        horizon,
        sums: [0.0; BUCKETS],
        counts: [0.0; BUCKETS],
        total: (0.0, 0.0),
        told: vec![(f64::NAN, f64::NAN); errors.len()],
        days: VecDeque::new(),
        sorted: Vec::new(),
        missed: 1.0 - LEVEL,
    };
    let days = errors.len() / per_day;
    for day in days.saturating_sub(LEARNED)..days {
        walk.tell(day * per_day..(day + 1) * per_day);
        walk.take((day * per_day).saturating_sub(horizon), (day + 1) * per_day);
    }
    walk.end()
}

impl Walk<'_> {
    fn usual(&self) -> Option<[f64; BUCKETS]> {
        let mean = self.total.0 / self.total.1;
        let of = |place: usize| {
            (self.sums[place] + SHARED * mean) / (self.counts[place] + SHARED) + 0.0001
        };
        (self.total.1 > 0.0).then(|| std::array::from_fn(of))
    }

    fn quantile(&self) -> f64 {
        let count = self.sorted.len();
        let rank = ((count + 1) as f64 * (1.0 - self.missed)).ceil() as usize;
        let place = rank.saturating_sub(1).min(count.saturating_sub(1));
        self.sorted.get(place).copied().unwrap_or(FIRST_QUANTILE)
    }

    /// Notes what is told of each origin of a day.
    fn tell(&mut self, origins: std::ops::Range<usize>) {
        let Some(usual) = self.usual() else { return };
        let quantile = self.quantile();
        for origin in origins {
            let target = origin + self.horizon;
            if target < self.errors.len() {
                let usual = usual[self.history.bucket(target)];
                self.told[origin] = (usual, quantile * usual);
            }
        }
    }

    /// Takes in the errors of the targets of one day, which ends at `end`.
    fn take(&mut self, from: usize, end: usize) {
        let origins = from..end.saturating_sub(self.horizon);
        let mut known = Known::default();
        let (mut sum, mut count) = (0.0, 0.0);
        let mut fresh = [(0.0, 0.0); BUCKETS];
        for origin in origins {
            let error = self.errors[origin];
            if error.is_nan() {
                continue;
            }
            let size = error.abs();
            let bucket = &mut fresh[self.history.bucket(origin + self.horizon)];
            *bucket = (bucket.0 + size, bucket.1 + 1.0);
            (sum, count) = (sum + size, count + 1.0);
            let (usual, half) = self.told[origin];
            if !usual.is_nan() {
                known.add(error, usual, half);
            }
        }
        if count == 0.0 {
            return;
        }
        if known.told > 0 {
            let missed = (known.told - known.inside) as f64 / known.told as f64;
            let next = self.missed + GAMMA * ((1.0 - LEVEL) - missed);
            self.missed = next.clamp(MISSED.0, MISSED.1);
            self.push(known);
        }
        for (place, (size, many)) in fresh.into_iter().enumerate() {
            self.sums[place] = self.sums[place] * FORGET + size;
            self.counts[place] = self.counts[place] * FORGET + many;
        }
        self.total = (self.total.0 * FORGET + sum, self.total.1 * FORGET + count);
    }

    fn push(&mut self, mut known: Known) {
        known.scaled.sort_unstable_by(f64::total_cmp);
        self.sorted = merged(&self.sorted, &known.scaled);
        self.days.push_back(known);
        if self.days.len() > WINDOW
            && let Some(old) = self.days.pop_front()
        {
            self.sorted = without(&self.sorted, &old.scaled);
        }
    }

    fn end(self) -> Option<Errors> {
        let usual = self.usual()?;
        let quantile = self.quantile();
        let mut signed = Vec::with_capacity(self.sorted.len());
        self.days.iter().for_each(|day| signed.extend_from_slice(&day.signed));
        signed.sort_unstable_by(f64::total_cmp);
        let told: usize = self.days.iter().map(|day| day.told).sum();
        let share = |sum: f64| if told == 0 { 0.0 } else { sum / told as f64 };
        let inside: usize = self.days.iter().map(|day| day.inside).sum();
        let past = Past {
            mean: share(self.days.iter().map(|day| day.sum).sum()),
            root_mean_square: share(self.days.iter().map(|day| day.squares).sum()).sqrt(),
            inside: share(inside as f64),
        };
        Some(Errors { usual, quantile, signed: thinned(&signed), past })
    }
}

impl Known {
    fn add(&mut self, error: f64, usual: f64, half: f64) {
        let size = error.abs();
        self.scaled.push(size / usual);
        self.signed.push(error / usual);
        self.sum += size;
        self.squares += size * size;
        self.told += 1;
        self.inside += usize::from(size <= half);
    }
}

/// A sorted list with the values of a short sorted list.
fn merged(all: &[f64], fresh: &[f64]) -> Vec<f64> {
    let mut list = Vec::with_capacity(all.len() + fresh.len());
    let mut rest = all;
    for value in fresh {
        let (before, later) = rest.split_at(rest.partition_point(|other| other < value));
        list.extend_from_slice(before);
        list.push(*value);
        rest = later;
    }
    list.extend_from_slice(rest);
    list
}

/// A sorted list without the values of a short sorted list that it holds.
fn without(all: &[f64], gone: &[f64]) -> Vec<f64> {
    let mut list = Vec::with_capacity(all.len());
    let mut rest = all;
    for value in gone {
        let (before, later) = rest.split_at(rest.partition_point(|other| other < value));
        list.extend_from_slice(before);
        rest = later.split_first().map_or(&[], |(_, later)| later);
    }
    list.extend_from_slice(rest);
    list
}

/// Evenly spaced quantiles of a sorted list.
fn thinned(sorted: &[f64]) -> Vec<f64> {
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    if sorted.len() <= POINTS {
        return sorted.to_vec();
    }
    let at = |point: usize| sorted[(point * last + (POINTS - 1) / 2) / (POINTS - 1)];
    (0..POINTS).map(at).collect()
}
