//! Which process holds the lock of the writer, for people who must find it.

use std::path::Path;

/// The byte of the log's index that the writer locks.
#[cfg(target_os = "linux")]
const WRITE_LOCK: u64 = 120;

/// Says which process keeps others from writing.
pub(super) fn told(index: &Path) -> String {
    match holder(index) {
        Some((process, true)) => format!(
            "process {process} holds it for writing and has been stopped; continue it (kill -CONT \
             {process}) or end it"
        ),
        Some((process, false)) => format!("process {process} is writing to it; try again"),
        None => "another process is writing to it; try again".into(),
    }
}

/// The process, and whether it was stopped.
#[cfg(target_os = "linux")]
fn holder(index: &Path) -> Option<(u32, bool)> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = std::fs::metadata(index).ok()?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().find_map(|line| holder_in(line, &inode))?;
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = status.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    Some((process, state.is_some_and(|state| state.starts_with(['T', 't']))))
}

/// The process that a line of `/proc/locks` names as the holder of the writer's lock:
/// `3: POSIX  ADVISORY  WRITE 4711 08:01:131074 120 120`.
#[cfg(target_os = "linux")]
fn holder_in(line: &str, inode: &str) -> Option<u32> {
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
fn holder(_: &Path) -> Option<(u32, bool)> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

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
