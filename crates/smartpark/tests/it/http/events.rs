//! Events: recorded once, told what became of them, and read back page by page.

use std::collections::HashSet;

use serde_json::json;

use super::bad_input::assert_problem;
use crate::server::{NOW, TestServer, entry, event};

#[test]
fn an_event_is_recorded_once_and_a_repeat_says_so() {
    let server = TestServer::start();
    let body = entry("t1", 30);
    let answer = server.post(&body);
    let first = answer.expect(201);
    assert_eq!(answer.header("location"), format!("/events/{}", first["event"]["id"]));
    assert_eq!(answer.header("content-type"), "application/json");
    let expected = json!({
        "id": first["event"]["id"], "camera_id": "cam_001", "floor_id": 1, "track_id": "t1",
        "vehicle_type": "car", "direction": "entry", "confidence": 0.9,
        "timestamp": "2026-02-12T11:59:30Z", "created_at": NOW, "count_delta": 1, "at_limit": null,
    });
    assert_eq!(first["event"], expected);
    let told = json!([first["duplicate"], first["at_limit"], first["absorbed"], first["differs"]]);
    assert_eq!(told, json!([false, null, false, []]));
    assert_eq!(first["floor"]["current_vehicles"], 1);
    assert_eq!(first["floor"]["available_slots"], 49);
    assert_eq!(first["floor"]["occupancy_percentage"], 2.0);

    let again = server.post(&body).expect(200);
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["event"], first["event"]);
    assert_eq!(again["differs"], json!([]));

    let mut other = body.clone();
    other["floor_id"] = json!(3);
    other["vehicle_type"] = json!("bus");
    other["confidence"] = json!(0.1);
    other["timestamp"] = json!("2026-02-12T12:59:30+01:00");
    let differing = server.post(&other).expect(200);
    assert_eq!(differing["event"], first["event"]);
    assert_eq!(differing["differs"], json!(["floor_id", "vehicle_type", "confidence"]));
    assert_eq!(server.floor(1).current_vehicles, 1);
    assert_eq!(server.floor(3).current_vehicles, 0);

    let path = format!("/events/{}", first["event"]["id"]);
    assert_eq!(server.get(&path).expect(200), first["event"]);
}

#[test]
fn an_event_at_a_limit_is_kept_and_told() {
    let server = TestServer::start();
    server.post(&event(2, "a", "entry", 30)).expect(201);
    let full = server.post(&event(2, "b", "entry", 20)).expect(201);
    assert_eq!((&full["at_limit"], &full["absorbed"]), (&json!("full"), &json!(false)));
    assert_eq!(full["event"]["count_delta"], 0);
    let empty = server.post(&event(1, "c", "exit", 20)).expect(201);
    assert_eq!(empty["at_limit"], "empty");
    assert_eq!(empty["floor"]["current_vehicles"], 0);
}

#[test]
fn an_event_before_a_recount_is_absorbed() {
    let server = TestServer::start();
    let recount = json!({"current_vehicles": 7, "reason": "round"});
    server.send_json("PUT", "/floors/1/count", &recount).expect(200);
    let late = server.post(&entry("late", 3600)).expect(201);
    assert_eq!((&late["at_limit"], &late["absorbed"]), (&json!(null), &json!(true)));
    assert_eq!(late["floor"]["current_vehicles"], 7);
}

#[test]
fn a_server_may_answer_409_at_a_limit_and_records_all_the_same() {
    let server = TestServer::rejecting();
    server.post(&event(2, "a", "entry", 30)).expect(201);
    let body = event(2, "b", "entry", 20);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = server.post(&body);
        assert_problem(&answer, 409, "at-limit", &[]);
        answers.push(answer.json());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0]["event"]["at_limit"], "full");
    assert_eq!(server.get("/events?track_id=b").expect(200)["events"][0], answers[0]["event"]);
    assert_eq!(server.floor(2).current_vehicles, 1);
}

#[test]
fn a_floor_that_is_not_active_still_counts() {
    let server = TestServer::start();
    server.post(&event(3, "a", "entry", 30)).expect(201);
    assert_eq!(server.floor(3).current_vehicles, 1);
}

#[test]
fn without_a_timestamp_the_servers_clock_is_used() {
    let server = TestServer::start();
    let body = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "truck",
        "direction": "entry"});
    let first = server.post(&body).expect(201);
    assert_eq!(first["event"]["timestamp"], NOW);
    assert_eq!(first["event"]["confidence"], 0.8);
    assert_eq!(server.post(&body).expect(200)["event"], first["event"]);
    server.clock.set("2026-02-12T12:01:00Z".parse().unwrap());
    server.post(&body).expect(201);
}

#[test]
fn ten_thousand_posts_of_one_event_make_one_row() {
    let server = TestServer::start();
    let body = entry("t", 30);
    let sender = || (0..157).filter(|_| server.post(&body).status == 201).count();
    let created: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(sender)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(created, 1);
    assert_eq!(server.state().1.events, 1);
    assert_eq!(server.floor(1).current_vehicles, 1);
}

#[test]
fn filters_choose_events() {
    let server = TestServer::start();
    server.post(&event(1, "a", "entry", 7200)).expect(201);
    server.post(&event(1, "b", "exit", 1800)).expect(201);
    let mut bus = event(2, "c d", "entry", 60);
    bus["camera_id"] = json!("cam/002");
    bus["vehicle_type"] = json!("bus");
    server.post(&bus).expect(201);
    let table: &[(&str, &[&str])] = &[
        ("", &["c d", "b", "a"]),
        ("?floor_id=1", &["b", "a"]),
        ("?floor_id=99", &[]),
        ("?camera_id=cam%2F002", &["c d"]),
        ("?camera_id=cam/002", &["c d"]),
        ("?track_id=c+d", &["c d"]),
        ("?track_id=c%20d", &["c d"]),
        ("?vehicle_type=car&direction=entry", &["a"]),
        ("?direction=exit", &["b"]),
        ("?hours=1", &["c d", "b"]),
        ("?start=2026-02-12T11:30:00Z", &["c d", "b"]),
        ("?end=2026-02-12T11:30:00Z", &["a"]),
        ("?start=2026-02-12T11:00:00%2B01:00&end=2026-02-12T12:30:00+01:00", &["a"]),
        ("?start=2026-02-12T11:30:00Z&end=2026-02-12T11:30:00Z", &[]),
        ("?limit=1", &["c d"]),
        ("?&limit=1000&", &["c d", "b", "a"]),
    ];
    for (query, expected) in table {
        let page = server.get(&format!("/events{query}")).expect(200);
        let events = page["events"].as_array().unwrap();
        let tracks: Vec<&str> = events.iter().map(|e| e["track_id"].as_str().unwrap()).collect();
        assert_eq!(&tracks, expected, "{query}");
        assert_eq!(page["next_cursor"].is_null(), *query != "?limit=1", "{query}");
    }
}

#[test]
fn pages_hold_every_event_once_also_while_others_are_recorded() {
    let server = TestServer::start();
    // Two and two share an instant, so that the page ends between such two.
    let stored: Vec<_> = (0..95).map(|i| entry(&format!("old_{i}"), 1000 + i / 2)).collect();
    server.post(&json!(stored)).expect(200);
    let (mut tracks, mut path, mut page_number) = (Vec::new(), "/events?limit=10".to_owned(), 0);
    loop {
        let page = server.get(&path).expect(200);
        for event in page["events"].as_array().unwrap() {
            tracks.push(event["track_id"].as_str().unwrap().to_owned());
        }
        // Newer ones, which belong to no later page, and older ones, which may.
        page_number += 1;
        server.post(&entry(&format!("new_{page_number}"), 10 - page_number % 10)).expect(201);
        server.post(&entry(&format!("late_{page_number}"), 5000 + page_number)).expect(201);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/events?limit=10&cursor={cursor}");
        assert!(page_number < 100);
    }
    let distinct: HashSet<&String> = tracks.iter().collect();
    assert_eq!(distinct.len(), tracks.len());
    let old = tracks.iter().filter(|track| track.starts_with("old_")).count();
    assert_eq!(old, 95);
    assert!(!tracks.iter().any(|track| track.starts_with("new_")));
}

#[test]
fn cleanup_deletes_old_events_and_keeps_counts() {
    let server = TestServer::start();
    server.post(&entry("old", 40 * 86_400)).expect(201);
    server.post(&entry("new", 60)).expect(201);
    let answer = server.send("DELETE", "/events?older_than_days=30", &[], b"");
    let expected = json!({"deleted": 1, "horizon": "2026-01-13T12:00:00Z"});
    assert_eq!(answer.expect(200), expected);
    let events = server.get("/events").expect(200)["events"].as_array().unwrap().len();
    assert_eq!(events, 1);
    assert_eq!(server.floor(1).current_vehicles, 2);
}
