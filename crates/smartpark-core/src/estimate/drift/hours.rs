//! The facts of a floor, hour by hour.

use jiff::{Timestamp, tz::TimeZone};

use super::particles::Stretch;

/// Seconds in an hour.
pub(super) const HOUR: i64 = 3600;

/// What the operator expects at the quiet hour of a night.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualNight {
    /// Vehicles on the floor.
    pub vehicles: f64,
    /// 95 % of nights lie within so many vehicles of it.
    pub plus_minus: f64,
}

/// A floor and its facts: whole hours from `begin` on, without a gap.
///
/// Begin at the floor's first fact, or 120 days ago if that is later.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// The site's time zone: nights and weekends are local.
    pub zone: TimeZone,
    /// The first instant of the first hour.
    pub begin: Timestamp,
    /// Slots at that instant.
    pub slots: i64,
    /// One element an hour.
    pub hours: Vec<Hour>,
    /// What the operator expects, if anything.
    pub usual_night: Option<UsualNight>,
}

/// The facts of one hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hour {
    /// Events and adjustments in their order.
    pub pieces: Vec<Piece>,
    /// For each camera of the floor, always in the same order: its entries and exits.
    pub cameras: Vec<(u32, u32)>,
    /// The ledger's count when the hour ends.
    pub count: i64,
    /// Entries into the full floor.
    pub at_limit_full: u32,
    /// Exits from the empty floor.
    pub at_limit_empty: u32,
}

/// A part of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Events.
    Stretch(Stretch),
    /// A person counted.
    Recount {
        /// When.
        at: Timestamp,
        /// The ledger's count just before.
        before: i64,
        /// What the person found.
        found: i64,
    },
    /// The floor has so many slots from here on.
    Slots(i64),
}

/// A fact for [`hours`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: FactKind,
}

/// What a fact says. Of one instant, events come first and act together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    /// A vehicle came in; the number of the camera.
    Entry(usize),
    /// A vehicle left; the number of the camera.
    Exit(usize),
    /// The floor has so many slots from here on.
    Slots(i64),
    /// A person found so many vehicles.
    Recount(i64),
}

/// Divides facts, given in any order, into `count` hours from `begin` on. Facts outside are left
/// out. The count is folded as the ledger does it: it starts at 0 and stays within 0..slots.
#[must_use]
pub fn hours(begin: Timestamp, slots: i64, count: usize, facts: &[Fact]) -> Vec<Hour> {
    let mut facts = facts.to_vec();
    facts.sort_unstable();
    let camera = |fact: &Fact| match fact.kind {
        FactKind::Entry(camera) | FactKind::Exit(camera) => Some(camera),
        FactKind::Slots(_) | FactKind::Recount(_) => None,
    };
    let cameras = facts.iter().filter_map(camera).max().map_or(0, |last| last + 1);
    let mut fold = Fold { slots, ..Fold::default() };
    let mut next = facts.partition_point(|fact| fact.at < begin);
    let mut hours = Vec::with_capacity(count);
    for number in 1..=i64::try_from(count).unwrap_or(i64::MAX) {
        let end = begin.as_second() + number * HOUR;
        let past = next + facts[next..].partition_point(|fact| fact.at.as_second() < end);
        fold.hour = Hour { cameras: vec![(0, 0); cameras], ..Hour::default() };
        for instant in facts[next..past].chunk_by(|a, b| a.at == b.at) {
            fold.instant(instant);
        }
        next = past;
        fold.close();
        hours.push(Hour { count: fold.count, ..std::mem::take(&mut fold.hour) });
    }
    hours
}

#[derive(Default)]
struct Fold {
    count: i64,
    slots: i64,
    hour: Hour,
    stretch: Stretch,
    /// Entries minus exits since the stretch began.
    sum: i64,
}

impl Fold {
    /// Takes the facts of one instant.
    fn instant(&mut self, facts: &[Fact]) {
        let mut net = 0;
        let mut events = (0, 0);
        for fact in facts {
            match fact.kind {
                FactKind::Entry(camera) => {
                    events.0 += 1;
                    self.hour.cameras[camera].0 += 1;
                    net += 1;
                }
                FactKind::Exit(camera) => {
                    events.1 += 1;
                    self.hour.cameras[camera].1 += 1;
                    net -= 1;
                }
                FactKind::Slots(_) | FactKind::Recount(_) => {}
            }
        }
        self.events(events, net);
        for fact in facts {
            match fact.kind {
                FactKind::Entry(_) | FactKind::Exit(_) => {}
                FactKind::Slots(slots) => self.resize(slots.max(0)),
                FactKind::Recount(found) => self.recount(fact.at, found.max(0)),
            }
        }
    }

    fn events(&mut self, events: (u32, u32), net: i64) {
        self.stretch.entries += events.0;
        self.stretch.exits += events.1;
        self.sum += net;
        self.stretch.low = self.stretch.low.min(self.sum);
        self.stretch.high = self.stretch.high.max(self.sum);
        let free = self.count + net;
        let cut = |beyond: i64| u32::try_from(beyond.max(0)).unwrap_or(u32::MAX);
        self.hour.at_limit_full += cut(free - self.slots);
        self.hour.at_limit_empty += cut(-free);
        self.count = free.clamp(0, self.slots);
    }

    fn resize(&mut self, slots: i64) {
        self.close();
        self.hour.pieces.push(Piece::Slots(slots));
        self.slots = slots;
        self.count = self.count.min(slots);
    }

    fn recount(&mut self, at: Timestamp, found: i64) {
        self.close();
        self.hour.pieces.push(Piece::Recount { at, before: self.count, found });
        self.count = found.min(self.slots);
    }

    /// Ends the stretch.
    fn close(&mut self) {
        let stretch = std::mem::take(&mut self.stretch);
        self.sum = 0;
        if stretch != Stretch::default() {
            self.hour.pieces.push(Piece::Stretch(stretch));
        }
    }
}
