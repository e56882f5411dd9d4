//! High availability as docs/deployment.md describes it: three machines with Patroni and etcd
//! (scripts/patroni, configured by examples/high-availability), two SmartPark servers on them. The
//! machine with the primary is killed, frozen, or taken off the network, under load. Nothing that
//! was acknowledged is lost, nothing counts twice, and recording goes on by itself.
//!
//! `scripts/availability` runs this; it takes root and minutes, so `scripts/test` does not.

use std::{
    env,
    fs::{OpenOptions, copy, create_dir_all},
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    cars::{FLOORS, seen},
    clients::{Clients, posts},
    proof::assert_whole,
};
use crate::cli::{Folder, Server, garage::Random};

/// Events for each time that the primary fails, and how long a connection pauses between two
/// posts: there must be load until the last failure is over.
const EVENTS_A_FAULT: usize = 8_000;
const PACE: Duration = Duration::from_millis(400);
/// Of so many posts one holds several events.
const POSTS_TO_ONE: usize = 400;

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");

/// The machines; ended and removed when they are dropped.
struct Machines {
    folder: tempfile::TempDir,
    url: String,
}

impl Machines {
    fn start() -> Self {
        // What a start that fails has made is removed, too.
        let mut machines = Self { folder: tempfile::tempdir().unwrap(), url: String::new() };
        machines.url = script(&["start", machines.folder.path().to_str().unwrap()]);
        machines
    }

    fn make(&self, action: &str, machine: &str) {
        script(&[action, self.folder.path().to_str().unwrap(), machine]);
    }

    fn primary(&self) -> String {
        script(&["primary", self.folder.path().to_str().unwrap()])
    }

    /// Copies what Patroni, PostgreSQL and etcd wrote to target/availability.
    fn keep_logs(&self) {
        for machine in ["1", "2", "3"] {
            let to = format!("{TARGET}/availability/{machine}");
            create_dir_all(&to).unwrap();
            for log in ["patroni.log", "etcd.log"] {
                let from = self.folder.path().join(machine).join(log);
                if let Err(error) = copy(&from, format!("{to}/{log}")) {
                    println!("{}: {error}", from.display());
                }
            }
        }
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep_logs();
        }
        script(&["stop", self.folder.path().to_str().unwrap()]);
    }
}

/// Runs scripts/patroni, which must go well; returns the last line that it printed.
fn script(args: &[&str]) -> String {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/patroni")).args(args);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    let told = String::from_utf8(ran.stdout).unwrap();
    told.lines().last().unwrap_or_default().to_owned()
}

/// Has the primary fail again and again under load, and proves what is stored.
fn primary_fails(fault: &str, heal: &str) {
    let times: usize = env::var("SMARTPARK_AVAILABILITY").map_or(1, |times| times.parse().unwrap());
    let machines = Machines::start();
    let folder = Folder::on_database(&machines.url, &FLOORS);
    let mut random = Random(2027);
    let cars = seen(EVENTS_A_FAULT * times, &mut random);
    let clients = Clients::new(&cars, posts(cars.len(), POSTS_TO_ONE, &mut random)).paced(PACE);
    let servers = [(); 2].map(|()| Server::start(&folder, &["--database", &machines.url]));
    let urls = servers.each_ref().map(|server| server.url.as_str());
    let mut takeovers = Vec::new();
    let journal = clients.run(&urls, |clients| {
        for _ in 0..times {
            clients.wait_for_more(500);
            let primary = machines.primary();
            let failed = Instant::now();
            machines.make(fault, &primary);
            machines.make("await-other", &primary);
            takeovers.push(failed.elapsed().as_secs_f64());
            // The new primary records before the old one is back.
            clients.wait_for_more(200);
            machines.make(heal, &primary);
            machines.make("await-whole", "");
        }
    });
    note(&json!({
        "fault": fault, "times": times, "events": cars.len(), "recorded": journal.recorded,
        "unavailable": journal.unavailable, "longest_pause_s": journal.longest_pause.as_secs_f64(),
        "takeovers_s": takeovers,
    }));
    assert_whole(&folder, &cars, &journal);
    assert_eq!(journal.lost, 0, "the servers themselves are well");
    for server in servers {
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
    }
}

/// Adds a line to target/availability.jsonl.
fn note(line: &serde_json::Value) {
    create_dir_all(TARGET).unwrap();
    let path = format!("{TARGET}/availability.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
    println!("{line}");
}

#[test]
fn a_primary_that_is_killed_loses_nothing() {
    primary_fails("kill", "boot");
}

#[test]
fn a_primary_that_is_frozen_loses_nothing() {
    primary_fails("freeze", "thaw");
}

#[test]
fn a_primary_that_is_cut_off_loses_nothing() {
    primary_fails("cut", "join");
}
