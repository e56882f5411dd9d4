//! What both engines' reading of facts in the order of their commits shares.

use crate::{Event, PlacedFact, Position, SiteFact};

/// Where facts can be told.
pub(super) struct Known {
    /// The last event that was deleted.
    pub(super) gone: Position,
    /// No position after this one has been given.
    pub(super) last: Position,
}

impl Known {
    /// Whether all facts after a position are still there, and it is a position of this copy.
    pub(super) fn holds(&self, position: Position) -> bool {
        let Self { gone, last } = self;
        let range = gone.change..=last.change;
        let is_here = position.lineage == last.lineage && range.contains(&position.change);
        is_here && (0..=last.offset).contains(&position.offset) && position >= *gone
    }
}

/// At most `limit` facts in the order of their positions, given those of each kind in that order.
pub(super) fn merged(
    events: Vec<(Position, Event)>,
    changes: Vec<PlacedFact>,
    limit: u32,
) -> Vec<PlacedFact> {
    let events = events.into_iter().map(|(at, event)| (at, SiteFact::Event(event)));
    let mut facts: Vec<PlacedFact> = events.chain(changes).collect();
    facts.sort_by_key(|(at, _)| *at);
    facts.truncate(limit as usize);
    facts
}
