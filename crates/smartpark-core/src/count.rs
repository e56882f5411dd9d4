//! What a history does to a count. This module is pure: no I/O, no clock, no driver.
//!
//! A floor's count is a fold over its history **in event time**. Every entry is
//! `x → min(slots, x + 1)`, every exit `x → max(0, x − 1)`, every recount `x → min(slots, n)`,
//! every change of capacity `x → min(slots, x)`. Events of one instant act together, as
//! `x → clamp(x + entries − exits, 0, slots)`. Each of them is a [`Clamp`], and clamps compose
//! into clamps, so a stretch of history of any length folds into three numbers (the two-sided
//! reflection of a queue with finite room: N. V. Kruk, J. Lehoczky, K. Ramanan, S. Shreve, "An
//! explicit formula for the Skorokhod map on \[0, a\]", Ann. Probab. 35, 2007).
//!
//! Three laws follow, and the tests of this module hold them up against a naive model:
//!
//! 1. *Composition*: folding a history at once, or in stretches that are then composed, is the
//!    same.
//! 2. *Monotone and short*: `x ≤ y` gives `f(x) ≤ f(y) ≤ f(x) + (y − x)`.
//! 3. *One event moves the count by 0 or by its own ±1*, wherever in history it falls, and at most
//!    one other event changes its side of a limit. This is law 2 applied to what comes after it.
//!
//! The order of history is that of *places*. A fact cannot have happened after it was received,
//! and an adjustment that somebody makes now pulls what lies ahead of it to its own instant
//! ([`History::pull`]). So commits decide what that person knew, not clocks.
//!
//! [`History`] keeps the folds of stretches so that a late event folds one of them again, not
//! the whole past.

mod fullness;
mod gap;
mod history;
mod instant;
mod occupancy;
mod stretch;

pub use fullness::{Fullness, Since, may_be_nearly_full};
pub use gap::Flip;
pub use history::{DIVIDE_ABOVE, Effect, Erased, History, Missing, Pulled, Start};
pub use instant::{Instants, fold, judge};
pub use occupancy::{Occupancy, Step};
pub use stretch::{Level, NodeRow, Span};

use std::cmp::Ordering;

use crate::model::Direction;

/// Stands for "no bound" in a [`Clamp`]; far above any count, far below overflow.
const UNBOUNDED: i64 = 1 << 60;

/// The function `x → clamp(x + shift, low, high)` on counts: what a stretch of history does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamp {
    /// What is added first.
    pub shift: i64,
    /// The least result.
    pub low: i64,
    /// The greatest result.
    pub high: i64,
}

impl Clamp {
    /// What an empty stretch does: nothing.
    pub const IDENTITY: Self = Self { shift: 0, low: -UNBOUNDED, high: UNBOUNDED };

    /// One car comes in where there are `slots` slots.
    #[must_use]
    pub const fn entry(slots: i64) -> Self {
        Self { shift: 1, low: -UNBOUNDED, high: slots }
    }

    /// One car goes out.
    #[must_use]
    pub const fn exit() -> Self {
        Self { shift: -1, low: 0, high: UNBOUNDED }
    }

    /// So many cars more came in at one instant than went out, if there are `slots` slots.
    #[must_use]
    pub const fn cars(net: i64, slots: i64) -> Self {
        // A count lies between 0 and the slots, so only one of the limits can be reached.
        match net {
            0 => Self::IDENTITY,
            1.. => Self { shift: net, low: -UNBOUNDED, high: slots },
            _ => Self { shift: net, low: 0, high: UNBOUNDED },
        }
    }

    /// Somebody counted `n` cars.
    #[must_use]
    pub const fn recount(n: i64) -> Self {
        Self { shift: 0, low: n, high: n }
    }

    /// From here on there are `slots` slots.
    #[must_use]
    pub const fn capacity(slots: i64) -> Self {
        Self { shift: 0, low: -UNBOUNDED, high: slots }
    }

    /// The count after this stretch, where it was `count` before it.
    #[must_use]
    pub fn apply(self, count: i64) -> i64 {
        (count + self.shift).clamp(self.low, self.high)
    }

    /// This stretch followed by `next`. Associative, with [`Clamp::IDENTITY`] as its unit.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            shift: self.shift + next.shift,
            low: offset(self.low, next.shift).clamp(next.low, next.high),
            high: offset(self.high, next.shift).clamp(next.low, next.high),
        }
    }
}

/// A bound moved by `shift`; "no bound" stays "no bound", which keeps composition associative.
fn offset(bound: i64, shift: i64) -> i64 {
    if bound.abs() >= UNBOUNDED { bound } else { bound + shift }
}

/// What one fact says about the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The count where the kept history begins: what lies before the retention horizon, folded.
    Base(i64),
    /// A car came in.
    Entry,
    /// A car went out.
    Exit,
    /// Somebody counted.
    Recount(i64),
    /// The number of slots changed to this.
    Capacity(i64),
    /// Cars of one instant, which act together: so many came in, and so many went out.
    Cars {
        /// How many came in.
        entries: u32,
        /// How many went out.
        exits: u32,
    },
    /// Nothing that concerns the count.
    Nothing,
}

impl Act {
    /// The function of this act on a floor with `slots` slots at that time. A recount of more
    /// cars than fit counts as a full floor: with a count above the slots, an entry would lower it.
    #[must_use]
    pub fn clamp(self, slots: i64) -> Clamp {
        match self {
            Self::Base(n) | Self::Recount(n) => Clamp::recount(n.min(slots)),
            Self::Entry => Clamp::entry(slots),
            Self::Exit => Clamp::exit(),
            Self::Capacity(slots) => Clamp::capacity(slots),
            Self::Cars { entries, exits } => {
                Clamp::cars(i64::from(entries) - i64::from(exits), slots)
            }
            Self::Nothing => Clamp::IDENTITY,
        }
    }
}

impl From<Direction> for Act {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Entry => Self::Entry,
            Direction::Exit => Self::Exit,
        }
    }
}

/// Who says a fact. At one place the base stands first, then events by camera, track and
/// direction, then adjustments by their numbers: a person's word covers all that was seen up to
/// that instant. The order of events decides only which of them a limit cut off, never how many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The retention horizon.
    Base,
    /// A camera's event.
    Event {
        /// The camera.
        camera_id: String,
        /// The vehicle's track.
        track_id: String,
        /// Entry before exit.
        direction: Direction,
        /// When the camera saw it, in microseconds since 1970 UTC.
        timestamp: i64,
    },
    /// An adjustment, by its row id, which grows with the commits on its floor.
    Adjustment(i64),
}

/// One fact in a floor's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its place in history, in microseconds since 1970 UTC: the instant at which it counts.
    pub at: i64,
    /// Who says so; orders facts at one place.
    pub source: Source,
    /// What happened.
    pub act: Act,
    /// The row id of the event (0 while it has none, and for what is no event).
    pub id: i64,
}

impl Fact {
    /// The order of history: by place, then by source.
    #[must_use]
    pub fn place(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at).then_with(|| self.source.cmp(&other.source))
    }

    /// Whether a camera says so.
    #[must_use]
    pub fn is_event(&self) -> bool {
        matches!(self.source, Source::Event { .. })
    }
}

/// A walk along facts in their order: the count and the capacity as they stand.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// The count.
    pub count: i64,
    /// The slots.
    pub slots: i64,
}

impl Walk {
    /// Takes in what happened next; tells what it did.
    pub fn act(&mut self, act: Act) -> Clamp {
        let clamp = act.clamp(self.slots);
        self.count = clamp.apply(self.count);
        if let Act::Capacity(slots) = act {
            self.slots = slots;
        }
        clamp
    }
}

/// A fact as a walk along several floors takes it: its place is known, so who says it no longer
/// matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The floor.
    pub floor_id: i64,
    /// Its place in history, in microseconds since 1970 UTC.
    pub at: i64,
    /// What happened.
    pub act: Act,
    /// Whether a camera says so.
    pub is_event: bool,
}

/// Walks along facts that it is given in their order.
pub trait Walker {
    /// Takes the next one in.
    fn take(&mut self, moment: Moment);
}

#[cfg(test)]
mod tests;
