//! What displays ask for all the time: the floors and the one to go to, beside constant JSON from
//! the same stack; and whether they wait for a writer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    Found, limit,
    load::{Load, Outcome, Pace, run},
    options::Options,
    report::{Goal, Line, Side, Unit},
    servers::{Server, prove, sqlite},
    stored::fill,
    traffic::{Traffic, get},
};

const CONNECTIONS: usize = 64;
/// Events that are stored meanwhile.
const STORED: u64 = 100_000;
/// Reads a second beside a writer.
const BESIDE: f64 = 200.0;
/// Events of the requests that keep the writer busy.
const BATCH: u64 = 10_000;

pub(crate) fn measure(options: &Options) -> Found {
    let folder = options.folder();
    let url = sqlite(folder.path(), "reads");
    let traffic = Arc::new(Traffic::past());
    fill(&url, &traffic, STORED.min(options.rows));
    let park = Server::smartpark(&url).ready();
    let limit = limit::start(park.address, &traffic);
    let mut found = Found::default();
    for path in ["/floors", "/floors/recommended"] {
        let mut ours = Side::new("SmartPark", Unit::PerSecond);
        let mut constant = Side::new("constant", Unit::PerSecond);
        for _ in 0..options.rounds {
            let read = |from| read(from, path, CONNECTIONS, Pace::Closed, options.seconds);
            constant.rounds.push(read(&limit).per_second());
            ours.rounds.push(read(&park).per_second());
        }
        let name = format!("GET {path}, {CONNECTIONS} connections");
        found.lines.push(Line::ratio(&name, ours, constant, Goal::RatioAtLeast(0.9)));
    }
    found.lines.push(beside_a_writer(&park, &limit, &traffic, options));
    park.stop();
    limit.stop();
    prove(&url, traffic.taken());
    found
}

/// GET of one path.
pub(crate) fn read(
    from: &Server,
    path: &str,
    connections: usize,
    pace: Pace,
    seconds: f64,
) -> Outcome {
    let mut request = Vec::new();
    get(path, &mut request);
    let requests = Arc::new(move |buffer: &mut Vec<u8>| buffer.extend_from_slice(&request));
    let address = from.address;
    run(&Load { address, connections, pace, seconds, requests, status: 200 }).clean()
}

/// Reads while transactions of thousands of rows follow each other. The constant is read in the
/// same noise: what is above it is waiting.
fn beside_a_writer(
    park: &Server,
    limit: &Server,
    traffic: &Arc<Traffic>,
    options: &Options,
) -> Line {
    let mut ours = Side::new("SmartPark", Unit::Millis);
    let mut constant = Side::new("constant", Unit::Millis);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let traffic = Arc::clone(traffic);
                run(&Load {
                    address: park.address,
                    connections: 1,
                    pace: Pace::Closed,
                    seconds: options.seconds,
                    requests: Arc::new(move |it: &mut Vec<u8>| traffic.post_array(BATCH, it)),
                    status: 200,
                })
                .clean();
            }
        });
        for _ in 0..options.rounds {
            for (server, side) in [(limit, &mut constant), (park, &mut ours)] {
                let outcome = read(server, "/floors", 4, Pace::Open(BESIDE), options.seconds);
                side.rounds.push(outcome.percentile(0.99));
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    let name = "GET /floors beside batches of 10 000, p99";
    Line::ratio(name, ours, constant, Goal::None)
}
