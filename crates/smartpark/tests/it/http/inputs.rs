//! Messages that devices post become events, once each, on both engines.

use std::{fs, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use smartpark::{EventFilter, FloorChange, NewKey, Role, SmartPark, http::HttpConfig};
use smartpark_exchange::{Inputs, Signs};
use smartpark_formats::{
    config::{Connections, Input},
    trial::recording::{RecordedMessage, messages},
};

use super::{bad_input::assert_problem, keys::issue};
use crate::server::{Answer, TestServer};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-formats/tests/payloads")
}

fn parsed(text: &str) -> Arc<Connections> {
    Arc::new(Connections::parse(text, &[]).unwrap_or_else(|faults| panic!("{faults:?}")))
}

fn config(connections: &Arc<Connections>) -> HttpConfig {
    HttpConfig { connections: Arc::clone(connections), ..HttpConfig::default() }
}

/// A server with these cameras and the floors "Level 1" and "Level 2", at the time of the payloads.
fn with(text: &str) -> TestServer {
    let server = TestServer::with(config(&parsed(text)));
    prepare(&server);
    server
}

fn prepare(server: &TestServer) {
    for id in [1, 2] {
        let name = Some(format!("Level {id}"));
        let change = FloorChange { name, total_slots: Some(200), ..FloorChange::default() };
        server.run(server.park.floors().change_floor(id, change)).unwrap();
    }
    server.clock.set("2026-12-31T12:00:00Z".parse().unwrap());
}

const COUNTER: &str = "
[[camera]]
id = 'loops'
floor = 'Level 1'
[camera.counter]
entry = '/in'
exit = '/out'
time = '/time'
";

const HIKVISION: &str = "
[[camera]]
id = 'gate'
floor = 'Level 1'
hikvision = { event = 'linedetection', entry = ['1'], exit = ['2'] }
";

fn post(server: &TestServer, camera: &str, body: &Value) -> Answer {
    let body = body.to_string();
    server.send("POST", &format!("/inputs/{camera}"), &[], body.as_bytes())
}

fn reading(server: &TestServer, count: u64, time: &str) -> Value {
    post(server, "loops", &json!({"in": count, "time": time})).expect(200)
}

/// The payloads: their name, messages, and what they must give.
fn payloads(connections: &Connections) -> Vec<(String, Vec<RecordedMessage>, Value)> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    for device in entries.filter(|path| path.is_dir()) {
        for file in fs::read_dir(&device).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".expected.json") {
                continue;
            }
            let expected = fs::read(file.with_extension("expected.json")).unwrap();
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            let camera = connections.camera(expected["camera"].as_str().unwrap_or("roboflow"));
            let camera = camera.unwrap();
            let sent = messages(camera, &name, &fs::read(&file).unwrap()).unwrap();
            // A file is imported, not sent.
            if !matches!(camera.input, Input::OpenDataCam(_)) {
                found.push((name, sent, expected));
            }
        }
    }
    found
}

/// The events of a camera as the payloads tell them.
fn told(server: &TestServer) -> Vec<Value> {
    let floors = server.run(server.park.floors().get_all_floors()).unwrap();
    let all = server.park.events().get_events_oldest_first(EventFilter::default(), 1_000, None);
    let events = server.run(all).unwrap().events;
    let told = |event: smartpark::Event| {
        json!({
            "camera_id": event.camera_id,
            "floor": floors.iter().find(|floor| floor.id == event.floor_id).unwrap().name,
            "track_id": event.track_id,
            "vehicle_type": event.vehicle_type.to_string(),
            "direction": event.direction.to_string(),
            "confidence": event.confidence,
            "timestamp": event.timestamp.to_string(),
        })
    };
    let mut told: Vec<Value> = events.into_iter().map(told).collect();
    told.sort_by_key(Value::to_string);
    told
}

fn sorted(events: &Value) -> Vec<Value> {
    let mut events = events.as_array().unwrap().clone();
    events.sort_by_key(Value::to_string);
    events
}

/// Sends a message the way that it takes: MQTT messages through the way in that the task of the
/// broker uses, all others by HTTP.
fn send(server: &TestServer, inputs: &Inputs, camera: &str, sent: &RecordedMessage) {
    if sent.topic.is_some() {
        server.run(inputs.receive_topic(&sent.message(server.park.now()))).unwrap();
        return;
    }
    let content_type = sent.content_type.as_deref().unwrap_or("application/octet-stream");
    let headers = [("content-type", content_type)];
    server.send("POST", &format!("/inputs/{camera}"), &headers, &sent.body).expect(200);
}

#[test]
fn every_payload_gives_its_events_and_the_second_time_none_on_each_engine() {
    let connections = parsed(&fs::read_to_string(folder().join("smartpark.toml")).unwrap());
    let payloads = payloads(&connections);
    assert!(payloads.len() >= 28, "only {} payloads", payloads.len());
    for (name, sent, expected) in payloads {
        for server in TestServer::on_each_engine_with(&config(&connections)) {
            prepare(&server);
            let way_in = || {
                let signs = Arc::<Signs>::default();
                Inputs::new(server.park.clone(), Arc::clone(&connections), signs)
            };
            let camera = expected["camera"].as_str().unwrap_or("roboflow");
            let inputs = way_in();
            sent.iter().for_each(|message| send(&server, &inputs, camera, message));
            let total = expected["events_total"].as_u64().unwrap() as usize;
            let first = told(&server);
            assert_eq!(first.len(), total, "{name}");
            if expected["events"].is_array() {
                assert_eq!(first, sorted(&expected["events"]), "{name}");
            }
            if name == "esphome-pulse.ndjson" {
                continue; // Its payload is a number without a time: the same again is a reset.
            }
            // Another process, which knows nothing but the database.
            let inputs = way_in();
            sent.iter().for_each(|message| send(&server, &inputs, camera, message));
            assert_eq!(told(&server).len(), total, "{name}, the second time");
            assert!(server.run(server.park.check(false)).unwrap().is_clean(), "{name}");
        }
    }
}

#[test]
fn a_counter_counts_across_restarts_and_tells_what_it_did() {
    let mut server = with(COUNTER);
    let first = reading(&server, 100, "2026-12-01T08:00:00Z");
    assert_eq!(first["recorded"], 0, "the first reading is the starting point");
    let second = reading(&server, 103, "2026-12-01T08:01:00Z");
    assert_eq!((&second["recorded"], &second["duplicates"]), (&json!(3), &json!(0)));
    server = server.restart(config(&parsed(COUNTER)));
    server.clock.set("2026-12-31T12:00:00Z".parse().unwrap());
    let again = reading(&server, 103, "2026-12-01T08:01:00Z");
    assert_eq!(again["not_counted"][0]["reason"], "repeat");
    assert_eq!(reading(&server, 104, "2026-12-01T08:02:00Z")["recorded"], 1);
    assert_eq!(told(&server).len(), 4);
}

#[test]
fn a_reading_whose_cars_cannot_be_counted_leaves_the_counter_as_it_was() {
    let server = with(COUNTER);
    reading(&server, 100, "2026-12-01T08:00:00Z");
    // The clock of the device is wrong for a while.
    let ahead = reading(&server, 105, "2027-06-01T08:00:00Z");
    assert_eq!(
        (&ahead["recorded"], &ahead["not_counted"][0]["reason"]),
        (&json!(0), &json!("future"))
    );
    assert_eq!(reading(&server, 106, "2026-12-01T08:10:00Z")["recorded"], 6);
    // The floor is renamed; once it has its name again, nothing was lost.
    let floor = server.run(server.park.floors().get_floor_by_name("Level 1")).unwrap().unwrap();
    let rename = |name: &str| {
        let change = FloorChange { name: Some(name.into()), ..Default::default() };
        server.run(server.park.floors().change_floor(floor.id, change)).unwrap();
    };
    rename("Roof");
    let lost = reading(&server, 110, "2026-12-01T08:20:00Z");
    assert_eq!(lost["not_counted"][0]["reason"], "unknown_floor");
    rename("Level 1");
    assert_eq!(reading(&server, 111, "2026-12-01T08:30:00Z")["recorded"], 5);
}

#[test]
fn two_servers_that_hear_one_counter_count_each_car_once() {
    for server in TestServer::on_each_engine_with(&config(&parsed(COUNTER))) {
        prepare(&server);
        let connections = parsed(COUNTER);
        let way_in = |park: SmartPark| Inputs::new(park, Arc::clone(&connections), Arc::default());
        let ways = [way_in(server.park.clone()), way_in(server.park.clone())];
        let camera = connections.camera("loops").unwrap();
        server.run(async {
            let all = (0..40_u64).flat_map(|minute| [(minute, &ways[0]), (minute, &ways[1])]);
            let received = all.map(async |(minute, way): (u64, &Inputs)| {
                let time = format!("2026-12-01T08:{minute:02}:00Z");
                let body = json!({"in": minute * 3, "time": time}).to_string().into_bytes();
                let sent = RecordedMessage { body, ..RecordedMessage::default() };
                way.receive(camera, &sent.message(server.park.now())).await.unwrap();
            });
            futures_util::future::join_all(received).await;
        });
        assert_eq!(told(&server).len(), 39 * 3);
    }
}

#[test]
fn what_is_not_counted_shows_in_answer_attention_and_metrics() {
    let server = with(HIKVISION);
    let alert = |region: &str, state: &str| {
        format!(
            "<EventNotificationAlert><channelID>1</channelID>\
             <dateTime>2026-12-01T08:00:00+01:00</dateTime><eventType>linedetection</eventType>\
             <eventState>{state}</eventState><DetectionRegionList><DetectionRegionEntry>\
             <regionID>{region}</regionID><detectionTarget>vehicle</detectionTarget>\
             <TargetRect><X>0.1</X><Y>0.2</Y><width>0.1</width><height>0.1</height></TargetRect>\
             </DetectionRegionEntry></DetectionRegionList></EventNotificationAlert>"
        )
    };
    let post = |body: String| {
        let xml = [("content-type", "application/xml")];
        server.send("POST", "/inputs/gate", &xml, body.as_bytes()).expect(200)
    };
    assert_eq!(post(alert("1", "active"))["recorded"], 1);
    let unknown = post(alert("3", "active"));
    let told = "region 3 is not configured";
    assert_eq!(unknown["not_counted"][0]["detail"], told);
    assert_eq!(post("<plate>SECRET-7".to_owned())["not_counted"][0]["reason"], "unreadable");
    let attention = server.get("/attention").expect(200);
    let details: Vec<&str> = attention["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["kind"] == "not_counted")
        .map(|item| item["detail"].as_str().unwrap())
        .collect();
    assert!(details.iter().any(|detail| detail.contains(told)), "{details:?}");
    let metrics = String::from_utf8(server.get("/metrics").bytes).unwrap();
    let line =
        "smartpark_messages_not_counted_total{camera_id=\"gate\",reason=\"not_configured\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    let stored = server.stored_bytes();
    let has_plate = |bytes: &Vec<u8>| bytes.windows(6).any(|window| window == b"SECRET");
    assert!(!stored.iter().any(has_plate) && !metrics.contains("SECRET"));
}

/// `Basic` credentials with the key as the password.
fn basic(user: &str, key: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{key}"));
    format!("Basic {encoded}")
}

#[test]
fn devices_show_their_key_as_bearer_header_or_basic_password() {
    let server = with(COUNTER);
    let camera = issue(&server, NewKey::new("loops", Role::Camera));
    let camera = camera.secret.expose().to_owned();
    let viewer = issue(&server, NewKey::new("desk", Role::Viewer)).secret.expose().to_owned();
    let other = NewKey { cameras: vec!["gate".into()], ..NewKey::new("gate", Role::Camera) };
    let other = issue(&server, other).secret.expose().to_owned();
    let elsewhere = NewKey { floors: vec![2], ..NewKey::new("floor", Role::Camera) };
    let elsewhere = issue(&server, elsewhere).secret.expose().to_owned();
    let body = json!({"in": 1, "time": "2026-12-01T08:00:00Z"}).to_string();
    let ask =
        |header: (&str, &str)| server.send("POST", "/inputs/loops", &[header], body.as_bytes());
    let bearer = |key: &str| format!("Bearer {key}");
    assert_eq!(ask(("authorization", &bearer(&camera))).status, 200);
    assert_eq!(ask(("x-api-key", &camera)).status, 200);
    assert_eq!(ask(("authorization", &basic("any", &camera))).status, 200);
    assert_eq!(ask(("authorization", &basic("", &camera))).status, 200);
    assert_problem(&ask(("authorization", &bearer(&viewer))), 403, "forbidden", &[]);
    assert_eq!(ask(("authorization", &basic("any", &other))).status, 403);
    assert_eq!(ask(("authorization", &bearer(&elsewhere))).status, 403);
    for header in ["Basic !", "Basic bm8tY29sb24=", &basic("a", "sp_wrong"), "Digest x"] {
        let refused = ask(("authorization", header));
        assert_eq!(refused.status, 401, "{header}");
        // A camera sends its password only if it is asked.
        assert_eq!(refused.header("www-authenticate"), "Basic realm=\"smartpark\"");
    }
    // Elsewhere Basic is no way in.
    let headers = [("authorization", &*basic("any", &camera))];
    let refused = server.send("POST", "/events", &headers, b"{}");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"smartpark\"");
}

#[test]
fn a_message_for_nobody_and_one_that_is_too_large_are_refused() {
    let server = with(COUNTER);
    assert_problem(&post(&server, "nobody", &json!({})), 404, "not-found", &[]);
    let large = vec![b' '; 1024 * 1024 + 1];
    let refused = server.send("POST", "/inputs/loops", &[], &large);
    assert_problem(&refused, 413, "too-large", &[]);
    assert_eq!(server.send("POST", "/inputs/loops", &[], b"").expect(200)["recorded"], 0);
    assert_eq!(server.send("GET", "/inputs/loops", &[], b"").status, 405);
}

#[test]
fn events_can_be_checked_without_recording_them() {
    let server = with("");
    let good = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-12-31T11:59:00Z"});
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    let before = server.state();
    let check = |body: &Value| server.send_json("POST", "/events?validate=true", body);
    let valid = check(&good).expect(200);
    assert_eq!(valid, json!({"valid": 1, "rejected": 0, "errors": []}));
    assert_problem(&check(&with("floor_id", json!(99))), 422, "unknown-floor", &["#/floor_id"]);
    assert_problem(
        &check(&with("direction", json!("up"))),
        422,
        "invalid-fields",
        &["#/direction"],
    );
    let ahead = with("timestamp", json!("2027-01-02T00:00:00Z"));
    assert_problem(&check(&ahead), 422, "in-future", &["#/timestamp"]);
    let batch = check(&json!([good, ahead, with("track_id", json!(""))])).expect(200);
    assert_eq!((&batch["valid"], &batch["rejected"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&batch["errors"][0]["index"], &batch["errors"][1]["index"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(server.state(), before);
    let refusals = server.run(server.park.events().get_refusals(1)).unwrap();
    assert!(refusals.is_empty(), "nothing was sent, so nothing was refused");
    assert_problem(
        &server.send_json("POST", "/events?validate=yes", &good),
        422,
        "invalid-fields",
        &["?validate"],
    );
}

#[test]
fn a_heartbeat_is_a_sign_of_life_of_the_camera_that_the_key_speaks_for() {
    let server = with("");
    let beat = |camera: &str, headers: &[(&str, &str)]| {
        server.send("POST", &format!("/cameras/{camera}/heartbeat"), headers, b"").status
    };
    let own = NewKey { cameras: vec!["gate".into()], ..NewKey::new("gate", Role::Camera) };
    let own = format!("Bearer {}", issue(&server, own).secret.expose());
    let any = issue(&server, NewKey::new("any", Role::Camera));
    let any = format!("Bearer {}", any.secret.expose());
    assert_eq!(beat("gate", &[("authorization", &own)]), 204);
    let heard = server.run(Signs::all(&server.park)).unwrap();
    assert_eq!((heard.len(), heard["gate"]), (1, server.park.now()));
    assert_eq!(beat("cam_001", &[("authorization", &own)]), 403);
    assert_eq!(beat("cam_001", &[("authorization", &any)]), 204);
    assert_eq!(beat(&"x".repeat(101), &[("authorization", &any)]), 422);
    assert_eq!(beat("gate", &[]), 401);
}
