//! The bridge to a real broker: Mosquitto, and the program as its users run it.

mod broker;

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::{Value, json};
use smartpark_formats::{
    config::Connections,
    trial::recording::{RecordedMessage, messages},
};

use crate::cli::program::{Folder, Server};
use broker::{Broker, until};

/// A configuration that listens to this broker.
fn configure(folder: &Folder, broker: &Broker, more: &str) {
    let text = format!(
        "database = {:?}\n[mqtt]\nbroker = 'mqtt://127.0.0.1:{}'\nclient_id = 'smartpark-test'\n\
         events = ['cameras/+/events']\n{more}",
        folder.url(),
        broker.port
    );
    folder.file("smartpark.toml", text);
}

/// A car that came in a while ago.
fn event(track: &str, seconds_ago: i64) -> Value {
    let at = smartpark::Clock::system().now() - jiff::SignedDuration::from_secs(seconds_ago);
    json!({"camera_id": "cam", "floor": "1F", "track_id": track, "vehicle_type": "car",
        "direction": "entry", "timestamp": at.to_string()})
}

fn vehicles(server: &Server) -> i64 {
    server.get("/floors").1["current_vehicles"].as_i64().unwrap_or(-1)
}

/// The tracks of all events.
fn tracks(server: &Server) -> Vec<String> {
    let (mut tracks, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/events?limit=1000{cursor}")).1;
        let events = page["events"].as_array().unwrap();
        tracks.extend(events.iter().map(|event| event["track_id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return tracks,
        }
    }
}

fn attention(server: &Server) -> String {
    server.get("/attention").1["items"].to_string()
}

const CAMERAS: &str = "
[[camera]]
id = 'ramp'
floor = '1F'
frigate = { camera = 'ramp', outside = ['street'], inside = ['hall'] }
[[camera]]
id = 'loops'
floor = '1F'
[camera.counter]
topic = 'loops/state'
entry = '/in'
time = '/time'
";

#[test]
fn messages_of_every_kind_become_events() {
    let mut broker = Broker::start();
    let folder = Folder::with_floors(&[("1F", 5_000)]);
    configure(&folder, &broker, CAMERAS);
    // A retained reading is a reading; a retained event is an old one.
    broker.publish_one("loops/state", r#"{"in": 100}"#, true);
    broker.publish_one("cameras/cam/events", &event("old", 90).to_string(), true);
    let server = Server::start(&folder, &[]);
    let old = "retained message on a topic of events";
    until("the retained messages came", || attention(&server).contains(old));
    broker.publish("loops/state", "{\"in\": 103}\n");
    until("three cars", || vehicles(&server) == 3);
    broker.publish("cameras/cam/events", &format!("{}\n", event("own", 60)));
    until("SmartPark's own event", || vehicles(&server) == 4);
    let now = smartpark::Clock::system().now().as_second() - 30;
    let sight = |seconds: i64, zone: &str| {
        json!({"id": "f1", "camera": "ramp", "label": "car", "top_score": 0.9,
            "false_positive": false, "frame_time": now + seconds, "current_zones": [zone],
            "entered_zones": []})
    };
    let message = |kind: &str, before: Value, after: Value| {
        format!("{}\n", json!({"type": kind, "before": before, "after": after}))
    };
    let (outside, inside) = (sight(0, "street"), sight(5, "hall"));
    let came = message("new", outside.clone(), outside.clone());
    let crossed = message("update", outside, inside.clone());
    broker.publish("frigate/events", &(came + &crossed));
    until("a crossing of zones", || vehicles(&server) == 5);
    // The same once more, and what nobody can read: nothing changes, and the bridge goes on.
    broker.publish("frigate/events", &crossed);
    broker.publish("frigate/events", "not JSON\n");
    broker.publish("loops/state", "{\"in\": 104}\n");
    until("the next car", || vehicles(&server) == 6);
    until("what was not counted is shown", || attention(&server).contains("JSON"));
    // The broker restarts: the bridge comes back and subscribes again.
    broker.stop();
    broker.resume();
    broker.publish("loops/state", "{\"in\": 106}\n");
    until("cars after the restart of the broker", || vehicles(&server) == 8);
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
}

fn payloads() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-formats/tests/payloads")
}

/// Recorded messages of devices: name, topic, retain flag and bytes of each, and what they must
/// give.
fn recorded() -> Vec<(String, Vec<RecordedMessage>, Value)> {
    let text = fs::read_to_string(payloads().join("smartpark.toml")).unwrap();
    let connections = Connections::parse(&text, &[]).unwrap();
    let folders = fs::read_dir(payloads()).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).unwrap());
    let mut found = Vec::new();
    for file in files.map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "ndjson") {
            continue;
        }
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let expected = fs::read(file.with_extension("expected.json")).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let camera = connections.camera(expected["camera"].as_str().unwrap_or("roboflow"));
        let sent = messages(camera.unwrap(), &name, &fs::read(&file).unwrap()).unwrap();
        found.push((name, sent, expected));
    }
    found
}

#[test]
fn recorded_messages_of_devices_give_their_events_through_the_broker() {
    let all = recorded();
    assert!(all.len() >= 14, "only {} recordings", all.len());
    for (name, sent, expected) in all {
        let broker = Broker::start();
        let folder = Folder::with_floors(&[("Level 1", 200), ("Level 2", 200)]);
        let text = fs::read_to_string(payloads().join("smartpark.toml")).unwrap();
        let address = format!("mqtt://127.0.0.1:{}", broker.port);
        folder.file("smartpark.toml", text.replace("mqtt://127.0.0.1:1883", &address));
        // The recordings have times of their own.
        let server = Server::start(&folder, &["--max-clock-skew", "8760h"]);
        until("it is connected", || server.log().contains("subscribed to the topics"));
        let total = usize::try_from(expected["events_total"].as_u64().unwrap()).unwrap();
        // Twice: what comes again counts nothing. (A bare number without a time would be a reset.)
        let times = if name == "esphome-pulse.ndjson" { 1 } else { 2 };
        for message in sent.iter().cycle().take(times * sent.len()) {
            let topic = message.topic.as_deref().unwrap();
            if message.retained && ["cameras/", "frigate/"].iter().any(|it| topic.starts_with(it)) {
                // To those who listen already a broker tells it as a new one.
                continue;
            }
            broker.publish_bytes(topic, &message.body, message.retained);
        }
        // Messages are recorded in their order, so behind this one all are.
        let end = json!({"camera_id": "end", "floor": "Level 1", "track_id": "end",
            "vehicle_type": "car", "direction": "entry", "timestamp": "2026-12-01T00:00:00Z"});
        broker.publish("cameras/end/events", &format!("{end}\n"));
        until("the last message", || tracks(&server).contains(&"end".to_owned()));
        until(&name, || tracks(&server).len() > total);
        let told = tracks(&server);
        assert_eq!(told.len(), total + 1, "{name}: {told:?}");
        for event in expected["events"].as_array().into_iter().flatten() {
            let track = event["track_id"].as_str().unwrap();
            assert!(told.iter().any(|told| told == track), "{name}: {track}");
        }
        assert_eq!(server.stop().0, Some(0));
    }
}

#[test]
fn two_servers_that_hear_everything_count_each_car_once() {
    let broker = Broker::start();
    let one = Folder::with_floors_in_postgres(&[("1F", 5_000)]);
    let other = Folder::on_database(one.url(), &[]);
    let servers = [("a", &one), ("b", &other)].map(|(name, folder)| {
        let text = format!(
            "database = {:?}\n[mqtt]\nbroker = 'mqtt://127.0.0.1:{}'\n\
             client_id = 'smartpark-{name}'\nevents = ['cameras/+/events']\n{CAMERAS}",
            folder.url(),
            broker.port
        );
        folder.file("smartpark.toml", text);
        let server = Server::start(folder, &["--seed", "none"]);
        until("it is connected", || server.log().contains("subscribed to the topics"));
        server
    });
    let events: String = (0..200).map(|n| format!("{}\n", event(&format!("t{n}"), 600))).collect();
    let from = smartpark::Clock::system().now() - jiff::SignedDuration::from_mins(60);
    let reading = |n: i64| {
        let time = from + jiff::SignedDuration::from_secs(10 * n);
        format!("{}\n", json!({"in": 2 * n, "time": time.to_string()}))
    };
    let readings: String = (0..=100).map(reading).collect();
    broker.publish("cameras/cam/events", &events);
    broker.publish("loops/state", &readings);
    for server in &servers {
        until("every car", || vehicles(server) >= 400);
    }
    for server in servers {
        assert_eq!(vehicles(&server), 400);
        assert_eq!(server.stop().0, Some(0));
    }
    one.run(&["check"]).ok();
}

/// Server and broker are ended in turn while messages come with QoS 1: every event once.
fn every_event_once(folder: &Folder) {
    const BATCHES: usize = 24;
    const ROWS: usize = 25;
    let mut broker = Broker::start();
    configure(folder, &broker, "");
    let mut server = Some(Server::start(folder, &[]));
    // Before it has subscribed for the first time, the broker keeps nothing for it.
    let log = || server.as_ref().unwrap().log();
    until("it has subscribed", || log().contains("subscribed to the topics"));
    for batch in 0..BATCHES {
        let line = |row: usize| format!("{}\n", event(&format!("{batch}-{row}"), 3_600));
        let lines: String = (0..ROWS).map(line).collect();
        match batch % 6 {
            1 => server.take().unwrap().kill(),
            3 => server = Some(Server::start(folder, &[])),
            4 => broker.stop(),
            _ => {}
        }
        if batch % 6 == 4 {
            broker.resume();
        }
        broker.publish("cameras/cam/events", &lines);
    }
    let server = server.unwrap_or_else(|| Server::start(folder, &[]));
    until("every event", || tracks(&server).len() >= BATCHES * ROWS);
    let told = tracks(&server);
    let different: BTreeSet<&String> = told.iter().collect();
    assert_eq!((told.len(), different.len()), (BATCHES * ROWS, BATCHES * ROWS));
    assert_eq!(vehicles(&server), (BATCHES * ROWS) as i64);
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
}

#[test]
fn kills_of_server_and_broker_lose_and_double_nothing_on_sqlite() {
    every_event_once(&Folder::with_floors(&[("1F", 5_000)]));
}

#[test]
fn kills_of_server_and_broker_lose_and_double_nothing_on_postgres() {
    every_event_once(&Folder::with_floors_in_postgres(&[("1F", 5_000)]));
}

#[test]
fn home_assistant_finds_the_floors_and_their_states() {
    let mut broker = Broker::start();
    let folder = Folder::with_floors(&[("1F", 10), ("Roof", 4)]);
    let out = "[mqtt.out]\nprefix = 'smartpark'\nhome_assistant = 'homeassistant'\n\
               [site]\nid = 'central'\n";
    configure(&folder, &broker, out);
    let server = Server::start(&folder, &[]);
    let status = "smartpark/central/status";
    let config = "homeassistant/device/smartpark_central/config";
    let floor = |id: u32| format!("smartpark/central/floor/{id}");
    let read = |broker: &Broker, topic: &str| -> Value {
        serde_json::from_str(&broker.retained(topic)).unwrap_or_default()
    };
    until("it is online", || broker.retained(status) == "online");
    until("the floor has a state", || read(&broker, &floor(1))["free"] == 10);
    let told = read(&broker, config);
    assert_eq!(told["components"].as_object().unwrap().len(), 8, "{told}");
    assert_eq!(told["availability_topic"], status);
    assert_eq!(
        server
            .post(
                "/events",
                &json!({"camera_id": "c", "floor_id": 1, "track_id": "t",
        "vehicle_type": "car", "direction": "entry"})
            )
            .0,
        201
    );
    until("the car shows", || read(&broker, &floor(1))["free"] == 9);
    // A broker that forgets everything is told again.
    broker.stop();
    broker.resume();
    for topic in [config, status, &floor(2)] {
        broker.publish_one(topic, "", true);
    }
    broker.publish_one("homeassistant/status", "online", false);
    until("everything is told again", || read(&broker, config)["components"].is_object());
    until("with all states", || read(&broker, &floor(2))["free"] == 4);
    folder.run(&["floors", "remove", "Roof"]).ok();
    until("the floor is gone", || broker.retained(&floor(2)).is_empty());
    until("for Home Assistant, too", || {
        read(&broker, config)["components"].as_object().is_some_and(|it| it.len() == 4)
    });
    assert_eq!(server.stop().0, Some(0));
    until("it is offline", || broker.retained(status) == "offline");
}

#[test]
fn another_client_with_our_name_is_noticed() {
    let broker = Broker::start();
    let folder = Folder::with_floors(&[("1F", 10)]);
    configure(&folder, &broker, "");
    let server = Server::start(&folder, &[]);
    until("it is connected", || server.log().contains("subscribed to the topics"));
    let mut other = broker.take_name("smartpark-test");
    until("it is told", || attention(&server).contains("another client uses the client_id"));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_camera_without_a_floor_and_a_fault_in_the_file_keep_the_server_from_starting() {
    let folder = Folder::with_floors(&[("1F", 10)]);
    folder.file(
        "smartpark.toml",
        CAMERAS.replace("'1F'", "'Roof'")
            + "[mqtt]\nbroker = 'mqtt://localhost'\nclient_id = 'c'\n",
    );
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(2);
    assert!(ran.err.contains("camera ramp: there is no floor Roof"), "{}", ran.err);
    assert!(ran.err.contains("1F"), "{}", ran.err);
    folder.file("smartpark.toml", "[[camera]]\nid = 'x'\n");
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(2);
    assert!(ran.err.contains("line 1"), "{}", ran.err);
}
