//! What is read for the judgement of cameras.

use crate::estimate::cameras::Traffic;

/// What happened between ends of nights.
#[derive(Clone, Debug, Default)]
pub(crate) struct NightTraffic {
    /// What cameras sent, each camera and floor once a day.
    pub(crate) traffic: Vec<Traffic>,
    /// Where people counted, the latest first.
    pub(crate) recounts: Vec<NightRecount>,
}

/// A recount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NightRecount {
    pub(crate) floor_id: i64,
    /// Where it stands in the floor's history, in microseconds since 1970 UTC.
    pub(crate) place: i64,
    /// What the person found.
    pub(crate) found: i64,
}
