//! The history of one floor as a tree of folded stretches.
//!
//! Days are the roots. A stretch of more than [`DIVIDE_ABOVE`] facts is divided into stretches of
//! the next smaller unit (hour, minute, second, hundredth), so that a leaf stays short however
//! busy the floor is. Each day carries the count it opens with. With that
//!
//! - an event on time adds itself to the stretches it falls into: a handful of additions;
//! - a late fact folds one leaf again and the sums above it, and its effect travels on, stretch by
//!   stretch, until limits or a recount absorb it or it reaches the present. The same holds for a
//!   fact that is taken away.
//!
//! If an event absorbs an effect, that event changes sides: it was at the limit and is no longer,
//! or the other way round. That is reported as a [`Flip`]: at most one for a late event, any number
//! for a late recount.
//!
//! Invariants: nothing is changed before everything that is needed is there ([`Missing`] says
//! what to load, the caller loads it and asks again); a node's `clamp` is the fold of its facts;
//! a day's `opening` is the count before its first fact.

mod ahead;
mod nodes;
mod past;
mod pull;

pub use pull::Pulled;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Act, Clamp, Fact, Source, Walk, fold,
    gap::Flip,
    instant::judge,
    stretch::{Level, NodeRow, Span},
};
use crate::model::AtLimit;

type Leaf = (i64, Vec<Fact>); // the capacity before it, and its facts
type Found<'h> = (i64, &'h [Fact]); // the same, lent

/// A stretch with more facts than this is divided.
pub const DIVIDE_ABOVE: u32 = 64;

/// What is known of a floor before anything of its history is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The current count.
    pub count: i64,
    /// The current capacity.
    pub slots: i64,
    /// The instant of the latest fact, or the horizon where that is later.
    pub latest: Option<i64>,
    /// The count where the kept history begins (0 for a floor that forgot nothing).
    pub base: i64,
}

/// What must be loaded before the question can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The latest day before `from`, the day that begins there and all after it.
    DaysFrom(i64),
    /// The latest day that begins at or before this instant.
    DayBefore(i64),
    /// The nodes on [`Span::path`] of this instant.
    Path(i64),
    /// All children of this divided span.
    Children(Span),
    /// The facts in this span in their order, after a [`Act::Base`] where the
    /// horizon falls into it, and the capacity before the first of them.
    Facts(Span),
    /// The same of a divided span, all that lies in it.
    Whole(Span),
    /// All facts whose place lies after this instant, in their order.
    Behind(i64),
}

/// Stored stretches that no longer exist: all of these levels that begin in this range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The first of the levels: this one and all smaller units.
    pub from_level: Level,
    /// The first instant, in microseconds since 1970 UTC.
    pub start: i64,
    /// The instant before which they begin.
    pub end: i64,
}

/// What recording a fact did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The change of the floor's current count.
    pub delta: i64,
    /// Whether the floor was full (entry) or empty (exit) at the event's own place.
    pub at_limit: Option<AtLimit>,
    /// The other events whose sides changed.
    pub flips: Vec<Flip>,
}

/// A floor's history as far as it has been loaded, and what changed in it.
#[derive(Debug)]
pub struct History {
    start: Start,
    nodes: BTreeMap<Span, NodeRow>,
    /// Spans of which it is known whether they exist.
    known: HashSet<Span>,
    /// Divided spans whose children are all loaded.
    opened: HashSet<Span>,
    /// Leaves whose facts are loaded, with the capacity before them.
    leaves: HashMap<Span, Leaf>,
    /// All days from here on are loaded, and the one before.
    days_from: Option<i64>,
    changed: HashSet<Span>,
    erased: Vec<Erased>,
    /// The facts after an instant, if they are loaded.
    behind: Option<(i64, Vec<Fact>)>,
    /// [`DIVIDE_ABOVE`]; tests lower it, so that short histories make deep trees.
    divide_above: u32,
}

impl History {
    /// A history of which nothing is loaded yet.
    #[must_use]
    pub fn new(start: Start) -> Self {
        Self {
            start,
            nodes: BTreeMap::new(),
            known: HashSet::new(),
            opened: HashSet::new(),
            leaves: HashMap::new(),
            days_from: None,
            changed: HashSet::new(),
            erased: Vec::new(),
            behind: None,
            divide_above: DIVIDE_ABOVE,
        }
    }

    /// All stretches of one day, folded from its facts in their order; `opening` is the count and
    /// `slots` the capacity before the first of them.
    #[must_use]
    pub fn of_day(day: Span, opening: i64, slots: i64, facts: Vec<Fact>) -> Self {
        let latest = facts.last().map(|fact| fact.at);
        let mut history = Self::new(Start { count: opening, slots, latest, base: opening });
        let node = history.node_mut(day, opening);
        node.clamp = fold(&facts, slots);
        node.facts = u32::try_from(facts.len()).unwrap_or(u32::MAX);
        history.start.count = node.clamp.apply(opening);
        history.leaves.insert(day, (slots, facts));
        history.divide_where_full(day);
        history
    }

    /// The count where the kept history begins.
    #[must_use]
    pub fn base(&self) -> i64 {
        self.start.base
    }

    /// The same, dividing stretches of more facts than `limit`.
    #[cfg(test)]
    pub(super) fn dividing_above(mut self, limit: u32) -> Self {
        self.divide_above = limit;
        self
    }

    /// The current count.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.start.count
    }

    /// The current capacity.
    #[must_use]
    pub fn slots(&self) -> i64 {
        self.start.slots
    }

    /// The instant of the latest fact.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        self.start.latest
    }

    /// The stored nodes that no longer exist: to be deleted before those that changed are stored.
    pub fn erased(&self) -> impl Iterator<Item = &Erased> {
        self.erased.iter()
    }

    /// The nodes that differ from what was loaded.
    pub fn changed(&self) -> impl Iterator<Item = &NodeRow> {
        self.changed.iter().filter_map(|span| self.nodes.get(span))
    }

    /// Takes in the answer to [`Missing::DaysFrom`], [`Missing::DayBefore`] or [`Missing::Path`].
    pub fn learn_nodes(&mut self, missing: Missing, rows: impl IntoIterator<Item = NodeRow>) {
        for row in rows {
            self.known.insert(row.span);
            if !self.erased.iter().any(|erased| erased.holds(row.span)) {
                self.nodes.entry(row.span).or_insert(row);
            }
        }
        match missing {
            Missing::DaysFrom(from) => {
                self.days_from = Some(self.days_from.map_or(from, |known| known.min(from)));
            }
            Missing::DayBefore(at) => {
                self.known.insert(Span::of(at, Level::DAY));
            }
            Missing::Path(at) => self.known.extend(Span::path(at)),
            Missing::Children(span) => {
                self.opened.insert(span);
            }
            Missing::Facts(_) | Missing::Whole(_) | Missing::Behind(_) => {}
        }
    }

    /// Takes in the answer to [`Missing::Facts`] or [`Missing::Whole`]: the capacity before the
    /// span's first fact, and the facts in their order.
    pub fn learn_facts(&mut self, span: Span, slots: i64, facts: Vec<Fact>) {
        self.leaves.insert(span, (slots, facts));
    }

    /// Takes in the answer to [`Missing::Behind`]: all facts after the instant `at`, in their
    /// order.
    pub fn learn_behind(&mut self, at: i64, facts: Vec<Fact>) {
        self.behind = Some((at, facts));
    }

    /// Records a fact that is not in the history yet.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first; nothing has changed then.
    pub fn record(&mut self, fact: Fact) -> Result<Effect, Missing> {
        // Adjustments come in the order of their numbers, and stand after events of their place.
        let is_last = |latest| fact.at > latest || fact.at == latest && !fact.is_event();
        if self.start.latest.is_none_or(is_last) {
            self.append(fact)
        } else {
            let plan = self.plan_insertion(&fact)?;
            Ok(self.carry_out(plan))
        }
    }

    /// The count that all facts before the instant `at` lead to.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first.
    pub fn count_before(&self, at: i64) -> Result<i64, Missing> {
        let day = Span::of(at, Level::DAY);
        if !self.known.contains(&day) && self.days_from.is_none_or(|from| day.start < from) {
            return Err(Missing::DayBefore(day.start));
        }
        let (mut count, path) = self.descend(at)?;
        let leaf = path[path.len() - 1];
        if self.nodes.contains_key(&leaf) {
            let (slots, facts) = self.leaves.get(&leaf).ok_or(Missing::Facts(leaf))?;
            let mut walk = Walk { count, slots: *slots };
            // The base tells what lies before its own instant, so it is taken in there too.
            let before = |fact: &Fact| fact.at < at || fact.source == Source::Base;
            judge(&mut walk, &facts[..facts.partition_point(before)]);
            count = walk.count;
        }
        Ok(count)
    }

    /// Adds a fact after all others.
    fn append(&mut self, fact: Fact) -> Result<Effect, Missing> {
        let path = self.tail(fact.at)?;
        let leaf = path[path.len() - 1];
        let before = self.start.count;
        if !self.may_exist(leaf) {
            // All that will be in it comes from here on: nothing needs to be loaded to divide it.
            self.leaves.insert(leaf, (self.start.slots, Vec::new()));
        }
        let mut walk = Walk { count: before, slots: self.start.slots };
        let (clamp, at_limit) = walk.alone(&fact);
        for &span in &path {
            let node = self.node_mut(span, before);
            node.facts += 1;
            node.clamp = node.clamp.then(clamp);
        }
        let effect = Effect {
            delta: walk.count - before,
            at_limit: limit(&fact, at_limit),
            flips: Vec::new(),
        };
        self.start.latest = Some(fact.at);
        (self.start.count, self.start.slots) = (walk.count, walk.slots);
        if let Some((_, facts)) = self.leaves.get_mut(&leaf) {
            facts.push(fact);
        }
        self.divide_where_full(leaf);
        Ok(effect)
    }

    /// The path to the leaf that takes in a fact at `at`, after all others.
    fn tail(&self, at: i64) -> Result<Vec<Span>, Missing> {
        let mut path = Vec::with_capacity(2);
        for span in Span::path(at) {
            path.push(span);
            if self.may_exist(span) && !self.known.contains(&span) {
                return Err(Missing::Path(at));
            }
            if self.nodes.get(&span).is_none_or(|node| !node.divided) {
                break;
            }
        }
        let leaf = path[path.len() - 1];
        let full = self.nodes.get(&leaf).is_some_and(|node| node.facts >= self.divide_above);
        if full && leaf.level.below().is_some() && !self.leaves.contains_key(&leaf) {
            return Err(Missing::Facts(leaf));
        }
        Ok(path)
    }

    /// The count before the leaf that holds `at`, and the path to that leaf.
    fn descend(&self, at: i64) -> Result<(i64, Vec<Span>), Missing> {
        let mut span = Span::of(at, Level::DAY);
        let mut path = vec![span];
        let mut count = self.opening(span);
        while let Some((node, below)) = self.nodes.get(&span).zip(span.level.below()) {
            if !node.divided {
                break;
            }
            let child = Span::of(at, below);
            count = self
                .children(span)?
                .take_while(|node| node.span < child)
                .fold(count, |count, node| node.clamp.apply(count));
            path.push(child);
            span = child;
        }
        Ok((count, path))
    }

    /// Where a late fact has its place: the count before its leaf, the path to that, the leaf.
    fn place(&self, at: i64) -> Result<(i64, Vec<Span>, Found<'_>), Missing> {
        let day = Span::of(at, Level::DAY);
        if self.days_from.is_none_or(|from| day.start < from) {
            return Err(Missing::DaysFrom(day.start));
        }
        let (count, path) = self.descend(at)?;
        let leaf = path[path.len() - 1];
        let loaded = self.leaves.get(&leaf).map(|(slots, facts)| (*slots, facts.as_slice()));
        let empty = || self.slots_where_nothing_is(leaf).map(|slots| (slots, [].as_slice()));
        let found = loaded.or_else(empty).ok_or(Missing::Facts(leaf))?;
        Ok((count, path, found))
    }
}

fn limit(fact: &Fact, at_limit: bool) -> Option<AtLimit> {
    let which = if fact.act == Act::Entry { AtLimit::Full } else { AtLimit::Empty };
    at_limit.then_some(which)
}
