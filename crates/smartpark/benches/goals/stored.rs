//! What stays as it is, however much is stored: statistics, pages, recording, starting. Databases
//! of 10⁴ events up to the largest are filled once and measured side by side.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use smartpark::{Clock, Options as ParkOptions, SmartPark, limits};

use crate::{
    Found,
    load::Pace,
    options::Options,
    raw,
    reads::read,
    report::{Goal, Line, Side, Unit, grouped},
    servers::{Server, prove_rows, sqlite},
    traffic::{SPACING, Seen, Tracks, Traffic, instant},
};

/// The smallest database, and the one with which recording is compared.
const SMALLEST: u64 = 10_000;
const YOUNG: u64 = 100_000;
/// Requests a second, on so many connections: little enough that none waits for another.
const RATE: f64 = 200.0;
const CONNECTIONS: usize = 4;
/// Events in a group of recording.
const GROUP: usize = 512;
const STATISTICS: &str = "/statistics?hours=24";

/// A database of a certain age.
struct Filled {
    rows: u64,
    name: String,
    traffic: Traffic,
}

impl Filled {
    /// A database whose last event happens now.
    fn new(folder: &Path, rows: u64) -> Self {
        let (name, traffic) = (format!("stored{rows}"), Traffic::until_now(rows));
        eprintln!("filling a database with {} events", grouped(rows as f64));
        fill(&sqlite(folder, &name), &traffic, rows);
        Self { rows, name, traffic }
    }
}

pub(crate) fn measure(options: &Options) -> Found {
    let folder = options.folder();
    let sizes = std::iter::successors(Some(SMALLEST), |rows| rows.checked_mul(10));
    let mut sizes: Vec<u64> = sizes.take_while(|rows| *rows < options.rows).collect();
    sizes.push(options.rows);
    let filled: Vec<Filled> = sizes.iter().map(|rows| Filled::new(folder.path(), *rows)).collect();
    let url = |filled: &Filled| sqlite(folder.path(), &filled.name);
    let mut found = Found::default();

    let servers: Vec<Server> =
        filled.iter().map(|filled| Server::smartpark(&url(filled)).ready()).collect();
    let sides: Vec<(u64, &Server)> = sizes.iter().copied().zip(&servers).collect();
    found.lines.extend(statistics("", &sides, options));
    let oldest = filled.last().expect("there is at least one size");
    let server = servers.last().expect("each has a server");
    found.lines.extend(pages(server, oldest, options));
    servers.into_iter().for_each(Server::stop);

    found.lines.push(starts(&url(oldest), oldest.rows, options));
    let young = filled.iter().find(|filled| filled.rows == YOUNG).unwrap_or(&filled[0]);
    found.lines.extend(growth(&url(young), young, &url(oldest), oldest, options));
    for filled in &filled {
        prove_rows(&url(filled), filled.traffic.taken());
        raw::prove_sums(folder.path(), &filled.name, filled.traffic.taken());
    }
    found
}

/// Statistics of the last day, in databases of several sizes.
pub(crate) fn statistics(engine: &str, servers: &[(u64, &Server)], options: &Options) -> Vec<Line> {
    let mut typical: Vec<Side> =
        servers.iter().map(|(rows, _)| Side::new(&power(*rows), Unit::Millis)).collect();
    let mut worst = Side::new("SmartPark", Unit::Millis);
    for _ in 0..options.rounds {
        let mut waits = 0.0_f64;
        for ((_, server), side) in servers.iter().zip(&mut typical) {
            let outcome = read(server, STATISTICS, CONNECTIONS, Pace::Open(RATE), options.seconds);
            side.rounds.push(outcome.percentile(0.5));
            waits = waits.max(outcome.percentile(0.99));
        }
        worst.rounds.push(waits);
    }
    flat(&format!("{engine}GET /statistics, 24 h"), typical, worst)
}

/// A page of a hundred events, at several depths.
fn pages(server: &Server, oldest: &Filled, options: &Options) -> Vec<Line> {
    let Filled { rows, traffic, .. } = oldest;
    let depths = [0, rows / 100, rows / 2, rows - rows / 100];
    let mut typical: Vec<Side> =
        depths.map(|depth| Side::new(&format!("depth {depth}"), Unit::Millis)).into();
    let mut worst = Side::new("SmartPark", Unit::Millis);
    for _ in 0..options.rounds {
        let mut waits = 0.0_f64;
        for (depth, side) in depths.into_iter().zip(&mut typical) {
            let number = rows - 1 - depth;
            // Ids count from 1, in the order in which events were recorded.
            let path = format!("/events?cursor={}_{}", traffic.at(number), number + 1);
            let outcome = read(server, &path, CONNECTIONS, Pace::Open(RATE), options.seconds);
            side.rounds.push(outcome.percentile(0.5));
            waits = waits.max(outcome.percentile(0.99));
        }
        worst.rounds.push(waits);
    }
    flat(&format!("GET /events at any depth of {}", power(*rows)), typical, worst)
}

/// Two lines: that the last is not slower than the first, and that no case is slow.
fn flat(name: &str, typical: Vec<Side>, worst: Side) -> Vec<Line> {
    let all: Vec<String> =
        typical.iter().map(|side| format!("{} {:.2} ms", side.name, side.median())).collect();
    let medians = format!("medians: {}", all.join(", "));
    let mut sides = typical.into_iter();
    let first = sides.next().expect("there is at least one case");
    let last = sides.next_back().unwrap_or_else(|| first.clone());
    vec![
        Line::ratio(name, last, first, Goal::RatioAtMost(1.5)).note(medians),
        Line::figure(&format!("{name}, p99"), worst, Goal::AtMost(5.0)),
    ]
}

/// From the start of the program to its readiness.
fn starts(url: &str, rows: u64, options: &Options) -> Line {
    let mut times = Side::new("SmartPark", Unit::Millis);
    let mut crashed = times.clone();
    for _ in 0..options.rounds {
        for (side, in_order) in [(&mut times, true), (&mut crashed, false)] {
            let begin = Instant::now();
            let server = Server::smartpark(url).ready();
            side.rounds.push(begin.elapsed().as_secs_f64() * 1e3);
            // How it is ended is what the other kind of start finds.
            if in_order { server.kill() } else { server.stop() }
        }
    }
    let after = crashed.median();
    Line::figure(&format!("start on {} events", power(rows)), times, Goal::AtMost(1_000.0))
        .note(format!("after kill -9 {after:.0} ms"))
}

/// Recording into a large and into a young database, turn by turn.
fn growth(
    young_url: &str,
    young: &Filled,
    old_url: &str,
    old: &Filled,
    options: &Options,
) -> Vec<Line> {
    let kinds = [(Tracks::Counted, "counted tracks"), (Tracks::Drawn, "tracks in no order")];
    let new = |name: String| kinds.map(|_| Side::new(&name, Unit::PerSecond));
    let mut limits = new(format!("at {}", power(young.rows)));
    let mut ours = new("SmartPark".to_owned());
    let size = block_on(async {
        let young_park = open(young_url).await;
        let old_park = open(old_url).await;
        for _ in 0..options.rounds {
            for (place, (tracks, _)) in kinds.into_iter().enumerate() {
                for (park, filled, sides) in
                    [(&young_park, young, &mut limits), (&old_park, old, &mut ours)]
                {
                    let rate = rate(park, &filled.traffic, tracks, options.seconds).await;
                    sides[place].rounds.push(rate);
                }
            }
        }
        let stored = old_park.0.migrations().get_database_stats().await;
        let stored = stored.expect("the database can be read");
        young_park.0.close().await;
        old_park.0.close().await;
        stored.size_bytes as f64 / stored.events as f64
    });
    let name = format!("recording at {} events, groups of {GROUP}", power(old.rows));
    let sides = kinds.into_iter().zip(ours.into_iter().zip(limits));
    let lines = sides.map(|((_, kind), (ours, limit))| {
        let line = Line::ratio(&format!("{name}, {kind}"), ours, limit, Goal::RatioAtLeast(0.6));
        line.note(format!("{size:.0} bytes an event"))
    });
    lines.collect()
}

async fn rate(park: &Park, traffic: &Traffic, tracks: Tracks, seconds: f64) -> f64 {
    let (mut spent, mut rows) = (Duration::ZERO, 0);
    while spent.as_secs_f64() < seconds {
        spent += record(park, traffic.take_as(GROUP as u64, tracks).collect()).await;
        rows += GROUP;
    }
    rows as f64 / spent.as_secs_f64()
}

/// Records events until so many are stored; the database is created where there is none.
pub(crate) fn fill(url: &str, traffic: &Traffic, rows: u64) {
    block_on(async {
        let park = open(url).await;
        if park.0.floors().get_all_floors().await.expect("it can be read").is_empty() {
            park.0.seed().seed_floors().await.expect("it is empty");
        }
        while traffic.taken() < rows {
            let group = (limits::MAX_GROUP_ROWS as u64).min(rows - traffic.taken());
            record(&park, traffic.take(group).collect()).await;
        }
        park.0.close().await;
    });
}

/// A car park, and its clock, which goes with its events.
type Park = (SmartPark, Clock);

async fn open(url: &str) -> Park {
    let clock = Clock::fixed(Clock::system().now());
    let options = ParkOptions { clock: clock.clone(), ..ParkOptions::default() };
    (SmartPark::open_with(url, options).await.expect("it can be opened"), clock)
}

/// Records events as one group; how long it takes.
async fn record((park, clock): &Park, group: Vec<Seen>) -> Duration {
    if let Some(last) = group.last() {
        clock.set(instant(last.at + SPACING));
    }
    let events = group.into_iter().map(Seen::into_new).collect();
    let begin = Instant::now();
    let answers = park.events().record_events(events).await.expect("the database can be written");
    let taken = begin.elapsed();
    let new = |answer: smartpark::Result<smartpark::Recorded>| answer.is_ok_and(|it| !it.duplicate);
    assert!(answers.into_iter().all(new), "every event is new");
    taken
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime needs no more than a file").block_on(future)
}

/// A power of ten as people write it.
pub(crate) fn power(rows: u64) -> String {
    let exponent = rows.checked_ilog10().unwrap_or(0);
    if 10_u64.pow(exponent) != rows {
        return grouped(rows as f64);
    }
    let digits = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"];
    digits.get(exponent as usize).map_or(grouped(rows as f64), |digit| format!("10{digit}"))
}
