//! PostgreSQL, on a private server that syncs: groups of several sizes beside a plain client, one
//! to three servers that contend for the same floors, and statistics over many stored events.

use std::{
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Found, cleanup,
    load::{Load, Outcome, Pace, run},
    options::Options,
    plain::{Plain, connect, prove_sums},
    report::{Goal, Line, Side, Unit},
    servers::{self, Server, prove, prove_rows},
    stored::{block_on, fill, power, statistics},
    traffic::{Seen, Traffic},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
const GROUPS: [u64; 4] = [1, 64, 512, 4_096];
/// The group size that the goal speaks of.
const GOAL_GROUP: u64 = 512;
const MOST_SERVERS: usize = 3;

/// A PostgreSQL that is gone when this is dropped.
struct Cluster {
    folder: tempfile::TempDir,
    url: String,
}

impl Cluster {
    /// Starts one in a folder below `folder`.
    ///
    /// # Errors
    /// Why it does not start.
    fn start(folder: tempfile::TempDir) -> Result<Self, String> {
        let output = Command::new("bash")
            .args([SCRIPT, "start"])
            .arg(folder.path().join("cluster"))
            // Without syncs it would be no measure.
            .args(["fsync = on", "full_page_writes = on"])
            .output()
            .map_err(|error| format!("bash is needed: {error}"))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(complaint.lines().next_back().unwrap_or("no word").to_owned());
        }
        let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self { folder, url })
    }

    /// A new database with tables and floors.
    fn database(&self, name: &str) -> String {
        block_on(async {
            let client = connect(&self.url).await.expect("the server runs");
            let create = format!("CREATE DATABASE {name}");
            client.batch_execute(&create).await.expect("there is none of this name");
        });
        let url = format!("{}{name}", self.url.trim_end_matches("postgres"));
        servers::run(&url, &["seed"]);
        url
    }

    fn version(&self) -> String {
        block_on(async {
            let client = connect(&self.url).await.expect("the server runs");
            let row = client.query_one("SHOW server_version", &[]).await;
            row.expect("it has a version").get(0)
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let cluster = self.folder.path().join("cluster");
        Command::new("bash").args([SCRIPT, "stop"]).arg(cluster).status().ok();
    }
}

pub(crate) fn measure(options: &Options) -> Found {
    let mut found = Found::default();
    let folder = options.folder();
    // PostgreSQL runs as a user of its own, who must get there.
    let reached = Command::new("chmod").arg("a+rx").arg(folder.path()).status();
    reached.expect("chmod is everywhere");
    let cluster = match Cluster::start(folder) {
        Ok(cluster) => cluster,
        Err(why) => {
            found.skipped.push(format!("PostgreSQL: {why}"));
            return found;
        }
    };
    found.lines.extend(groups(&cluster, options));
    found.lines.extend(contention(&cluster, options));
    found.lines.extend(cleanup::lines("PostgreSQL, ", &cluster.database("cleanup"), options));
    found.lines.extend(many_stored(&cluster, options));
    let version = cluster.version();
    if let Some(last) = found.lines.pop() {
        let note = format!("PostgreSQL {version}, fsync on, synchronous_commit on");
        found.lines.push(last.note(note));
    }
    found
}

/// One server beside a plain client, at several sizes of groups.
fn groups(cluster: &Cluster, options: &Options) -> Vec<Line> {
    let (url, plain_url) = (cluster.database("groups"), cluster.database("plain"));
    let (traffic, plain_traffic) = (Arc::new(Traffic::past()), Traffic::past());
    let park = Server::smartpark(&url).ready();
    let new = |name: &str| GROUPS.map(|_| Side::new(name, Unit::PerSecond));
    let (mut ours, mut limits) = (new("SmartPark"), new("plain client"));
    block_on(async {
        let plain = Plain::open(&plain_url, plain_traffic.at(0)).await.expect("tables are there");
        for _ in 0..options.rounds {
            for ((group, ours), limit) in GROUPS.iter().zip(&mut ours).zip(&mut limits) {
                let rate = plain_rate(&plain, &plain_traffic, *group, options.seconds).await;
                limit.rounds.push(rate);
                ours.rounds.push(record(&park, &traffic, *group, 1, options.seconds));
            }
        }
    });
    park.stop();
    prove(&url, traffic.taken());
    block_on(prove_sums(&plain_url, plain_traffic.taken()));
    let sides = GROUPS.into_iter().zip(ours.into_iter().zip(limits));
    let lines = sides.map(|(group, (ours, limit))| {
        let goal = if group == GOAL_GROUP { Goal::RatioAtLeast(0.7) } else { Goal::None };
        Line::ratio(&format!("PostgreSQL, groups of {group}"), ours, limit, goal)
    });
    lines.collect()
}

/// Events a second that a server records in requests of this size.
fn record(
    park: &Server,
    traffic: &Arc<Traffic>,
    group: u64,
    connections: usize,
    seconds: f64,
) -> f64 {
    let traffic = Arc::clone(traffic);
    let (address, pace) = (park.address, Pace::Closed);
    let (requests, status): (crate::load::Requests, u16) = if group == 1 {
        (Arc::new(move |it: &mut Vec<u8>| traffic.post_one(it)), 201)
    } else {
        (Arc::new(move |it: &mut Vec<u8>| traffic.post_array(group, it)), 200)
    };
    let outcome: Outcome = run(&Load { address, connections, pace, seconds, requests, status });
    outcome.clean().capacity() * group as f64
}

/// Events a second that a plain client records in groups of this size.
async fn plain_rate(plain: &Plain, traffic: &Traffic, group: u64, seconds: f64) -> f64 {
    let (mut spent, mut rows) = (Duration::ZERO, 0);
    while spent.as_secs_f64() < seconds {
        let events: Vec<Seen> = traffic.take(group).collect();
        let begin = Instant::now();
        plain.record(events).await.expect("PostgreSQL records new events");
        spent += begin.elapsed();
        rows += group;
    }
    rows as f64 / spent.as_secs_f64()
}

/// One, two and three servers on the same floors, each with one connection that sends groups.
fn contention(cluster: &Cluster, options: &Options) -> Vec<Line> {
    let (url, traffic) = (cluster.database("contention"), Arc::new(Traffic::past()));
    let parks: Vec<Server> = (0..MOST_SERVERS).map(|_| Server::smartpark(&url).ready()).collect();
    let mut sides: Vec<Side> =
        (1..=MOST_SERVERS).map(|number| Side::new(&number.to_string(), Unit::PerSecond)).collect();
    for _ in 0..options.rounds {
        for (number, side) in sides.iter_mut().enumerate() {
            let rates: Vec<f64> = thread::scope(|scope| {
                let one = |park| record(park, &traffic, GOAL_GROUP, 1, options.seconds);
                let parks = parks[..=number].iter();
                let threads: Vec<_> = parks.map(|park| scope.spawn(move || one(park))).collect();
                threads.into_iter().map(|it| it.join().expect("no panic")).collect()
            });
            side.rounds.push(rates.iter().sum());
        }
    }
    parks.into_iter().for_each(Server::stop);
    prove(&url, traffic.taken());
    let mut sides = sides.into_iter();
    let one = Side { name: "one server".into(), ..sides.next().expect("there is one") };
    let lines = sides.map(|side| {
        let goal = if side.name == "3" { Goal::RatioAtLeast(1.0) } else { Goal::None };
        let name = format!("PostgreSQL, {} servers on the same floors", side.name);
        Line::ratio(&name, side, one.clone(), goal)
    });
    lines.collect()
}

/// Statistics of a day, with few and with many events stored.
fn many_stored(cluster: &Cluster, options: &Options) -> Vec<Line> {
    let sizes = [(options.rows / 100).max(1), options.rows];
    let filled = sizes.map(|rows| {
        let (url, traffic) = (cluster.database(&format!("stored{rows}")), Traffic::until_now(rows));
        eprintln!("filling PostgreSQL with {} events", power(rows));
        fill(&url, &traffic, rows);
        let server = Server::smartpark(&url).ready();
        (url, server)
    });
    let servers: Vec<(u64, &Server)> =
        sizes.into_iter().zip(filled.iter().map(|(_, server)| server)).collect();
    let lines = statistics("PostgreSQL, ", &servers, options);
    for ((url, server), rows) in filled.into_iter().zip(sizes) {
        server.stop();
        prove_rows(&url, rows);
        block_on(prove_sums(&url, rows));
    }
    lines
}
