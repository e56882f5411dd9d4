//! What senders of the trade do differently, and what is still refused.

use serde_json::{Value, json};
use smartpark::http::HttpConfig;

use crate::{
    cli::garage::packed,
    server::{TestServer, entry, event},
};

const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

#[test]
fn a_slash_at_the_end_and_a_number_against_caches_change_nothing() {
    let server = TestServer::start();
    for path in ["/floors/", "/floors?_=17", "/floors/1/", "/statistics/?hours=3&_=a&_=b"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.get("/floors/").json(), server.get("/floors").json());
    let body = entry("t", 0).to_string();
    let posted = server.send("POST", "/events/", &[JSON], body.as_bytes());
    let id = posted.expect(201)["event"]["id"].clone();
    assert_eq!(posted.header("location"), format!("/events/{id}"));
    assert_eq!(server.get("/statistics?__=1").status, 422);
}

#[test]
fn a_packed_body_is_unpacked_within_the_same_bounds() {
    let server = TestServer::start();
    let one = packed(&entry("t", 0).to_string());
    assert_eq!(server.send("POST", "/events", &[JSON, GZIP], &one).status, 201);
    let rows: Vec<Value> = (0..3_000).map(|n| entry(&format!("t{n}"), 1)).collect();
    let many = packed(&json!(rows).to_string());
    let answer = server.send("POST", "/events", &[JSON, GZIP], &many).expect(200);
    assert_eq!(answer["recorded"], 3_000);
    let floor = packed(&json!({"name": "Roof", "total_slots": 3}).to_string());
    assert_eq!(server.send("POST", "/floors", &[JSON, GZIP], &floor).status, 201);
    // A few kilobytes that unpack to more than a body may have.
    let bomb = packed(&" ".repeat((16 << 20) + 1));
    assert!(bomb.len() < 100_000);
    let answer = server.send("POST", "/events", &[JSON, GZIP], &bomb);
    assert_eq!(answer.status, 413, "{answer:?}");
    let cut = server.send("POST", "/events", &[JSON, GZIP], &one[..20]);
    assert!(cut.expect(400)["detail"].as_str().unwrap().contains("cut off"));
}

#[test]
fn a_floor_may_be_named_alone_and_in_a_batch() {
    for server in TestServer::on_each_engine() {
        let mut named = entry("t", 0);
        named.as_object_mut().unwrap().remove("floor_id");
        let with = |track: &str, floor: &str| {
            let mut event = named.clone();
            event["track_id"] = json!(track);
            event["floor"] = json!(floor);
            event
        };
        assert_eq!(server.post(&with("a", "Nook")).expect(201)["event"]["floor_id"], 2);
        // However its accents are written, and recognised as the same event by its id.
        server.send_json("POST", "/floors", &json!({"name": "Süd", "total_slots": 9})).expect(201);
        let south = server.post(&with("b", "Su\u{308}d")).expect(201)["floor"]["id"].clone();
        let mut again = with("b", "Süd");
        again["floor_id"] = south.clone();
        assert_eq!(server.post(&again).expect(200)["duplicate"], true);
        again["floor_id"] = json!(1);
        assert_eq!(server.post(&again).expect(422)["errors"][0]["pointer"], "#/floor");
        let rows = json!([
            with("c", "Nook"),
            event(1, "d", "entry", 0),
            with("e", "Cellar"),
            with("f", "Süd")
        ]);
        let answer = server.post(&rows).expect(200);
        assert_eq!((&answer["recorded"], &answer["rejected"]), (&json!(3), &json!(1)));
        assert_eq!(answer["errors"][0]["index"], 2);
        let lines = format!("{}\n{}\n", with("g", "Nook"), with("h", "nook"));
        let answer = server.post_lines(lines.as_bytes()).expect(200);
        assert_eq!((&answer["recorded"], &answer["rejected"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn a_mark_before_json_is_passed_over() {
    let server = TestServer::start();
    let body = format!("\u{feff}{}", entry("t", 0));
    server.send("POST", "/events", &[JSON], body.as_bytes()).expect(201);
    let twice = format!("\u{feff}\u{feff}{}", entry("u", 0));
    server.send("POST", "/events", &[JSON], twice.as_bytes()).expect(400);
}

#[test]
fn a_clock_far_ahead_is_refused_as_one() {
    let server = TestServer::start();
    for far in ["9999-12-31T23:59:59Z", "9000-01-01T00:00:00Z"] {
        let mut event = entry("t", 0);
        event["timestamp"] = json!(far);
        let told = server.post(&event).expect(422);
        assert_eq!(told["type"], "urn:smartpark:problem:in-future", "{far}");
    }
}

#[test]
fn the_server_may_be_published_under_a_path() {
    let base_path = "/smart/park".parse().unwrap();
    let server = TestServer::with(HttpConfig { base_path, ..HttpConfig::default() });
    for path in ["/smart/park/floors", "/floors", "/smart/park/docs", "/smart/park/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let moved = server.get("/smart/park");
    assert_eq!((moved.status, moved.header("location")), (308, "/smart/park/"));
    assert_eq!(server.get("/smart/parking").status, 404);
    let body = entry("t", 0).to_string();
    let posted = server.send("POST", "/smart/park/events", &[JSON], body.as_bytes());
    let place = posted.header("location").to_owned();
    assert!(place.starts_with("/smart/park/events/"), "{place}");
    assert_eq!(server.get(&place).status, 200);
}
