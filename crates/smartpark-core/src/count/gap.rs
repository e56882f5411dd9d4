//! The effect of a late fact on its way through what comes after it.

use super::{Clamp, Fact, Source, Walk};

/// An event elsewhere in history that changed sides because of a late event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The event.
    pub event_id: i64,
    /// Its camera.
    pub camera_id: String,
    /// When it happened.
    pub at: i64,
    /// Whether it now finds the floor at its limit.
    pub at_limit: bool,
}

/// The count without and with a late fact, walking on together until they meet.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    pub(super) old: i64,
    pub(super) new: i64,
}

impl Gap {
    pub(super) fn is_closed(self) -> bool {
        self.old == self.new
    }

    pub(super) fn pass(self, clamp: Clamp) -> Self {
        Self { old: clamp.apply(self.old), new: clamp.apply(self.new) }
    }
}

/// Walks two counts along the same facts until they meet; names the event where they did.
pub(super) fn meet(mut old: Walk, mut new: Walk, facts: &[Fact]) -> (Gap, Option<Flip>) {
    for fact in facts {
        old.step(fact);
        let (_, at_limit) = new.step(fact);
        if old.count == new.count {
            // An event closes the gap only by finding the floor at its limit on one side of it.
            let flip = match &fact.source {
                Source::Event { camera_id, .. } => Some(Flip {
                    event_id: fact.id,
                    camera_id: camera_id.clone(),
                    at: fact.at,
                    at_limit,
                }),
                Source::Base | Source::Adjustment(_) => None,
            };
            return (Gap { old: old.count, new: new.count }, flip);
        }
    }
    (Gap { old: old.count, new: new.count }, None)
}
