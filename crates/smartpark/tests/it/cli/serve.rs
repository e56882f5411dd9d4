//! The server as a process: start, seed, lock, log, stop.

use serde_json::{Value, json};

use super::{
    garage::{FLOORS, Garage},
    program::{Folder, Server},
};

#[test]
fn an_empty_database_is_seeded_as_asked() {
    let cases: [(&[&str], &str); 3] = [
        (&[], "Floors: 4, Events: 15"),
        (&["--seed", "floors"], "Floors: 4, Events: 0"),
        (&["--seed", "none"], "Floors: 0, Events: 0"),
    ];
    for (args, told) in cases {
        let folder = Folder::new();
        let (code, log) = Server::start(&folder, args).stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(told), "{args:?}: {log}");
        folder.run(&["check"]).ok();
    }
    let folder = Folder::new();
    Server::start(&folder, &[]).stop();
    let floors = folder.run(&["floors", "--all", "--json"]).ok().json();
    let mut floors: Vec<_> = floors["floors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["name"].as_str().unwrap(), it["total_slots"].as_i64(), it["is_active"] == true)
        })
        .collect();
    floors.sort_unstable();
    let expected = [
        ("Basement Level 1", Some(60), false),
        ("First Floor", Some(45), true),
        ("Ground Floor", Some(50), true),
        ("Second Floor", Some(40), true),
    ];
    assert_eq!(floors, expected);
}

#[test]
fn a_restart_keeps_the_data_and_seeds_nothing() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = Server::start(&folder, &[]);
    assert!(server.log().contains("Floors: 1, Events: 0"), "{}", server.log());
    let event = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"});
    let (status, first) = server.post("/events", &event);
    assert_eq!(status, 201, "{first}");
    assert_eq!(server.stop().0, Some(0));
    let server = Server::start(&folder, &[]);
    assert!(server.log().contains("Floors: 1, Events: 1"), "{}", server.log());
    let (status, again) = server.post("/events", &event);
    assert_eq!((status, &again["duplicate"]), (200, &json!(true)));
    assert_eq!(again["event"], first["event"]);
    assert_eq!(server.get("/floors").1["current_vehicles"], 1);
}

#[test]
fn a_second_server_on_one_file_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let second = folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(1);
    let told = second.err.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(told.contains("server"), "{}", second.err);
    assert_eq!(server.get("/health/ready").0, 200);
    server.kill();
    // The right to serve dies with its process.
    Server::start(&folder, &[]);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Folder::new();
    let ran = folder.run(&["serve", "--listen", &address]).ended(1);
    assert!(ran.err.contains(&address) && ran.err.contains("--listen"), "{}", ran.err);
}

#[test]
fn commands_and_server_see_each_others_changes() {
    let folder = Folder::with_floors(&FLOORS);
    let server = Server::start(&folder, &[]);
    let garage = Garage::weeks();
    folder.file("events.csv", garage.csv());
    folder.run(&["import", "events.csv"]).ok();
    garage.assert_true(&folder);
    let hours = "?start=2019-06-01T00:00:00Z&end=2019-07-01T00:00:00Z&limit=1";
    let (status, page) = server.get(&format!("/events{hours}"));
    assert_eq!((status, &page["events"][0]["direction"]), (200, &json!("exit")));
    let event = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"});
    assert_eq!(server.post("/events", &event).0, 201);
    let floors = folder.run(&["floors", "--json"]).ok().json();
    assert_eq!(floors["current_vehicles"], 1);
    folder.run(&["floors", "recount", "1F", "9", "--reason", "round"]).ok();
    assert_eq!(server.get("/floors/1").1["current_vehicles"], 9);
    folder.run(&["floors", "add", "Roof", "--slots", "60"]).ok();
    assert_eq!(server.get("/floors/recommended").1["floor"]["name"], "Roof");
    // The server still counts right what comes after the changes of others.
    let next = json!({"camera_id": "c", "floor_id": 1, "track_id": "u", "vehicle_type": "car",
        "direction": "entry"});
    assert_eq!(server.post("/events", &next).1["floor"]["current_vehicles"], 10);
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
}

#[test]
fn what_programs_read_is_the_same_over_http() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let json = |args: &[&str]| folder.run(&[args, &["--json"]].concat()).ok().json();
    let same = |path: &str, args: &[&str]| {
        assert_eq!(server.get(path), (200, json(args)), "{path}");
    };
    same("/floors", &["floors"]);
    same("/floors?include_inactive=true", &["floors", "--all"]);
    same("/floors/recommended", &["recommend"]);
    same("/events?limit=3", &["events", "--limit", "3"]);
    same("/events?floor_id=2&direction=exit", &["events", "--floor", "2", "--direction", "exit"]);
    let window = |mut stats: Value| {
        // The window ends with the asking.
        for name in ["start", "end"] {
            assert!(stats.as_object_mut().unwrap().remove(name).is_some(), "{stats}");
        }
        stats
    };
    let (status, stats) = server.get("/statistics?hours=24");
    assert_eq!((status, window(stats)), (200, window(json(&["stats"]))));
}

#[test]
fn a_signal_stops_it_in_good_order() {
    for signal in ["TERM", "INT"] {
        let folder = Folder::new();
        let server = Server::start(&folder, &[]);
        server.signal(signal);
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
        folder.run(&["check"]).ok();
    }
}

#[test]
fn the_log_can_be_json_and_hold_its_tongue() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--log-format", "json"]);
    let (_, log) = server.stop();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["message"].is_string(), "{line}");
    }
    assert!(log.contains("Floors: 4, Events: 15"), "{log}");
}

#[test]
fn other_machines_are_served_only_where_that_is_said() {
    let folder = Folder::new();
    let listen = ["--listen", "0.0.0.0:0"];
    folder.run(&[&["serve"], &listen[..]].concat()).ended(2);
    assert_eq!(folder.files(), [""; 0], "a refused server must not make a database");
    let server = Server::start(&folder, &["--listen", "0.0.0.0:0", "--no-auth"]);
    assert!(server.url.starts_with("http://0.0.0.0:"), "{}", server.url);
}

#[test]
fn events_at_a_limit_are_answered_as_configured() {
    let folder = Folder::with_floors(&[("1F", 0)]);
    let event = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"});
    let reject = Server::start(&folder, &["--on-limit", "reject"]);
    assert_eq!(reject.post("/events", &event).0, 409);
    reject.stop();
    let record = Server::start(&folder, &[]);
    let (status, answer) = record.post("/events", &event);
    assert_eq!((status, &answer["duplicate"]), (200, &json!(true)));
    assert_eq!(answer["event"]["at_limit"], "full");
}
