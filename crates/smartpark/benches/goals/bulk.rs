//! Many at once: requests with a thousand events, and the import of a file, beside S.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use smartpark::limits;

use crate::{
    Found,
    load::{Load, Pace, run},
    machine,
    options::Options,
    raw::Raw,
    report::{Goal, Line, Side, Unit},
    servers::{self, PROGRAM, Server, prove, sqlite},
    traffic::{Seen, Traffic},
};

/// Events of one request.
const BATCH: u64 = 1_000;
/// How often the memory of an import is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Writes a request with so many events.
type Form = fn(&Traffic, u64, &mut Vec<u8>);

pub(crate) fn batches(options: &Options) -> Found {
    let folder = options.folder();
    let (mut raw, raw_traffic) = (Raw::create(folder.path(), "raw"), Traffic::past());
    let mut limit = Side::new("S", Unit::PerSecond);
    let forms: [(&str, Form); 2] =
        [("array", Traffic::post_array), ("NDJSON", Traffic::post_lines)];
    // A database for each, since what a row costs grows with those that are there, also in S.
    let parks = forms.map(|(name, _)| {
        let url = sqlite(folder.path(), name);
        (Server::smartpark(&url).ready(), url, Arc::new(Traffic::past()))
    });
    let mut sides = forms.map(|(name, _)| Side::new(name, Unit::PerSecond));
    for _ in 0..options.rounds {
        limit.rounds.push(raw_rate(&mut raw, &raw_traffic, BATCH, options.seconds));
        for (((_, write), side), (park, _, traffic)) in
            forms.into_iter().zip(&mut sides).zip(&parks)
        {
            let traffic = Arc::clone(traffic);
            let outcome = run(&Load {
                address: park.address,
                connections: 1,
                pace: Pace::Closed,
                seconds: options.seconds,
                requests: Arc::new(move |request: &mut Vec<u8>| write(&traffic, BATCH, request)),
                status: 200,
            });
            side.rounds.push(outcome.clean().capacity() * BATCH as f64);
        }
    }
    for (park, url, traffic) in parks {
        park.stop();
        prove(&url, traffic.taken());
    }
    raw.prove(raw_traffic.taken());
    let lines = sides.map(|side| {
        let name = format!("batch of 1 000 as {}, 1 connection", side.name);
        Line::ratio(&name, side, limit.clone(), Goal::RatioAtLeast(0.75))
    });
    Found { lines: lines.into(), skipped: Vec::new() }
}

/// Rows a second that S records in groups of this size.
pub(crate) fn raw_rate(raw: &mut Raw, traffic: &Traffic, group: u64, seconds: f64) -> f64 {
    let (mut spent, mut rows) = (Duration::ZERO, 0);
    while spent.as_secs_f64() < seconds {
        let events: Vec<Seen> = traffic.take(group).collect();
        let begin = Instant::now();
        raw.record(events.into_iter());
        spent += begin.elapsed();
        rows += group;
    }
    rows as f64 / spent.as_secs_f64()
}

pub(crate) fn import(options: &Options) -> Found {
    let folder = options.folder();
    let rows = options.import_rows;
    let file = folder.path().join("events.ndjson");
    let mut text = Vec::new();
    Traffic::past().write_lines(rows, &mut text);
    fs::write(&file, text).expect("the target folder has room");
    let mut ours = Side::new("SmartPark", Unit::PerSecond);
    let mut limit = Side::new("S", Unit::PerSecond);
    let mut memory = Side::new("SmartPark", Unit::Megabytes);
    for round in 0..options.rounds {
        let url = sqlite(folder.path(), &format!("import{round}"));
        servers::run(&url, &["seed"]);
        let (taken, peak) = import_file(&file, &url);
        ours.rounds.push(rows as f64 / taken.as_secs_f64());
        memory.rounds.push(peak / 1e6);
        prove(&url, rows);
        limit.rounds.push(raw_import(folder.path(), &format!("raw{round}"), rows));
    }
    let goal = Goal::RatioAtLeast(0.8);
    let name = format!("import of {} rows", crate::report::grouped(rows as f64));
    let lines = vec![
        Line::ratio(&name, ours, limit, goal).note("from the start of the program to its end"),
        Line::figure(&format!("{name}, peak memory"), memory, Goal::AtMost(100.0)),
    ];
    Found { lines, skipped: Vec::new() }
}

/// Imports a file with the program; how long it takes, and its peak memory in bytes.
fn import_file(file: &Path, url: &str) -> (Duration, f64) {
    let begin = Instant::now();
    let mut command = Command::new(PROGRAM);
    command.arg("import").arg(file).args(["--json", "--database", url]);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program can be started");
    let mut peak = 0.0_f64;
    loop {
        if let Some(status) = child.try_wait().expect("it is a child") {
            assert!(status.success(), "the import ended with {status}");
            return (begin.elapsed(), peak);
        }
        peak = peak.max(machine::memory(child.id(), "VmHWM").unwrap_or(0.0));
        std::thread::sleep(LOOK);
    }
}

/// Rows a second that S records into a new database in the groups of an import.
fn raw_import(folder: &Path, name: &str, rows: u64) -> f64 {
    let (mut raw, traffic) = (Raw::create(folder, name), Traffic::past());
    let group = limits::IMPORT_BATCH_ROWS as u64;
    let mut spent = Duration::ZERO;
    while traffic.taken() < rows {
        let events: Vec<Seen> = traffic.take(group.min(rows - traffic.taken())).collect();
        let begin = Instant::now();
        raw.record(events.into_iter());
        spent += begin.elapsed();
    }
    raw.prove(rows);
    rows as f64 / spent.as_secs_f64()
}
