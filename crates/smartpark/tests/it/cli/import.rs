//! The import of a real garage's history: the truth at every floor-hour, however it comes.

use std::{io::Write, process::Stdio};

use serde_json::{Value, json};

use super::{
    garage::{FLOORS, Garage, in_every_database, packed},
    program::{Folder, ran, signal},
};

/// The numbers of a summary that do not depend on the machine.
fn numbers(summary: &Value) -> [u64; 5] {
    ["read", "recorded", "duplicates", "at_limit", "rejected"]
        .map(|name| summary[name].as_u64().unwrap())
}

/// Imports bytes under a name and returns the summary.
fn import(folder: &Folder, name: &str, bytes: &[u8]) -> Value {
    folder.file(name, bytes);
    folder.run(&["import", name, "--json"]).ok().json()
}

in_every_database! {
    fn the_counts_are_true_at_every_floor_hour_in_order(with_floors) {
        let (garage, folder) = (Garage::weeks(), with_floors(&FLOORS));
        let summary = import(&folder, "events.csv", garage.csv().as_bytes());
        assert_eq!(numbers(&summary), [1372, 1372, 0, 0, 0]);
        assert_eq!((&summary["safe_to_line"], &summary["complete"]), (&json!(1373), &json!(true)));
        garage.assert_true(&folder);
        let again = import(&folder, "events.csv", garage.csv().as_bytes());
        assert_eq!(numbers(&again), [1372, 0, 1372, 0, 0]);
        garage.assert_true(&folder);
    }

    fn the_counts_are_true_in_any_order(with_floors) {
        for seed in 1..=3 {
            let (garage, folder) = (Garage::weeks().shuffled(seed), with_floors(&FLOORS));
            let summary = import(&folder, "events.csv", garage.csv().as_bytes());
            assert_eq!(numbers(&summary)[1], 1372);
            garage.assert_true(&folder);
        }
    }

    fn the_counts_are_true_with_every_line_twice(with_floors) {
        for garage in [Garage::weeks().twice(), Garage::weeks().twice().shuffled(7)] {
            let folder = with_floors(&FLOORS);
            let summary = import(&folder, "events.csv", garage.csv().as_bytes());
            assert_eq!(numbers(&summary)[..3], [2744, 1372, 1372]);
            garage.assert_true(&folder);
        }
    }

    fn the_counts_are_true_in_pieces_of_any_size(with_floors) {
        let (garage, folder) = (Garage::weeks().shuffled(5), with_floors(&FLOORS));
        let mut random = super::garage::Random(11);
        let mut rest = garage.lines.as_slice();
        let mut recorded = 0;
        while !rest.is_empty() {
            let size = (1 + random.below(300)).min(rest.len());
            let (piece, after) = rest.split_at(size);
            let text = format!("{}\n{}\n", garage.header, piece.join("\n"));
            let summary = folder.run_with(&["import", "-", "--json"], text.as_bytes()).ok().json();
            recorded += numbers(&summary)[1];
            rest = after;
        }
        assert_eq!(recorded, 1372);
        garage.assert_true(&folder);
    }
}

#[test]
fn every_form_of_a_file_gives_the_same() {
    let garage = Garage::weeks();
    let (csv, ndjson) = (garage.csv(), garage.ndjson());
    let windows = format!("\u{feff}{}", csv.replace('\n', "\r\n"));
    let quoted = csv.replace(",car,", ",\"car\",");
    let forms: [(&str, Vec<u8>); 7] = [
        ("events.csv.gz", packed(&csv)),
        ("events.ndjson", ndjson.clone().into_bytes()),
        ("events.ndjson.gz", packed(&ndjson)),
        ("windows.csv", windows.into_bytes()),
        ("quoted", quoted.into_bytes()),
        ("sniffed", ndjson.clone().into_bytes()),
        ("packed", [packed(&csv[..csv.len() / 2]), packed(&csv[csv.len() / 2..])].concat()),
    ];
    for (name, bytes) in &forms {
        let folder = Folder::with_floors(&FLOORS);
        let summary = import(&folder, name, bytes);
        assert_eq!(numbers(&summary), [1372, 1372, 0, 0, 0], "{name}");
        garage.assert_true(&folder);
    }
    for input in [csv.as_bytes(), ndjson.as_bytes(), &packed(&csv), &packed(&ndjson)] {
        let folder = Folder::with_floors(&FLOORS);
        let summary = folder.run_with(&["import", "-", "--json"], input).ok().json();
        assert_eq!(numbers(&summary), [1372, 1372, 0, 0, 0]);
        garage.assert_true(&folder);
    }
}

#[test]
fn the_counts_of_an_hour_are_those_of_the_truth() {
    let (garage, folder) = (Garage::weeks(), Folder::with_floors(&FLOORS));
    import(&folder, "events.csv", garage.csv().as_bytes());
    let truth = garage.truth();
    // Every 29th hour: by day, by night, and with all floors full.
    let mut full = 0;
    for hour in truth.chunks(3).step_by(29) {
        let shown = folder.run(&["floors", "--at", hour[0].0, "--json"]).ok().json();
        for (_, floor, count) in hour {
            let floors = shown["floors"].as_array().unwrap().iter();
            let found = floors.filter(|it| it["name"] == *floor).collect::<Vec<_>>();
            assert_eq!(found[0]["current_vehicles"], *count, "{floor} at {}", hour[0].0);
            full += u32::from(found[0]["available_slots"] == 0);
        }
    }
    assert!(full > 0, "the weeks must be busy");
}

#[test]
fn a_truth_that_is_not_met_is_a_failure() {
    let (garage, folder) = (Garage::weeks(), Folder::with_floors(&FLOORS));
    import(&folder, "events.csv", garage.csv().as_bytes());
    folder.file(
        "wrong.csv",
        "when,level,n\n2019-06-16T12:00:00Z,1F,0\n2019-06-16T12:00:00Z,1F,1\n\
         2019-06-16T12:00:00Z,2F,0\nsome day,1F,0\n2019-06-16T12:00:00Z,1F,few\n",
    );
    let args = "check --truth wrong.csv --map timestamp=when --map floor=level --map count=n";
    let args: Vec<&str> = args.split(' ').collect();
    let text = folder.run(&args).ended(1).out;
    assert!(text.contains("4 of 5 counts are not met"), "{text}");
    let value = folder.run(&[&args[..], &["--json"]].concat()).ended(1).json();
    assert_eq!(value["truth"]["matches"], 1);
    let shown = value["truth"]["shown"].as_array().unwrap();
    let first = json!({"line": 3, "timestamp": "2019-06-16T12:00:00Z", "floor_id": 1,
        "known": 1, "stored": 0, "reason": ""});
    assert_eq!(shown[0], first);
    let lines: Vec<_> = shown.iter().map(|it| it["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
}

#[test]
fn columns_can_be_mapped_and_more_of_them_are_passed_over() {
    let folder = Folder::with_floors(&[("1F", 14), ("Top, really", 3)]);
    let table = "plate,sensor,level,id,kind,way,seen\n\
         \"A,1\",c,\"Top, really\",t1,car,entry,2026-02-12T10:30:45+01:00\n\
         \"A\n2\",c,1F,t2,bus,exit,2026-02-12T10:31:45Z\n\
         \"A3\",c,1,t3,truck,entry,2026-02-12T10:32:45.5Z\n";
    folder.file("table.csv", table);
    let maps = "camera_id=sensor floor=level track_id=id vehicle_type=kind direction=way \
                timestamp=seen";
    let mut args = vec!["import", "table.csv", "--json"];
    args.extend(maps.split_whitespace().flat_map(|map| ["--map", map]));
    let summary = folder.run(&args).ok().json();
    assert_eq!(numbers(&summary), [3, 3, 0, 1, 0]);
    let events = folder.run(&["events", "--json"]).ok().json();
    let events = events["events"].as_array().unwrap();
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event["track_id"].as_str().unwrap(), event["floor_id"].as_i64().unwrap()))
        .collect();
    assert_eq!(seen, [("t3", 1), ("t2", 1), ("t1", 2)]);
    // The default confidence stands where no column holds one.
    assert_eq!(events[0]["confidence"], 0.8);
}

#[test]
fn rejected_rows_are_named_with_their_line_and_the_others_are_recorded() {
    let folder = Folder::with_floors(&[("1F", 14)]);
    let good = |track: usize| format!("c,1F,{track},car,entry,2026-02-12T10:30:45Z\n");
    let mut table = "camera_id,floor,track_id,vehicle_type,direction,timestamp\n".to_owned();
    table.push_str(&good(1));
    table.push_str("\nc,2F,2,car,entry,2026-02-12T10:30:45Z\n"); // line 4, after a blank one
    table.push_str("c,99,2,car,entry,2026-02-12T10:30:45Z\n"); // 5
    table.push_str("c,1F,2,car,entry,2199-02-12T10:30:45Z\n"); // 6
    table.push_str("c,1F,2,car,entry\n"); // 7
    table.push_str("\"c,1F,2,car,entry,2026-02-12T10:30:45Z\n"); // 8, a quote left open
    table.push_str(&good(9));
    for track in 10..30 {
        table.push_str(&format!("c,1F,{track},ship,in,now\n")); // 10 and after
    }
    table.push_str(&good(31));
    folder.file("table.csv", &table);
    let ran = folder.run(&["import", "table.csv", "--json", "--rejects", "bad.csv"]).ended(1);
    assert_eq!(numbers(&ran.json()), [28, 3, 0, 0, 25]);
    let told: Vec<&str> = ran.err.lines().collect();
    assert_eq!(told.len(), 21, "{}", ran.err);
    assert_eq!(told[0], "line 4: floor names no floor");
    assert!(told[2].starts_with("line 6: timestamp is ahead of the server's clock"), "{}", told[2]);
    assert!(told[4].starts_with("line 8: a quote is opened"), "{}", told[4]);
    assert!(told[5].contains("vehicle_type") && told[5].contains("timestamp"), "{}", told[5]);
    assert_eq!(told[20], "and 5 more rejected rows; --rejects FILE keeps all");
    let mut rejects = csv::Reader::from_path(folder.path().join("bad.csv")).unwrap();
    let lines: Vec<u64> = rejects.records().map(|row| row.unwrap()[0].parse().unwrap()).collect();
    assert_eq!(lines, [&[4, 5, 6, 7, 8][..], &(10..30).collect::<Vec<_>>()].concat());
    folder.run(&["check"]).ok();
}

#[test]
fn a_file_that_breaks_off_keeps_what_came_before() {
    let (garage, folder) = (Garage::repeated(5), Folder::with_floors(&FLOORS));
    let whole = packed(&garage.csv());
    folder.file("cut.csv.gz", &whole[..whole.len() * 9 / 10]);
    let ran = folder.run(&["import", "cut.csv.gz", "--json"]).ended(1);
    assert!(ran.err.contains("cut.csv.gz: the packed file is cut off"), "{}", ran.err);
    let summary = ran.json();
    assert_eq!(summary["complete"], false);
    let read = summary["read"].as_u64().unwrap();
    assert!(read > 4096 && read < 6860, "{summary}");
    // The header is a line, too.
    assert_eq!(summary["safe_to_line"], read + 1);
    let rest = import(&folder, "whole.csv.gz", &whole);
    assert_eq!(numbers(&rest), [6860, 6860 - read, read, 0, 0]);
    garage.assert_true(&folder);
}

#[test]
fn an_interrupted_import_stops_between_batches_and_says_where() {
    let (garage, folder) = (Garage::repeated(18), Folder::with_floors(&FLOORS));
    let text = garage.csv();
    let mut child =
        folder.command(&["import", "-", "--json"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // When all is written, the first batches are recorded: there is no room for more before them.
    stdin.write_all(text.as_bytes()).unwrap();
    signal("INT", &child);
    let ran = ran(&child.wait_with_output().unwrap()).ended(1);
    drop(stdin);
    let summary = ran.json();
    let read = summary["read"].as_u64().unwrap();
    assert_eq!((&summary["complete"], &summary["recorded"]), (&json!(false), &json!(read)));
    assert_eq!(summary["safe_to_line"], read + 1);
    let batch = smartpark::limits::IMPORT_BATCH_ROWS as u64;
    assert!(read > 0 && read.is_multiple_of(batch), "{summary}");
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    let rest = import(&folder, "events.csv", text.as_bytes());
    assert_eq!(rest["duplicates"], read);
    garage.assert_true(&folder);
}

#[test]
fn an_import_without_floors_says_what_to_do_first() {
    let folder = Folder::with_floors(&[]);
    folder.file("events.csv", Garage::weeks().csv());
    let ran = folder.run(&["import", "events.csv"]).ended(1);
    assert!(ran.err.contains("smartpark floors add"), "{}", ran.err);
    assert!(ran.out.contains("Rejected    1372"), "{}", ran.out);
}
