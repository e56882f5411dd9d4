//! The proof behind `check`: the count folded again from scratch, event by event, without the
//! clamp functions that recording uses, and compared with all that is stored. The engines load,
//! this compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::sums::{HourKey, HourSum};
use crate::{
    Floor,
    check::{Report, Violation},
    count::{Act, Fact, History, NodeRow, Source, Span},
};

/// Most violations that are listed; a damaged database has more than anyone reads.
const MOST: usize = 100;

/// The count and the slots as they stand, moved fact by fact as the contract says it in words.
#[derive(Clone, Copy)]
struct Naive {
    count: i64,
    slots: i64,
}

impl Naive {
    /// Takes a fact in; tells whether it is an event that found the floor at its limit.
    fn step(&mut self, fact: &Fact) -> bool {
        let before = self.count;
        match fact.act {
            Act::Base(count) | Act::Recount(count) => self.count = count,
            Act::Entry if self.count < self.slots => self.count += 1,
            Act::Exit if self.count > 0 => self.count -= 1,
            Act::Entry | Act::Exit => {}
            Act::Capacity(slots) => {
                self.slots = slots;
                self.count = self.count.min(slots);
            }
        }
        matches!(fact.source, Source::Event { .. }) && self.count == before
    }
}

/// Adds what does not hold to a report.
pub(super) fn violate(report: &mut Report, invariant: &'static str, detail: String) {
    if report.violations.len() < MOST {
        report.violations.push(Violation { invariant, detail });
    }
}

/// What is stored of one day of a floor.
pub(super) struct StoredDay {
    /// Its facts in their order; of the horizon's day only those after it.
    pub(super) facts: Vec<Fact>,
    /// Its events at the limit, in the same range.
    pub(super) at_limit: BTreeSet<i64>,
    /// All its stretches.
    pub(super) nodes: Vec<NodeRow>,
}

/// The history of a floor, folded again day by day.
pub(super) struct FloorProof<'a> {
    floor: &'a Floor,
    horizon: Option<i64>,
    naive: Naive,
    report: &'a mut Report,
}

impl<'a> FloorProof<'a> {
    /// Begins where the kept history begins, with the count and the slots there.
    pub(super) fn new(
        floor: &'a Floor,
        horizon: Option<i64>,
        (count, slots): (i64, i64),
        report: &'a mut Report,
    ) -> Self {
        report.floors += 1;
        Self { floor, horizon, naive: Naive { count, slots }, report }
    }

    /// Folds the next day and compares what is stored of it.
    pub(super) fn day(&mut self, day: Span, stored: StoredDay) {
        let opening = self.naive;
        let facts = stored.facts;
        let at_limit: BTreeSet<i64> =
            facts.iter().filter(|fact| self.naive.step(fact)).map(|fact| fact.id).collect();
        let events = facts.iter().filter(|f| matches!(f.source, Source::Event { .. })).count();
        self.report.events += events as u64;
        if stored.at_limit != at_limit {
            let ids: Vec<_> = at_limit.symmetric_difference(&stored.at_limit).take(5).collect();
            self.violate("I13", format!("events at the limit are not those of the fold: {ids:?}"));
        }
        if !self.stretches_hold(day, opening, by_span(stored.nodes), facts) {
            let start = Timestamp::from_microsecond(day.start).unwrap_or(Timestamp::MIN);
            let id = self.floor.id;
            self.violate("I9", format!("floor {id}: the stored folds of {start} are not right"));
        }
    }

    /// Compares the stretches of a day; of the day in which the horizon lies only what they lead
    /// to, as the stored ones still fold what was deleted.
    fn stretches_hold(
        &self,
        day: Span,
        opening: Naive,
        stored: BTreeMap<Span, NodeRow>,
        facts: Vec<Fact>,
    ) -> bool {
        if self.horizon.is_none_or(|horizon| horizon <= day.start) {
            let folded = History::of_day(day, opening.count, opening.slots, facts);
            stored == by_span(folded.changed().copied().collect())
        } else {
            let closes = |node: &NodeRow| node.clamp.apply(node.opening) == self.naive.count;
            stored.get(&day).is_some_and(closes)
        }
    }

    /// After the last day: the count and the slots must be those that the fold has come to.
    pub(super) fn end(mut self) {
        let (id, count) = (self.floor.id, self.floor.current_vehicles);
        if count != self.naive.count {
            let folded = self.naive.count;
            self.violate("I9", format!("floor {id}: {count} vehicles instead of {folded}"));
        }
        if self.floor.total_slots != self.naive.slots {
            self.violate("I9", format!("floor {id}: its slots are not those of its history"));
        }
    }

    fn violate(&mut self, invariant: &'static str, detail: String) {
        violate(self.report, invariant, detail);
    }
}

/// Compares the sums of a day's hours.
pub(super) fn compare_hours(
    report: &mut Report,
    day: i64,
    mut stored: HashMap<HourKey, HourSum>,
    recomputed: &HashMap<HourKey, HourSum>,
) {
    stored.retain(|_, sum| sum.iter().any(|n| *n != 0));
    if stored != *recomputed {
        let start = Timestamp::from_microsecond(day).unwrap_or(Timestamp::MIN);
        violate(report, "I13", format!("the sums of {start} are not those of its events"));
    }
}

fn by_span(nodes: Vec<NodeRow>) -> BTreeMap<Span, NodeRow> {
    nodes.into_iter().map(|node| (node.span, node)).collect()
}
