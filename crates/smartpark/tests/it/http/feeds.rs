//! The feeds of a server: who may read them, how long they are kept, and what they say of time.

use std::sync::Arc;

use serde_json::{Value, json};
use smartpark::{FloorChange, NewKey, Role, http::HttpConfig};
use smartpark_formats::config::Connections;

use super::keys::issue;
use crate::server::{TestServer, entry};

const SITE: &str = "
[site]
id = 'central'
latitude = 48.5956
longitude = 8.8702
address = 'Marktstraße 1, 71083 Musterstadt'
reserved_slots = 5
opening_hours = '24/7'
[feeds]
open = ['datex2-light', 'siri-fm', 'parkapi-v1']
silent_after = '30min'
";

const PATHS: [&str; 9] = [
    "/feeds/datex2-light.json",
    "/feeds/parkapi-v1",
    "/feeds/parkapi-v1/central",
    "/feeds/parkapi-v3.json",
    "/feeds/siri-fm.xml",
    "/feeds/ngsi-ld.jsonld",
    "/feeds/ngsi-ld.jsonld?options=keyValues",
    "/feeds/ngsi-v2.json",
    "/feeds/geojson.json",
];

fn start() -> TestServer {
    let connections = Connections::parse(SITE, &[]).unwrap();
    let name = Some("Parkhaus \"Süd\" & Co (1)".to_owned());
    let config =
        HttpConfig { connections: Arc::new(connections), site_name: name, ..HttpConfig::default() };
    TestServer::with(config)
}

fn json(server: &TestServer, path: &str) -> Value {
    server.get(path).expect(200)
}

/// The free slots in the feed of ParkAPI version 1; null if they are left out.
fn free(server: &TestServer) -> Value {
    json(server, "/feeds/parkapi-v1/central")["lots"][0]["free"].clone()
}

#[test]
fn every_feed_is_served_with_its_type_and_not_sent_again() {
    let server = start();
    server.post(&entry("a", 60)).expect(201);
    for path in PATHS {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let wanted = match path {
            "/feeds/siri-fm.xml" => "application/xml",
            "/feeds/geojson.json" => "application/geo+json",
            "/feeds/ngsi-ld.jsonld" => "application/ld+json",
            _ => "application/json",
        };
        assert_eq!(answer.header("content-type"), wanted, "{path}");
        assert_eq!(answer.header("cache-control"), "max-age=30", "{path}");
        let again = server.send("GET", path, &[("if-none-match", answer.header("etag"))], b"");
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        let head = server.send("HEAD", path, &[], b"");
        assert_eq!((head.status, head.header("etag")), (200, answer.header("etag")), "{path}");
    }
    assert_eq!(server.get("/feeds/parkapi-v1/elsewhere").status, 404);
    assert_eq!(server.get("/feeds/ngsi-ld.jsonld?options=all").status, 422);
    assert_eq!(server.get("/feeds/geojson.json?x=1").status, 422);
}

#[test]
fn a_feed_shows_a_car_at_once_and_leaves_out_what_is_not_vouched_for() {
    let server = start();
    assert_eq!(free(&server), json!(null), "no camera was ever heard");
    server.post(&entry("a", 60)).expect(201);
    // 51 slots on the active floors, 5 of tenants, one car.
    assert_eq!(free(&server), json!(45));
    server.post(&entry("b", 30)).expect(201);
    assert_eq!(free(&server), json!(44));
    let lot = json(&server, "/feeds/parkapi-v1/central")["lots"][0].clone();
    assert_eq!((&lot["total"], &lot["state"]), (&json!(46), &json!("open")));
    let later = |seconds: i64| {
        server.clock.set(crate::contract::world::after(seconds));
        // The documents are written anew when a floor changes.
        let roof =
            FloorChange { description: Some(Some(format!("{seconds}"))), ..Default::default() };
        server.run(server.park.floors().change_floor(3, roof)).unwrap();
    };
    later(1_860);
    let silent = json(&server, "/feeds/parkapi-v1/central")["lots"][0].clone();
    assert_eq!((&silent["free"], &silent["state"]), (&json!(null), &json!("nodata")));
    let xml = String::from_utf8(server.get("/feeds/siri-fm.xml").bytes).unwrap();
    assert!(!xml.contains("MonitoredCounting"), "{xml}");
    assert_eq!(server.send("POST", "/cameras/cam_001/heartbeat", &[], b"").status, 204);
    later(1_920);
    assert_eq!(free(&server), json!(44), "it sees no car, but works");
    // Two times: when a number last changed, and for when it is vouched for.
    let site = json(&server, "/feeds/ngsi-ld.jsonld?options=keyValues")[0].clone();
    assert_ne!(site["occupancyModified"], site["observationDateTime"], "{site}");
}

#[test]
fn feeds_that_are_not_open_want_a_key_of_a_viewer() {
    let server = start();
    let viewer =
        format!("Bearer {}", issue(&server, NewKey::new("city", Role::Viewer)).secret.expose());
    let camera =
        format!("Bearer {}", issue(&server, NewKey::new("cam", Role::Camera)).secret.expose());
    for path in PATHS {
        let with = |key: &str| server.send("GET", path, &[("authorization", key)], b"").status;
        let is_open = ["datex2", "siri", "parkapi-v1"].iter().any(|name| path.contains(name));
        assert_eq!(server.get(path).status, if is_open { 200 } else { 401 }, "{path}");
        assert_eq!(with(&viewer), 200, "{path}");
        assert_eq!(with(&camera), if is_open { 200 } else { 403 }, "{path}");
    }
}

#[test]
fn readers_without_a_key_may_not_ask_too_often() {
    let server = start();
    issue(&server, NewKey::new("admin", Role::Admin));
    let answers = (0..400).map(|_| server.get("/feeds/siri-fm.xml"));
    let refused = answers.into_iter().find(|answer| answer.status != 200).expect("a bound");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u32>().is_ok());
}
