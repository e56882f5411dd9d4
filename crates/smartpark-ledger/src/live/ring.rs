//! The latest facts, in the pieces in which they were found and are told.

use std::{collections::VecDeque, sync::Arc};

use super::{News, Piece, Told};
use crate::{
    PlacedFact, Position, SiteFact,
    limits::{LIVE_PIECE_EVENTS, LIVE_RING_EVENTS},
};

/// The latest facts: all after one position, in their order.
#[derive(Debug, Default)]
pub(super) struct Ring {
    after: Position,
    stretches: VecDeque<Stretch>,
    events: usize,
}

/// Facts that were found together. Who has seen all before the first of them is told the very
/// same piece as everybody else.
#[derive(Debug)]
struct Stretch {
    first: Position,
    last: Position,
    piece: Arc<Piece>,
}

impl Ring {
    /// Forgets all; what is pushed from now on comes after this position.
    pub(super) fn begin(&mut self, after: Position) {
        *self = Self { after, ..Self::default() };
    }

    /// Takes in what was found.
    pub(super) fn push(&mut self, facts: Vec<PlacedFact>) {
        let mut facts = facts.into_iter();
        loop {
            let some: Vec<_> = facts.by_ref().take(LIVE_PIECE_EVENTS).collect();
            let (Some((first, _)), Some((last, _))) = (some.first(), some.last()) else { return };
            let (first, last) = (*first, *last);
            self.events += some.len();
            self.stretches.push_back(Stretch { first, last, piece: piece(some) });
            while self.events > LIVE_RING_EVENTS
                && let Some(gone) = self.stretches.pop_front()
            {
                self.events -= gone.piece.value.len();
                self.after = gone.last;
            }
        }
    }

    /// Forgets what may hold events that were deleted: all up to the last of these.
    pub(super) fn forget(&mut self, gone: Position) {
        if gone.lineage != self.after.lineage || gone <= self.after {
            return;
        }
        self.after = gone;
        let kept = self.stretches.partition_point(|stretch| stretch.first <= gone);
        for stretch in self.stretches.drain(..kept) {
            self.events -= stretch.piece.value.len();
            self.after = self.after.max(stretch.last);
        }
    }

    /// The next events after a position: about as many as one piece has at most, and as they were
    /// found. None where the position is not known here.
    pub(super) fn after(&self, position: Position) -> Option<Vec<(Position, Arc<Piece>)>> {
        if position < self.after || position.lineage != self.after.lineage {
            return None;
        }
        let next = self.stretches.partition_point(|stretch| stretch.last <= position);
        let (mut found, mut events) = (Vec::new(), 0);
        for stretch in self.stretches.range(next..) {
            let piece = stretch.after(position);
            events += piece.value.len();
            if events > LIVE_PIECE_EVENTS && !found.is_empty() {
                break;
            }
            found.push((stretch.last, piece));
        }
        Some(found)
    }
}

impl Stretch {
    /// Those after a position; a piece of its own for who comes from the middle.
    fn after(&self, position: Position) -> Arc<Piece> {
        if position < self.first {
            return Arc::clone(&self.piece);
        }
        let is_new = |news: &&News| match news {
            News::Event(at, _) | News::Change(at, _) => *at > position,
            _ => false,
        };
        Told::new(self.piece.value.iter().filter(is_new).cloned().collect())
    }
}

/// The piece that tells facts.
pub(super) fn piece(facts: Vec<PlacedFact>) -> Arc<Piece> {
    let news = facts.into_iter().map(|(at, fact)| match fact {
        SiteFact::Event(event) => News::Event(at, Arc::new(event)),
        SiteFact::Change(change) => News::Change(at, Arc::new(change)),
    });
    Told::new(news.collect())
}
