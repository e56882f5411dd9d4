//! What each command does, for people and for programs.

use serde_json::{Value, json};

use super::program::Folder;

fn seeded() -> Folder {
    let folder = Folder::new();
    let seeded = folder.run(&["seed", "--samples", "--json"]).ok().json();
    assert_eq!(seeded["floors"].as_array().unwrap().len(), 4);
    assert_eq!(seeded["events"], 15);
    folder
}

fn json(folder: &Folder, line: &str) -> Value {
    let mut args: Vec<&str> = line.split_whitespace().collect();
    args.push("--json");
    folder.run(&args).ok().json()
}

#[test]
fn every_command_prints_for_people_and_for_programs() {
    let folder = seeded();
    let cases = [
        ("migrate", "schema_version", "version"),
        ("info", "tables", "uq_event_idempotency"),
        ("floors", "floors", "Ground Floor"),
        ("floors --all", "total_slots", "Basement Level 1"),
        ("floors --at 2020-01-01T00:00:00Z", "at", "Second Floor"),
        ("recommend", "alternatives", "slots are free"),
        ("events --hours 24", "next_cursor", "sample_15"),
        ("stats", "peak_hour", "15 events"),
        ("history --hours 3", "steps", "At the end"),
        ("history --floor 1 --step 600", "floor_id", "50"),
        ("attention", "checked_at", "Nothing needs a person"),
        ("check", "clean", "All invariants hold for 4 floors and 15 events"),
        ("cleanup --older-than-days 30", "deleted", "Deleted 0 events"),
        ("reset --yes --samples", "events", "seeded 4 floors and 15 events"),
    ];
    for (line, member, text) in cases {
        let args: Vec<&str> = line.split_whitespace().collect();
        let shown = folder.run(&args).ok();
        assert!(shown.out.contains(text), "{line}: {}", shown.out);
        assert_eq!(shown.err, "", "{line}");
        let value = json(&folder, line);
        assert!(value.get(member).is_some(), "{line}: {value}");
    }
}

#[test]
fn what_needs_a_person_is_named_with_what_to_do() {
    let folder = Folder::with_floors(&[("Roof", 30)]);
    json(&folder, "floors recount Roof 30 --reason round");
    let shown = folder.run(&["attention"]).ok().out;
    assert!(shown.contains("Roof is full: 30 of 30") && shown.contains("other floors"), "{shown}");
    let value = json(&folder, "attention");
    assert_eq!(
        (&value["items"][0]["kind"], &value["items"][0]["count"]),
        (&json!("floor_full"), &json!(30))
    );
}

#[test]
fn floors_are_managed_by_id_or_name() {
    let folder = Folder::with_floors(&[("Roof", 30)]);
    let floor = json(&folder, "floors add 7 --slots 5 --description open --inactive");
    assert_eq!((&floor["name"], &floor["is_active"]), (&json!("7"), &json!(false)));
    assert_eq!((&floor["available_slots"], &floor["description"]), (&json!(5), &json!("open")));
    let id = floor["id"].to_string();
    let floor = json(&folder, &format!("floors set {id} --active true --slots 6"));
    assert_eq!((&floor["is_active"], &floor["total_slots"]), (&json!(true), &json!(6)));
    let floor = json(&folder, "floors recount Roof 12 --reason round --author Kim");
    assert_eq!(
        (&floor["current_vehicles"], &floor["occupancy_percentage"]),
        (&json!(12), &json!(40.0))
    );
    let refused = folder.run(&["floors", "set", "Roof", "--slots", "10"]).ended(1);
    assert!(refused.err.contains("12 vehicles"), "{refused:?}");
    let floor = json(&folder, "floors set Roof --slots 10 --force --name Top");
    assert_eq!((&floor["current_vehicles"], &floor["name"]), (&json!(10), &json!("Top")));
    // A name stands over an id, and an empty description removes it.
    folder.run(&["floors", "set", "7", "--name", "1", "--description", ""]).ok();
    let floor = json(&folder, "floors set 1 --active false");
    assert_eq!((&floor["id"].to_string(), &floor["description"]), (&id, &Value::Null));
    json(&folder, "floors remove 1");
    let floors = json(&folder, "floors --all");
    assert_eq!(floors["floors"].as_array().unwrap().len(), 1);
    assert_eq!(floors["available_slots"], 0);
    assert_eq!(json(&folder, "recommend"), json!({"floor": null, "alternatives": []}));
    folder.run(&["check"]).ok();
}

#[test]
fn one_event_is_recorded_once() {
    let folder = Folder::with_floors(&[("1F", 1)]);
    let line = "record --camera-id cam_001 --floor 1F --track-id t1 --direction entry \
                --confidence 0.9 --timestamp 2026-02-12T11:30:45+01:00";
    let first = json(&folder, line);
    assert_eq!(first["duplicate"], false);
    assert_eq!(first["event"]["timestamp"], "2026-02-12T10:30:45Z");
    assert_eq!(
        (&first["event"]["count_delta"], &first["floor"]["available_slots"]),
        (&json!(1), &json!(0))
    );
    let again = json(&folder, &line.replace("11:30:45+01:00", "10:30:45Z"));
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["event"], first["event"]);
    let other = json(&folder, &line.replace("0.9", "0.5"));
    assert_eq!(other["differs"], json!(["confidence"]));
    let full = line.replace("t1", "t2").replace("11:30:45", "11:31:45");
    let text = folder.run(&full.split_whitespace().collect::<Vec<_>>()).ok().out;
    assert!(text.contains("The floor was full then"), "{text}");
    let events = json(&folder, "events");
    assert_eq!(events["events"][0]["at_limit"], "full");
    assert_eq!(events["events"][1], first["event"]);
}

#[test]
fn events_are_filtered_and_paged() {
    let folder = seeded();
    let all = json(&folder, "events");
    let all = all["events"].as_array().unwrap();
    assert_eq!(all.len(), 15);
    let times: Vec<&str> = all.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older), "{times:?}");
    let number = |line: &str| json(&folder, line)["events"].as_array().unwrap().len();
    let cases = [
        ("events --direction exit", 3),
        ("events --vehicle-type motorcycle", 3),
        ("events --camera-id cam_004", 1),
        ("events --track-id sample_15", 1),
        ("events --hours 2", 4),
        ("events --start 2020-01-01T00:00:00Z --end 2021-01-01T00:00:00Z", 0),
        ("events --floor 1 --direction exit", 1),
    ];
    for (line, expected) in cases {
        assert_eq!(number(line), expected, "{line}");
    }
    let by_name = folder.run(&["events", "--floor", "Basement Level 1", "--json"]).ok().json();
    assert_eq!(by_name["events"].as_array().unwrap().len(), 1);
    let (mut paged, mut line) = (Vec::new(), "events --limit 4".to_owned());
    loop {
        let page = json(&folder, &line);
        paged.extend(page["events"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => line = format!("events --limit 4 --cursor {cursor}"),
            None => break,
        }
    }
    assert_eq!(&paged, all);
    let shown = folder.run(&["events", "--limit", "4"]).ok().out;
    assert!(shown.contains("--cursor "), "{shown}");
}

#[test]
fn statistics_are_those_of_the_contract() {
    let folder = seeded();
    let stats = json(&folder, "stats --hours 24");
    let sums = ["total_events", "entries", "exits", "at_limit"].map(|name| stats[name].clone());
    assert_eq!(sums, [15, 12, 3, 0].map(Value::from));
    let types = json!({"car": 10, "motorcycle": 3, "bus": 1, "truck": 1});
    assert_eq!(stats["by_vehicle_type"], types);
    assert_eq!(stats["by_floor"]["Basement Level 1"], 1);
    let one = folder.run(&["stats", "--floor", "Ground Floor", "--json"]).ok().json();
    assert_eq!(one["by_floor"].as_object().unwrap().len(), 1);
}

#[test]
fn a_cleanup_deletes_what_is_old_and_keeps_the_counts() {
    let folder = Folder::with_floors(&[("1F", 9)]);
    let now = smartpark::Clock::system().now();
    let hours_ago = |hours: u64| now - std::time::Duration::from_secs(hours * 3600);
    for (track, hours) in [("old", 24 * 40), ("new", 1)] {
        let at = hours_ago(hours);
        json(
            &folder,
            &format!(
                "record --camera-id c --floor 1F --track-id {track} --direction entry \
                 --timestamp {at}"
            ),
        );
    }
    let before = json(&folder, "floors")["floors"][0]["current_vehicles"].clone();
    let done = json(&folder, "cleanup --older-than-days 30");
    assert_eq!(done["deleted"], 1);
    let events = json(&folder, "events");
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    assert_eq!(json(&folder, "floors")["floors"][0]["current_vehicles"], before);
    assert_eq!(json(&folder, "info")["horizon"], done["horizon"]);
    assert_eq!(json(&folder, "check")["clean"], true);
    let at = hours_ago(24 * 40);
    let line = ["record", "--camera-id=c", "--floor=1F", "--track-id=old", "--direction=entry"];
    let refused = folder.run(&[&line[..], &[&format!("--timestamp={at}")]].concat()).ended(1);
    assert!(refused.err.contains("horizon"), "{refused:?}");
}
