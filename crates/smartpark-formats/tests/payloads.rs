//! Recorded messages of devices give the events that stand beside them: once, twice, and for
//! counters in any order.

mod ledger;

use std::{collections::BTreeMap, fs, path::PathBuf};

use ledger::{Event, Ledger};
use serde_json::Value;
use smartpark_formats::{
    config::{Camera, Connections, Input},
    input::{DahuaPart, DahuaStream, Finding, route, translate},
    trial::recording::{self, RecordedMessage},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

fn connections() -> Connections {
    let text = fs::read_to_string(folder().join("smartpark.toml")).unwrap();
    Connections::parse(&text, &[]).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// `(name, messages, expected)` of every payload.
fn payloads() -> Vec<(String, Vec<RecordedMessage>, Value)> {
    let mut found = Vec::new();
    for device in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if !device.is_dir() {
            continue;
        }
        for file in fs::read_dir(&device).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".expected.json") {
                continue;
            }
            let expected = fs::read(file.with_extension("expected.json")).unwrap();
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            let kind = device.file_name().unwrap().to_str().unwrap();
            let bytes = fs::read(&file).unwrap();
            let sent = messages(expected["camera"].as_str(), &name, &bytes);
            found.push((format!("{kind}/{name}"), sent, expected));
        }
    }
    assert_eq!(found.len(), 29, "payloads are missing");
    found
}

/// The messages of a payload, read as `smartpark input try` reads them.
fn messages(camera: Option<&str>, name: &str, bytes: &[u8]) -> Vec<RecordedMessage> {
    let connections = connections();
    // Messages that name no camera do not depend on one.
    let camera = connections.camera(camera.unwrap_or("roboflow")).unwrap();
    let messages = recording::messages(camera, name, bytes).unwrap();
    if matches!(camera.input, Input::Dahua(_)) {
        let mut stream = DahuaStream::new(Some("multipart/x-mixed-replace; boundary=myboundary"));
        let mut parts = Vec::new();
        // The network cuts where it likes.
        bytes.chunks(7).for_each(|chunk| parts.extend(stream.push(chunk)));
        parts.extend(stream.finish());
        let content = |part: DahuaPart| match part {
            DahuaPart::Content(body) => RecordedMessage { body, ..RecordedMessage::default() },
            DahuaPart::TooLarge => panic!("no part is too large"),
        };
        return parts.into_iter().map(content).collect();
    }
    messages
}

/// What one message gives, through the way in that it takes.
fn findings<'a>(
    connections: &'a Connections,
    camera: Option<&'a Camera>,
    sent: &RecordedMessage,
    arrived: i64,
) -> Vec<(Option<&'a Camera>, Vec<Finding>)> {
    let message = sent.message(jiff::Timestamp::from_second(arrived).unwrap());
    match (sent.topic.as_ref(), camera) {
        (Some(_), _) => route(connections, &message)
            .into_iter()
            .map(|routed| (routed.camera, routed.findings))
            .collect(),
        (None, Some(camera)) => vec![(Some(camera), translate(camera, &message))],
        // Telraam is no input: its report reaches a counter that somebody pointed at it.
        (None, None) => {
            let camera = connections.camera("roboflow").unwrap();
            vec![(Some(camera), translate(camera, &message))]
        }
    }
}

fn feed(
    ledger: &mut Ledger,
    connections: &Connections,
    camera: Option<&str>,
    sent: &[RecordedMessage],
) -> Vec<(usize, String)> {
    let camera = camera.map(|id| connections.camera(id).unwrap());
    let mut ignored = Vec::new();
    for (number, message) in sent.iter().enumerate() {
        let arrived = 1_796_200_000 + i64::try_from(number).unwrap();
        let mut reasons = Vec::new();
        for (camera, findings) in findings(connections, camera, message, arrived) {
            reasons.extend(ledger.record(camera, findings));
        }
        reasons.dedup();
        // In one post of many values, the values are what is numbered.
        let place = |at: Option<usize>| at.filter(|_| sent.len() == 1).unwrap_or(number);
        ignored.extend(reasons.into_iter().map(|(at, reason)| (place(at), reason)));
    }
    ignored
}

fn expected_events(expected: &Value) -> Option<Vec<Event>> {
    let events = expected["events"].as_array()?;
    Some(events.iter().map(event).collect())
}

fn expected_ignored(expected: &Value) -> Vec<(usize, String)> {
    let ignored = expected["ignored"].as_array().unwrap().iter();
    ignored
        .map(|entry| {
            let number = usize::try_from(entry["message"].as_u64().unwrap()).unwrap();
            (number, entry["reason"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// The event in a file of expectations.
fn event(json: &Value) -> Event {
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    Event {
        camera_id: text("camera_id"),
        floor: text("floor"),
        track_id: text("track_id"),
        vehicle_type: text("vehicle_type"),
        direction: text("direction"),
        confidence: json["confidence"].as_f64().unwrap(),
        timestamp: text("timestamp"),
    }
}

/// Whether an event is one of a run of events that differ in their tracks only.
fn fits_run(event: &Event, run: &Value) -> bool {
    let is = |name: &str, value: &str| run[name].as_str().is_none_or(|wanted| wanted == value);
    let when = run["timestamp"].as_str().filter(|when| when.ends_with('Z'));
    is("camera_id", &event.camera_id)
        && is("floor", &event.floor)
        && is("direction", &event.direction)
        && is("vehicle_type", &event.vehicle_type)
        && when.is_none_or(|when| when == event.timestamp)
}

#[test]
fn every_payload_gives_its_events_and_the_second_time_none() {
    let connections = connections();
    for (name, sent, expected) in payloads() {
        let mut ledger = Ledger::default();
        let camera = expected["camera"].as_str();
        let ignored = feed(&mut ledger, &connections, camera, &sent);
        let total = usize::try_from(expected["events_total"].as_u64().unwrap()).unwrap();
        assert_eq!(ledger.events.len(), total, "{name}: {ignored:?}");
        if let Some(events) = expected_events(&expected) {
            assert_eq!(ledger.events, events, "{name}");
        }
        for run in expected["runs"].as_array().into_iter().flatten() {
            let fits = |event: &&Event| fits_run(event, run);
            let count = ledger.events.iter().filter(fits).count();
            assert_eq!(count as u64, run["count"].as_u64().unwrap(), "{name}: {run}");
            if let Some(first) = run["first_track_id"].as_str() {
                assert_eq!(ledger.events.iter().find(fits).unwrap().track_id, first, "{name}");
            }
        }
        assert_eq!(ignored, expected_ignored(&expected), "{name}");
        if name != "shelly/esphome-pulse.ndjson" {
            feed(&mut ledger, &connections, camera, &sent);
            assert_eq!(ledger.events.len(), total, "{name}, the second time");
        }
    }
}

#[test]
fn counters_give_the_same_totals_in_any_order() {
    let connections = connections();
    let mut seen = 0;
    for (name, sent, expected) in payloads() {
        let counts = |camera: &Camera| {
            matches!(
                camera.input,
                Input::Counter(_) | Input::Axis(_) | Input::Xovis(_) | Input::Hikvision(_)
            )
        };
        let camera = expected["camera"].as_str();
        let id = camera.unwrap_or_default();
        let is_counter = connections.camera(id).is_some_and(counts) || id == "onvif-counter";
        if !is_counter || name == "shelly/esphome-pulse.ndjson" {
            continue;
        }
        seen += 1;
        let totals = |order: &[RecordedMessage]| {
            let mut ledger = Ledger::default();
            feed(&mut ledger, &connections, camera, order);
            let mut totals = BTreeMap::new();
            for event in &ledger.events {
                *totals.entry((event.floor.clone(), event.direction.clone())).or_insert(0) += 1;
            }
            totals
        };
        let wanted = totals(&sent);
        for turn in 0..sent.len() {
            let mut order = sent.clone();
            order.rotate_left(turn);
            assert_eq!(totals(&order), wanted, "{name}, rotated by {turn}");
            order.reverse();
            assert_eq!(totals(&order), wanted, "{name}, reversed and rotated by {turn}");
        }
    }
    assert!(seen >= 10, "only {seen} payloads of counters");
}

#[test]
fn plates_names_and_pictures_stay_in_the_message() {
    let connections = connections();
    for (name, sent, expected) in payloads() {
        let camera = expected["camera"].as_str().map(|id| connections.camera(id).unwrap());
        for message in &sent {
            let found = format!("{:?}", findings(&connections, camera, message, 1_796_200_000));
            for secret in ["TEST1", "TEST0", "TEST NAME", "not-a-real-j"] {
                // The configuration itself holds none of them.
                assert!(!found.contains(secret), "{name}: {secret}");
            }
        }
    }
}
