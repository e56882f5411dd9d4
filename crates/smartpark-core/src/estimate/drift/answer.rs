//! What a state says: an estimate, an interval, the evidence, and when to count again.

use jiff::Timestamp;

use super::{
    hours::Floor,
    random::Random,
    state::{State, end_of, local_hour},
};

/// The share of true counts that an interval shall hold.
const LEVEL: f64 = 0.95;
/// An interval wider than this many vehicles, and than this share of the slots, asks for a count.
const WIDE: (i64, f64) = (6, 0.05);
/// So does a count outside the interval for this many hours …
const OUTSIDE_HOURS: u32 = 24;
/// … or this many events at a limit since the last recount.
const AT_LIMIT: u32 = 10;
/// Floors of up to so many slots need no caution: their intervals held in every trial.
const SMALL: i64 = 100;
/// Traffic that stays within this share of the weeks before has not moved, in per cent.
const MOVED: std::ops::RangeInclusive<u64> = 60..=160;
/// Hours in a week.
const WEEK_HOURS: usize = 168;
/// Points at which a floor's distribution is kept for the sum of a site.
const POINTS: usize = 1000;

/// How far a floor's count may be off.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The most likely true number of vehicles (median).
    pub estimate: i64,
    /// Lower bound of the 95 % interval.
    pub low: i64,
    /// Upper bound of the 95 % interval.
    pub high: i64,
    /// How much the cameras lose.
    pub net_loss_per_1000: NetLoss,
    /// The last recount.
    pub last_recount: Option<LastRecount>,
    /// What the estimate rests on.
    pub evidence: Evidence,
    /// Why the interval may not hold what it promises.
    pub caution: Option<Caution>,
    /// Whether and when a person should count.
    pub suggested_recount: Option<Suggestion>,
}

/// Vehicles per 1000 events by which the count falls behind the truth: positive if more entries
/// than exits are missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetLoss {
    /// The mean.
    pub estimate: f64,
    /// Lower bound of the 95 % interval.
    pub low: f64,
    /// Upper bound of the 95 % interval.
    pub high: f64,
}

/// A recount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecount {
    /// When.
    pub at: Timestamp,
    /// The ledger's count just before.
    pub before: i64,
    /// What the person found.
    pub found: i64,
    /// Found minus before.
    pub difference: i64,
}

/// What an estimate rests on, since the walk began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Recounts.
    pub recounts: u32,
    /// Entries into the full floor.
    pub at_limit_full: u32,
    /// Exits from the empty floor.
    pub at_limit_empty: u32,
    /// Quiet hours that were compared.
    pub nights: u32,
    /// Hours in which a camera was probably blind, counted for each camera.
    pub blind_hours: u32,
}

/// Why an interval may hold the truth less often than it says: a large floor on which the number
/// of vehicles that stay overnight may have moved. That looks the same as a camera that loses
/// vehicles, until a person counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Nobody has ever counted.
    NeverRecounted,
    /// In a whole week since the last recount the traffic was this share of the weeks before it.
    TrafficMoved {
        /// Per cent.
        percent: u32,
    },
}

/// A recount that would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Why.
    pub reason: Reason,
    /// The end of the next quiet hour: then a count is easiest.
    pub best_at: Timestamp,
}

/// Why a person should count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The ledger's count has lain outside the interval for so many hours.
    CountOutside {
        /// Hours.
        hours: u32,
    },
    /// So many events came at a limit since the last recount.
    AtLimit {
        /// Entries into the full floor and exits from the empty floor.
        events: u32,
    },
    /// The interval may not be trusted.
    Caution(Caution),
    /// The interval is so many vehicles wide.
    Interval {
        /// Upper minus lower bound.
        vehicles: i64,
    },
}

impl State {
    /// What is known at the end of the hours taken in.
    #[must_use]
    pub fn answer(&self, floor: &Floor) -> Drift {
        let tail = (1.0 - LEVEL) / 2.0;
        let shares = [tail, 0.5, 1.0 - tail];
        let [low, middle, high] = self.particles.counts_at(shares);
        let (low, high) = ((low + 0.25).floor() as i64, (high - 0.25).ceil() as i64);
        let estimate = (middle.round_ties_even() as i64).clamp(low, high);
        let [least, _, most] = self.particles.losses_at(shares);
        let per_1000 = |loss: f64| loss * 1000.0;
        let caution = self.caution(floor);
        Drift {
            estimate,
            low,
            high,
            net_loss_per_1000: NetLoss {
                estimate: per_1000(self.particles.net_loss()),
                low: per_1000(least),
                high: per_1000(most),
            },
            last_recount: self.last_recount,
            evidence: self.evidence,
            suggested_recount: self.suggestion(floor, high - low, caution),
            caution,
        }
    }

    /// Whether the interval can be trusted.
    fn caution(&self, floor: &Floor) -> Option<Caution> {
        if self.slots <= SMALL {
            return None;
        }
        let Some(last) = self.last_recount else { return Some(Caution::NeverRecounted) };
        let since = end_of(floor, self.hours).duration_since(last.at).as_hours();
        let week = |back: usize| {
            let until = self.hours.checked_sub(back * WEEK_HOURS)?;
            let hours = &floor.hours[until.checked_sub(WEEK_HOURS)?..until];
            let cameras = hours.iter().flat_map(|hour| &hour.cameras);
            Some(cameras.map(|(a, b)| u64::from(*a) + u64::from(*b)).sum::<u64>())
        };
        let percent = |back: usize| {
            let before: Vec<u64> = (1..=4).filter_map(|more| week(back + more)).collect();
            let sum: u64 = before.iter().sum();
            (week(back)? * 100 * before.len() as u64).checked_div(sum)
        };
        let weeks = usize::try_from(since).unwrap_or(0) / WEEK_HOURS;
        let moved = (0..weeks).filter_map(percent).find(|percent| !MOVED.contains(percent))?;
        Some(Caution::TrafficMoved { percent: u32::try_from(moved).unwrap_or(u32::MAX) })
    }

    fn suggestion(
        &self,
        floor: &Floor,
        width: i64,
        caution: Option<Caution>,
    ) -> Option<Suggestion> {
        let wide = WIDE.0.max((WIDE.1 * self.slots as f64) as i64);
        let reason = if self.outside >= OUTSIDE_HOURS {
            Reason::CountOutside { hours: self.outside }
        } else if self.at_limit >= AT_LIMIT {
            Reason::AtLimit { events: self.at_limit }
        } else if width > wide {
            Reason::Interval { vehicles: width }
        } else {
            Reason::Caution(caution?)
        };
        Some(Suggestion { reason, best_at: self.next_night(floor) })
    }

    /// The end of the next quiet hour.
    fn next_night(&self, floor: &Floor) -> Timestamp {
        let is_quiet = |hours: &usize| local_hour(floor, *hours) == (self.quiet_hour + 1) % 24;
        let next = (self.hours + 1..self.hours + 49).find(is_quiet);
        next.map_or_else(|| end_of(floor, self.hours), |hours| end_of(floor, hours))
    }

    /// A sample of the floor's possible counts for [`add_up`], in an order that does not depend
    /// on other floors. `floor_id` seeds the order.
    #[must_use]
    pub fn sample(&self, floor_id: i64) -> Vec<f64> {
        let shares = std::array::from_fn(|point| (point as f64 + 0.5) / POINTS as f64);
        let mut sample = self.particles.counts_at::<POINTS>(shares).to_vec();
        let mut random = Random::new(floor_id.cast_unsigned());
        for last in (1..sample.len()).rev() {
            let other = (random.bits() % (last as u64 + 1)) as usize;
            sample.swap(last, other);
        }
        sample
    }
}

/// Estimate and bounds of the sum of several floors, whose errors are independent. Takes the
/// [`State::sample`] of each; the order of the floors changes nothing.
#[must_use]
pub fn add_up(samples: &[Vec<f64>]) -> (i64, i64, i64) {
    let mut sums: Vec<f64> = (0..POINTS)
        .map(|point| {
            // Exact in any order: thousandths of a vehicle.
            let thousandths = |sample: &Vec<f64>| (sample[point] * 1000.0).round() as i64;
            samples.iter().map(thousandths).sum::<i64>() as f64 / 1000.0
        })
        .collect();
    sums.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| sums[((share * POINTS as f64) as usize).min(POINTS - 1)];
    let tail = (1.0 - LEVEL) / 2.0;
    let (low, high) = ((at(tail) + 0.25).floor() as i64, (at(1.0 - tail) - 0.25).ceil() as i64);
    ((at(0.5).round_ties_even() as i64).clamp(low, high), low, high)
}
