//! Simulated days and replayed files, sent to a running server by the real binary.

use serde_json::{Value, json};

use super::{
    garage::{FLOORS, Garage},
    program::{Folder, Server},
};

const LEVELS: [(&str, u32); 2] = [("Level 1", 30), ("Level 2", 40)];

/// A server with two floors, and the folder that it works in.
fn served() -> (Folder, Server) {
    let folder = Folder::with_floors(&LEVELS);
    let server = Server::start(&folder, &[]);
    (folder, server)
}

fn simulate(folder: &Folder, server: &Server, args: &[&str]) -> Value {
    let common = ["simulate", "--server", &server.url, "--speed", "max", "--json"];
    folder.run(&[&common, args].concat()).ok().json()
}

fn numbers(summary: &Value) -> [u64; 4] {
    ["sent", "recorded", "duplicates", "refused"].map(|name| summary[name].as_u64().unwrap())
}

#[test]
fn a_day_without_faults_ends_as_it_truly_did() {
    let (folder, server) = served();
    let first = simulate(&folder, &server, &["--seed", "7"]);
    let [sent, recorded, duplicates, refused] = numbers(&first);
    assert_eq!((recorded, duplicates, refused), (sent, 0, 0), "{first}");
    assert!(sent > 300 && first["complete"] == true, "{first}");
    for floor in first["floors"].as_array().unwrap() {
        assert_eq!(floor["after"], floor["truth"], "{first}");
    }
    let again = simulate(&folder, &server, &["--seed", "7"]);
    assert_eq!(numbers(&again), [sent, 0, sent, 0], "the same seed is the same day");
    assert_eq!(again["floors"][0]["truth"], first["floors"][0]["truth"], "{again}");
    let other = simulate(&folder, &server, &["--seed", "8"]);
    assert_eq!(numbers(&other)[2], 0, "another seed is another day");
}

#[test]
fn the_faults_come_as_ordered() {
    let (folder, server) = served();
    let faults = ["--missed", "100", "--doubled", "200", "--late", "100", "--delay", "2h"];
    let day = simulate(&folder, &server, &[&faults[..], &["--clock-off=gate=-2min"]].concat());
    let told = |name: &str| day["simulated"][name].as_u64().unwrap();
    assert!(told("missed") > 0 && told("late") > 0, "{day}");
    assert_eq!(day["duplicates"], told("doubled"), "{day}");
    assert_eq!(day["refused"], 0);
    let apart = |floor: &Value| floor["after"] != floor["truth"];
    assert!(day["floors"].as_array().unwrap().iter().any(apart), "missed cars must show: {day}");
    let gate = server.get("/events?camera_id=gate&limit=1").1;
    assert_eq!(gate["events"][0]["camera_id"], "gate", "{gate}");
}

#[test]
fn a_person_reads_what_truly_parked_beside_what_the_server_says() {
    let (folder, server) = served();
    let args = ["simulate", "--server", &server.url, "--speed", "max", "--cars", "20"];
    let text = folder.run(&args).ok().out;
    for word in ["Sent ", "Recorded ", "Truly parked", "Server says", "Level 2 (2)"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn events_that_the_server_refuses_are_named_and_fail_the_command() {
    let (folder, server) = served();
    let start = smartpark::Clock::system().now() + std::time::Duration::from_secs(86_400);
    let start = start.to_string();
    let args = ["simulate", "--server", &server.url, "--speed", "max", "--start", &start];
    let ran = folder.run(&[&args[..], &["--cars", "10", "--json"]].concat()).ended(1);
    let summary = ran.json();
    assert_eq!((&summary["recorded"], &summary["complete"]), (&json!(0), &json!(true)));
    assert_eq!(summary["refused"], summary["sent"]);
    let reason = summary["refusals"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("timestamp"), "{reason}");
    let live = simulate(&folder, &server, &["--start", &start, "--dates", "end-now"]);
    assert_eq!(live["refused"], 0, "moved into the past, the same day is taken");
}

#[test]
fn what_cannot_work_says_what_to_do() {
    let folder = Folder::with_floors(&LEVELS);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let away = folder.run(&["simulate", "--server", &url]).ended(1);
    assert!(away.err.contains("smartpark serve") && away.err.contains("--server"), "{}", away.err);
    let address = folder.run(&["simulate", "--server", "here"]).ended(2);
    assert!(address.err.contains("https://parking.example"), "{}", address.err);
    let server = Server::start(&folder, &[]);
    let run = |args: &[&str]| folder.run(&[args, &["--server", &server.url]].concat());
    let camera = run(&["simulate", "--clock-off", "ramp-2=1min"]).ended(2);
    assert!(camera.err.contains("the cameras are gate, ramp-1"), "{}", camera.err);
    let speed = run(&["simulate", "--speed", "0"]).ended(2);
    assert!(speed.err.contains("above 0"), "{}", speed.err);
    let empty = Folder::with_floors(&[]);
    let empty_server = Server::start(&empty, &["--seed", "none"]);
    let no_floor = empty.run(&["simulate", "--server", &empty_server.url]).ended(1);
    assert!(no_floor.err.contains("floors add"), "{}", no_floor.err);
}

#[test]
fn a_key_is_taken_from_its_file_or_the_environment() {
    let (folder, server) = served();
    let key = folder.run(&["key", "add", "desk", "--role", "admin"]).ok().out;
    folder.file("key.txt", &key);
    let args = ["simulate", "--server", &server.url, "--speed", "max", "--cars", "5"];
    let with_file = [&args[..], &["--key-file", "key.txt"]].concat();
    folder.run(&with_file).ok();
    let mut command = folder.command(&args);
    let ran = command.env("SMARTPARK_KEY", key.trim_end()).output().unwrap();
    super::program::ran(&ran).ok();
    let mut wrong = folder.command(&args);
    let ran = wrong.env("SMARTPARK_KEY", "wrong").output().unwrap();
    let ran = super::program::ran(&ran).ended(1);
    assert!(ran.err.contains("--key-file"), "{}", ran.err);
}

#[test]
fn a_replayed_file_ends_in_the_truth_and_changes_nothing_again() {
    let folder = Folder::with_floors(&FLOORS);
    let server = Server::start(&folder, &[]);
    let garage = Garage::weeks().shuffled(3);
    folder.file("events.csv", format!("{}not,an,event\n", garage.csv()));
    let args = ["replay", "events.csv", "--speed", "max", "--server", &server.url, "--json"];
    let ran = folder.run(&args).ended(1);
    assert!(ran.err.contains("line 1374: has 3 cells"), "{}", ran.err);
    assert_eq!(numbers(&ran.json()), [1372, 1372, 0, 0]);
    garage.assert_true(&folder);
    folder.run(&["export", "all.ndjson.gz"]).ok();
    let again = ["replay", "all.ndjson.gz", "--speed", "max", "--server", &server.url, "--json"];
    assert_eq!(numbers(&folder.run(&again).ok().json()), [1372, 0, 1372, 0]);
}

#[test]
fn a_replay_keeps_the_pauses_at_its_speed() {
    let (folder, server) = served();
    let row = |at: &str, track: &str| format!("c,1,{track},car,entry,2026-02-12T{at}Z\n");
    let header = "camera_id,floor_id,track_id,vehicle_type,direction,timestamp\n";
    let rows = [row("10:00:00", "a"), row("10:10:00", "b"), row("10:20:00", "c")].concat();
    folder.file("three.csv", format!("{header}{rows}"));
    let args = ["replay", "three.csv", "--speed", "2400", "--dates", "as-sent", "--json"];
    let summary = folder.run(&[&args[..], &["--server", &server.url]].concat()).ok().json();
    assert_eq!(numbers(&summary), [3, 3, 0, 0]);
    assert!(summary["seconds"].as_f64().unwrap() >= 0.48, "20 minutes at 2400 take 0.5 s");
    let floor = &summary["floors"][0];
    assert_eq!((&floor["before"], &floor["after"]), (&json!(0), &json!(3)));
    let events = server.get("/events?limit=3").1;
    let newest = events["events"][0]["timestamp"].as_str().unwrap();
    assert!(!newest.starts_with("2026-02-12T10"), "{newest}");
}
