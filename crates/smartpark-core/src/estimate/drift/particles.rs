//! The particle filter: many possible true counts, each with its own idea of how the cameras err.
//!
//! Source: a bootstrap particle filter with systematic resampling (N. Gordon, D. Salmond and
//! A. Smith, 1993; G. Kitagawa, 1996), parameters kept apart by shrinkage (J. Liu and M. West,
//! 2001).

use super::{UsualNight, random::Random};

/// Possible counts that are followed.
pub(super) const PARTICLES: usize = 2000;
/// Any fixed number; it was not chosen by its results.
const SEED: u64 = 7;

/// Scale of the net loss before anything is known, and its bound.
const NET_LOSS: (f64, f64) = (0.008, 0.06);
/// Range of the rate of errors beyond the net loss.
const GROSS: (f64, f64) = (0.001, 0.04);
/// What is kept of the parameters' spread at a resampling; the rest is drawn anew.
const KEEP: f64 = 0.95;
/// Each car by which a path passes 0 or the slots divides its weight by e to this power.
const VIOLATION: f64 = 2.5;
/// A person who counts is off by about this many cars, plus this share of the count.
const RECOUNT: (f64, f64) = (0.4, 0.003);
/// The least weight of a path after a recount, as a logarithm: a recount shall not kill what was
/// learned about the cameras.
const RECOUNT_FLOOR: f64 = -8.0;
/// Probability that a night is unusual.
const UNUSUAL: f64 = 0.1;
/// A night: how the usual level moves, as a share of its variance.
const NIGHT_DRIFT: f64 = 0.3;
/// A night's level returns to its long mean by this share …
const PULL: f64 = 0.1;
/// … which is the mean of so many nights, and wanders by this share of the spread.
const LONG: (u32, f64) = (60, 0.1);
/// A night: how far what is known of the level wanders, in cars, plus a share of the slots.
const LEVEL: (f64, f64) = (0.2, 0.0008);
/// A day: the probability that the cameras changed altogether.
const SWITCH: f64 = 0.004;
/// A day: the probability that anything happened.
const ANYTHING: f64 = 0.0002;
/// Nights resemble each other: ten say as much about the expected level as one alone would.
const TEMPER: f64 = 0.1;

/// What is usual at the quiet hour of one kind of night, for each particle.
#[derive(Clone, Debug, PartialEq)]
struct Nights {
    mean: Vec<f64>,
    variance: Vec<f64>,
    long: Vec<f64>,
    seen: u32,
}

/// Weighted possible states of one floor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Particles {
    random: Random,
    slots: f64,
    /// True vehicles.
    count: Vec<f64>,
    /// Net loss per event: positive if more entries than exits are missed.
    loss: Vec<f64>,
    /// Errors of any kind per event.
    gross: Vec<f64>,
    /// Spread of the count at the quiet hour.
    spread: Vec<f64>,
    /// Weekday nights, weekend nights.
    nights: [Nights; 2],
    /// Logarithms of the weights.
    log_weights: Vec<f64>,
    /// The weights, which sum to 1.
    weights: Vec<f64>,
}

/// A stretch of events without recount or change of slots in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Entries seen.
    pub entries: u32,
    /// Exits seen.
    pub exits: u32,
    /// The lowest point of entries minus exits since the stretch began, at most 0.
    pub low: i64,
    /// The highest point, at least 0.
    pub high: i64,
}

/// `ln(e^a + e^b)`.
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p()
}

impl Particles {
    pub(super) fn new(slots: i64) -> Self {
        let slots = slots.max(0) as f64;
        let mut random = Random::new(SEED);
        let mut draw = |from: &mut dyn FnMut(&mut Random) -> f64| -> Vec<f64> {
            (0..PARTICLES).map(|_| from(&mut random)).collect()
        };
        let count = draw(&mut |random| random.between(0.0, slots));
        let loss = draw(&mut net_loss);
        let beyond = draw(&mut |random| random.log_uniform(GROSS.0, GROSS.1));
        let spread = draw(&mut |random| random.log_uniform(0.5, 2.0 + 0.12 * slots));
        let gross = loss.iter().zip(beyond).map(|(loss, more)| loss.abs() + more).collect();
        let nights = Nights {
            mean: vec![0.0; PARTICLES],
            variance: vec![0.0; PARTICLES],
            long: vec![0.0; PARTICLES],
            seen: 0,
        };
        Self {
            random,
            slots,
            count,
            loss,
            gross,
            spread,
            nights: [nights.clone(), nights],
            log_weights: vec![0.0; PARTICLES],
            weights: vec![1.0 / PARTICLES as f64; PARTICLES],
        }
    }

    /// Multiplies the weights by e to the power of what `of` says of each particle, and draws
    /// anew if few particles carry most of the weight.
    fn weigh(&mut self, of: impl Fn(&Self, usize) -> f64) {
        for place in 0..PARTICLES {
            self.log_weights[place] += of(self, place);
        }
        let most = self.log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (log, weight) in self.log_weights.iter_mut().zip(&mut self.weights) {
            *log -= most;
            *weight = if *log == 0.0 { 1.0 } else { log.exp() };
            sum += *weight;
        }
        let mut squares = 0.0;
        for weight in &mut self.weights {
            *weight /= sum;
            squares += *weight * *weight;
        }
        if squares * (PARTICLES as f64) > 2.0 {
            self.resample();
        }
    }

    /// Systematic resampling: as many copies of each particle as its weight is worth.
    fn resample(&mut self) {
        let mut chosen = Vec::with_capacity(PARTICLES);
        let (mut sum, mut place) = (self.weights[0], 0);
        for step in 0..PARTICLES {
            let point = (step as f64 + 0.5) / PARTICLES as f64;
            while sum < point && place + 1 < PARTICLES {
                place += 1;
                sum += self.weights[place];
            }
            chosen.push(place);
        }
        let pick = |list: &mut Vec<f64>| *list = chosen.iter().map(|at| list[*at]).collect();
        for list in [&mut self.count, &mut self.loss, &mut self.gross, &mut self.spread] {
            pick(list);
        }
        for night in &mut self.nights {
            for list in [&mut night.mean, &mut night.variance, &mut night.long] {
                pick(list);
            }
        }
        self.log_weights.fill(0.0);
        self.weights.fill(1.0 / PARTICLES as f64);
        self.part();
    }

    /// Keeps the parameters of copies apart.
    fn part(&mut self) {
        let mean = self.loss.iter().sum::<f64>() / PARTICLES as f64;
        let squares: f64 = self.loss.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
        let fresh = (1.0 - KEEP * KEEP).sqrt() * (squares / PARTICLES as f64).sqrt();
        let most = 3.0 + 0.15 * self.slots;
        for place in 0..PARTICLES {
            let loss = mean + KEEP * (self.loss[place] - mean) + fresh * self.random.normal();
            self.loss[place] = loss;
            let gross = self.gross[place] * (0.05 * self.random.normal()).exp();
            self.gross[place] = gross.max(loss.abs() + GROSS.0);
            let spread = self.spread[place] * (0.05 * self.random.normal()).exp();
            self.spread[place] = spread.clamp(0.4, most);
        }
    }

    /// The floor has so many slots from here on.
    pub(super) fn resize(&mut self, slots: i64) {
        self.slots = slots.max(0) as f64;
        for count in &mut self.count {
            *count = count.min(self.slots);
        }
    }

    /// A person counted.
    pub(super) fn recount(&mut self, found: i64) {
        let found = (found.max(0) as f64).min(self.slots);
        let deviation = RECOUNT.0 + RECOUNT.1 * found;
        let mean = self.mean(&self.count);
        let parts = self.weights.iter().zip(&self.count);
        let variance: f64 = parts.map(|(w, count)| w * (count - mean) * (count - mean)).sum();
        let width = deviation.hypot(0.3 * variance.max(0.0).sqrt());
        self.weigh(|particles, place| {
            let z = (particles.count[place] - found) / width;
            log_add(-0.5 * z * z, RECOUNT_FLOOR)
        });
        for count in &mut self.count {
            *count = (found + deviation * self.random.normal()).clamp(0.0, self.slots);
        }
    }

    /// Events passed.
    pub(super) fn stretch(&mut self, seen: Stretch) {
        let events = f64::from(seen.entries) + f64::from(seen.exits);
        if events == 0.0 {
            return;
        }
        let net = f64::from(seen.entries) - f64::from(seen.exits);
        let (low, high) = (seen.low as f64, seen.high as f64);
        let mut overs = vec![0.0; PARTICLES];
        let mut any = false;
        for (place, over) in overs.iter_mut().enumerate() {
            let count = self.count[place];
            let error = (self.gross[place] * events).sqrt();
            let beyond = (-(count + low)).max(count + high - self.slots).max(0.0) - 0.5 - error;
            // Cars that passed unseen, or were seen twice, among the events of the stretch.
            let next = count + net + self.loss[place] * events + error * self.random.normal();
            let held = next.clamp(0.0, self.slots);
            self.count[place] = held;
            *over = beyond.max((next - held).abs() - 0.5).max(0.0);
            any |= *over > 0.0;
        }
        if any {
            self.weigh(|_, place| -VIOLATION * overs[place]);
        }
    }

    /// With this probability a camera was blind while about `net` cars came (or went, if less
    /// than 0), give or take `deviation`.
    pub(super) fn blind(&mut self, net: f64, deviation: f64, probability: f64) {
        for count in &mut self.count {
            let hit = self.random.uniform() < probability;
            let moved = net + deviation * self.random.normal();
            if hit {
                *count = (*count + moved).clamp(0.0, self.slots);
            }
        }
    }

    /// The quiet hour: the count is what it usually is then, or it is an unusual night.
    pub(super) fn night(&mut self, weekend: bool, usual: Option<UsualNight>) {
        let kind = usize::from(weekend);
        if self.nights[kind].seen == 0 {
            let first = &mut self.nights[kind];
            first.mean.clone_from(&self.count);
            first.long.clone_from(&self.count);
            first.variance = self.spread.iter().map(|spread| spread * spread).collect();
        } else {
            self.compare(kind);
        }
        self.nights[kind].seen += 1;
        if let Some(usual) = usual {
            let deviation = (usual.plus_minus / 2.0).max(0.5);
            let beyond = (0.1 / (self.slots + 1.0)).ln();
            self.weigh(|particles, place| {
                let z = (particles.count[place] - usual.vehicles) / deviation;
                let inside = 0.9_f64.ln() - 0.5 * z * z - (2.5066 * deviation).ln();
                TEMPER * log_add(inside, beyond)
            });
        }
        self.age();
    }

    /// Learns from how far the count is from what is usual, and what is usual from the count.
    fn compare(&mut self, kind: usize) {
        let unusual = (UNUSUAL / (self.slots + 1.0)).ln();
        let nights = &mut self.nights[kind];
        let share = 1.0 / f64::from((nights.seen + 1).min(LONG.0));
        let mut likely = vec![0.0; PARTICLES];
        for (place, likely) in likely.iter_mut().enumerate() {
            let (count, spread) = (self.count[place], self.spread[place]);
            let square = spread * spread;
            let (mean, variance) = (nights.mean[place], nights.variance[place]);
            let total = variance + square;
            let away = count - mean;
            let turn = std::f64::consts::TAU * total;
            let usual = (1.0 - UNUSUAL).ln() - 0.5 * away * away / total - 0.5 * turn.ln();
            *likely = log_add(usual, unusual);
            let gain = variance / total * (usual - *likely).exp();
            let mean = mean + gain * away;
            let wander = LONG.1 * spread * self.random.normal();
            let long = nights.long[place] + (mean - nights.long[place]) * share + wander;
            nights.long[place] = long;
            nights.mean[place] = mean + PULL * (long - mean);
            nights.variance[place] =
                variance * (1.0 - gain) * (1.0 - PULL) * (1.0 - PULL) + NIGHT_DRIFT * square;
        }
        self.weigh(|_, place| likely[place]);
    }

    /// What is known gets old: the level wanders, cameras change, and anything may happen.
    fn age(&mut self) {
        let wander = LEVEL.0 + LEVEL.1 * self.slots;
        for place in 0..PARTICLES {
            let moved = wander * self.random.normal();
            self.count[place] = (self.count[place] + moved).clamp(0.0, self.slots);
            for night in &mut self.nights {
                night.mean[place] += moved;
                night.long[place] += moved;
            }
            if self.random.uniform() < SWITCH {
                let loss = net_loss(&mut self.random);
                self.loss[place] = loss;
                self.gross[place] = loss.abs() + self.random.log_uniform(GROSS.0, GROSS.1);
            }
            if self.random.uniform() < ANYTHING {
                self.count[place] = self.random.between(0.0, self.slots);
            }
        }
    }

    fn mean(&self, of: &[f64]) -> f64 {
        self.weights.iter().zip(of).map(|(weight, value)| weight * value).sum()
    }

    /// The weighted mean of the net loss per event.
    pub(super) fn net_loss(&self) -> f64 {
        self.mean(&self.loss)
    }

    /// The values at these shares of the weight, in rising order, of the counts.
    pub(super) fn counts_at<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        self.at(&self.count, shares)
    }

    /// The same of the net loss per event.
    pub(super) fn losses_at<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        self.at(&self.loss, shares)
    }

    fn at<const N: usize>(&self, values: &[f64], shares: [f64; N]) -> [f64; N] {
        let mut sorted: Vec<(f64, f64)> =
            values.iter().copied().zip(self.weights.iter().copied()).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (mut sum, mut place) = (sorted[0].1, 0);
        shares.map(|share| {
            while sum < share && place + 1 < PARTICLES {
                place += 1;
                sum += sorted[place].1;
            }
            sorted[place].0
        })
    }

    /// The share of the weight below and above a count.
    pub(super) fn beside(&self, below: f64, above: f64) -> (f64, f64) {
        let mut shares = (0.0, 0.0);
        for (count, weight) in self.count.iter().zip(&self.weights) {
            if *count < below {
                shares.0 += weight;
            }
            if *count > above {
                shares.1 += weight;
            }
        }
        shares
    }
}

fn net_loss(random: &mut Random) -> f64 {
    random.laplace(NET_LOSS.0).clamp(-NET_LOSS.1, NET_LOSS.1)
}
