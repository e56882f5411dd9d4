//! Since when a floor is full, or nearly: a walk along its facts that remembers. Nearly full has
//! two bounds, so that a floor whose count swings around one of them does not come and go.

use super::{Moment, Walk, Walker};

/// A floor is nearly full from this share of its slots on, in per cent …
const FROM_PERCENT: i64 = 90;
/// … until it falls below this one.
const UNTIL_PERCENT: i64 = 80;

/// What is known of a state at the end of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It does not hold.
    No,
    /// It holds since this instant, in microseconds since 1970 UTC.
    At(i64),
    /// It holds, and has held since before the walk began.
    Before,
    /// Whether it holds was decided before the walk began.
    Unknown,
}

/// A walk along one floor's facts.
#[derive(Clone, Copy, Debug)]
pub struct Fullness {
    /// How the floor stands.
    pub walk: Walk,
    /// No slot is free.
    pub full: Since,
    /// At 90 % or more, and not below 80 % since.
    pub nearly: Since,
}

impl Fullness {
    /// Begins where the floor stands so.
    #[must_use]
    pub fn begin(walk: Walk) -> Self {
        let full = if walk.is_full() { Since::Before } else { Since::No };
        let nearly = if walk.is_at_least(FROM_PERCENT) {
            Since::Before
        } else if walk.is_at_least(UNTIL_PERCENT) {
            Since::Unknown
        } else {
            Since::No
        };
        Self { walk, full, nearly }
    }

    /// Whether looking farther back would tell more.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let open = |since| matches!(since, Since::Before | Since::Unknown);
        open(self.full) || open(self.nearly)
    }
}

/// Whether a floor that stands so can be nearly full; where not, its past need not be looked at.
#[must_use]
pub fn may_be_nearly_full(walk: Walk) -> bool {
    walk.is_at_least(UNTIL_PERCENT)
}

impl Walker for Fullness {
    /// Takes in the floor's next fact.
    fn take(&mut self, moment: Moment) {
        self.walk.act(moment.act);
        if !self.walk.is_full() {
            self.full = Since::No;
        } else if self.full == Since::No {
            self.full = Since::At(moment.at);
        }
        if !self.walk.is_at_least(UNTIL_PERCENT) {
            self.nearly = Since::No;
        } else if self.walk.is_at_least(FROM_PERCENT)
            && matches!(self.nearly, Since::No | Since::Unknown)
        {
            self.nearly = Since::At(moment.at);
        }
    }
}

impl Walk {
    /// A floor without slots is closed rather than full: nobody needs to be told.
    fn is_full(self) -> bool {
        self.slots > 0 && self.count >= self.slots
    }

    fn is_at_least(self, percent: i64) -> bool {
        self.slots > 0 && self.count * 100 >= self.slots * percent
    }
}
