//! What the system says of this process, by the names that all of Prometheus uses. Linux says it
//! in files; where there are none nothing is told.

use std::fs;

use super::exposition::Exposition;

/// Units of processor time a second, in which Linux tells it to programs on every machine.
const TICKS: f64 = 100.0;

/// Adds what is known.
pub(super) fn tell(text: &mut Exposition) {
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        text.gauge("process_open_fds", "Open file descriptors.", open.count());
    }
    if let Some(most) = read("limits").and_then(|limits| field(&limits, "Max open files")) {
        text.gauge("process_max_fds", "Most file descriptors that may be open.", most);
    }
    if let Some(status) = read("status") {
        if let Some(kib) = field(&status, "VmRSS:") {
            let help = "Resident memory in bytes.";
            text.gauge("process_resident_memory_bytes", help, kib * 1024);
        }
        if let Some(threads) = field(&status, "Threads:") {
            text.gauge("process_threads", "Threads.", threads);
        }
    }
    if let Some(ticks) = read("stat").and_then(|stat| ticks(&stat)) {
        let help = "Processor time of the process and the system for it, in seconds.";
        text.counter("process_cpu_seconds_total", help, ticks as f64 / TICKS);
    }
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/self/{file}")).ok()
}

/// The first number of a line that begins so.
fn field(text: &str, begin: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(begin))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The time as a user and as the system: the 14th and 15th word, the second of which is a name in
/// brackets that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut words = after.split_whitespace().skip(11);
    let mut next = || words.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_are_read() {
        assert_eq!(field("Name:\tx\nVmRSS:\t   7168 kB\n", "VmRSS:"), Some(7168));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 21 9 0 0 20 0 3 0 100 200";
        assert_eq!(ticks(stat), Some(30));
        assert_eq!(ticks("7 (a"), None);
    }
}
