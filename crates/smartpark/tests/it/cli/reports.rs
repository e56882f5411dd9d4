//! `smartpark report`, and the reports that a server writes by itself.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use super::program::{Folder, Server};

fn entry(track: usize, timestamp: &str) -> serde_json::Value {
    json!({"camera_id": "c", "floor_id": 1, "track_id": track.to_string(), "vehicle_type": "car",
        "direction": "entry", "timestamp": timestamp})
}

#[test]
fn a_report_is_printed_or_written_in_each_form() {
    let folder = Folder::with_floors(&[("=A1", 2)]);
    let server = Server::start(&folder, &[]);
    for track in 0..3 {
        assert_eq!(server.post("/events", &entry(track, "2026-02-12T10:30:45Z")).0, 201);
    }
    assert_eq!(server.stop().0, Some(0));
    let text = folder.run(&["report", "--month", "2026-02"]).ok().out;
    assert!(text.contains("2026-02\n") && text.contains("=A1"), "{text}");
    let told = folder.run(&["report", "--day", "2026-02-12", "--json"]).ok().json();
    // Full from the minute after 10:30 until midnight.
    assert_eq!(
        (&told["figures"]["entries"], &told["figures"]["full_minutes"]),
        (&json!(3), &json!(809))
    );
    let table = folder.run(&["report", "--week", "2026-W07", "--form", "csv"]).ok().out;
    assert!(table.contains("\r\n1,'=A1,2026-W07,3,0,"), "{table}");
    let page = ["report", "--start", "2026-02-12", "--end", "2026-02-13", "--form", "page"];
    let ran = folder.run(&[&page[..], &["--output", "it.html"]].concat()).ok();
    assert!(ran.out.is_empty(), "{}", ran.out);
    let written = folder.path().join("it.html");
    assert!(fs::read_to_string(&written).unwrap().contains("2026-02-12/2026-02-13"));
    assert_eq!(fs::metadata(&written).unwrap().permissions().mode() & 0o777, 0o600);
    // Without a period the last month that has ended.
    folder.run(&["report"]).ok();
    for wrong in [&["--month", "2026-02-12"][..], &["--week", "7"], &["--start", "2026-02-12"]] {
        folder.run(&[&["report"], wrong].concat()).ended(2);
    }
}

#[test]
fn a_server_writes_the_report_of_the_last_month() {
    let folder = Folder::with_floors(&[("A", 99)]);
    fs::create_dir(folder.path().join("reports")).unwrap();
    folder.file(
        "smartpark.toml",
        format!("database = {:?}\n[report]\nfolder = 'reports'\n", folder.url()),
    );
    // Some in each of the last months, whichever day it is.
    let day = std::time::Duration::from_secs(86_400);
    let rows = (0..5_u32).map(|number| {
        let at = smartpark::Clock::system().now() - day * (5 + 15 * number);
        format!("{}\n", entry(number as usize, &at.to_string()))
    });
    folder.file("events.ndjson", rows.collect::<String>());
    folder.run(&["import", "events.ndjson"]).ok();
    let server = Server::start(&folder, &[]);
    while !server.log().contains("report written") {
        std::thread::yield_now();
    }
    assert_eq!(server.stop().0, Some(0));
    let names: Vec<String> = fs::read_dir(folder.path().join("reports"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for ending in [".csv", ".html"] {
        let is_it = |name: &String| name.starts_with("report-20") && name.ends_with(ending);
        assert!(names.iter().any(is_it), "{names:?}");
    }
}
