//! The live stream as a browser reads it: from the beginning, on after a break, slowly, by many.

use std::{
    io::{BufRead, BufReader},
    time::Duration,
};

use serde_json::Value;
use smartpark::http::{HttpConfig, Timeouts};

use super::bad_input::assert_problem;
use crate::server::{TestServer, entry, event};

/// A message of the stream.
#[derive(Debug)]
struct Message {
    id: Option<String>,
    name: String,
    data: Value,
}

/// One who reads the stream.
struct Reader {
    lines: Box<dyn Iterator<Item = std::io::Result<String>>>,
    /// The last id that came, as a browser keeps it.
    last: Option<String>,
}

impl Reader {
    fn new(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Self {
        let response = server.open(path, headers);
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert!(header("cache-control").contains("no-store"));
        assert_eq!(header("x-accel-buffering"), "no");
        let reader = BufReader::new(response.into_body().into_reader());
        Self { lines: Box::new(reader.lines()), last: None }
    }

    /// From now on.
    fn open(server: &TestServer) -> Self {
        Self::new(server, "/stream", &[])
    }

    /// On after the last id of another.
    fn resume(server: &TestServer, other: Self) -> Self {
        Self::new(server, "/stream", &[("last-event-id", &other.last.unwrap())])
    }

    /// The next message; none at the end.
    fn next(&mut self) -> Option<Message> {
        let (mut id, mut name, mut data) = (None, String::new(), None);
        loop {
            let line = self.lines.next()?.unwrap();
            match line.split_once(": ") {
                Some(("id", text)) => id = Some(text.to_owned()),
                Some(("event", text)) => name = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).ok(),
                Some(("retry", text)) => assert_eq!(text, "1000"),
                other => assert!(other.is_none() && line.is_empty(), "{line:?}"),
            }
            if line.is_empty()
                && let Some(data) = data.take()
            {
                self.last = id.clone().or(self.last.take());
                return Some(Message { id, name, data });
            }
        }
    }

    /// The next message of this name.
    fn next_of(&mut self, name: &str) -> Message {
        loop {
            let message = self.next().expect("the stream goes on");
            if message.name == name {
                return message;
            }
        }
    }

    /// The tracks of the next events.
    fn tracks(&mut self, n: usize) -> Vec<String> {
        let track = |_| self.next_of("event").data["track_id"].as_str().unwrap().to_owned();
        (0..n).map(track).collect()
    }
}

fn named(mark: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{mark}{i}")).collect()
}

/// Records cars whose tracks are these, in batches.
fn record(server: &TestServer, tracks: &[String]) {
    for batch in tracks.chunks(5_000) {
        // Later ones are seen later: then ids stand in the order of the tracks.
        let rows: Vec<Value> = batch.iter().zip(0..).map(|(t, i)| entry(t, 90_000 - i)).collect();
        let answer = server.post(&Value::from(rows)).expect(200);
        assert_eq!(answer["recorded"], batch.len());
    }
}

#[test]
fn the_stream_begins_with_all_floors_and_the_site() {
    let server = TestServer::start();
    let mut reader = Reader::open(&server);
    for id in 1..=3 {
        let message = reader.next().unwrap();
        assert_eq!((message.name.as_str(), message.id), ("floor", None));
        assert_eq!(message.data, server.get(&format!("/floors/{id}")).expect(200));
    }
    let site = reader.next().unwrap();
    let sums = server.get("/floors").expect(200);
    assert_eq!((site.name.as_str(), site.data["recommended_floor_id"].as_i64()), ("site", Some(1)));
    for sum in ["total_slots", "current_vehicles", "available_slots", "occupancy_percentage"] {
        assert_eq!(site.data[sum], sums[sum], "{sum}");
    }
    assert!(site.id.is_some());
    let recorded = server.post(&event(2, "t", "entry", 9)).expect(201);
    let told = reader.next_of("event");
    assert_eq!(told.data, recorded["event"]);
    assert_eq!(told.id, Some(format!("{}.0", recorded["event"]["id"])));
}

#[test]
fn states_follow_every_change() {
    let server = TestServer::start();
    let mut reader = Reader::open(&server);
    reader.next_of("site");
    let recorded = server.post(&event(2, "t", "entry", 9)).expect(201);
    assert_eq!(reader.next_of("floor").data, recorded["floor"]);
    assert_eq!(reader.next_of("site").data["available_slots"], 50);
    let body = serde_json::json!({"name": "Deck", "total_slots": 5});
    let made = server.send_json("POST", "/floors", &body).expect(201);
    assert_eq!(reader.next_of("floor").data, made);
    server.send("DELETE", &format!("/floors/{}", made["id"]), &[], b"");
    assert_eq!(reader.next_of("floor_removed").data, serde_json::json!({"id": made["id"]}));
}

#[test]
fn a_break_loses_and_repeats_nothing() {
    let server = TestServer::start();
    let mut reader = Reader::open(&server);
    // Before any event came, too: the site's message has an id.
    reader.next_of("site");
    record(&server, &named("a", 20));
    let mut reader = Reader::resume(&server, reader);
    assert_eq!(reader.tracks(13), named("a", 20)[..13]);
    record(&server, &named("b", 700));
    let mut reader = Reader::resume(&server, reader);
    let expected = [&named("a", 20)[13..], &named("b", 700)].concat();
    assert_eq!(reader.tracks(600), expected[..600]);
    // The same by the query, for clients that set no header.
    let last = reader.last.take().unwrap();
    let mut reader = Reader::new(&server, &format!("/stream?after={last}"), &[]);
    assert_eq!(reader.tracks(107), expected[600..]);
    record(&server, &named("c", 1));
    assert_eq!(reader.tracks(1), ["c0"]);
}

#[test]
fn a_restart_loses_and_repeats_nothing() {
    let server = TestServer::start();
    let mut reader = Reader::open(&server);
    reader.next_of("site");
    record(&server, &named("a", 30));
    assert_eq!(reader.tracks(10), named("a", 10));
    let server = server.restart(HttpConfig::default());
    record(&server, &named("b", 5));
    let mut reader = Reader::resume(&server, reader);
    assert_eq!(reader.tracks(25), [&named("a", 30)[10..], &named("b", 5)].concat());
}

#[test]
fn what_is_not_known_is_answered_with_a_reload() {
    let server = TestServer::start();
    record(&server, &named("a", 3));
    for id in ["77.0", "1.5", "nonsense", "-1.0", "\u{e9}"] {
        let mut reader = Reader::new(&server, "/stream", &[("last-event-id", id)]);
        let reload = reader.next_of("reload");
        assert_eq!(reload.id.as_deref(), Some("3.3"), "{id}");
    }
    let answer = server.get("/stream?after=nonsense");
    assert_problem(&answer, 422, "invalid-fields", &["?after"]);
    assert_problem(&server.get("/stream?hours=1"), 422, "invalid-fields", &["?hours"]);
}

#[test]
fn a_slow_reader_holds_nobody_up_and_misses_no_event() {
    let server = TestServer::start();
    let mut slow = Reader::open(&server);
    slow.next_of("site");
    let tracks = named("a", 20_000);
    record(&server, &tracks);
    let mut quick = Reader::new(&server, "/stream?after=0.0", &[]);
    assert_eq!(quick.tracks(20_000), tracks);
    assert_eq!(slow.tracks(20_000), tracks);
}

#[test]
fn a_quiet_stream_says_that_it_is_alive() {
    let timeouts = Timeouts { heartbeat: Duration::from_millis(20), ..Timeouts::default() };
    let server = TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() });
    let mut reader = Reader::open(&server);
    for _ in 0..3 {
        assert_eq!(reader.next_of("heartbeat").data["now"], crate::server::NOW);
    }
}

#[test]
fn a_stop_ends_the_streams() {
    let mut server = TestServer::start();
    let mut readers: Vec<Reader> = (0..5).map(|_| Reader::open(&server)).collect();
    readers.iter_mut().for_each(|reader| drop(reader.next_of("site")));
    server.begin_stop();
    for reader in &mut readers {
        while reader.next().is_some() {}
    }
    server.stopped();
}

#[test]
fn a_hundred_readers_are_told_the_same() {
    let server = TestServer::start();
    let mut readers: Vec<Reader> = (0..100).map(|_| Reader::open(&server)).collect();
    readers.iter_mut().for_each(|reader| drop(reader.next_of("site")));
    let tracks = named("a", 40);
    record(&server, &tracks);
    for reader in &mut readers {
        assert_eq!(reader.tracks(40), tracks);
    }
}
