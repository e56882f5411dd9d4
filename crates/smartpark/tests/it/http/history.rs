//! Occupancy over time, and what needs a person, as programs are told.

use serde_json::{Value, json};

use super::bad_input::assert_problem;
use crate::server::{TestServer, entry, event};

#[test]
fn a_floors_history_is_told_step_by_step() {
    let server = TestServer::start();
    server
        .post(&json!([entry("a", 5400), entry("b", 5400), event(1, "a", "exit", 900)]))
        .expect(200);
    let history = server.get("/floors/1/history?hours=2&step=3600").expect(200);
    let step = |start: &str, closing: i64, mean: f64, entries: u64, exits: u64| {
        json!({"start": start, "min": i64::from(closing == 1), "max": 2, "mean": mean,
            "closing": closing, "total_slots": 50, "entries": entries, "exits": exits})
    };
    let expected = json!({
        "start": "2026-02-12T10:00:00Z",
        "end": "2026-02-12T12:00:00Z",
        "step": 3600,
        "floor_id": 1,
        "steps": [
            step("2026-02-12T10:00:00Z", 2, 1.0, 2, 0),
            step("2026-02-12T11:00:00Z", 1, 1.75, 0, 1),
        ],
    });
    assert_eq!(history, expected);
}

#[test]
fn the_site_is_its_active_floors_together() {
    let server = TestServer::start();
    server
        .post(&json!([entry("a", 60), event(2, "b", "entry", 50), event(3, "c", "entry", 40)]))
        .expect(200);
    let site =
        server.get("/history?start=2026-02-12T11:59:00Z&end=2030-01-01T00:00:00Z").expect(200);
    assert_eq!((&site["floor_id"], &site["step"]), (&json!(null), &json!(60)));
    assert_eq!(site["end"], "2026-02-12T12:00:00Z");
    let step = &site["steps"][0];
    let told = [&step["entries"], &step["closing"], &step["total_slots"], &step["min"]];
    assert_eq!(told, [2, 2, 51, 0]);
}

#[test]
fn the_usual_window_is_a_day_in_at_most_300_steps() {
    let server = TestServer::start();
    for path in ["/history", "/floors/3/history"] {
        let history = server.get(path).expect(200);
        assert_eq!(
            (&history["step"], history["steps"].as_array().unwrap().len()),
            (&json!(300), 288)
        );
        assert_eq!(history["start"], "2026-02-11T12:00:00Z");
    }
}

#[test]
fn a_window_before_the_retention_horizon_is_422_and_names_it() {
    let server = TestServer::start();
    server.send("DELETE", "/events?older_than_days=1", &[], b"").expect(200);
    for path in ["/history?hours=25", "/floors/1/history?start=2026-02-11T11:59:59Z"] {
        let answer = server.get(path);
        assert_problem(&answer, 422, "invalid-fields", &["?start"]);
        let detail = answer.json()["errors"][0]["detail"].clone();
        assert!(detail.as_str().unwrap().contains("2026-02-11T12:00:00Z"), "{detail}");
    }
    server.get("/history").expect(200);
}

#[test]
fn refused_events_need_a_person_whatever_was_wrong_with_them() {
    let server = TestServer::start();
    let with = |member: &str, value: Value| {
        let mut event = entry("t", 0);
        event[member] = value;
        event
    };
    server.post(&with("direction", json!("sideways"))).expect(422);
    server.post(&with("camera_id", json!(["cam"]))).expect(422);
    server.post(&json!([with("floor_id", json!(99)), with("floor_id", json!(0)), 7])).expect(200);
    assert_eq!(server.post_lines(b"{\n[]\n").expect(200)["rejected"], 2);
    // A message in which no event can be read belongs to no camera that could be named.
    let post = |media_type, body: &[u8]| {
        server.send("POST", "/events", &[("content-type", media_type)], body)
    };
    post("application/json", b"{").expect(400);
    post("text/plain", b"{}").expect(415);
    // A trial counts as nothing.
    let plain = [("content-type", "text/plain")];
    server.send("POST", "/events?validate=true", &plain, b"{}").expect(415);
    let attention = server.get("/attention").expect(200);
    let items = attention["items"].as_array().unwrap();
    let told: Vec<Value> = items
        .iter()
        .map(|item| json!([item["kind"], item["camera_id"], item["reason"], item["count"]]))
        .collect();
    let kind = "events_refused";
    assert_eq!(
        json!(told),
        json!([
            [kind, null, "invalid", 6],
            [kind, "cam_001", "invalid", 2],
            [kind, "cam_001", "unknown_floor", 1],
        ])
    );
    assert_eq!(attention["checked_at"], "2026-02-12T12:00:00Z");
    let first = json!({
        "kind": kind, "level": "medium", "floor_id": null, "floor": null, "camera_id": null,
        "reason": "invalid", "count": 6, "since": null, "last": "2026-02-12T12:00:00Z",
        "detail": items[0]["detail"], "advice": items[0]["advice"],
    });
    assert_eq!(items[0], first);
}

#[test]
fn refusals_outlive_the_server() {
    let server = TestServer::start();
    server.post(&event(99, "t", "entry", 0)).expect(422);
    let server = server.restart(smartpark::http::HttpConfig::default());
    assert_eq!(server.get("/attention").expect(200)["items"][0]["reason"], "unknown_floor");
}
