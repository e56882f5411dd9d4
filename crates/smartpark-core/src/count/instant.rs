//! Instants: all events of a floor at one place act together.
//!
//! No camera and no clock knows which of two cars of one instant was first, so their order must
//! not decide a count. A limit may cut some of them off; those are the last entries, or the last
//! exits, in the order of [`Source`](super::Source).

use std::borrow::Borrow;

use super::{Act, Clamp, Fact, Moment, Walk, Walker};

/// The facts of each place in turn: its events together, each other fact by itself.
fn instants<F: Borrow<Fact>>(facts: &[F]) -> impl Iterator<Item = &[F]> {
    facts.chunk_by(|one, next| {
        let (one, next) = (one.borrow(), next.borrow());
        one.at == next.at && one.is_event() && next.is_event()
    })
}

/// What the facts of one place do together.
fn act_of<F: Borrow<Fact>>(instant: &[F]) -> Act {
    if let [alone] = instant {
        return alone.borrow().act;
    }
    let (mut entries, mut exits) = (0, 0);
    for fact in instant {
        match fact.borrow().act {
            Act::Entry => entries += 1,
            _ => exits += 1,
        }
    }
    Act::Cars { entries, exits }
}

/// Walks along facts that stand in their order; the events that a limit cut off, in that order.
pub fn judge<'f, F: Borrow<Fact>>(walk: &mut Walk, facts: &'f [F]) -> Vec<&'f Fact> {
    let mut cut_off = Vec::new();
    for instant in instants(facts) {
        let (_, cut) = walk.act_on(act_of(instant));
        if cut != 0 && instant[0].borrow().is_event() {
            let cut_act = if cut > 0 { Act::Entry } else { Act::Exit };
            let cars = instant.iter().map(Borrow::borrow).filter(|fact| fact.act == cut_act);
            let counted = cars.clone().count().saturating_sub(cut.unsigned_abs() as usize);
            cut_off.extend(cars.skip(counted));
        }
    }
    cut_off
}

/// Folds facts that stand in their order, on a floor with `slots` slots before the first of them.
#[must_use]
pub fn fold<F: Borrow<Fact>>(facts: &[F], slots: i64) -> Clamp {
    let mut walk = Walk { count: 0, slots };
    instants(facts).fold(Clamp::IDENTITY, |sum, instant| sum.then(walk.act(act_of(instant))))
}

impl Walk {
    /// Takes in what happened next; tells what it did, and how many cars a limit cut off: entries
    /// if above zero, exits if below.
    fn act_on(&mut self, act: Act) -> (Clamp, i64) {
        let before = self.count;
        let clamp = self.act(act);
        (clamp, before + clamp.shift - self.count)
    }

    /// Takes in the next fact, which stands alone at its place; tells what it did, and whether a
    /// limit cut it off.
    pub(super) fn alone(&mut self, fact: &Fact) -> (Clamp, bool) {
        let (clamp, cut) = self.act_on(fact.act);
        (clamp, cut != 0 && fact.is_event())
    }
}

/// Puts the facts of floors together before a walker takes them: all events of a floor at one
/// place reach it as one [`Act::Cars`]. It is given the facts in the order of their places; those
/// of one floor at one place stand side by side.
#[derive(Debug)]
pub struct Instants<'w, W: Walker> {
    walker: &'w mut W,
    waiting: Option<Moment>,
}

impl<'w, W: Walker> Instants<'w, W> {
    /// Gives the facts to this walker.
    pub fn of(walker: &'w mut W) -> Self {
        Self { walker, waiting: None }
    }

    /// Takes in the next fact.
    pub fn take(&mut self, next: Moment) {
        if let Some(waiting) = &mut self.waiting {
            let together = (waiting.at, waiting.floor_id) == (next.at, next.floor_id);
            if together && next.is_event {
                waiting.act = waiting.act.with(next.act);
                return;
            }
            self.walker.take(*waiting);
            self.waiting = None;
        }
        if next.is_event {
            self.waiting = Some(next);
        } else {
            self.walker.take(next);
        }
    }

    /// After the last fact.
    pub fn finish(self) {
        if let Some(waiting) = self.waiting {
            self.walker.take(waiting);
        }
    }
}

impl Act {
    /// This act together with another car of the same instant.
    fn with(self, car: Self) -> Self {
        let ((entries, exits), (more_entries, more_exits)) = (self.cars(), car.cars());
        Self::Cars { entries: entries + more_entries, exits: exits + more_exits }
    }

    /// How many cars came in and went out.
    pub(super) fn cars(self) -> (u32, u32) {
        match self {
            Self::Entry => (1, 0),
            Self::Exit => (0, 1),
            Self::Cars { entries, exits } => (entries, exits),
            Self::Base(_) | Self::Recount(_) | Self::Capacity(_) | Self::Nothing => (0, 0),
        }
    }
}
