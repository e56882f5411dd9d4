//! An event judged by another way: from a tree of JSON, member by member.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use smartpark::{NewEvent, http::fuzzing::Judged};

use crate::{DIRECTIONS, VEHICLE_TYPES, instant, is_name, problem};

/// The members of an event.
const MEMBERS: [&str; 8] = [
    "camera_id",
    "floor_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
];

/// Asserts what was judged of a row that is this JSON.
#[track_caller]
pub fn assert_judged(row: &Judged<NewEvent>, json: &str) {
    let value: Value = serde_json::from_str(json).expect("it was taken for JSON");
    match row {
        Ok(event) => {
            assert_eq!(bad_members(&value), BTreeSet::new(), "{json}");
            assert!(unknown(&value).next().is_none(), "{json}");
            assert_is(event, &value);
            assert!(event.confidence.is_sign_positive(), "{json}");
            // What is written of it is read as the same again.
            let written = json!({
                "camera_id": event.camera_id, "floor_id": event.floor_id,
                "track_id": event.track_id, "vehicle_type": event.vehicle_type,
                "direction": event.direction, "confidence": event.confidence,
                "timestamp": event.timestamp,
            });
            let text = written.to_string();
            let again = smartpark::intake::RawEvent::read(text.as_bytes()).expect("an object");
            assert_eq!(again.judge().as_ref(), Ok(event), "{text}");
        }
        Err(document) => assert_refused(document, &value),
    }
}

/// Asserts that an event is what a fitting object says.
#[track_caller]
fn assert_is(event: &NewEvent, value: &Value) {
    assert_eq!(event.camera_id, value["camera_id"]);
    assert_eq!(event.floor_id, value["floor_id"]);
    assert_eq!(event.track_id, value["track_id"]);
    assert_eq!(event.vehicle_type.as_str(), value["vehicle_type"]);
    assert_eq!(event.direction.as_str(), value["direction"]);
    assert_eq!(event.confidence, value["confidence"].as_f64().unwrap_or(0.8), "{value}");
    let expected = value["timestamp"].as_str().and_then(instant::micros);
    assert_eq!(event.timestamp.map(|at| at.as_microsecond()), expected, "{value}");
    let is_whole = event.timestamp.is_none_or(|at| at.subsec_nanosecond() % 1_000 == 0);
    assert!(is_whole, "{value}");
}

/// Asserts that a document names all that is wrong, and nothing else.
#[track_caller]
fn assert_refused(document: &str, value: &Value) {
    let faults = problem::faults(document, 422, "invalid-fields");
    assert!(!faults.is_empty(), "{document}");
    problem::assert_repeats_no_value(document, unknown(value));
    let (mut bad, mut strange) = (BTreeSet::new(), 0);
    for (pointer, detail) in &faults {
        match detail.as_str() {
            // A tree does not tell what was repeated in the text.
            "must be given only once" => return,
            "is not a known field" => strange += 1,
            more if more.ends_with("more members that are not known") => strange += 1,
            _ => drop(bad.insert(pointer.as_str())),
        }
    }
    assert_eq!(bad, bad_members(value), "{document} for {value}");
    assert_eq!(strange > 0, unknown(value).next().is_some(), "{document} for {value}");
}

/// Pointers to the members that are missing or do not fit.
fn bad_members(value: &Value) -> BTreeSet<&'static str> {
    let Value::Object(members) = value else {
        return BTreeSet::from(["#"]);
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let is_absent = |name: &str| members.get(name).is_none_or(Value::is_null);
    let fits = [
        ("#/camera_id", text("camera_id").is_some_and(is_name)),
        // No floor is known by its name here: a name never fits. Beside it no id is missed.
        ("#/floor", is_absent("floor")),
        (
            "#/floor_id",
            value["floor_id"].as_i64().is_some_and(|id| id >= 1)
                || !is_absent("floor") && (text("floor").is_none() || is_absent("floor_id")),
        ),
        ("#/track_id", text("track_id").is_some_and(is_name)),
        ("#/vehicle_type", text("vehicle_type").is_some_and(|it| VEHICLE_TYPES.contains(&it))),
        ("#/direction", text("direction").is_some_and(|it| DIRECTIONS.contains(&it))),
        (
            "#/confidence",
            is_absent("confidence")
                || value["confidence"].as_f64().is_some_and(|it| (0.0..=1.0).contains(&it)),
        ),
        (
            "#/timestamp",
            is_absent("timestamp") || text("timestamp").and_then(instant::micros).is_some(),
        ),
    ];
    fits.into_iter().filter(|(_, fits)| !fits).map(|(pointer, _)| pointer).collect()
}

/// The names of members that an event does not have.
fn unknown(value: &Value) -> impl Iterator<Item = &str> {
    let names = value.as_object().into_iter().flat_map(|members| members.keys());
    names.map(String::as_str).filter(|name| !MEMBERS.contains(name))
}
