//! Where it is measured: the machine, its disk, the versions; and what processes cost.

use std::{
    fs,
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// Syncs that are measured.
const SYNCS: usize = 200;
/// The kernel counts the time of processes in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// The machine and the versions that figures stand for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Median and 99th percentile of one append with fdatasync, in milliseconds.
    pub(crate) sync_millis: (f64, f64),
    pub(crate) rustc: String,
    pub(crate) sqlite: String,
    pub(crate) smartpark: String,
    /// Whether it was compiled with optimisation.
    pub(crate) optimised: bool,
    pub(crate) measured_at: String,
}

impl Machine {
    /// Looks at this machine; `folder` lies on the disk that the databases will lie on.
    pub(crate) fn look(folder: &Path) -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let rustc = Command::new("rustc").arg("--version").output();
        let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Self {
            processor: model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: cores(),
            kernel: format!("{} {}", std::env::consts::OS, kernel.trim()),
            sync_millis: sync_time(folder),
            rustc: rustc.unwrap_or_default(),
            sqlite: rusqlite::version().to_owned(),
            smartpark: env!("CARGO_PKG_VERSION").to_owned(),
            optimised: !cfg!(debug_assertions),
            measured_at: smartpark::Clock::system().now().to_string(),
        }
    }

    /// In a sentence.
    pub(crate) fn text(&self) -> String {
        let Self { processor, cores, kernel, sync_millis, rustc, sqlite, smartpark, .. } = self;
        let day = self.measured_at.split('T').next().unwrap_or_default();
        let (median, tail) = sync_millis;
        let warning = if self.optimised { "" } else { " NOT OPTIMISED: the figures say nothing." };
        format!(
            "{cores} cores of {processor}, {kernel}; the disk syncs in {median:.2} ms (p99 \
             {tail:.2} ms); SmartPark {smartpark}, {rustc}, SQLite {sqlite}; {day}.{warning}"
        )
    }
}

/// The processors that the operating system lets this process use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long one append of a page with fdatasync takes: median and 99th percentile.
fn sync_time(folder: &Path) -> (f64, f64) {
    let path = folder.join("sync");
    let mut file = fs::File::create(&path).expect("the target folder can be written");
    let mut times: Vec<f64> = (0..SYNCS)
        .map(|_| {
            let begin = Instant::now();
            file.write_all(&[7; 4_096]).expect("a page can be written");
            file.sync_data().expect("a page can be synced");
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    fs::remove_file(path).ok();
    times.sort_by(f64::total_cmp);
    (times[SYNCS / 2], times[SYNCS * 99 / 100])
}

/// The processor time that a process has used so far.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the process, in brackets, may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}

/// A size that the kernel tells of a process (`VmRSS`, `VmHWM`), in bytes.
pub(crate) fn memory(pid: u32, field: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024.0)
}
