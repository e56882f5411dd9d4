//! What it costs to judge what was sent, and to write what is answered.
//!
//! Judging is timed by itself. Writing is what an answer over HTTP costs beside the same read of
//! the library: the routes, the guards and the JSON, without a socket.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
};
use criterion::{Criterion, Throughput};
use smartpark::{
    Direction, EventFilter, NewEvent, SmartPark, VehicleType,
    http::{HttpConfig, router},
    intake::{Input, read_events},
};
use tokio::runtime::Runtime;
use tower_service::Service;

/// Events of a batch, and of the longest page.
const MANY: u32 = 1_000;

/// An event as a camera sends it.
fn sent(number: u32) -> String {
    format!(
        r#"{{"camera_id":"cam_{}","floor_id":{},"track_id":"track_{number}","vehicle_type":"car","#,
        number % 8,
        number % 4 + 1
    ) + r#""direction":"entry","confidence":0.92,"timestamp":"2026-02-12T12:30:45.25+02:00"}"#
}

fn judging(criterion: &mut Criterion) {
    let one = sent(1);
    let many = format!("[{}]", (0..MANY).map(sent).collect::<Vec<_>>().join(","));
    let wrong = one.replace("car", "boat").replace("0.92", "7");
    let mut group = criterion.benchmark_group("judging");
    for (name, text, events, good) in [
        ("an event", &one, 1, 1),
        ("an event with two faults", &wrong, 1, 0),
        ("an array of a thousand", &many, u64::from(MANY), u64::from(MANY)),
    ] {
        assert_eq!(fitting(text), good, "{name}");
        group.throughput(Throughput::Elements(events));
        group.bench_function(name, |bencher| bencher.iter(|| fitting(text)));
    }
    group.finish();
}

/// How many events of a body fit.
fn fitting(text: &str) -> u64 {
    match read_events(text.as_bytes()).expect("it is JSON") {
        Input::One(event) => u64::from(event.is_ok()),
        Input::Many(events) => events.iter().filter(|event| event.is_ok()).count() as u64,
        Input::TooMany => 0,
    }
}

fn writing(criterion: &mut Criterion, runtime: &Runtime, park: &SmartPark) {
    let config = HttpConfig { no_auth: true, ..HttpConfig::default() };
    let mut routes = router(park.clone(), &config);
    let mut group = criterion.benchmark_group("answering");
    for (name, path, limit) in [
        ("a page of one event", "/events?limit=1", 1),
        ("a page of a thousand", "/events?limit=1000", MANY),
    ] {
        let all = EventFilter::default;
        let read = || runtime.block_on(park.events().get_events(all(), limit, None));
        assert_eq!(read().expect("they can be read").events.len(), limit as usize);
        let body = runtime.block_on(get(&mut routes, path));
        assert_eq!(body.matches("track_id").count(), limit as usize);
        group.throughput(Throughput::Elements(limit.into()));
        group.bench_function(format!("{name}: the read"), |bencher| bencher.iter(read));
        group.bench_function(format!("{name}: the answer"), |bencher| {
            bencher.iter(|| runtime.block_on(get(&mut routes, path)));
        });
    }
    group.bench_function("the floors, written before", |bencher| {
        bencher.iter(|| runtime.block_on(get(&mut routes, "/floors")));
    });
    group.finish();
}

/// The body of an answer.
async fn get(routes: &mut Router, path: &str) -> String {
    let request = Request::get(path).header("host", "localhost");
    let request = request.body(Body::empty()).expect("it is a path");
    let Ok(response) = routes.call(request).await;
    assert!(response.status().is_success(), "{path}");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("it is in memory");
    String::from_utf8(body.into()).expect("JSON is UTF-8")
}

/// A car park with a thousand events.
async fn filled(url: &str) -> SmartPark {
    let park = SmartPark::open(url).await.expect("the folder can be written");
    park.seed().seed_floors().await.expect("it is new");
    let at = park.options().clock.now();
    let events = (0..MANY).map(|number| {
        let track = format!("track_{number}");
        let floor_id = i64::from(number % 4) + 1;
        NewEvent::new("cam_1", floor_id, track, VehicleType::Car, Direction::Entry).at(at)
    });
    let recorded = park.events().record_events(events.collect()).await.expect("it can be written");
    assert!(recorded.iter().all(Result::is_ok));
    park
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    judging(&mut criterion);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs no more than a file");
    let folder = tempfile::tempdir().expect("there is a folder for such files");
    let url = format!("sqlite://{}/wire.db", folder.path().display());
    let park = runtime.block_on(filled(&url));
    writing(&mut criterion, &runtime, &park);
    runtime.block_on(park.close());
    criterion.final_summary();
}
