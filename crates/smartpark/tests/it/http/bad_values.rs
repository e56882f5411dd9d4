//! What is JSON but does not fit: 422, and every field at fault is named at once.

use serde_json::{Value, json};

use super::bad_input::assert_problem;
use crate::server::{TestServer, entry};

/// A good event with these members in place of its own; `null` removes one.
fn with(members: &Value) -> Value {
    let mut event = entry("t", 0);
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn an_event_that_does_not_fit_is_422() {
    let long = "x".repeat(101);
    let table: Vec<(Value, &[&str])> = vec![
        (json!(7), &["#"]),
        (json!("event"), &["#"]),
        (json!(null), &["#"]),
        (with(&json!({"camera_id": ["cam"]})), &["#/camera_id"]),
        (with(&json!({"camera_id": ""})), &["#/camera_id"]),
        (with(&json!({"camera_id": long, "track_id": "a\tb"})), &["#/camera_id", "#/track_id"]),
        (
            with(&json!({"camera_id": "a\u{0}", "track_id": "\u{85}"})),
            &["#/camera_id", "#/track_id"],
        ),
        // What turns the direction of text makes one name look like another.
        (
            with(&json!({"track_id": null, "direction": [], "vehicle_type": {}})),
            &["#/track_id", "#/vehicle_type", "#/direction"],
        ),
        (with(&json!({"floor_id": 1.0})), &["#/floor_id"]),
        (with(&json!({"floor_id": 9_223_372_036_854_775_808_u64})), &["#/floor_id"]),
        (with(&json!({"floor_id": 0})), &["#/floor_id"]),
        (with(&json!({"vehicle_type": "CAR"})), &["#/vehicle_type"]),
        (with(&json!({"direction": "sideways"})), &["#/direction"]),
        (with(&json!({"confidence": 1.5})), &["#/confidence"]),
        (with(&json!({"confidence": 1e300})), &["#/confidence"]),
        (with(&json!({"confidence": "0.5"})), &["#/confidence"]),
        (with(&json!({"timestamp": "2026-02-12T10:30:45"})), &["#/timestamp"]),
        (with(&json!({"timestamp": "10000-01-01T00:00:00Z"})), &["#/timestamp"]),
        (with(&json!({"timestamp": "-0001-12-31T00:00:00Z"})), &["#/timestamp"]),
        (with(&json!({"timestamp": "2026-02-30T00:00:00Z"})), &["#/timestamp"]),
        (with(&json!({"timestamp": 0})), &["#/timestamp"]),
        (with(&json!({"speed/limit": 3, "a b": {}})), &["#/a%20b", "#/speed~1limit"]),
        (
            json!({"confidence": -1, "x": 1}),
            &[
                "#/camera_id",
                "#/floor_id",
                "#/track_id",
                "#/vehicle_type",
                "#/direction",
                "#/confidence",
                "#/x",
            ],
        ),
    ];
    let twice = entry("t", 0).to_string().replace('{', "{\"floor_id\":2,");
    let json = [("content-type", "application/json")];
    for server in TestServer::on_each_engine() {
        let before = server.state();
        for (body, pointers) in &table {
            let answer = server.post(body);
            assert_problem(&answer, 422, "invalid-fields", pointers);
            assert_eq!(server.state(), before, "{body}");
        }
        let answer = server.send("POST", "/events", &json, twice.as_bytes());
        assert_problem(&answer, 422, "invalid-fields", &["#/floor_id"]);
        // In a batch each row has the problem that it would have had alone.
        let rows: Vec<&Value> = table.iter().map(|(body, _)| body).collect();
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let batches = [server.post(&json!(rows)), server.post_lines(lines.as_bytes())];
        for batch in batches.map(|answer| answer.expect(200)) {
            assert_eq!((&batch["recorded"], &batch["rejected"]), (&json!(0), &json!(rows.len())));
            let errors = batch["errors"].as_array().unwrap();
            for (error, (body, pointers)) in errors.iter().zip(&table) {
                let faults = error["errors"].as_array().unwrap().iter();
                let named: Vec<&str> =
                    faults.map(|fault| fault["pointer"].as_str().unwrap()).collect();
                assert_eq!((error["status"].as_u64(), &*named), (Some(422), *pointers), "{body}");
            }
        }
        assert_eq!(server.state(), before);
    }
}

#[test]
fn an_event_that_cannot_be_recorded_is_422() {
    let table = [
        (with(&json!({"floor_id": 99})), "unknown-floor", "#/floor_id"),
        (with(&json!({"timestamp": "2026-02-12T12:05:00.000001Z"})), "in-future", "#/timestamp"),
        (with(&json!({"timestamp": "2026-01-01T00:00:00Z"})), "too-old", "#/timestamp"),
    ];
    for server in TestServer::on_each_engine() {
        server.run(server.park.events().cleanup_old_events(30)).unwrap();
        let before = server.state();
        for (body, slug, pointer) in &table {
            assert_problem(&server.post(body), 422, slug, &[*pointer]);
            assert_eq!(server.state(), before, "{body}");
        }
    }
}

#[test]
fn nothing_that_was_sent_is_repeated() {
    let server = TestServer::start();
    let secret = "S3CRET<script>";
    let everywhere = json!({
        "camera_id": [secret], "floor_id": secret, "track_id": {"x": secret},
        "vehicle_type": secret, "direction": secret, "confidence": secret, "timestamp": secret,
    });
    let broken = format!("{{\"camera_id\": {secret}}}");
    let json = [("content-type", "application/json")];
    let answers = [
        server.post(&everywhere),
        server.send("POST", "/events", &json, broken.as_bytes()),
        server.send("POST", "/events", &[("content-type", "S3CRET/x")], b"{}"),
        server.get("/S3CRET"),
        server.get("/events?floor_id=S3CRET&direction=S3CRET&start=S3CRET&cursor=S3CRET"),
        server.get("/floors/S3CRET"),
    ];
    for answer in answers {
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(answer.status >= 400 && !text.contains("S3CRET"), "{text}");
    }
}

#[test]
fn parameters_that_do_not_fit_are_422_and_all_named() {
    let long = format!("/events?camera_id={}&track_id=", "x".repeat(101));
    let table: &[(&str, &str, &[&str])] = &[
        ("GET", "/events?limit=0", &["?limit"]),
        ("GET", "/events?limit=1001", &["?limit"]),
        ("GET", "/events?limit=ten", &["?limit"]),
        ("GET", "/events?limit=", &["?limit"]),
        ("GET", "/events?limit=%2B5", &["?limit"]),
        ("GET", "/events?limit=99999999999999999999", &["?limit"]),
        ("GET", "/events?floor_id=0&floor_id=1", &["?floor_id"]),
        ("GET", "/events?direction=in&vehicle_type=Car", &["?vehicle_type", "?direction"]),
        ("GET", &long, &["?camera_id", "?track_id"]),
        ("GET", "/events?camera_id=a%0Ab", &["?camera_id"]),
        ("GET", "/events?camera_id=%ff", &["?camera_id"]),
        ("GET", "/events?at_limit=yes", &["?at_limit"]),
        ("GET", "/session?x=1", &["?x"]),
        ("GET", "/stream?floor_id=0", &["?floor_id"]),
        ("GET", "/events?start=2026-02-32&end=now", &["?start", "?end"]),
        ("GET", "/events?start=2026-02-12T00:00:00", &["?start"]),
        ("GET", "/events?start=2026-02-12T00:00:01Z&end=2026-02-12T00:00:00Z", &["?end"]),
        ("GET", "/events?hours=1&end=2026-02-12T00:00:00Z", &["?hours"]),
        ("GET", "/events?hours=0", &["?hours"]),
        ("GET", "/events?cursor=next", &["?cursor"]),
        ("GET", "/events?colour=red&a%26b=1&colour=blue", &["?colour", "?a%26b"]),
        ("GET", "/events?limit=0&hours=0&x=1", &["?x", "?hours", "?limit"]),
        ("GET", "/events?lim%0Ait=1&limit=0", &["?limit", "?limit"]),
        ("GET", "/events/1?x=1", &["?x"]),
        ("GET", "/floors?include_inactive=1", &["?include_inactive"]),
        ("GET", "/floors?include_inactive=true&include_inactive=true", &["?include_inactive"]),
        ("GET", "/floors/1?x", &["?x"]),
        ("GET", "/floors/recommended?x", &["?x"]),
        ("DELETE", "/floors/2?force=true", &["?force"]),
        ("GET", "/statistics?hours=0&floor_id=x", &["?floor_id", "?hours"]),
        ("GET", "/statistics?hours=876601", &["?hours"]),
        ("GET", "/statistics?hours=24&start=2026-02-12T00:00:00Z", &["?hours"]),
        ("GET", "/statistics?end=2026-02-12T00:00:00Z", &["?start"]),
        ("GET", "/statistics?start=2026-02-12T00:00:01Z&end=2026-02-12T00:00:00Z", &["?end"]),
        ("GET", "/statistics?start=2027-02-12T00:00:01Z", &["?start"]),
        ("GET", "/history?hours=0&step=59", &["?hours", "?step"]),
        ("GET", "/history?hours=24&start=2026-02-12T00:00:00Z", &["?hours"]),
        ("GET", "/history?end=2026-02-12T00:00:00Z", &["?start"]),
        ("GET", "/history?start=2026-02-12T00:00:01Z&end=2026-02-12T00:00:00Z", &["?end"]),
        ("GET", "/history?start=2026-02-12T12:00:01Z", &["?start"]),
        ("GET", "/history?start=2027-02-12T00:00:00Z&end=2027-02-13T00:00:00Z", &["?start"]),
        ("GET", "/history?hours=34&step=60", &["?step"]),
        ("GET", "/history?floor_id=1", &["?floor_id"]),
        ("GET", "/floors/1/history?step=2678401&x=1", &["?x", "?step"]),
        ("GET", "/floors/1/history?step=3600.0", &["?step"]),
        ("GET", "/events.csv?limit=5&cursor=1_1", &["?limit", "?cursor"]),
        ("GET", "/events.csv?hours=1&end=now&floor_id=0", &["?end", "?floor_id", "?hours"]),
        ("GET", "/attention?x=1", &["?x"]),
        ("DELETE", "/events", &["?older_than_days"]),
        ("DELETE", "/events?older_than_days=0", &["?older_than_days"]),
        ("DELETE", "/events?older_than_days=36526", &["?older_than_days"]),
        ("DELETE", "/events?days=30", &["?days", "?older_than_days"]),
    ];
    for server in TestServer::on_each_engine() {
        server.post(&entry("before", 60)).expect(201);
        let before = server.state();
        for (method, path, pointers) in table {
            println!("{method} {path}");
            let answer = server.send(method, path, &[], b"");
            assert_problem(&answer, 422, "invalid-fields", pointers);
            assert_eq!(server.state(), before, "{method} {path}");
        }
    }
}

#[test]
fn very_many_unknown_parameters_get_a_small_answer() {
    let server = TestServer::start();
    let many: Vec<String> = (0..2_000).map(|i| format!("x{i}")).collect();
    let answer = server.get(&format!("/events?{}", many.join("&")));
    assert_eq!(answer.status, 422);
    assert!(answer.bytes.len() < 4_000);
}

#[test]
fn bodies_about_floors_that_do_not_fit_are_422() {
    let long_name = "x".repeat(101);
    let long_text = "x".repeat(1_001);
    let table: Vec<(&str, &str, Value, &[&str])> = vec![
        ("POST", "/floors", json!([]), &["#"]),
        ("POST", "/floors", json!(["Roof", 3]), &["#"]),
        ("POST", "/floors", json!({}), &["#/name", "#/total_slots"]),
        ("POST", "/floors", json!({"name": "", "total_slots": -1}), &["#/name", "#/total_slots"]),
        (
            "POST",
            "/floors",
            json!({"name": long_name, "total_slots": 1.0, "description": long_text,
                "is_active": "yes", "colour": 1}),
            &["#/name", "#/total_slots", "#/description", "#/is_active", "#/colour"],
        ),
        (
            "POST",
            "/floors",
            json!({"name": "R", "total_slots": 1_000_001, "is_active": null, "description": 1}),
            &["#/total_slots", "#/description", "#/is_active"],
        ),
        ("PATCH", "/floors/1", json!(["Roof"]), &["#"]),
        (
            "PATCH",
            "/floors/1",
            json!({"name": null, "total_slots": null, "is_active": null, "force": 1, "id": 2}),
            &["#/name", "#/total_slots", "#/is_active", "#/force", "#/id"],
        ),
        ("PATCH", "/floors/1", json!({"description": "a\u{7}"}), &["#/description"]),
        ("POST", "/session", json!({"key": 1, "x": 2}), &["#/key", "#/x"]),
        ("POST", "/session", json!([]), &["#"]),
        ("PUT", "/floors/1/count", json!({}), &["#/current_vehicles", "#/reason"]),
        (
            "PUT",
            "/floors/1/count",
            json!({"current_vehicles": -1, "reason": ""}),
            &["#/current_vehicles", "#/reason"],
        ),
        (
            "PUT",
            "/floors/1/count",
            json!({"current_vehicles": "3", "reason": null, "author": "me"}),
            &["#/current_vehicles", "#/reason", "#/author"],
        ),
        (
            "PUT",
            "/floors/1/count",
            json!({"current_vehicles": 51, "reason": "round"}),
            &["#/current_vehicles"],
        ),
        ("PUT", "/floors/1/count", json!([3, "round"]), &["#"]),
    ];
    let json = [("content-type", "application/json")];
    let twice = br#"{"name":"A","name":"B","total_slots":1,"total_slots":2}"#;
    for server in TestServer::on_each_engine() {
        let before = server.state();
        for (method, path, body, pointers) in &table {
            println!("{method} {path} {body}");
            let answer = server.send_json(method, path, body);
            assert_problem(&answer, 422, "invalid-fields", pointers);
            assert_eq!(server.state(), before);
        }
        let answer = server.send("POST", "/floors", &json, twice);
        assert_problem(&answer, 422, "invalid-fields", &["#/name", "#/total_slots"]);
        assert_eq!(server.state(), before);
    }
}
