//! What is judged of the process, its files, its log and its other interfaces.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::Evidence;
use crate::{
    cli::Server,
    faults::{
        client::Client,
        facts::FORGED,
        journal::{Finding, finding},
        raw::Raw,
        trial::Trial,
    },
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
        let process = format!("/proc/{}", server.id());
        let files = fs::read_dir(format!("{process}/fd")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let (threads, kibibytes) = (number("Threads:"), number("VmRSS:"));
        Self { files: files as u64, threads, kibibytes }
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

/// None where there are no metrics.
pub(super) fn i17_metrics_agree(trial: &Trial, client: &Client, raw: &Raw) -> Option<Vec<Finding>> {
    let answer = client.get(&trial.load.url("/metrics")).filter(|answer| answer.status == 200)?;
    let text = answer.body.as_str().unwrap_or_default().to_owned();
    let told = |floor: i64| {
        let label = format!("floor_id=\"{floor}\"");
        let mut lines = text.lines().filter(|line| line.starts_with("smartpark_floor_vehicles{"));
        let line = lines.find(|line| line.contains(&label))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let wrong = raw.floors.iter().filter(|floor| told(floor.id) != Some(floor.count as f64));
    Some(wrong.map(|it| finding("I17", format!("{it:?}, told {:?}", told(it.id)))).collect())
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
