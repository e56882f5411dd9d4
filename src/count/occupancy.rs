//! Occupancy over time: a walk along the facts of one floor or several that sums up each step of
//! a window. Pure, and the same for every engine: it is given facts, some at a time.

use std::cmp::Ordering;

use super::{Act, Fact, Walk};

/// What happened in one step of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The first instant of the step, in microseconds since 1970 UTC.
    pub start: i64,
    /// The least count: of the one that the step begins with and all that follow in it.
    pub min: i64,
    /// The greatest count.
    pub max: i64,
    /// The mean over time.
    pub mean: f64,
    /// The count at the step's end.
    pub closing: i64,
    /// The capacity at the step's end.
    pub slots: i64,
    /// Events in, those to a full floor too.
    pub entries: u64,
    /// Events out, those from an empty floor too.
    pub exits: u64,
}

/// A floor's walk and the fact it has come to, while several are merged.
struct Merging {
    floor: usize,
    facts: std::iter::Peekable<std::vec::IntoIter<Fact>>,
}

/// A walk through a window, step by step.
#[derive(Debug)]
pub struct Occupancy {
    floors: Vec<Walk>,
    end: i64,
    width: i64,
    /// Where the walk stands.
    at: i64,
    count: i64,
    slots: i64,
    open: Step,
    /// Sum of count × microseconds in the open step.
    area: i128,
    done: Vec<Step>,
}

impl Occupancy {
    /// Begins a walk from `start` on, through steps of `width` microseconds, to the instant
    /// before `end`; `floors` are as they stand before `start`.
    #[must_use]
    pub fn begin(floors: Vec<Walk>, start: i64, end: i64, width: i64) -> Self {
        let count = floors.iter().map(|floor| floor.count).sum();
        let slots = floors.iter().map(|floor| floor.slots).sum();
        let open = Step::open(start, count, slots);
        let width = width.max(1);
        Self { floors, end, width, at: start, count, slots, open, area: 0, done: Vec::new() }
    }

    /// Takes in the next facts of every floor (in the order of `begin`), each list in its order;
    /// none of them before what was taken in already, none at or after the window's end.
    pub fn take(&mut self, facts: Vec<Vec<Fact>>) {
        let lists = facts.into_iter().enumerate();
        let mut lists: Vec<Merging> = lists
            .map(|(floor, facts)| Merging { floor, facts: facts.into_iter().peekable() })
            .collect();
        while let Some((floor, fact)) = next(&mut lists) {
            self.advance(fact.at);
            self.step(floor, &fact);
        }
    }

    /// Walks to the window's end; all steps.
    #[must_use]
    pub fn finish(mut self) -> Vec<Step> {
        self.advance(self.end);
        if self.at > self.open.start {
            self.close();
        }
        self.done
    }

    fn step(&mut self, floor: usize, fact: &Fact) {
        let Some(walk) = self.floors.get_mut(floor) else { return };
        let before = *walk;
        walk.step(fact);
        self.count += walk.count - before.count;
        self.slots += walk.slots - before.slots;
        self.open.min = self.open.min.min(self.count);
        self.open.max = self.open.max.max(self.count);
        // Adjustments of one car are no events: no camera saw it.
        if let super::Source::Event { .. } = fact.source {
            match fact.act {
                Act::Entry => self.open.entries += 1,
                Act::Exit => self.open.exits += 1,
                Act::Base(_) | Act::Recount(_) | Act::Capacity(_) => {}
            }
        }
    }

    /// Lets time pass up to `to`, closing the steps that end on the way.
    fn advance(&mut self, to: i64) {
        loop {
            let end = self.open.start.saturating_add(self.width);
            let until = to.min(end);
            self.area += i128::from(self.count) * i128::from((until - self.at).max(0));
            self.at = self.at.max(until);
            if to < end {
                return;
            }
            self.close();
            if self.at >= self.end {
                return;
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean is told to a few digits")]
    fn close(&mut self) {
        let lasted = self.at - self.open.start;
        self.open.mean =
            if lasted > 0 { self.area as f64 / lasted as f64 } else { self.count as f64 };
        self.open.closing = self.count;
        self.open.slots = self.slots;
        let next = Step::open(self.at, self.count, self.slots);
        self.done.push(std::mem::replace(&mut self.open, next));
        self.area = 0;
    }
}

impl Step {
    fn open(start: i64, count: i64, slots: i64) -> Self {
        let (min, max, closing) = (count, count, count);
        Self { start, min, max, mean: 0.0, closing, slots, entries: 0, exits: 0 }
    }
}

/// The earliest fact of all floors; of those at one instant, the first floor's.
fn next(lists: &mut [Merging]) -> Option<(usize, Fact)> {
    let mut best: Option<(usize, i64)> = None;
    for (place, list) in lists.iter_mut().enumerate() {
        let Some(fact) = list.facts.peek() else { continue };
        if best.is_none_or(|(_, at)| fact.at.cmp(&at) == Ordering::Less) {
            best = Some((place, fact.at));
        }
    }
    let list = lists.get_mut(best?.0)?;
    Some((list.floor, list.facts.next()?))
}
