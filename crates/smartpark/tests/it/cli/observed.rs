//! The server as a process, seen from outside: its health, its log, its metrics.

use serde_json::{Value, json};

use super::program::{Folder, Server, agent};
use crate::scrape::{Scrape, promtool};

/// GET as a request of this name; the status and the name in the answer.
fn get(server: &Server, path: &str, name: &str) -> (u16, String) {
    let url = format!("{}{path}", server.url);
    let answer = agent().get(&url).header("x-request-id", name).call().unwrap();
    let told = answer.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    (answer.status().as_u16(), told)
}

/// The lines of a log that are about a request.
fn about<'l>(log: &'l str, name: &str) -> Vec<&'l str> {
    log.lines().filter(|line| line.contains(name)).collect()
}

#[test]
fn a_store_that_takes_no_writes_shows_and_heals() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = Server::start(&folder, &["--log-format", "json"]);
    assert_eq!(get(&server, "/health/ready", "before"), (200, "before".to_owned()));
    let other = rusqlite::Connection::open(folder.path().join("smartpark.db")).unwrap();
    // Whatever keeps writes from being made; reads go on beside it.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tries = 0;
    while get(&server, "/health/ready", &format!("held-{tries}")).0 == 200 {
        tries += 1;
    }
    assert_eq!(server.get("/floors").0, 200);
    assert_eq!(get(&server, "/health/live", "alive").0, 200);
    other.execute_batch("ROLLBACK").unwrap();
    while get(&server, "/health/ready", "after").0 != 200 {}
    let refusals: i64 =
        other.query_row("SELECT count(*) FROM refusals", [], |row| row.get(0)).unwrap();
    assert_eq!(refusals, 0);
    drop(other);
    folder.run(&["check"]).ok();

    // What failed stands in the log, each line with the name of its request; the rest does not.
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    let failed = format!("held-{tries}");
    let lines: Vec<Value> = about(&log, &failed)
        .into_iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines.iter().all(|line| line["request_id"] == json!(failed)), "{log}");
    let answered = &lines[1];
    assert_eq!((&answered["level"], &answered["status"]), (&json!("INFO"), &json!(503)));
    assert_eq!(answered["path"], "/health/ready");
    assert!(about(&log, "before").is_empty() && about(&log, "alive").is_empty(), "{log}");
}

#[test]
fn every_request_leaves_a_line_where_details_are_asked_for() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = Server::start(&folder, &["--log-level", "debug"]);
    assert_eq!(get(&server, "/floors/7?x=secret", "asked").0, 422);
    assert_eq!(get(&server, "/floors/7", "missing").0, 404);
    let log = server.stop().1;
    for (name, status, path) in [("asked", 422, "/floors/7"), ("missing", 404, "/floors/7")] {
        let lines = about(&log, name);
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].ends_with(&format!(" request_id={name}")), "{log}");
        assert!(lines[0].contains(&format!("path=\"{path}\" status={status}")), "{log}");
    }
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn what_it_tells_prometheus_is_what_is_stored() {
    for folder in [Folder::with_floors(&[("1F", 2)]), Folder::with_floors_in_postgres(&[("1F", 2)])]
    {
        let server = Server::start(&folder, &[]);
        let event = |n: usize, direction: &str| {
            json!({"camera_id": "c", "floor_id": 1, "track_id": format!("t{n}"),
                "vehicle_type": "car", "direction": direction,
                "timestamp": format!("2026-02-12T10:{n:02}:00Z")})
        };
        let batch: Vec<Value> = (0..5).map(|n| event(n, "entry")).collect();
        server.post("/events", &json!(batch));
        server.post("/events", &event(0, "entry"));
        server.post("/events", &event(9, "exit"));
        let url = format!("{}/metrics", server.url);
        let text = agent().get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        promtool(&["check", "metrics"], &text);
        let told = Scrape::of(&text);
        let stored = folder.run(&["info", "--json"]).ok().json();
        let events = stored["database"]["events"].as_f64().or(stored["events"].as_f64());
        assert_eq!(Some(told.value("smartpark_events_recorded_total")), events, "{stored}");
        assert_eq!(told.value("smartpark_events_duplicate_total"), 1.0);
        assert_eq!(told.sum("smartpark_events_at_limit_total"), 3.0);
        let vehicles = "smartpark_floor_vehicles{floor_id=\"1\",floor=\"1F\"}";
        let floors = server.get("/floors").1;
        assert_eq!(Some(told.value(vehicles)), floors["current_vehicles"].as_f64());
        let began = told.value("process_start_time_seconds");
        assert!(began > 1.7e9, "{began}");
        server.stop();
    }
}
