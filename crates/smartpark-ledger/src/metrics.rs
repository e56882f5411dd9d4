//! What a process counts of its own work, to be seen from outside (`GET /metrics`).
//!
//! Counting costs some atomic additions, takes no lock on the way of a request that goes well, and
//! allocates nothing. The counts begin with the process and are no facts: what is stored is counted
//! in the store.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::limits::MAX_METRIC_CAMERAS;

/// Bounds of how long something took, in nanoseconds: half a millisecond to ten seconds.
pub const DURATIONS: &[u64] = &[
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// How often a value lay within which bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound (at most that, more than the one before), and one for all above.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted {
    /// Each bound, and how many values were at most that.
    pub at_most: Vec<(u64, u64)>,
    /// How many there were.
    pub all: u64,
    /// Their sum.
    pub sum: u64,
}

impl Histogram {
    /// An empty one with these bounds, which rise.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Adds a value.
    pub fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds a time, to one with bounds in nanoseconds.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was added so far. While others add the sum may be of a moment later.
    pub fn counted(&self) -> Counted {
        let mut all = 0;
        let mut at_most = Vec::with_capacity(self.bounds.len());
        for (place, count) in self.counts.iter().enumerate() {
            all += count.load(Ordering::Relaxed);
            if let Some(bound) = self.bounds.get(place) {
                at_most.push((*bound, all));
            }
        }
        Counted { at_most, all, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// Counts by camera and something else that has few values. Cameras beyond
/// [`MAX_METRIC_CAMERAS`], and those without a name that fits, are counted together.
#[derive(Debug)]
pub struct ByCamera<K> {
    cameras: BTreeMap<String, BTreeMap<K, u64>>,
    others: BTreeMap<K, u64>,
}

impl<K> Default for ByCamera<K> {
    fn default() -> Self {
        Self { cameras: BTreeMap::new(), others: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> ByCamera<K> {
    /// Counts one more.
    pub fn add(&mut self, camera_id: Option<&str>, key: K) {
        let fits = self.cameras.len() < MAX_METRIC_CAMERAS;
        let counts = match camera_id {
            Some(camera_id) if self.cameras.contains_key(camera_id) => {
                self.cameras.get_mut(camera_id)
            }
            Some(camera_id) if fits => Some(self.cameras.entry(camera_id.to_owned()).or_default()),
            _ => None,
        };
        *counts.unwrap_or(&mut self.others).entry(key).or_default() += 1;
    }

    /// All counts; of no camera are those that are counted together.
    pub fn all(&self) -> Vec<(Option<String>, K, u64)> {
        let named = self.cameras.iter().map(|(camera_id, counts)| (Some(camera_id), counts));
        let mut all = Vec::new();
        for (camera_id, counts) in named.chain([(None, &self.others)]) {
            all.extend(counts.iter().map(|(key, count)| (camera_id.cloned(), *key, *count)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_within_its_bound_and_all_above() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11, 400] {
            histogram.add(value);
        }
        let expected = Counted { at_most: vec![(1, 2), (10, 4)], all: 6, sum: 424 };
        assert_eq!(histogram.counted(), expected);
    }

    #[test]
    fn cameras_beyond_the_bound_are_counted_together() {
        let mut counts = ByCamera::default();
        for n in 0..MAX_METRIC_CAMERAS + 3 {
            counts.add(Some(&format!("cam{n}")), 'a');
        }
        counts.add(None, 'a');
        counts.add(Some("cam0"), 'b');
        let all = counts.all();
        assert_eq!(all.len(), MAX_METRIC_CAMERAS + 2);
        assert!(all.contains(&(None, 'a', 4)), "{all:?}");
        assert!(all.contains(&(Some("cam0".to_owned()), 'b', 1)));
    }
}
