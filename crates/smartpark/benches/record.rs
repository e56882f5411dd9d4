//! What recording costs, on time and six hours late, on a floor with a million events: durable,
//! through the public API, on the embedded database. Prints ratios of interleaved rounds, as
//! absolute times wander on shared machines.
//!
//! `cargo bench --bench record` (about two minutes), or with a smaller floor
//! `cargo bench --bench record -- 20000`.

use std::time::{Duration, Instant};

use smartpark::{
    Clock, Direction, NewEvent, NewFloor, Options, SmartPark, Timestamp, VehicleType, limits,
};

const SPACING_SECONDS: i64 = 10;
const LATE_SECONDS: i64 = 6 * 3_600;
const ROUNDS: usize = 7;

fn main() {
    // `cargo test --benches` only asks whether it runs at all.
    let smoke = std::env::args().any(|argument| argument == "--test");
    let events = std::env::args().find_map(|argument| argument.parse().ok());
    let events = events.unwrap_or(if smoke { 2_000 } else { 1_000_000 });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(run(events));
}

/// A floor whose events lie [`SPACING_SECONDS`] apart and end now.
struct Busy {
    park: SmartPark,
    clock: Clock,
    floor_id: i64,
    sent: i64,
}

async fn run(events: i64) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/bench.db", folder.path().display());
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let options = Options { clock: clock.clone(), ..Options::default() };
    let park = SmartPark::open_with(&url, options).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("Busy", 200)).await.unwrap();
    let mut busy = Busy { park, clock, floor_id: floor.id, sent: 0 };

    let begin = Instant::now();
    while busy.sent < events {
        busy.record(limits::MAX_GROUP_ROWS, 0).await;
    }
    let filled = begin.elapsed().as_secs_f64();
    println!("filled: {} events, {:.0} events/s", busy.sent, busy.sent as f64 / filled);

    for group in [1, 64, 512] {
        let mut rounds: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (late, times) in [0, LATE_SECONDS].into_iter().zip(&mut rounds) {
                let repeat = 512 / group;
                let mut spent = Duration::ZERO;
                for _ in 0..repeat {
                    spent += busy.record(group, late).await;
                }
                times.push(spent.as_secs_f64() * 1e6 / (repeat * group) as f64);
            }
        }
        let [on_time, late] = rounds.map(median);
        println!(
            "groups of {group:>3}: on time {on_time:7.1} µs an event, \
             six hours late {late:7.1} µs, ratio {:.2}",
            late / on_time
        );
    }
    let report = busy.park.check(false).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.violations);
    let stored = busy.park.migrations().get_database_stats().await.unwrap();
    assert_eq!(stored.events, busy.sent.unsigned_abs());
    println!("check: clean, {} events stored, as sent", stored.events);
    println!("size: {:.0} bytes an event", stored.size_bytes as f64 / stored.events as f64);
}

impl Busy {
    /// Records a group of new events that happened `late` seconds before now.
    async fn record(&mut self, group: usize, late: i64) -> Duration {
        let events = (0..group)
            .map(|_| {
                self.sent += 1;
                let at = Timestamp::from_second(self.sent * SPACING_SECONDS - late).unwrap();
                // Some thirty cars come, then some thirty go: the count moves, and meets its limit.
                let way = if self.sent / 30 % 2 == 0 { Direction::Entry } else { Direction::Exit };
                let (camera, track) =
                    (format!("cam_{:02}", self.sent % 8), format!("track_{}", self.sent));
                NewEvent::new(camera, self.floor_id, track, VehicleType::Car, way).at(at)
            })
            .collect();
        self.clock.set(Timestamp::from_second(self.sent * SPACING_SECONDS).unwrap());
        let begin = Instant::now();
        for result in self.park.events().record_events(events).await.unwrap() {
            assert!(!result.unwrap().duplicate);
        }
        begin.elapsed()
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
