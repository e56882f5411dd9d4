//! What is judged of the process, its files, its log and its other interfaces.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::Evidence;
use crate::{
    cli::{Server, client::Client},
    faults::{
        facts::FORGED,
        journal::{Finding, Journal, finding},
        raw::Raw,
        trial::Trial,
    },
    scrape::Scrape,
};

/// By how much a server that has nothing to do may have grown: files, threads, memory in KiB.
const MORE: Usage = Usage { files: 40, threads: 24, kibibytes: 192 * 1024 };
/// The write-ahead log, in bytes: the pages with which it is copied (12 MB), and those of the
/// largest group, with four pages a row, that came on top of them.
const LONGEST_WAL: u64 = (12 << 20) + 4_096 * 4 * 4_096;
/// How long it has for that.
const REST: Duration = Duration::from_secs(15);

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::faults) struct Usage {
    files: u64,
    threads: u64,
    kibibytes: u64,
}

impl Usage {
    pub(in crate::faults) fn of(server: &Server) -> Self {
        let (threads, kibibytes) = (server.status("Threads"), server.status("VmRSS"));
        Self { files: server.open_files() as u64, threads, kibibytes }
    }

    fn is_within(self, before: Self) -> bool {
        self.files <= before.files + MORE.files
            && self.threads <= before.threads + MORE.threads
            && self.kibibytes <= before.kibibytes + MORE.kibibytes
    }
}

/// What `smartpark check` proves of the stored data.
pub(super) fn i10_check_is_clean(trial: &Trial) -> Vec<Finding> {
    let ran = trial.folder.run(&["check", "--json"]);
    if ran.code == Some(0) { Vec::new() } else { vec![finding("I10", ran.out + &ran.err)] }
}

pub(super) fn i16_horizon_stays(it: &Evidence<'_>) -> Vec<Finding> {
    let horizons = &it.journal.horizons;
    if horizons.is_sorted() { Vec::new() } else { vec![finding("I16", format!("{horizons:?}"))] }
}

/// The floors' gauges are their rows. What the server counts as recorded came to the rows while it
/// ran; of rows whose requests stayed without an answer it may not know.
pub(super) fn i17_metrics_agree(
    trial: &Trial,
    client: &Client,
    raw: &Raw,
    stored_before: i64,
) -> Vec<Finding> {
    let answer = client.get(&trial.load.url("/metrics"));
    let text = answer.filter(|answer| answer.status == 200);
    let Some(text) = text.as_ref().and_then(|answer| answer.body.as_str()) else {
        return vec![finding("I17", "there are no metrics")];
    };
    let scrape = Scrape::of(text);
    let told = |floor: i64| {
        let label = format!("floor_id=\"{floor}\"");
        let series = scrape.family("smartpark_floor_vehicles");
        series.into_iter().find(|(name, _)| name.contains(&label)).map(|(_, count)| count)
    };
    let wrong = raw.floors.iter().filter(|floor| told(floor.id) != Some(floor.count as f64));
    let wrong = wrong.map(|it| finding("I17", format!("{it:?}, told {:?}", told(it.id))));
    let mut findings: Vec<_> = wrong.collect();
    let recorded = scrape.get("smartpark_events_recorded_total");
    let unknown = |journal: &Journal| journal.told.iter().filter(|told| told.unknown > 0).count();
    let unknown = trial.load.with(|journal| unknown(journal)) as f64;
    let rows = (raw.summed - stored_before) as f64;
    if recorded.is_none_or(|recorded| recorded > rows || rows > recorded + unknown) {
        let told = format!("{rows} rows came, {unknown} of them unknown at most: {recorded:?}");
        findings.push(finding("I17", told));
    }
    findings
}

pub(super) fn i19_nothing_grows(trial: &Trial, server: &Server, before: Usage) -> Vec<Finding> {
    let wal = format!("{}-wal", trial.folder.url().trim_start_matches("sqlite://"));
    let bytes = || fs::metadata(&wal).map_or(0, |wal| wal.len());
    let deadline = Instant::now() + REST;
    loop {
        let now = (Usage::of(server), bytes());
        if now.0.is_within(before) && now.1 <= LONGEST_WAL {
            return Vec::new();
        }
        if Instant::now() > deadline {
            return vec![finding("I19", format!("it was {before:?}, is {now:?}"))];
        }
        trial.load.pause();
    }
}

/// How the server ended, and what it logged (I20).
pub(in crate::faults) fn ended(key: &str, code: Option<i32>, log: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if code != Some(0) {
        findings.push(finding("contract", format!("SIGTERM ended it with {code:?}")));
    }
    let forged = |line: &str| line.starts_with(FORGED);
    if let Some(line) = log.lines().find(|line| line.contains(key) || forged(line)) {
        findings.push(finding("I20", format!("the log says {line}")));
    }
    if log.contains("panicked") {
        findings.push(finding("contract", "it panicked"));
    }
    findings
}
