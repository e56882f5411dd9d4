//! A floor in a transaction: its row, its history as far as that has been loaded, and the facts
//! that the transaction adds to it.

use std::{collections::HashSet, ops::Range};

use jiff::Timestamp;

use crate::{
    Floor,
    count::{Act, Effect, Fact, History, Missing, NodeRow, Pulled, Source, Span, Start},
};

/// Where a floor's history begins and ends, as the database has it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The count that stands for all facts before the retention horizon.
    pub(crate) base: i64,
    /// The latest place of an event or adjustment, if there are any.
    pub(crate) latest: Option<i64>,
}

/// A floor with its history, as far as that has been loaded.
#[derive(Debug)]
pub(crate) struct OpenFloor {
    /// The floor as the transaction leaves it.
    pub(crate) floor: Floor,
    /// Its history.
    pub(crate) history: History,
    /// Whether its count or its slots changed.
    pub(crate) changed: bool,
    /// How many facts an engine may read together with those of the next stretch that is missing.
    #[cfg(feature = "postgres")]
    pub(crate) ahead: u32,
    horizon: Option<i64>,
    base: i64,
    /// Where this transaction pulled to all that lay ahead of it.
    pulled_to: Option<i64>,
    /// Facts of this transaction. The database has them only in the end.
    pending: Vec<Fact>,
    /// Facts that this transaction took out, by what tells them. The database still has them.
    removed: HashSet<(bool, i64)>,
}

impl OpenFloor {
    /// A floor of whose history nothing is loaded yet.
    pub(crate) fn new(floor: Floor, origin: Origin, horizon: Option<i64>) -> Self {
        let Origin { base, latest } = origin;
        let (count, slots) = (floor.current_vehicles, floor.total_slots);
        let history = History::new(Start { count, slots, latest: latest.max(horizon), base });
        Self {
            floor,
            history,
            changed: false,
            #[cfg(feature = "postgres")]
            ahead: 0,
            horizon,
            base,
            pulled_to: None,
            pending: Vec::new(),
            removed: HashSet::new(),
        }
    }

    /// The facts of a stretch that the database still has lie in this range; all before the
    /// retention horizon is folded into the base.
    pub(crate) fn kept(&self, range: Range<i64>) -> Range<i64> {
        let horizon = self.horizon.filter(|at| range.contains(at));
        horizon.unwrap_or(range.start)..range.end
    }

    /// Puts a fact into the history and moves the count. If something is missing, nothing changed.
    pub(crate) fn record(&mut self, fact: &Fact, now: i64) -> Result<Effect, Missing> {
        let effect = self.history.record(fact.clone())?;
        self.pending.push(fact.clone());
        self.take_count(now);
        Ok(effect)
    }

    /// Takes a stored fact out of the history and moves the count. If something is missing, nothing
    /// changed.
    pub(crate) fn remove(&mut self, fact: &Fact, now: i64) -> Result<Effect, Missing> {
        let effect = self.history.remove(fact)?;
        self.removed.insert(key(fact));
        self.take_count(now);
        Ok(effect)
    }

    /// Gives all facts that lie ahead of an instant that instant as their place, and moves the
    /// count. If something is missing, nothing changed.
    pub(crate) fn pull(&mut self, to: i64, now: i64) -> Result<Pulled, Missing> {
        let pulled = self.history.pull(to)?;
        self.pulled_to = Some(to);
        self.pending.iter_mut().for_each(|fact| fact.at = fact.at.min(to));
        self.take_count(now);
        Ok(pulled)
    }

    /// Takes over the count and the slots of the history.
    fn take_count(&mut self, now: i64) {
        let (count, slots) = (self.history.count(), self.history.slots());
        if (count, slots) != (self.floor.current_vehicles, self.floor.total_slots) {
            (self.floor.current_vehicles, self.floor.total_slots) = (count, slots);
            self.floor.updated_at = moved(&self.floor, now);
            self.changed = true;
        }
    }

    /// Takes in all facts after an instant, in any order, as the database has them.
    pub(crate) fn learn_behind(&mut self, at: i64, mut facts: Vec<Fact>) {
        facts.retain(|fact| !self.removed.contains(&key(fact)));
        facts.extend(self.pending.iter().filter(|fact| fact.at > at).cloned());
        facts.sort_by(Fact::place);
        self.history.learn_behind(at, facts);
    }

    /// Takes in the stretches that were missing.
    pub(crate) fn learn_nodes(&mut self, missing: Missing, nodes: Vec<NodeRow>) {
        self.history.learn_nodes(missing, nodes);
    }

    /// Takes in the facts of neighbouring leaves, in any order: those that the database has in
    /// [`OpenFloor::kept`], with the slots before the first of them.
    pub(crate) fn learn_facts(&mut self, leaves: &[Span], slots: i64, mut facts: Vec<Fact>) {
        let range = range(leaves);
        // What the database has behind a pull has a new place already.
        facts.retain(|fact| self.pulled_to.is_none_or(|to| fact.at <= to));
        facts.retain(|fact| !self.removed.contains(&key(fact)));
        facts.extend(self.pending.iter().filter(|fact| range.contains(&fact.at)).cloned());
        if let Some(at) = self.horizon.filter(|at| range.contains(at)) {
            facts.push(Fact { at, source: Source::Base, act: Act::Base(self.base), id: 0 });
        }
        facts.sort_by(Fact::place);
        self.history.learn_leaves(leaves, slots, facts);
    }
}

/// What tells a fact that is stored: whether it is an event, and its id.
fn key(fact: &Fact) -> (bool, i64) {
    match fact.source {
        Source::Adjustment(id) => (false, id),
        Source::Event { .. } | Source::Base => (true, fact.id),
    }
}

/// From the first of some leaves to the end of the last.
pub(crate) fn range(leaves: &[Span]) -> Range<i64> {
    leaves.first().zip(leaves.last()).map_or(0..0, |(first, last)| first.start..last.end())
}

/// The instant of a change that is made now: always later than the last one.
pub(crate) fn moved(floor: &Floor, now: i64) -> Timestamp {
    let moved = now.max(floor.updated_at.as_microsecond() + 1);
    Timestamp::from_microsecond(moved).unwrap_or(Timestamp::MAX)
}
