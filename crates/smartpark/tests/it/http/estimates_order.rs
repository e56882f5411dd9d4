//! The same facts give the same bytes: shuffled, doubled and late, on either engine.

use serde_json::{Value, json};

use crate::server::{TestServer, event};

const PATHS: [&str; 7] = [
    "/floors/1/forecast?hours=48",
    "/forecast",
    "/floors/recommended?arriving_in=1200",
    "/floors/1/drift",
    "/drift?at=2026-02-09T08:30:00Z",
    "/floors/1/drift/history?start=2026-02-08T00:00:00Z&step=7200",
    "/cameras/quality?days=14",
];

/// Three weeks of two floors with a ramp between them.
fn facts() -> Vec<Value> {
    let mut facts = Vec::new();
    for day in 0..22_i64 {
        for car in 0..12_i64 {
            let (track, ago) = (format!("{day}/{car}"), day * 86_400 + 3_600 + car * 3_000);
            facts.push(event(1, &track, "entry", ago + 14_400));
            // One of twelve is missed.
            if car > 0 {
                facts.push(event(1, &track, "exit", ago));
            }
            for (floor, up, down) in [(1, "exit", "entry"), (2, "entry", "exit")] {
                if car % 3 == 0 {
                    let crossing = |way, ago| {
                        let mut fact = event(floor, &track, way, ago);
                        fact["camera_id"] = json!("ramp");
                        fact
                    };
                    facts.push(crossing(up, ago + 14_000));
                    facts.push(crossing(down, ago + 500));
                }
            }
        }
    }
    facts
}

fn shuffled(mut facts: Vec<Value>) -> Vec<Value> {
    let mut state = 7_u64;
    for last in (1..facts.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = usize::try_from((state >> 33) % (last as u64 + 1)).unwrap();
        facts.swap(last, other);
    }
    facts
}

fn answers(server: &TestServer) -> Vec<Vec<u8>> {
    let answer = |path: &&str| {
        let answer = server.get(path);
        let mut json = answer.expect(200);
        if !path.starts_with("/floors/recommended") {
            return answer.bytes;
        }
        // When a floor last changed is no fact of its history.
        json["floor"].as_object_mut().unwrap().remove("updated_at");
        for floor in json["alternatives"].as_array_mut().unwrap() {
            floor.as_object_mut().unwrap().remove("updated_at");
        }
        json.to_string().into_bytes()
    };
    PATHS.iter().map(answer).collect()
}

#[test]
fn shuffled_doubled_and_late_facts_give_the_same_bytes() {
    let mut told: Vec<Vec<Vec<u8>>> = Vec::new();
    for server in TestServer::on_each_engine() {
        server.post(&Value::Array(facts())).expect(200);
        told.push(answers(&server));
    }
    for server in TestServer::on_each_engine() {
        let facts = shuffled(facts());
        let (first, late) = facts.split_at(facts.len() / 2);
        server.post(&Value::Array(first.to_vec())).expect(200);
        // What is kept from this answer must not show in the next one.
        assert_ne!(answers(&server), told[0]);
        // Late facts, and all of them once more.
        server.post(&Value::Array([late, first].concat())).expect(200);
        told.push(answers(&server));
    }
    for (number, other) in told.iter().enumerate() {
        for (path, (first, other)) in PATHS.iter().zip(told[0].iter().zip(other)) {
            let text = |bytes| String::from_utf8_lossy(bytes);
            assert_eq!(text(first), text(other), "{path}, server {number}");
        }
    }
    let text = String::from_utf8_lossy(&told[0][0]).into_owned();
    assert!(text.contains("\"ready\":true"), "three weeks are enough");
    let cameras: Value = serde_json::from_slice(&told[0][6]).unwrap();
    assert_eq!(cameras["cameras"][1]["camera_id"], "ramp");
    assert_eq!(cameras["cameras"][1]["from_floor_id"], 1);
}
