//! The effect of a late fact on its way through what comes after it.

use std::collections::HashSet;

use super::{Clamp, Fact, Source};

/// An event that changed its side of a limit because of a fact elsewhere in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The event.
    pub event_id: i64,
    /// Its camera.
    pub camera_id: String,
    /// When the camera saw it, in microseconds since 1970 UTC.
    pub at: i64,
    /// Whether it now finds the floor at its limit.
    pub at_limit: bool,
}

impl Flip {
    /// The flip of an event; none for what is no event.
    fn of(fact: &Fact, at_limit: bool) -> Option<Self> {
        let Source::Event { camera_id, timestamp, .. } = &fact.source else { return None };
        let (event_id, camera_id) = (fact.id, camera_id.clone());
        Some(Self { event_id, camera_id, at: *timestamp, at_limit })
    }
}

/// The count without and with a change of history, walking on together until they meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) old: i64,
    pub(super) new: i64,
}

impl Gap {
    pub(super) fn is_closed(self) -> bool {
        self.old == self.new
    }

    /// How far the counts are apart, with the sign of the change.
    pub(super) fn shift(self) -> i64 {
        self.new - self.old
    }

    pub(super) fn pass(self, clamp: Clamp) -> Self {
        Self { old: clamp.apply(self.old), new: clamp.apply(self.new) }
    }
}

/// The events that changed sides: those that a limit cuts off in one of two walks, not in both.
pub(super) fn flips(old: &[&Fact], new: &[&Fact]) -> Vec<Flip> {
    let ids = |facts: &[&Fact]| facts.iter().map(|fact| fact.id).collect::<HashSet<i64>>();
    let (before, after) = (ids(old), ids(new));
    let gone = old.iter().filter(|fact| !after.contains(&fact.id));
    let come = new.iter().filter(|fact| !before.contains(&fact.id));
    let gone = gone.filter_map(|fact| Flip::of(fact, false));
    gone.chain(come.filter_map(|fact| Flip::of(fact, true))).collect()
}
