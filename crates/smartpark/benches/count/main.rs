//! What the fold costs beside a bare counter, on a floor with a million events.
//!
//! The store is memory, so that only the fold is timed: what it computes, what it asks to be
//! loaded again in every transaction ([`Missing`]), and the rows that it leaves to be written.
//! Both counters look the event's key up and store the event; the bare one then adds ±1.
//!
//! A transaction is undone, outside the time that is taken, before the next one begins: every
//! one meets the same million events. Beside criterion's figures a table is printed whose ratios
//! come from one run of interleaved rounds.

mod floor;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use floor::{Floor, Way};

const SECOND: i64 = 1_000_000;
/// A lone event, and what gathers during one sync with 64 connections.
const GROUPS: [i64; 2] = [1, 64];
const ROUNDS: usize = 101;
/// Raw SQLite at these group sizes stores so many rows a second (performance.md): what one
/// event costs anyway, and so the measure of what the fold may add.
const SQLITE_ROWS_PER_SECOND: [f64; 2] = [2_300.0, 28_000.0];

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
