//! What is read for the judgement of cameras.

use crate::estimate::cameras::Traffic;

/// What happened between ends of nights.
#[derive(Clone, Debug, Default)]
pub(crate) struct NightTraffic {
    /// What cameras sent, each camera and floor once a day.
    pub(crate) traffic: Vec<Traffic>,
    /// Floors, and the numbers of the days on which a person counted there.
    pub(crate) recounts: Vec<(i64, usize)>,
}

/// The number of the day between two ends that holds an instant.
pub(super) fn day_of(ends: &[i64], at: i64) -> Option<usize> {
    let after = ends.partition_point(|end| *end <= at);
    after.checked_sub(1).filter(|_| after < ends.len())
}
