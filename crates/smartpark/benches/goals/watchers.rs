//! Posts at a fixed rate while a thousand clients watch the live stream, and while none does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    Found,
    load::{Connection, Pace},
    options::Options,
    posts::post,
    report::{Goal, Line, Side, Unit},
    servers::{Server, prove, sqlite},
    traffic::{Traffic, get},
};

/// Events a second.
const RATE: f64 = 1_000.0;
/// Connections that post them.
const CONNECTIONS: usize = 16;
/// How long the watchers may take to come.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) fn measure(options: &Options) -> Found {
    let folder = options.folder();
    let (url, traffic) = (sqlite(folder.path(), "watched"), Arc::new(Traffic::past()));
    let park = Server::smartpark(&url).ready();
    let mut alone = Side::new("unwatched", Unit::Millis);
    let mut watched = Side::new("SmartPark", Unit::Millis);
    let mut each = Side::new("SmartPark", Unit::Kilobytes);
    let mut told = 0.0_f64;
    for _ in 0..options.rounds {
        let outcome = post(&park, &traffic, CONNECTIONS, Pace::Open(RATE), options.seconds);
        alone.rounds.push(outcome.percentile(0.99));
        let before = park.memory("VmRSS");
        let watchers = Watchers::come(park.address, options.watchers);
        let began = (Instant::now(), watchers.bytes());
        let outcome = post(&park, &traffic, CONNECTIONS, Pace::Open(RATE), options.seconds);
        watched.rounds.push(outcome.percentile(0.99));
        let bytes = watchers.bytes() - began.1;
        told = told.max(bytes as f64 / began.0.elapsed().as_secs_f64());
        assert!(bytes > 0, "nobody was told anything");
        let taken = (park.memory("VmRSS") - before).max(0.0);
        each.rounds.push(taken / 1e3 / options.watchers as f64);
    }
    // What the first watchers took stays with the process for those that follow.
    each.rounds.truncate(1);
    park.stop();
    prove(&url, traffic.taken());
    let name = format!("posts at 1 000/s, {} watchers", options.watchers);
    let told = format!("the watchers are told {:.0} MB/s", told / 1e6);
    let lines = vec![
        Line::ratio(&format!("{name}, p99"), watched, alone, Goal::RatioAtMost(1.5)).note(told),
        Line::figure("memory a watcher", each, Goal::AtMost(20.0)),
    ];
    Found { lines, skipped: Vec::new() }
}

/// Clients that read the live stream as fast as it comes. They go when this is dropped.
struct Watchers {
    bytes: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Watchers {
    /// Connects them; each has been told the floors.
    fn come(address: SocketAddr, count: usize) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread can be started");
        let (bytes, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut request = Vec::new();
        get("/stream", &mut request);
        let mut watching = JoinSet::new();
        for _ in 0..count {
            let (bytes, begun, request) = (Arc::clone(&bytes), Arc::clone(&begun), request.clone());
            watching.spawn_on(
                async move {
                    let mut first = 1;
                    let told = |length| {
                        bytes.fetch_add(length, Ordering::Relaxed);
                        begun.fetch_add(std::mem::take(&mut first), Ordering::Relaxed);
                    };
                    let mut connection = Connection::open(address).await?;
                    connection.watch(&request, told).await
                },
                runtime.handle(),
            );
        }
        watching.detach_all();
        let begin = Instant::now();
        while begun.load(Ordering::Relaxed) < count {
            assert!(begin.elapsed() < PATIENCE, "not all watchers were told the floors");
            std::thread::sleep(PAUSE);
        }
        Self { bytes, _runtime: runtime }
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}
