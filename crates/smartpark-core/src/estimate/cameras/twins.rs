//! Two cameras on one line: what one saw and the other did not.
//!
//! Source: capture and recapture (the estimator of F. Lincoln and C. G. J. Petersen).

use jiff::Timestamp;

use super::Direction;

/// Crossings this far apart are never the same one, in microseconds.
const REACH: i64 = 20_000_000;
/// Chance pairs are taken off above this share.
const CHANCE: f64 = 0.01;

/// A crossing that a camera saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub direction: Direction,
}

/// The share of crossings that a camera misses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// The estimate.
    pub share: f64,
    /// Lower bound of the 95 % interval.
    pub low: f64,
    /// Upper bound of the 95 % interval.
    pub high: f64,
}

/// What two cameras on one line say about each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Twin {
    /// Crossings that both saw.
    pub pairs: usize,
    /// What the first camera misses; `None` if the second saw nothing.
    pub first: Option<Miss>,
    /// What the second camera misses; `None` if the first saw nothing.
    pub second: Option<Miss>,
}

/// Compares two cameras on one line. Crossings may come in any order; both lists cover the same
/// time.
///
/// Crossings of one direction within 20 s are the same, each once, in the order of time. A
/// steady difference of the two clocks (the median of the offsets of nearest crossings) is taken
/// off first.
#[must_use]
pub fn twins(first: &[Seen], second: &[Seen]) -> Twin {
    let mut pairs = 0.0;
    for direction in [Direction::Entry, Direction::Exit] {
        let of = |seen: &[Seen]| {
            let mut times: Vec<i64> = seen
                .iter()
                .filter(|seen| seen.direction == direction)
                .map(|seen| seen.at.as_microsecond())
                .collect();
            times.sort_unstable();
            times
        };
        pairs += matched(&of(first), &of(second));
    }
    let (one, two) = (first.len() as f64, second.len() as f64);
    Twin { pairs: pairs.round() as usize, first: miss(pairs, two), second: miss(pairs, one) }
}

fn miss(pairs: f64, seen_by_other: f64) -> Option<Miss> {
    if seen_by_other == 0.0 {
        return None;
    }
    let share = (1.0 - pairs / seen_by_other).clamp(0.0, 1.0);
    // Agresti and Coull's interval keeps its promise for shares near 0 as well.
    let (missed, all) = (share * seen_by_other + 2.0, seen_by_other + 4.0);
    let middle = missed / all;
    let reach = 1.96 * (middle * (1.0 - middle) / all).sqrt();
    Some(Miss { share, low: (middle - reach).max(0.0), high: (middle + reach).min(1.0) })
}

/// Pairs of two sorted lists, less those that chance alone makes.
fn matched(first: &[i64], second: &[i64]) -> f64 {
    let (Some(begin), Some(end)) =
        (first.iter().chain(second).min(), first.iter().chain(second).max())
    else {
        return 0.0;
    };
    let offset = offset(first, second);
    let (mut i, mut j, mut pairs) = (0, 0, 0_u32);
    while i < first.len() && j < second.len() {
        let apart = second[j] - first[i] - offset;
        if apart > REACH {
            i += 1;
        } else if apart < -REACH {
            j += 1;
        } else {
            let nearer = |next: Option<&i64>, other: i64, sign: i64| {
                next.is_some_and(|next| (sign * (next - other) - offset).abs() < apart.abs())
            };
            // A crossing nearer to the other's next one is left for it.
            if nearer(second.get(j + 1), first[i], 1) {
                j += 1;
            } else if nearer(first.get(i + 1), second[j], -1) {
                i += 1;
            } else {
                pairs += 1;
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    let pairs = f64::from(pairs);
    let alone = (first.len() as f64 - pairs, second.len() as f64 - pairs);
    let chance = alone.0 * alone.1 * (2 * REACH) as f64 / ((end - begin).max(REACH)) as f64;
    if chance > CHANCE * pairs { (pairs - chance).max(0.0) } else { pairs }
}

/// The median of second minus first, over the crossings of the first that have one in reach.
fn offset(first: &[i64], second: &[i64]) -> i64 {
    let nearest = |at: &i64| {
        let after = second.partition_point(|other| other < at);
        let around = second[after.saturating_sub(1)..(after + 1).min(second.len())].iter();
        around.map(|other| other - at).min_by_key(|apart| apart.abs())
    };
    let mut offsets: Vec<i64> =
        first.iter().filter_map(nearest).filter(|apart| apart.abs() <= REACH).collect();
    offsets.sort_unstable();
    offsets.get(offsets.len() / 2).copied().unwrap_or(0)
}
