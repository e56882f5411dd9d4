//! Which process holds the lock of the writer: for people who must find it, and for a server that
//! must go on though that process was stopped.

use std::path::Path;

/// The byte of the log's index that the writer locks.
#[cfg(target_os = "linux")]
const WRITE_LOCK: u64 = 120;

/// A process that holds the lock.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the system names no holder"))]
struct Holder {
    process: i32,
    /// The name of its program, as the system shows it.
    program: String,
    is_stopped: bool,
}

/// Says which process keeps others from writing.
pub(super) fn told(index: &Path) -> String {
    match holder(index) {
        Some(Holder { process, is_stopped: true, .. }) => format!(
            "process {process} holds it for writing and has been stopped; continue it (kill -CONT \
             {process}) or end it"
        ),
        Some(Holder { process, .. }) => {
            format!("process {process} is writing to it; try again")
        }
        None => "another process is writing to it; try again".into(),
    }
}

/// Continues the process that holds the lock, if it is a SmartPark that was stopped in the middle
/// of a transaction: it would keep everybody from writing for as long as it stands still. One that
/// is stopped without the lock stays stopped.
#[cfg(target_os = "linux")]
pub(super) fn wake(index: &Path) {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(Holder { process, program, is_stopped: true }) = holder(index) else { return };
    if !is_ours(&program, own_program().as_deref()) {
        return;
    }
    let Some(pid) = Pid::from_raw(process) else { return };
    match kill_process(pid, Signal::CONT) {
        Ok(()) => tracing::warn!(
            "process {process} ({program}) was stopped while it held the database for writing; it \
             was continued, so that recording goes on"
        ),
        Err(error) => tracing::debug!("process {process} could not be continued: {error}"),
    }
}

/// The system does not say.
#[cfg(not(target_os = "linux"))]
pub(super) fn wake(_: &Path) {}

/// Whether a program is a SmartPark: this one, or one by the usual name.
#[cfg(target_os = "linux")]
fn is_ours(program: &str, own: Option<&str>) -> bool {
    program == "smartpark" || own == Some(program)
}

#[cfg(target_os = "linux")]
fn own_program() -> Option<String> {
    program_and_state(&std::fs::read_to_string("/proc/self/stat").ok()?).map(|(name, _)| name)
}

/// The process that holds the lock.
#[cfg(target_os = "linux")]
fn holder(index: &Path) -> Option<Holder> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = std::fs::metadata(index).ok()?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().find_map(|line| holder_in(line, &inode))?;
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let (program, state) = program_and_state(&status).unwrap_or_default();
    Some(Holder { process, program, is_stopped: matches!(state, 'T' | 't') })
}

/// The name and the state of a process in the words of `/proc/PID/stat`: `4711 (smartpark) T …`.
#[cfg(target_os = "linux")]
fn program_and_state(status: &str) -> Option<(String, char)> {
    let (name, rest) = status.split_once('(')?.1.rsplit_once(')')?;
    Some((name.to_owned(), rest.trim_start().chars().next()?))
}

/// The process that a line of `/proc/locks` names as the holder of the writer's lock:
/// `3: POSIX  ADVISORY  WRITE 4711 08:01:131074 120 120`.
#[cfg(target_os = "linux")]
fn holder_in(line: &str, inode: &str) -> Option<i32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, "WRITE", process, file, first, last] = words.as_slice() else {
        return None;
    };
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let same = file.rsplit(':').next() == Some(inode);
    if same && (first..=last).contains(&WRITE_LOCK) { process.parse().ok() } else { None }
}

/// The system does not say.
#[cfg(not(target_os = "linux"))]
fn holder(_: &Path) -> Option<Holder> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_name() {
        let read = |status| program_and_state(status);
        assert_eq!(read("4711 (smartpark) T 1 4711"), Some(("smartpark".into(), 'T')));
        assert_eq!(read("4711 (a) b (c) S 1"), Some(("a) b (c".into(), 'S')));
        assert_eq!(read(""), None);
        assert!(is_ours("smartpark", Some("garage")) && is_ours("garage", Some("garage")));
        assert!(!is_ours("sqlite3", Some("smartpark")) && !is_ours("", None));
    }

    #[test]
    fn the_holder_of_the_writers_lock_is_found() {
        let table = [
            ("3: POSIX  ADVISORY  WRITE 4711 08:01:131074 120 120", Some(4711)),
            ("3: POSIX  ADVISORY  WRITE 4711 08:01:131074 120 121", Some(4711)),
            ("3: POSIX  ADVISORY  READ 4711 08:01:131074 120 120", None),
            ("3: POSIX  ADVISORY  WRITE 4711 08:01:131074 128 128", None),
            ("3: POSIX  ADVISORY  WRITE 4711 08:01:1310 120 120", None),
            ("3: -> POSIX  ADVISORY  WRITE 4711 08:01:131074 120 120", None),
        ];
        for (line, holder) in table {
            assert_eq!(holder_in(line, "131074"), holder, "{line}");
        }
    }
}
