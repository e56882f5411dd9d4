//! What is exported is imported again: the same events, in every form.

use serde_json::Value;

use super::{
    garage::{FLOORS, Garage},
    program::Folder,
};

/// The events of a database, without what belongs to the database alone.
fn events(folder: &Folder) -> Vec<Value> {
    let listed = folder.run(&["events", "--limit", "1000", "--json"]).ok().json();
    let mut events = listed["events"].as_array().unwrap().clone();
    for event in &mut events {
        event.as_object_mut().unwrap().retain(|name, _| !["id", "created_at"].contains(&&**name));
    }
    events.sort_by_key(ToString::to_string);
    events
}

#[test]
fn an_export_of_every_form_is_read_back_and_gives_the_same_counts() {
    let (garage, folder) = (Garage::weeks().shuffled(3), Folder::with_floors(&FLOORS));
    folder.file("events.csv", garage.csv());
    folder.run(&["import", "events.csv"]).ok();
    for name in ["a.csv", "a.csv.gz", "a.ndjson", "a.ndjson.gz", "a.jsonl"] {
        let summary = folder.run(&["export", name, "--json"]).ok().json();
        assert_eq!((&summary["file"], &summary["events"]), (&name.into(), &1372.into()));
        let other = Folder::with_floors(&[FLOORS[2], FLOORS[0], FLOORS[1]]);
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), name.ends_with(".gz"), "{name}");
        other.file(name, &bytes);
        let read = other.run(&["import", name, "--json"]).ok().json();
        assert_eq!(read["recorded"], 1372, "{read}");
        garage.assert_true(&other);
    }
    for format in ["csv", "ndjson"] {
        let shown = folder.run(&["export", "-", "--format", format]).ok();
        assert_eq!(shown.err, "");
        let other = Folder::with_floors(&FLOORS);
        let read = other.run_with(&["import", "-", "--json"], shown.out.as_bytes()).ok().json();
        assert_eq!(read["recorded"], 1372, "{read}");
        garage.assert_true(&other);
        // Oldest first.
        let file = format!("a.{format}");
        assert_eq!(shown.out, std::fs::read_to_string(folder.path().join(file)).unwrap());
    }
    let mut table = csv::Reader::from_path(folder.path().join("a.csv")).unwrap();
    let times: Vec<String> = table.records().map(|row| row.unwrap()[6].to_owned()).collect();
    assert!(times.is_sorted(), "oldest first");
    let left = folder.files();
    assert!(left.iter().all(|name| !name.contains(".part-")), "{left:?}");
}

#[test]
fn names_that_a_spreadsheet_would_calculate_with_are_defused_and_come_back() {
    let marks = "\u{301}".repeat(100);
    let names = [
        ["=1+1", "+49", "-5", "@SUM(A1)", "'=x", "''-", "'", "a,b", "say \"hi\"", " a ", "ü"],
        [
            "-",
            "\"",
            "\\n",
            "<img src=x>",
            "&amp;",
            "שער צפון",
            "🚗🅿",
            "\u{feff}x",
            " ",
            ",",
            &marks,
        ],
    ]
    .concat();
    let floors: Vec<(&str, u32)> = names.iter().map(|name| (*name, 5)).chain([("1", 5)]).collect();
    let add = |folder: &Folder, floors: &[(&str, u32)]| {
        folder.run(&["migrate"]).ok();
        for (name, slots) in floors {
            folder.run(&["floors", "add", "--slots", &slots.to_string(), "--", name]).ok();
        }
    };
    let folder = Folder::new();
    add(&folder, &floors);
    let lines =
        floors.iter().zip(names.iter().cycle()).enumerate().map(|(n, ((floor, _), name))| {
            let event = serde_json::json!({
                "camera_id": name, "floor": floor, "track_id": name, "vehicle_type": "bus",
                "direction": "entry", "confidence": 1e-7 * f64::from(u32::try_from(n).unwrap()),
                "timestamp": format!("2026-02-12T10:30:45.{n:06}Z"),
            });
            format!("{event}\n")
        });
    let lines: String = lines.collect();
    folder.run_with(&["import", "-"], lines.as_bytes()).ok();
    assert_eq!(events(&folder).len(), floors.len());
    for name in ["a.csv", "a.ndjson"] {
        folder.run(&["export", name]).ok();
        let other = Folder::new();
        add(&other, &floors);
        other.file(name, std::fs::read(folder.path().join(name)).unwrap());
        other.run(&["import", name]).ok();
        assert_eq!(events(&other), events(&folder), "{name}");
    }
    let mut table = csv::Reader::from_path(folder.path().join("a.csv")).unwrap();
    for row in table.records().map(Result::unwrap) {
        for cell in row.iter().take(3) {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
    // In CSV only: a program that reads JSON calculates with nothing.
    let text = std::fs::read_to_string(folder.path().join("a.ndjson")).unwrap();
    assert!(text.contains("\"camera_id\":\"=1+1\""), "{text}");
}

#[test]
fn an_export_is_filtered_as_events_are_and_overwrites_nothing() {
    let folder = Folder::new();
    folder.run(&["seed", "--samples"]).ok();
    let rows = |filter: &str| {
        let line = format!("export - {filter}");
        let args: Vec<&str> = line.split_whitespace().collect();
        folder.run(&args).ok().out.lines().count() - 1
    };
    let cases = [
        ("", 15),
        ("--direction exit", 3),
        ("--vehicle-type motorcycle", 3),
        ("--camera-id cam_004", 1),
        ("--track-id sample_15", 1),
        ("--hours 2", 4),
        ("--start 2020-01-01T00:00:00Z --end 2021-01-01T00:00:00Z", 0),
        ("--floor 1 --direction exit", 1),
    ];
    for (filter, expected) in cases {
        assert_eq!(rows(filter), expected, "{filter}");
    }
    folder.file("taken.csv", "precious");
    let taken = folder.run(&["export", "taken.csv"]).ended(1);
    assert!(taken.err.contains("taken.csv cannot be written"), "{}", taken.err);
    assert_eq!(std::fs::read(folder.path().join("taken.csv")).unwrap(), b"precious");
    folder.run(&["export", "nowhere/at/all.csv"]).ended(1);
    folder.run(&["export", "-", "--hours", "0"]).ended(2);
}
