//! What the fold costs beside a bare counter, on a floor with a million events.
//!
//! The store is memory, so that only the fold is timed: what it computes, what it asks to be
//! loaded again in every transaction ([`Missing`]), and the rows that it leaves to be written.
//! Both counters look the event's key up and store the event; the bare one then adds ±1.
//!
//! A transaction is undone, outside the time that is taken, before the next one begins: every
//! one meets the same million events. Beside criterion's figures a table is printed whose ratios
//! come from one run of interleaved rounds.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput};
use smartpark::{
    Direction,
    count::{Fact, History, Level, Missing, NodeRow, Source, Span, Start},
};

const SECOND: i64 = 1_000_000;
const SLOTS: i64 = 50;
const SIX_HOURS: i64 = 6 * 3_600 * SECOND;
/// 2026-01-01, in microseconds since 1970.
const BEGIN: i64 = 1_767_225_600 * SECOND;
/// A lone event, and what gathers during one sync with 64 connections.
const GROUPS: [i64; 2] = [1, 64];
const ROUNDS: usize = 101;
/// Raw SQLite at these group sizes stores so many rows a second (performance.md): what one
/// event costs anyway, and so the measure of what the fold may add.
const SQLITE_ROWS_PER_SECOND: [f64; 2] = [2_300.0, 28_000.0];

/// A floor in memory. Every fact has an instant of its own, which serves as its key.
struct Floor {
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
        },
        act: direction.into(),
        id: n,
    }
}

impl Floor {
    /// A floor with so many events, one every `spacing` microseconds.
    fn with(events: i64, spacing: i64) -> Self {
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
    fn time(&mut self, way: Way, group: i64) -> Duration {
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
enum Way {
    BareCounter,
    OnTime,
    SixHoursLate,
}

const WAYS: [Way; 3] = [Way::BareCounter, Way::OnTime, Way::SixHoursLate];

/// The medians of interleaved rounds, in nanoseconds an event, in the order of [`WAYS`].
fn medians(floor: &mut Floor, group: i64) -> [f64; 3] {
    let mut rounds: [Vec<Duration>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (way, times) in WAYS.into_iter().zip(&mut rounds) {
            times.push(floor.time(way, group));
        }
    }
    rounds.map(|mut times| {
        times.sort();
        times[ROUNDS / 2].as_nanos() as f64 / group as f64
    })
}

fn print_ratios(name: &str, floor: &mut Floor) {
    println!("{name}: nanoseconds an event, medians of {ROUNDS} interleaved rounds");
    for (group, per_second) in GROUPS.into_iter().zip(SQLITE_ROWS_PER_SECOND) {
        let [bare, on_time, late] = medians(floor, group);
        let row = 1e9 / per_second;
        let added = |time: f64| (time - bare) / row * 100.0;
        println!(
            "  group of {group:>2}: bare {bare:.0}, on time {on_time:.0}, six hours late \
             {late:.0} (late / on time {:.2}); beside a raw SQLite row of {row:.0} they add \
             {:.1} % and {:.1} %",
            late / on_time,
            added(on_time),
            added(late),
        );
    }
}

fn main() {
    // `cargo test --benches` only asks whether it runs at all.
    let smoke = std::env::args().any(|argument| argument == "--test");
    let events = if smoke { 24_000 } else { 1_000_000 };
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for (name, seconds) in [("every 10 s", 10), ("every second", 1)] {
        let mut floor = Floor::with(events, seconds * SECOND);
        print_ratios(name, &mut floor);
        let mut benches = criterion.benchmark_group(name);
        for group in GROUPS {
            benches.throughput(Throughput::Elements(group as u64));
            for way in WAYS {
                let id = BenchmarkId::new(format!("{way:?}"), group);
                benches.bench_function(id, |bencher| {
                    bencher.iter_custom(|times| (0..times).map(|_| floor.time(way, group)).sum());
                });
            }
        }
        benches.finish();
    }
    criterion.final_summary();
}
