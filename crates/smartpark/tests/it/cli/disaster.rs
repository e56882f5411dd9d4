//! After a disaster: a backup is put into place, and what came after it is sent again.

use std::process::Command;

use serde_json::Value;

use super::{
    garage::{FLOORS, Garage},
    program::{Folder, Server, ran},
};

/// What the box sends again, by the script that the documents show; none where there is no Python.
fn resend(folder: &Folder, server: &Server) -> Option<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/resend.py");
    let mut python = Command::new("python3");
    python.args([script, &server.url, "box.ndjson"]).current_dir(folder.path());
    let output = python.env_remove("SMARTPARK_KEY").output();
    output.ok().map(|output| ran(&output).ok().json())
}

/// The events as a box keeps them: as they are posted.
fn kept(garage: &Garage) -> String {
    let floor = |name: &Value| FLOORS.iter().position(|(floor, _)| name == floor).unwrap() + 1;
    let line = |line: &str| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        let name = event.as_object_mut().unwrap().remove("floor_id_or_name").unwrap();
        event["floor_id"] = floor(&name).into();
        format!("{event}\n")
    };
    garage.ndjson().lines().map(line).collect()
}

fn numbers(told: &Value) -> [u64; 4] {
    ["sent", "recorded", "duplicates", "rejected"].map(|name| told[name].as_u64().unwrap_or(0))
}

#[test]
fn a_backup_and_the_boxes_bring_everything_back() {
    let (garage, folder) = (Garage::weeks(), Folder::with_floors(&FLOORS));
    let csv = garage.csv();
    let lines: Vec<&str> = csv.lines().collect();
    // In the backup is the first part of what happened, and some of the rest, since a box had been
    // away; then the machine is lost.
    let (before, after): (Vec<_>, Vec<_>) =
        (1..lines.len()).partition(|place| *place < 900 || place % 3 == 0);
    let file = |places: &[usize]| {
        let rows = places.iter().map(|place| lines[*place]);
        [lines[0]].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    };
    folder.file("before.csv", file(&before));
    folder.run(&["import", "before.csv"]).ok();
    folder.run(&["backup", "backup.db"]).ok();
    folder.file("after.csv", file(&after));
    folder.run(&["import", "after.csv"]).ok();
    folder.file("box.ndjson", kept(&garage));
    let told = folder.run(&["floors", "--json"]).ok().json();
    for ending in ["", "-wal", "-shm"] {
        // A file that is not there needs no removing.
        let _ = std::fs::remove_file(folder.path().join(format!("smartpark.db{ending}")));
    }
    std::fs::rename(folder.path().join("backup.db"), folder.path().join("smartpark.db")).unwrap();
    folder.run(&["check"]).ok();
    folder.file("all.csv", csv.as_str());
    let listed = folder.run(&["missing", "all.csv"]).ok();
    assert_eq!(listed.err, "315 of 1372 events are not stored\n");
    let track = |line: &str| serde_json::from_str::<Value>(line).unwrap()["track_id"].to_string();
    let tracks = |lines: &str| lines.lines().map(track).collect::<Vec<_>>();
    let kept = tracks(&kept(&garage));
    let mut told_missing = tracks(&listed.out);
    let mut lost: Vec<_> = after.iter().map(|place| kept[place - 1].clone()).collect();
    told_missing.sort();
    lost.sort();
    assert_eq!(told_missing, lost);
    let server = Server::start(&folder, &["--seed", "none"]);
    let missing = after.len() as u64;
    let Some(first) = resend(&folder, &server) else {
        return eprintln!("there is no python3 here: the example was not run");
    };
    let [sent, recorded, duplicates, rejected] = numbers(&first);
    assert_eq!((recorded, rejected), (missing, 0), "{first}");
    // Whole hours are sent, of which a few were there in part.
    assert!(sent == recorded + duplicates && (1..50).contains(&duplicates), "{first}");
    assert_eq!(numbers(&resend(&folder, &server).unwrap()), [0; 4]);
    drop(server);
    assert_eq!(
        folder.run(&["floors", "--json"]).ok().json()["current_vehicles"],
        told["current_vehicles"]
    );
    let rows = format!("{csv}not an event\n");
    let none = folder.run_with(&["missing", "-"], rows.as_bytes()).ended(1);
    assert!(none.out.is_empty() && none.err.contains("line 1374: has 1 cells"), "{none:?}");
    folder.file("truth.csv", garage.truth_csv());
    folder.run(&["check", "--truth", "truth.csv"]).ok();
}
