//! The proof behind `check`: the count folded again from scratch, event by event, without the
//! clamp functions that recording uses, and compared with all that is stored. The engines load,
//! this compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::sums::{CHECKSUM, COUNTS, HourKey, HourSum, UNKNOWN};
use crate::{
    Floor,
    check::{Report, Violation},
    count::{Act, Clamp, Fact, History, NodeRow, Span, fold},
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
    /// Takes in facts that stand in their order; the ids of the events that limits cut off.
    fn walk(&mut self, facts: &[Fact]) -> BTreeSet<i64> {
        let mut cut_off = BTreeSet::new();
        let mut rest = facts;
        while let Some(fact) = rest.first() {
            let events = |other: &&Fact| other.at == fact.at && other.is_event();
            let together = rest.iter().take_while(events).count();
            if together == 0 {
                self.step(fact);
            } else {
                self.instant(&rest[..together], &mut cut_off);
            }
            rest = &rest[together.max(1)..];
        }
        cut_off
    }

    /// Takes in all events of one instant. If more came than fit, the last entries are cut off; if
    /// more went than there were, the last exits.
    fn instant(&mut self, events: &[Fact], cut_off: &mut BTreeSet<i64>) {
        let of = |act| move |event: &&Fact| event.act == act;
        let mut excess = self.count - self.slots;
        let mut lack = -self.count;
        for event in events {
            let change = if event.act == Act::Entry { 1 } else { -1 };
            (excess, lack) = (excess + change, lack - change);
        }
        let most = |n: i64| usize::try_from(n).unwrap_or(0);
        let entries = events.iter().rev().filter(of(Act::Entry)).take(most(excess));
        let exits = events.iter().rev().filter(of(Act::Exit)).take(most(lack));
        cut_off.extend(entries.chain(exits).map(|event| event.id));
        self.count = (self.slots + excess).min(self.slots).max(0);
    }

    /// Takes in what is no event.
    fn step(&mut self, fact: &Fact) {
        match fact.act {
            Act::Base(count) | Act::Recount(count) => self.count = count,
            Act::Entry => self.count = (self.count + 1).min(self.slots),
            Act::Exit => self.count = (self.count - 1).max(0),
            Act::Capacity(slots) => {
                self.slots = slots;
                self.count = self.count.min(slots);
            }
            Act::Cars { .. } | Act::Nothing => {}
        }
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
        let at_limit = self.naive.walk(&facts);
        let events = facts.iter().filter(|fact| fact.is_event()).count();
        self.report.events += events as u64;
        if stored.at_limit != at_limit {
            let ids: Vec<_> = at_limit.symmetric_difference(&stored.at_limit).take(5).collect();
            self.violate("I13", format!("events at the limit are not those of the fold: {ids:?}"));
        }
        if !self.stretches_hold(day, opening, by_span(stored.nodes), facts) {
            let (start, id) = (instant(day.start), self.floor.id);
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
                && stored.values().all(|node| self.holds_in_the_horizons_day(node, &stored))
                && self.kept_hold(opening, &stored, &facts)
        }
    }

    /// A divided stretch is the composition of those below it. (A leaf that was divided after the
    /// horizon fell into it begins with the count there: what was before it does not matter then.)
    fn holds_in_the_horizons_day(&self, node: &NodeRow, stored: &BTreeMap<Span, NodeRow>) -> bool {
        let Some(level) = node.span.level.below().filter(|_| node.divided) else { return true };
        let first = Span { level, start: node.span.start };
        let children = stored.range(first..Span { level, start: node.span.end() });
        let composed = children.fold(Clamp::IDENTITY, |sum, (_, child)| sum.then(child.clamp));
        composed == node.clamp || composed.low == composed.high
    }

    /// The stretches that lie wholly after the horizon hold kept facts only: each is their fold.
    fn kept_hold(&self, opening: Naive, stored: &BTreeMap<Span, NodeRow>, facts: &[Fact]) -> bool {
        let is_kept = |node: &&NodeRow| self.horizon.is_some_and(|at| at <= node.span.start);
        stored.values().filter(is_kept).all(|node| {
            let mut slots = opening.slots;
            let begin = facts.partition_point(|fact| fact.at < node.span.start);
            let end = facts.partition_point(|fact| fact.at < node.span.end());
            for fact in &facts[..begin] {
                if let Act::Capacity(changed) = fact.act {
                    slots = changed;
                }
            }
            let within = &facts[begin..end];
            node.facts as usize == within.len() && node.clamp == fold(within, slots)
        })
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
    stored.retain(|_, sum| sum[..COUNTS].iter().any(|n| *n != 0));
    let keys: BTreeSet<&HourKey> = stored.keys().chain(recomputed.keys()).collect();
    let counts = |sums: &HashMap<HourKey, HourSum>, key: &HourKey| {
        sums.get(key).map(|sum| sum[..COUNTS].to_vec())
    };
    let differs = |key: &&HourKey| counts(&stored, key) != counts(recomputed, key);
    if keys.iter().any(differs) {
        let start = instant(day);
        violate(report, "I13", format!("the sums of {start} are not those of its events"));
    }
    for key in keys {
        let (Some(stored), Some(now)) = (stored.get(key), recomputed.get(key)) else { continue };
        if stored[CHECKSUM] != UNKNOWN && stored[CHECKSUM] != now[CHECKSUM] {
            let (hour, floor_id, camera_id) = (instant(key.0), key.1, &key.2);
            let detail = format!(
                "floor {floor_id}, camera {camera_id}, hour {hour}: events are not as recorded"
            );
            violate(report, "I4", detail);
        }
    }
}

fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MIN)
}

fn by_span(nodes: Vec<NodeRow>) -> BTreeMap<Span, NodeRow> {
    nodes.into_iter().map(|node| (node.span, node)).collect()
}
