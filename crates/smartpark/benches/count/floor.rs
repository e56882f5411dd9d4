//! A floor in memory, with a bare counter and with the fold, and how long a transaction takes.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    hint::black_box,
    time::{Duration, Instant},
};

use smartpark::{
    Direction,
    count::{Fact, History, Level, Missing, NodeRow, Source, Span, Start},
};

const SLOTS: i64 = 50;
const SIX_HOURS: i64 = 6 * 3_600 * 1_000_000;
/// 2026-01-01, in microseconds since 1970.
const BEGIN: i64 = 1_767_225_600 * 1_000_000;

/// A floor in memory. Every fact has an instant of its own, which serves as its key.
pub(crate) struct Floor {
    facts: BTreeMap<i64, Fact>,
    rows: BTreeMap<Span, NodeRow>,
    start: Start,
    events: i64,
    spacing: i64,
}

/// What a transaction changed, so that it can be taken back.
struct Undo {
    instants: Vec<i64>,
    rows: Vec<(Span, Option<NodeRow>)>,
    start: Start,
}

fn event(n: i64, at: i64) -> Fact {
    // Cars come and go by turns, with a rush now and then that fills the floor or empties it.
    let rush = n / 200 % 7;
    let is_entry = match rush {
        0 => n % 3 != 0,
        3 => n % 3 == 0,
        _ => n % 2 == 0,
    };
    let direction = if is_entry { Direction::Entry } else { Direction::Exit };
    Fact {
        at,
        source: Source::Event {
            camera_id: format!("cam_{:03}", n % 8),
            track_id: format!("track_{n}"),
            direction,
            timestamp: at,
        },
        act: direction.into(),
        id: n,
    }
}

impl Floor {
    /// A floor with so many events, one every `spacing` microseconds.
    pub(crate) fn with(events: i64, spacing: i64) -> Self {
        let start = Start { count: 0, slots: SLOTS, latest: None, base: 0 };
        let mut floor =
            Self { facts: BTreeMap::new(), rows: BTreeMap::new(), start, events, spacing };
        for first in (0..events).step_by(4_000) {
            let group = (first..first + 4_000).map(|n| event(n, BEGIN + n * spacing));
            floor.record(group.collect());
        }
        floor
    }

    /// `group` events that lie `late` microseconds before the latest, between the known ones.
    fn events(&self, group: i64, late: i64) -> Vec<Fact> {
        let latest = BEGIN + (self.events - 1) * self.spacing;
        let first = latest - late + self.spacing / 2;
        (0..group).map(|n| event(self.events + n, first + n * self.spacing)).collect()
    }

    /// One transaction of the bare counter.
    fn count_only(&mut self, events: Vec<Fact>) -> Undo {
        let mut undo = self.undo();
        for fact in events {
            let at = fact.at;
            let step = fact.act.clamp(self.start.slots);
            if let Entry::Vacant(place) = self.facts.entry(at) {
                place.insert(fact);
                self.start.count = step.apply(self.start.count);
                undo.instants.push(at);
            }
        }
        undo
    }

    /// One transaction with the fold.
    fn record(&mut self, events: Vec<Fact>) -> Undo {
        let mut undo = self.undo();
        let mut history = History::new(self.start);
        for fact in events {
            let at = fact.at;
            if self.facts.contains_key(&at) {
                continue;
            }
            self.facts.insert(at, fact.clone());
            let _ = loop {
                match history.record(fact.clone()) {
                    Ok(effect) => break black_box(effect),
                    Err(missing) => self.load(&mut history, missing, at),
                }
            };
            undo.instants.push(at);
        }
        for row in history.changed() {
            undo.rows.push((row.span, self.rows.insert(row.span, *row)));
        }
        self.start.count = history.count();
        self.start.latest = history.latest();
        undo
    }

    /// Answers what is missing from the rows and facts; `own` is not part of history yet.
    fn load(&self, history: &mut History, missing: Missing, own: i64) {
        let day = |start| Span { level: Level::DAY, start };
        let rows: Vec<NodeRow> = match missing {
            Missing::DaysFrom(from) => {
                let before = self.rows.range(day(i64::MIN)..day(from)).next_back();
                let after = self.rows.range(day(from)..=day(i64::MAX));
                before.into_iter().chain(after).map(|(_, row)| *row).collect()
            }
            Missing::DayBefore(at) => {
                let found = self.rows.range(day(i64::MIN)..=day(at)).next_back();
                found.into_iter().map(|(_, row)| *row).collect()
            }
            Missing::Path(at) => {
                Span::path(at).filter_map(|span| self.rows.get(&span).copied()).collect()
            }
            Missing::Children(Span { level, start }) => {
                let end = start + level.width();
                let level = Level::from_number(level.number() + 1).expect("a divided span");
                let below = Span { level, start }..Span { level, start: end };
                self.rows.range(below).map(|(_, row)| *row).collect()
            }
            Missing::Facts(span) => {
                let facts = self.facts.range(span.start..span.end());
                let facts = facts.filter(|(at, _)| **at != own);
                let facts = facts.map(|(_, fact)| fact.clone()).collect();
                return history.learn_facts(span, SLOTS, facts);
            }
            Missing::Whole(_) | Missing::Behind(_) => panic!("nothing is taken away or pulled"),
        };
        history.learn_nodes(missing, rows);
    }

    fn undo(&self) -> Undo {
        Undo { instants: Vec::new(), rows: Vec::new(), start: self.start }
    }

    fn take_back(&mut self, undo: Undo) {
        for at in undo.instants {
            self.facts.remove(&at);
        }
        for (span, row) in undo.rows {
            match row {
                Some(row) => _ = self.rows.insert(span, row),
                None => _ = self.rows.remove(&span),
            }
        }
        self.start = undo.start;
    }

    /// How long one transaction takes.
    pub(crate) fn time(&mut self, way: Way, group: i64) -> Duration {
        let late = if way == Way::SixHoursLate { SIX_HOURS } else { 0 };
        let events = self.events(group, late);
        let begin = Instant::now();
        let undo = match way {
            Way::BareCounter => self.count_only(events),
            Way::OnTime | Way::SixHoursLate => self.record(events),
        };
        let taken = begin.elapsed();
        self.take_back(undo);
        taken
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    BareCounter,
    OnTime,
    SixHoursLate,
}
