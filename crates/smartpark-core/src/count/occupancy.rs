//! Occupancy over time: a walk along the facts of one floor or several that sums up each step of
//! a window. Pure, and the same for every engine: it is given the facts one by one.

use super::{Fact, Moment, Walk, Walker};

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

/// A walk through a window, step by step.
#[derive(Debug)]
pub struct Occupancy {
    floors: Vec<(i64, Walk)>,
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
    /// before `end`; `floors` are, by their ids, as they stand before `start`.
    #[must_use]
    pub fn begin(floors: Vec<(i64, Walk)>, (start, end): (i64, i64), width: i64) -> Self {
        let count = floors.iter().map(|(_, floor)| floor.count).sum();
        let slots = floors.iter().map(|(_, floor)| floor.slots).sum();
        let open = Step::open(start, count, slots);
        let width = width.max(1);
        Self { floors, end, width, at: start, count, slots, open, area: 0, done: Vec::new() }
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

impl Walker for Occupancy {
    /// Takes in the next fact: not before those that were taken in already, not at or after the
    /// window's end. Facts of other floors than those of the beginning are passed over.
    fn take(&mut self, moment: Moment) {
        let walk = self.floors.iter_mut().find(|(id, _)| *id == moment.floor_id);
        let Some((_, walk)) = walk else { return };
        let before = *walk;
        walk.act(moment.act);
        let (count, slots) = (walk.count - before.count, walk.slots - before.slots);
        self.advance(moment.at);
        self.count += count;
        self.slots += slots;
        self.open.min = self.open.min.min(self.count);
        self.open.max = self.open.max.max(self.count);
        // A car that somebody counted in or out by hand is no event: no camera saw it.
        if moment.is_event {
            let (entries, exits) = moment.act.cars();
            self.open.entries += u64::from(entries);
            self.open.exits += u64::from(exits);
        }
    }
}

impl Step {
    fn open(start: i64, count: i64, slots: i64) -> Self {
        let (min, max, closing) = (count, count, count);
        Self { start, min, max, mean: 0.0, closing, slots, entries: 0, exits: 0 }
    }
}

impl Moment {
    /// The order in which facts of several floors are taken in: by place; adjustments after the
    /// events of their place; then by floor.
    #[must_use]
    pub fn rank(&self) -> (i64, bool, i64) {
        (self.at, !self.is_event, self.floor_id)
    }

    /// A fact of a floor, as walks take it.
    #[must_use]
    pub fn of(floor_id: i64, fact: &Fact) -> Self {
        Self { floor_id, at: fact.at, act: fact.act, is_event: fact.is_event() }
    }
}
