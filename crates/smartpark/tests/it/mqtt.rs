//! The bridge to a real broker: Mosquitto, and the program as its users run it.

mod broker;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::program::{Folder, Server};
use broker::{Broker, until};

/// A configuration that listens to this broker.
fn configure(folder: &Folder, broker: &Broker, more: &str) {
    let text = format!(
        "[mqtt]\nbroker = 'mqtt://127.0.0.1:{}'\nclient_id = 'smartpark-test'\n\
         events = ['cameras/+/events']\n{more}",
        broker.port
    );
    folder.file("smartpark.toml", text);
}

/// A car that came in a while ago.
fn event(track: &str, seconds_ago: i64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
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
    let now = jiff::Timestamp::now().as_second() - 30;
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

/// Server and broker are ended in turn while messages come with QoS 1: every event once.
fn every_event_once(folder: &Folder) {
    const BATCHES: usize = 24;
    const ROWS: usize = 25;
    let mut broker = Broker::start();
    configure(folder, &broker, "");
    let mut server = Some(Server::start(folder, &[]));
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
    until("it is connected", || server.log().contains("connected to the broker"));
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
