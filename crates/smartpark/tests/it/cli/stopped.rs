//! A command that is stopped (SIGSTOP) while it holds the lock of the database does not stop the
//! server's recording.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    process::{Child, Stdio},
};

use serde_json::json;

use super::{
    Folder, Garage, Server,
    garage::FLOORS,
    program::{ran, signal},
};

/// Whether the process holds the lock of the writer: byte 120 of the log's index.
fn holds_lock(folder: &Folder, process: &Child) -> bool {
    let index = folder.path().join("smartpark.db-shm");
    let Ok(index) = fs::metadata(index) else { return false };
    let (process, file) = (process.id().to_string(), format!(":{}", index.ino()));
    fs::read_to_string("/proc/locks").unwrap().lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words.as_slice(), [_, "POSIX", _, "WRITE", holder, on, first, last]
            if *holder == process && on.ends_with(&file)
                && (first.parse().unwrap_or(u64::MAX)..=last.parse().unwrap_or(0)).contains(&120))
    })
}

/// Whether the system shows the process as stopped.
fn is_stopped(process: &Child) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
}

/// Stops a process in the middle of a transaction.
fn stop_with_lock(folder: &Folder, process: &mut Child) {
    loop {
        assert!(process.try_wait().unwrap().is_none(), "it ended before it was caught");
        signal("STOP", process);
        while !is_stopped(process) {
            std::thread::yield_now();
        }
        if holds_lock(folder, process) {
            return;
        }
        signal("CONT", process);
    }
}

#[test]
fn an_import_that_is_stopped_in_a_transaction_does_not_stop_recording() {
    let (garage, folder) = (Garage::repeated(40), Folder::with_floors(&FLOORS));
    folder.file("events.csv", garage.csv());
    let server = Server::start(&folder, &[]);
    let mut import = folder
        .command(&["import", "events.csv", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for n in 0..3 {
        stop_with_lock(&folder, &mut import);
        let event = json!({"camera_id": "live", "floor_id": 1, "track_id": format!("t{n}"),
            "vehicle_type": "car", "direction": "entry"});
        // On a slow machine the transaction takes its time after it was continued.
        while server.post("/events", &event).0 != 201 {
            assert!(!is_stopped(&import), "it stays stopped with the lock: {}", server.log());
        }
    }
    assert!(server.log().contains("it was continued"), "{}", server.log());
    let summary = ran(&import.wait_with_output().unwrap()).ok().json();
    assert_eq!(summary["recorded"], garage.lines.len());
    let checked = folder.run(&["check", "--json"]).ok().json();
    assert_eq!(checked["events"], garage.lines.len() + 3);
    server.stop();
}
