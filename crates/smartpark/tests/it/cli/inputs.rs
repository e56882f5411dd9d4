//! `input try` and `config check` on the real binary.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::program::Folder;

fn payloads() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-formats/tests/payloads")
}

/// A folder whose configuration has a camera of each kind, and flat keys.
fn configured(floors: &[(&str, u32)]) -> Folder {
    let folder = Folder::with_floors(floors);
    let tables = fs::read_to_string(payloads().join("smartpark.toml")).unwrap();
    folder.file("smartpark.toml", format!("seed = \"none\"\nretention_days = 7\n\n{tables}"));
    folder
}

fn file(name: &str) -> String {
    payloads().join(name).to_str().unwrap().to_owned()
}

/// What is expected of each payload: its events without the message, and what is not counted.
fn expected(name: &str) -> (Value, Vec<(u64, String)>) {
    let path = payloads().join(name).with_extension("expected.json");
    let expected: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let ignored = expected["ignored"].as_array().unwrap().iter();
    let ignored = ignored
        .map(|it| (it["message"].as_u64().unwrap() + 1, it["reason"].as_str().unwrap().to_owned()));
    (expected.clone(), ignored.collect())
}

#[test]
fn recorded_messages_show_the_events_that_they_would_make() {
    let folder = configured(&[("Level 1", 200), ("Level 2", 200)]);
    let cases = [
        ("frigate-ramp", "frigate/enter-with-gap.ndjson"),
        ("frigate-ramp", "frigate/not-counted.ndjson"),
        ("dahua-ramp", "dahua/stream.txt"),
        ("hik-ramp", "hikvision/line-multipart.txt"),
        ("hik-anpr", "hikvision/anpr.json"),
        ("onvif-ramp", "onvif/pullpoint-bosch.xml"),
        ("unifi-ramp", "unifi/line.json"),
    ];
    for (camera, name) in cases {
        let (expected, ignored) = expected(name);
        let camera = expected["camera"].as_str().unwrap_or(camera);
        let ran = folder.run(&["input", "try", camera, &file(name), "--json"]);
        let events = expected["events"].as_array().unwrap();
        let tried = ran.ended(i32::from(events.is_empty())).json();
        let mut told = tried["events"].clone();
        for event in told.as_array_mut().unwrap() {
            event.as_object_mut().unwrap().remove("message");
        }
        assert_eq!(&told, &expected["events"], "{name}");
        let why = tried["not_counted"].as_array().unwrap().iter();
        let why: Vec<_> = why
            .map(|it| (it["message"].as_u64().unwrap(), it["detail"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(why, ignored, "{name}");
    }
    assert_eq!(folder.run(&["stats", "--json"]).ok().json()["total_events"], json!(0));
}

#[test]
fn a_person_reads_the_events_and_the_reasons() {
    let folder = configured(&[("Level 1", 200), ("Level 2", 200)]);
    let name = file("frigate/enter-with-gap.ndjson");
    let text = folder.run(&["input", "try", "frigate-ramp", &name]).ok().out;
    assert!(text.contains("would make 1 event") && text.contains("Level 1"), "{text}");
    let name = file("frigate/not-counted.ndjson");
    let text = folder.run(&["input", "try", "frigate-ramp", &name]).ended(1).out;
    let why = "message 1: type person is ignored (ignored_type)";
    assert!(text.contains("would make 0 events") && text.contains(why), "{text}");
}

#[test]
fn a_floor_that_the_database_does_not_have_is_told() {
    let folder = configured(&[("Level 2", 200)]);
    let name = file("frigate/enter-with-gap.ndjson");
    let args = ["input", "try", "frigate-ramp", &name, "--json"];
    let tried = folder.run(&args).ended(1).json();
    let reasons = tried["not_counted"].as_array().unwrap();
    assert!(reasons.iter().any(|it| it["reason"] == "unknown_floor"), "{tried}");
    // Without a database the floors are taken as they stand.
    let elsewhere = ["--database", "sqlite://none.db"];
    let ran = folder.run(&[&args[..], &elsewhere].concat()).ok();
    assert!(ran.err.contains("taken as they stand"), "{}", ran.err);
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn what_cannot_be_tried_says_why() {
    let folder = configured(&[("Level 1", 200)]);
    let name = file("frigate/enter-with-gap.ndjson");
    let unknown = folder.run(&["input", "try", "nobody", &name]).ended(2);
    assert!(unknown.err.contains("no camera nobody; it has frigate-ramp, "), "{}", unknown.err);
    let missing = folder.run(&["input", "try", "frigate-ramp", "none.json"]).ended(1);
    assert!(missing.err.contains("none.json cannot be read"), "{}", missing.err);
    folder.file("odd.ndjson", "{\"topic\":\"a\",\"payload\":1}\n{\"topic\":\"a\"}\n");
    let odd = folder.run(&["input", "try", "frigate-ramp", "odd.ndjson"]).ended(1);
    assert!(odd.err.contains("line 2 is not an MQTT message"), "{}", odd.err);
    let bare = Folder::new();
    let none = bare.run(&["input", "try", "c", &name]).ended(2);
    assert!(none.err.contains("smartpark.toml") && none.err.contains("--config"), "{}", none.err);
}

#[test]
fn a_valid_file_is_called_valid() {
    let folder = configured(&[]);
    let text = folder.run(&["config", "check"]).ok().out;
    assert!(text.contains("smartpark.toml is valid: ") && text.contains(" cameras"), "{text}");
    let value = folder.run(&["config", "check", "--json"]).ok().json();
    let wanted = json!({"file": "smartpark.toml", "valid": true, "faults": []});
    assert_eq!(value, wanted);
    // Commands that do not read the tables pass them over.
    folder.run(&["info"]).ok();
}

#[test]
fn every_fault_of_a_file_is_named_at_once() {
    let folder = Folder::new();
    let text = "seed = \"all\"\nlisten = \"here\"\ncolour = \"red\"\n\n[site]\nshape = 1\n\n\
                [[camera]]\nid = \"ramp\"\nvideo = true\n\n[colours]\n";
    folder.file("mine.toml", text);
    let args = ["config", "check", "--config", "mine.toml"];
    let told = folder.run(&args).ended(1).out;
    for place in ["line 1 (seed)", "line 2 (listen)", "line 3 (colour)", "(site.shape)"] {
        assert!(told.contains(&format!("mine.toml {place}")) || told.contains(place), "{told}");
    }
    assert!(told.contains("(camera.ramp.floor): is missing"), "{told}");
    assert!(told.contains("line 12 (colours)"), "{told}");
    let value = folder.run(&[&args[..], &["--json"]].concat()).ended(1).json();
    let lines = value["faults"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|it| it["line"].as_u64().unwrap()).collect();
    assert!(value["valid"] == false && lines.len() >= 6 && lines.is_sorted(), "{value}");
    folder.file("mine.toml", "seed = \nlisten = [\n");
    let broken = folder.run(&args).ended(1).out;
    assert!(broken.contains("mine.toml line 1"), "{broken}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::new();
    let none = folder.run(&["config", "check"]).ended(2);
    assert!(none.err.contains("smartpark.toml") && none.err.contains("--config"), "{}", none.err);
    let named = folder.run(&["config", "check", "--config", "none.toml"]).ended(2);
    assert!(named.err.contains("none.toml"), "{}", named.err);
}
