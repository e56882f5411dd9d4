//! Asking which events of a camera are stored: the window, what does not fit, and who may.

use serde_json::json;
use smartpark::{NewKey, Role, http::HttpConfig};

use super::{bad_input::assert_problem, keys::issue};
use crate::server::{TestServer, entry, event};

#[test]
fn the_events_of_a_camera_are_told_slice_by_slice() {
    let server = TestServer::start();
    let mut documented = event(1, "track_12345", "entry", 0);
    documented["timestamp"] = json!("2026-02-12T10:30:45Z");
    let mut other = entry("track_12345", 60);
    other["camera_id"] = json!("cam_002");
    server.post(&json!([documented, other])).expect(200);
    let path = "/events/digest?camera_id=cam_001&start=2026-02-12T09:00:00Z&end=\
                2026-02-12T12:00:00%2B01:00";
    let example = server.get("/openapi.json").expect(200);
    let example = example.pointer("/paths/~1events~1digest/get/responses/200/content");
    assert_eq!(server.get(path).expect(200), example.unwrap()["application/json"]["example"]);
    let usual = server.get("/events/digest?camera_id=cam_001").expect(200);
    assert_eq!(usual["start"], "2026-02-11T12:00:00Z");
    assert_eq!(usual["slices"].as_array().unwrap().len(), 24);
}

#[test]
fn what_does_not_fit_is_named() {
    let server = TestServer::start();
    let table: [(&str, &[&str]); 8] = [
        ("", &["?camera_id"]),
        ("?camera_id=", &["?camera_id"]),
        ("?camera_id=c&step=0", &["?step"]),
        ("?camera_id=c&step=86401&hours=0", &["?step", "?hours"]),
        ("?camera_id=c&hours=745", &["?end"]),
        ("?camera_id=c&hours=24&step=1", &["?step"]),
        ("?camera_id=c&end=2026-02-12T10:00:00Z", &["?start"]),
        ("?camera_id=c&floor_id=1", &["?floor_id"]),
    ];
    for (query, fields) in table {
        let answer = server.get(&format!("/events/digest{query}"));
        assert_problem(&answer, 422, "invalid-fields", fields);
    }
}

#[test]
fn a_cameras_key_may_ask_about_its_own() {
    let server = TestServer::with(HttpConfig::default());
    let bound = NewKey { cameras: vec!["cam_001".into()], ..NewKey::new("gate", Role::Camera) };
    let secret = issue(&server, bound).secret.expose().to_owned();
    let ask = |camera: &str| {
        let path = format!("/events/digest?camera_id={camera}");
        server.send("GET", &path, &[("x-api-key", &secret)], b"")
    };
    ask("cam_001").expect(200);
    assert_problem(&ask("cam_002"), 403, "forbidden", &["?camera_id"]);
    assert_eq!(server.send("GET", "/events", &[("x-api-key", &secret)], b"").status, 403);
}
