//! Frigate's zones as sides of a line: lost, doubled and disordered messages.

mod ledger;

use ledger::Ledger;
use serde_json::{Value, json};
use smartpark_formats::{
    config::Connections,
    input::{Message, translate},
};

const OUT: &[&str] = &["outside"];
const IN: &[&str] = &["inside"];
const GAP: &[&str] = &[];

/// Where an object was at a second, and how sure Frigate is of it.
fn half(second: f64, zones: &[&str], entered: &[&str], is_sure: bool) -> Value {
    json!({
        "id": "obj", "camera": "ramp", "label": "car", "frame_time": 1_796_112_000.0 + second,
        "top_score": if is_sure { 0.9 } else { 0.0 }, "false_positive": !is_sure,
        "current_zones": zones, "entered_zones": entered,
    })
}

/// The messages of an object that was seen at these seconds in these zones, as Frigate sends them:
/// each tells the state before, too.
fn walk(steps: &[(f64, &[&str])]) -> Vec<Value> {
    let mut messages = Vec::new();
    let mut entered: Vec<&str> = Vec::new();
    let mut before = half(-1.0, GAP, &[], false);
    for (second, zones) in steps {
        entered.extend(zones.iter().filter(|zone| !entered.contains(zone)).collect::<Vec<_>>());
        let after = half(*second, zones, &entered, true);
        let kind = if messages.is_empty() { "new" } else { "update" };
        messages.push(json!({ "type": kind, "before": before, "after": after }));
        before = after;
    }
    messages
}

/// Directions and seconds of the events, and the reasons.
fn told(messages: &[Value]) -> (Vec<(String, String)>, Vec<String>) {
    let text = include_str!("payloads/smartpark.toml");
    let connections = Connections::parse(text, &[]).unwrap();
    let camera = connections.camera("frigate-ramp").unwrap();
    let (mut ledger, mut reasons) = (Ledger::default(), Vec::new());
    for message in messages {
        let body = message.to_string();
        let arrived = jiff::Timestamp::UNIX_EPOCH;
        let topic = Some("frigate/events");
        let message = Message {
            topic,
            retained: false,
            content_type: None,
            file_name: None,
            body: body.as_bytes(),
            arrived,
        };
        let ignored = ledger.record(Some(camera), translate(camera, &message));
        reasons.extend(ignored.into_iter().map(|(_, reason)| reason));
    }
    let events = ledger.events.into_iter().map(|event| (event.direction, event.timestamp));
    (events.collect(), reasons)
}

fn at(direction: &str, second: u32) -> (String, String) {
    (direction.to_owned(), format!("2026-12-01T08:00:{second:02}Z"))
}

#[test]
fn a_car_that_turns_back_is_an_entry_and_an_exit() {
    let messages = walk(&[(1.0, OUT), (2.0, IN), (3.0, GAP), (4.0, OUT)]);
    assert_eq!(told(&messages).0, [at("entry", 2), at("exit", 4)]);
}

#[test]
fn a_lost_message_is_made_up_for_by_the_next_and_is_told() {
    let messages = walk(&[(1.0, OUT), (2.0, GAP), (3.0, IN), (9.0, GAP)]);
    let (events, reasons) = told(&[messages[0].clone(), messages[1].clone(), messages[3].clone()]);
    assert_eq!(events, [at("entry", 3)], "at the time that it had");
    assert_eq!(reasons, ["a message of this object was lost; this one made up for it"]);
}

#[test]
fn repeats_and_old_messages_change_nothing() {
    let messages = walk(&[(1.0, OUT), (2.0, IN), (3.0, OUT), (4.0, IN)]);
    let wanted = [at("entry", 2), at("exit", 3), at("entry", 4)];
    let twice: Vec<Value> = messages.iter().flat_map(|m| [m.clone(), m.clone()]).collect();
    assert_eq!(told(&twice).0, wanted);
    let again = [&messages[..], &messages[..2]].concat();
    let (events, reasons) = told(&again);
    assert_eq!(events, wanted);
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

#[test]
fn a_late_message_is_left_out_since_the_next_one_told_of_it() {
    let messages = walk(&[(1.0, OUT), (2.0, IN), (3.0, OUT)]);
    let disordered = [messages[0].clone(), messages[2].clone(), messages[1].clone()];
    assert_eq!(told(&disordered).0, [at("entry", 2), at("exit", 3)]);
}

#[test]
fn what_was_not_published_is_read_from_the_entered_zones_once() {
    // Frigate became sure only inside; the object had come through the outside zone.
    let first = json!({
        "type": "new",
        "before": half(1.0, OUT, OUT, false),
        "after": half(3.0, IN, &["outside", "inside"], true),
    });
    assert_eq!(told(std::slice::from_ref(&first)).0, [at("entry", 3)]);
    // Later the entered zones still name the outside: they never forget.
    let later = json!({
        "type": "update",
        "before": half(3.0, IN, &["outside", "inside"], true),
        "after": half(9.0, IN, &["outside", "inside"], true),
    });
    assert_eq!(told(&[first, later]).0, [at("entry", 3)]);
}

#[test]
fn messages_of_old_versions_are_read_by_the_keys_that_they_have() {
    let old = |before: &[&str], after: &[&str], second: f64| {
        let half = |zones: &[&str], second: f64| {
            json!({
                "id": "old", "camera": "ramp", "label": "car",
                "frame_time": 1_796_112_000.0 + second,
                "current_zones": zones,
            })
        };
        let before = half(before, second - 1.0);
        json!({ "type": "update", "before": before, "after": half(after, second) })
    };
    assert_eq!(told(&[old(OUT, IN, 5.0)]).0, [at("entry", 5)]);
    let null = json!({ "type": "new", "before": null, "after": half(1.0, IN, IN, true) });
    assert_eq!(told(&[null]).0, []);
}
