//! The history of one floor as a tree of folded stretches.
//!
//! Days are the roots. A stretch of more than [`DIVIDE_ABOVE`] facts is divided into stretches of
//! the next smaller unit (hour, minute, second, hundredth), so that a leaf stays short however
//! busy the floor is. Each day carries the count it opens with. With that
//!
//! - an event on time adds itself to the stretches it falls into: a handful of additions;
//! - a late event folds one leaf again and the sums above it, and its effect (0 or ±1) travels on,
//!   stretch by stretch, until a limit or a recount absorbs it or it reaches the present.
//!
//! Where an effect is absorbed by an event, that event changes sides: it was at the limit and is
//! no longer, or the other way round. That is reported as a [`Flip`], at most one per late event.
//!
//! Invariants: nothing is changed before everything that is needed is there ([`Missing`] says
//! what to load, the caller loads it and asks again); a node's `clamp` is the fold of its facts;
//! a day's `opening` is the count before its first fact.

mod ahead;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Act, Clamp, Fact, Source, Walk, fold,
    gap::{Flip, Gap, meet},
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
}

/// What recording a fact did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The change of the floor's current count.
    pub delta: i64,
    /// Whether the floor was full (entry) or empty (exit) at the event's own place.
    pub at_limit: Option<AtLimit>,
    /// The event whose side changed, if one did.
    pub flip: Option<Flip>,
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
    /// [`DIVIDE_ABOVE`]; tests lower it, so that short histories make deep trees.
    divide_above: u32,
}

/// What a late fact will change, found before anything is changed.
struct Plan {
    path: Vec<Span>,
    /// The capacity before the leaf.
    slots: i64,
    position: usize,
    shift: i64,
    /// Days after the fact's own whose opening moves by `shift`: all up to this start.
    shifted_up_to: Option<i64>,
    effect: Effect,
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

    /// The nodes that differ from what was loaded.
    pub fn changed(&self) -> impl Iterator<Item = &NodeRow> {
        self.changed.iter().filter_map(|span| self.nodes.get(span))
    }

    /// Takes in the answer to [`Missing::DaysFrom`], [`Missing::DayBefore`] or [`Missing::Path`].
    pub fn learn_nodes(&mut self, missing: Missing, rows: impl IntoIterator<Item = NodeRow>) {
        for row in rows {
            self.known.insert(row.span);
            self.nodes.entry(row.span).or_insert(row);
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
            Missing::Facts(_) => {}
        }
    }

    /// Takes in the answer to [`Missing::Facts`]: the capacity before the span's first fact, and
    /// the facts in their order.
    pub fn learn_facts(&mut self, span: Span, slots: i64, facts: Vec<Fact>) {
        self.leaves.insert(span, (slots, facts));
    }

    /// Records a fact that is not in the history yet.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first; nothing has changed then.
    pub fn record(&mut self, fact: Fact) -> Result<Effect, Missing> {
        if self.start.latest.is_none_or(|latest| fact.at > latest) {
            self.append(fact)
        } else {
            let plan = self.plan(&fact)?;
            Ok(self.insert(plan, fact))
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
            facts
                .iter()
                // The base tells what lies before its own instant, so it is taken in there too.
                .take_while(|fact| fact.at < at || fact.source == Source::Base)
                .for_each(|fact| {
                    walk.step(fact);
                });
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
        let (clamp, at_limit) = walk.step(&fact);
        for &span in &path {
            let node = self.node_mut(span, before);
            node.facts += 1;
            node.clamp = node.clamp.then(clamp);
        }
        let effect =
            Effect { delta: walk.count - before, at_limit: limit(&fact, at_limit), flip: None };
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

    /// Finds out what a late fact changes.
    fn plan(&self, fact: &Fact) -> Result<Plan, Missing> {
        let day = Span::of(fact.at, Level::DAY);
        let (count, path, (slots, facts)) = self.place(fact.at)?;
        let position = facts.partition_point(|other| other.place(fact).is_lt());
        let mut old = Walk { count, slots };
        facts[..position].iter().for_each(|fact| {
            old.step(fact);
        });
        let mut new = old;
        let (_, at_limit) = new.step(fact);
        let shift = new.count - old.count;
        let mut gap = Gap { old: old.count, new: new.count };
        let mut flip = None;
        if !gap.is_closed() {
            (gap, flip) = meet(old, new, &facts[position..]);
        }
        for pair in path.windows(2).rev() {
            let after = self.children(pair[0])?.filter(|node| node.span > pair[1]);
            self.travel(&mut gap, &mut flip, after)?;
        }
        let mut shifted_up_to = None;
        if !gap.is_closed() {
            let mut last = None;
            let after = self.days_after(day).inspect(|node| last = Some(node.span.start));
            self.travel(&mut gap, &mut flip, after)?;
            shifted_up_to = last;
        }
        let at_limit = limit(fact, at_limit);
        let effect = Effect { delta: gap.new - gap.old, at_limit, flip };
        Ok(Plan { path, slots, position, shift, shifted_up_to, effect })
    }

    /// Carries the gap through stretches until it closes; finds the event that closed it.
    fn travel<'a>(
        &self,
        gap: &mut Gap,
        flip: &mut Option<Flip>,
        nodes: impl Iterator<Item = &'a NodeRow>,
    ) -> Result<(), Missing> {
        if gap.is_closed() {
            return Ok(());
        }
        for node in nodes {
            let passed = gap.pass(node.clamp);
            if passed.is_closed() {
                *flip = self.find_flip(node.span, *gap)?;
                *gap = passed;
                return Ok(());
            }
            *gap = passed;
        }
        Ok(())
    }

    /// The event inside `span` that closes the gap.
    fn find_flip(&self, span: Span, mut gap: Gap) -> Result<Option<Flip>, Missing> {
        let divided = self.nodes.get(&span).is_some_and(|node| node.divided);
        if divided {
            let mut flip = None;
            let children = self.children(span)?;
            self.travel(&mut gap, &mut flip, children)?;
            return Ok(flip);
        }
        let (slots, facts) = self.leaves.get(&span).ok_or(Missing::Facts(span))?;
        let old = Walk { count: gap.old, slots: *slots };
        let new = Walk { count: gap.new, slots: *slots };
        Ok(meet(old, new, facts).1)
    }

    /// Does what the plan says.
    fn insert(&mut self, plan: Plan, fact: Fact) -> Effect {
        let Plan { path, slots, position, shift, shifted_up_to, effect } = plan;
        let opening = self.opening(path[0]);
        let leaf = path[path.len() - 1];
        let (slots, facts) = self.leaves.entry(leaf).or_insert_with(|| (slots, Vec::new()));
        facts.insert(position, fact);
        let clamp = fold(facts.iter(), *slots);
        self.node_mut(leaf, opening).clamp = clamp;
        for pair in path.windows(2).rev() {
            let sum = self.composed(pair[0]);
            self.node_mut(pair[0], opening).clamp = sum;
        }
        for &span in &path {
            self.node_mut(span, opening).facts += 1;
        }
        if let Some(last) = shifted_up_to {
            let first = Span { level: Level::DAY, start: path[0].start + 1 };
            for (span, day) in self.nodes.range_mut(first..=Span { start: last, ..first }) {
                day.opening += shift;
                self.changed.insert(*span);
            }
        }
        self.start.count += effect.delta;
        self.divide_where_full(leaf);
        effect
    }

    /// Gives a leaf that grew too long children of its own, and those theirs.
    fn divide_where_full(&mut self, leaf: Span) {
        let Some(below) = leaf.level.below() else {
            return;
        };
        let full = self.nodes.get(&leaf).is_some_and(|node| node.facts > self.divide_above);
        if !full {
            return;
        }
        let Some((mut slots, facts)) = self.leaves.remove(&leaf) else {
            return;
        };
        let mut children: BTreeMap<Span, Leaf> = BTreeMap::new();
        for fact in facts {
            let (_, members) =
                children.entry(Span::of(fact.at, below)).or_insert_with(|| (slots, Vec::new()));
            if let Act::Capacity(changed) = fact.act {
                slots = changed;
            }
            members.push(fact);
        }
        self.opened.insert(leaf);
        self.node_mut(leaf, 0).divided = true;
        for (span, (slots, members)) in children {
            let node = self.node_mut(span, 0);
            node.clamp = fold(&members, slots);
            let own = members.iter().filter(|fact| fact.source != Source::Base).count();
            node.facts = u32::try_from(own).unwrap_or(u32::MAX);
            self.leaves.insert(span, (slots, members));
            self.divide_where_full(span);
        }
    }

    /// The node at `span`, made empty where there is none, and marked as changed.
    fn node_mut(&mut self, span: Span, opening: i64) -> &mut NodeRow {
        self.changed.insert(span);
        self.known.insert(span);
        let opening = if span.level == Level::DAY { opening } else { 0 };
        let clamp = Clamp::IDENTITY;
        let empty = NodeRow { span, facts: 0, divided: false, clamp, opening };
        self.nodes.entry(span).or_insert(empty)
    }

    /// The count a day opens with; for a day without facts what the days before lead to.
    fn opening(&self, day: Span) -> i64 {
        let first = Span { level: Level::DAY, start: i64::MIN };
        match self.nodes.range(first..=day).next_back() {
            Some((span, node)) if *span == day => node.opening,
            Some((_, before)) => before.clamp.apply(before.opening),
            None => self.start.base,
        }
    }

    fn days_after(&self, day: Span) -> impl Iterator<Item = &NodeRow> {
        let first = Span { level: Level::DAY, start: day.start + 1 };
        self.nodes.range(first..=Span { start: i64::MAX, ..first }).map(|(_, node)| node)
    }

    fn children(&self, span: Span) -> Result<impl Iterator<Item = &NodeRow>, Missing> {
        if self.opened.contains(&span) {
            Ok(self.nodes_below(span))
        } else {
            Err(Missing::Children(span))
        }
    }

    fn composed(&self, span: Span) -> Clamp {
        self.nodes_below(span).fold(Clamp::IDENTITY, |sum, node| sum.then(node.clamp))
    }

    /// The loaded nodes one level below `span`, in order.
    fn nodes_below(&self, span: Span) -> impl Iterator<Item = &NodeRow> {
        self.nodes.range(span.children()).map(|(_, node)| node)
    }
}

fn limit(fact: &Fact, at_limit: bool) -> Option<AtLimit> {
    let which = if fact.act == Act::Entry { AtLimit::Full } else { AtLimit::Empty };
    at_limit.then_some(which)
}
