//! What occupancy over time costs: thirty days with a million events on four floors, through the
//! public API, on every engine there is.
//!
//! `cargo bench --bench history` (some minutes, most of them to fill), or with fewer events
//! `cargo bench --bench history -- 20000`. With `SMARTPARK_BENCH_POSTGRES=postgres://…`, the URL of
//! an empty database, PostgreSQL too.

use std::time::Instant;

use smartpark::{
    Clock, Direction, NewEvent, NewFloor, Options, SmartPark, Timestamp, VehicleType, limits,
};

const DAYS: i64 = 30;
const ROUNDS: usize = 5;

fn main() {
    // `cargo test --benches` only asks whether it runs at all.
    let smoke = std::env::args().any(|argument| argument == "--test");
    let events = std::env::args().find_map(|argument| argument.parse().ok());
    let events = events.unwrap_or(if smoke { 2_000 } else { 1_000_000 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}/bench.db", folder.path().display());
    runtime.block_on(run("SQLite", &sqlite, events));
    if let Ok(url) = std::env::var("SMARTPARK_BENCH_POSTGRES") {
        runtime.block_on(run("PostgreSQL", &url, events));
    }
}

async fn run(engine: &str, url: &str, events: i64) {
    let clock = Clock::fixed("2026-02-12T12:00:00Z".parse().unwrap());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let park = SmartPark::open_with(url, options).await.unwrap();
    let now = clock.now();
    let begin = Instant::now();
    fill(&park, now, events).await;
    println!("{engine}: {events} events in {:.0} s", begin.elapsed().as_secs_f64());
    let windows = [
        ("site, 30 days", None, DAYS * 24, None),
        ("a floor, 30 days", Some(1), DAYS * 24, None),
        ("site, 7 days by the hour", None, 7 * 24, Some(3_600)),
        ("site, 24 hours", None, 24, None),
    ];
    for (name, floor_id, hours, step) in windows {
        let mut times = Vec::new();
        let mut seen = 0;
        for _ in 0..ROUNDS {
            let start = now - span(hours);
            let begin = Instant::now();
            let history = park.floors().get_history(floor_id, start, now, step).await.unwrap();
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            seen = history.steps.iter().map(|step| step.entries + step.exits).sum();
        }
        times.sort_by(f64::total_cmp);
        println!("{engine}, {name}: {:.0} ms, {seen} events", times[ROUNDS / 2]);
    }
    let begin = Instant::now();
    park.get_attention().await.unwrap();
    println!("{engine}, what needs a person: {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    park.close().await;
}

fn span(hours: i64) -> std::time::Duration {
    std::time::Duration::from_secs(hours.unsigned_abs() * 3_600)
}

/// Four floors that fill by day and empty by night, each with two cameras.
async fn fill(park: &SmartPark, now: Timestamp, events: i64) {
    let mut floors = Vec::new();
    for name in ["A", "B", "C", "D"] {
        floors.push(park.floors().add_floor(NewFloor::new(name, 300)).await.unwrap().id);
    }
    let (mut sent, spacing) = (0, DAYS * 86_400_000_000 / events);
    while sent < events {
        let group = (events - sent).min(limits::MAX_GROUP_ROWS as i64);
        let batch = (sent..sent + group).map(|n| {
            let at = now.as_microsecond() - (events - n) * spacing;
            let floor_id = floors[(n % 4) as usize];
            let entries = if at / 3_600_000_000 % 24 < 14 { 52 } else { 48 };
            let way = if n * 37 % 101 < entries { Direction::Entry } else { Direction::Exit };
            let camera = format!("cam_{floor_id}{}", n % 2);
            let event =
                NewEvent::new(camera, floor_id, format!("track_{n}"), VehicleType::Car, way);
            event.at(Timestamp::from_microsecond(at).unwrap())
        });
        for result in park.events().record_events(batch.collect()).await.unwrap() {
            result.unwrap();
        }
        sent += group;
    }
}
