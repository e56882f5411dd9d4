//! The table of events to keep: complete, in order, harmless in a spreadsheet.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::server::{TestServer, entry, event};

const TITLES: [&str; 13] = [
    "id",
    "camera_id",
    "floor_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
    "created_at",
    "count_delta",
    "at_limit",
    "ledger",
];

/// The rows below the titles.
fn rows(server: &TestServer, path: &str) -> Vec<Vec<String>> {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    assert!(answer.header("content-type").starts_with("text/csv"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"events.csv\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut reader = csv::Reader::from_reader(answer.bytes.as_slice());
    assert_eq!(reader.headers().unwrap(), TITLES.as_slice());
    let row =
        |row: csv::Result<csv::StringRecord>| row.unwrap().iter().map(str::to_owned).collect();
    reader.records().map(row).collect()
}

#[test]
fn a_row_holds_all_that_an_event_has() {
    let server = TestServer::start();
    server.post(&event(2, "a", "entry", 90)).expect(201);
    let full = server.post(&event(2, "b", "entry", 60)).expect(201)["event"].clone();
    let rows = rows(&server, "/events.csv");
    let id = full["id"].to_string();
    assert_eq!(
        rows[0],
        [
            id.as_str(),
            "cam_001",
            "2",
            "Nook",
            "b",
            "car",
            "entry",
            "0.9",
            "2026-02-12T11:59:00Z",
            "2026-02-12T12:00:00Z",
            "0",
            "full",
            rows[1][12].as_str(),
        ]
    );
    assert_eq!((rows[1][10].as_str(), rows[1][11].as_str()), ("1", ""));
    assert_eq!(rows.len(), 2);
}

#[test]
fn names_are_harmless_and_come_back_as_they_are() {
    let server = TestServer::start();
    let names = ["=1+1", "+x", "-x", "@SUM(A1)", "a,b", "say \"hi\"", "<img src=x>", "ü", "a=b"];
    for (name, seconds) in names.iter().zip(1..) {
        let mut event = entry(name, seconds);
        event["camera_id"] = json!(name);
        server.post(&event).expect(201);
    }
    server.send_json("PATCH", "/floors/1", &json!({"name": "=cmd|'/c'!A1"})).expect(200);
    for (row, name) in rows(&server, "/events.csv").iter().zip(names) {
        let defused = if name.starts_with(['=', '+', '-', '@']) {
            format!("'{name}")
        } else {
            name.to_owned()
        };
        assert_eq!((&row[1], &row[4]), (&defused, &defused));
        assert_eq!(row[3], "'=cmd|'/c'!A1");
    }
}

#[test]
fn all_pages_of_a_filter_are_in_one_table() {
    let server = TestServer::start();
    assert!(rows(&server, "/events.csv?floor_id=2").is_empty());
    let batch: Vec<Value> = (0..5_000)
        .map(|n| event(1, &format!("t{n}"), if n % 2 == 0 { "entry" } else { "exit" }, n / 3))
        .collect();
    server.post(&json!(batch)).expect(200);
    let exits = rows(&server, "/events.csv?direction=exit&hours=1");
    assert_eq!(exits.len(), 2_500);
    let mut listed = Vec::new();
    let mut path = "/events?direction=exit&hours=1&limit=1000".to_owned();
    loop {
        let page = server.get(&path).expect(200);
        let events = page["events"].as_array().unwrap();
        listed.extend(events.iter().map(|event| event["id"].to_string()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/events?direction=exit&hours=1&limit=1000&cursor={cursor}");
    }
    let ids: Vec<String> = exits.into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, listed);
}

#[test]
fn who_does_not_read_on_holds_nobody_up() {
    let server = TestServer::start();
    let batch: Vec<Value> =
        (0..10_000).map(|n| event(1, &format!("{n:0>100}"), "entry", n % 3_000)).collect();
    server.post(&json!(batch)).expect(200);
    // More of them than there are readers, each with an answer that fits into no buffer.
    let mut idle: Vec<_> = (0..16)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /events.csv HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            stream
        })
        .collect();
    assert_eq!(rows(&server, "/events.csv").len(), 10_000);
    server.post(&entry("new", 1)).expect(201);
    // One reads on after all, and gets the rest: what is newer does not disturb it.
    let mut stream = idle.pop().unwrap();
    let (mut text, mut piece) = (Vec::new(), [0; 65_536]);
    // The last chunk; a line may end with the same bytes but for the first two.
    while !text.ends_with(b"\r\n0\r\n\r\n") {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "the answer broke off");
        text.extend_from_slice(&piece[..n]);
    }
    assert_eq!(String::from_utf8(text).unwrap().matches(",car,entry,").count(), 10_000);
}

#[test]
fn spreadsheets_get_a_mark_their_separator_and_local_times() {
    let server = TestServer::start();
    server.send_json("PATCH", "/sites/default", &json!({"time_zone": "Europe/Berlin"})).expect(200);
    let mut event = event(1, "a;b", "entry", 0);
    event["timestamp"] = json!("2026-02-12T11:00:00Z");
    server.post(&event).expect(201);
    let answer = server.get("/events.csv?bom=true&separator=semicolon");
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    assert!(text.starts_with("\u{feff}id;camera_id;floor_id;floor;track_id;"), "{text}");
    assert!(text.contains(";\"a;b\";car;entry;0.9;2026-02-12T12:00:00+01:00;"), "{text}");
    assert_eq!(server.get("/events.csv?separator=dot").status, 422);
    assert!(!server.get("/events.csv").bytes.starts_with(b"\xef"));
}
