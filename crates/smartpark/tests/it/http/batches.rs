//! Batches: the good rows are recorded, the bad ones named by their place.

use serde_json::{Value, json};
use smartpark::limits::MAX_BATCH_ROWS;

use super::bad_input::assert_problem;
use crate::server::{TestServer, entry, event};

/// Recorded, duplicates, at_limit, rejected, and (index, status) of the errors.
#[track_caller]
fn assert_batch(answer: &Value, counts: [u64; 4], errors: &[(u64, u64)]) {
    let counted = ["recorded", "duplicates", "at_limit", "rejected"]
        .map(|name| answer[name].as_u64().unwrap());
    assert_eq!(counted, counts, "{answer}");
    let named: Vec<(u64, u64)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            assert!(error["type"].as_str().unwrap().starts_with("urn:smartpark:problem:"));
            assert!(error["detail"].is_string() && error["title"].is_string(), "{error}");
            (error["index"].as_u64().unwrap(), error["status"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(named, errors, "{answer}");
}

#[test]
fn good_rows_of_an_array_are_recorded_and_bad_rows_named() {
    let server = TestServer::start();
    server.post(&entry("before", 100)).expect(201);
    let mut unfit = entry("unfit", 0);
    unfit["direction"] = json!("up");
    unfit["floor_id"] = json!("1");
    let rows = json!([
        unfit,
        entry("a", 50),
        event(99, "b", "entry", 40),
        entry("before", 100),
        [entry("nested", 0)],
        event(2, "c", "entry", 30),
        event(2, "d", "entry", 20),
        entry("a", 50),
        null,
    ]);
    let answer = server.post(&rows).expect(200);
    let errors = [(0, 422), (2, 422), (4, 422), (8, 422)];
    assert_batch(&answer, [3, 2, 1, 4], &errors);
    let pointers = |index: usize| answer["errors"][index]["errors"][0]["pointer"].clone();
    assert_eq!(pointers(0), "#/floor_id");
    assert_eq!(answer["errors"][0]["errors"][1]["pointer"], "#/direction");
    assert_eq!(pointers(1), "#/floor_id");
    assert_eq!(answer["errors"][1]["type"], "urn:smartpark:problem:unknown-floor");
    assert_eq!(pointers(2), "#");
    assert_eq!((server.floor(1).current_vehicles, server.floor(2).current_vehicles), (2, 1));

    let again = server.post(&rows).expect(200);
    assert_batch(&again, [0, 5, 0, 4], &errors);
}

#[test]
fn an_empty_batch_is_no_error() {
    let server = TestServer::start();
    let nothing =
        json!({"recorded": 0, "duplicates": 0, "at_limit": 0, "rejected": 0, "errors": []});
    assert_eq!(server.post(&json!([])).expect(200), nothing);
    for lines in [&b""[..], b"\n", b" \r\n\n\t\n"] {
        assert_eq!(server.post_lines(lines).expect(200), nothing);
    }
}

#[test]
fn lines_are_judged_one_by_one() {
    let server = TestServer::start();
    let mut lines = Vec::new();
    lines.extend(entry("a", 50).to_string().bytes());
    lines.extend(b"\r\n\n  \n{\"camera_id\": oops}\n[]\n");
    lines.extend(b"{\"x\":\"\xff\"}\n");
    lines.extend(event(2, "b", "exit", 40).to_string().bytes());
    let answer = server.post_lines(&lines).expect(200);
    assert_batch(&answer, [2, 0, 1, 3], &[(1, 400), (2, 422), (3, 400)]);
    let detail = answer["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("at column 15") && !detail.contains("line 1"), "{detail}");
    assert!(!detail.contains("oops"));
}

#[test]
fn a_batch_at_a_limit_is_only_counted_even_where_the_server_rejects() {
    let server = TestServer::rejecting();
    let answer = server.post(&json!([event(1, "a", "exit", 9), entry("b", 8)])).expect(200);
    assert_batch(&answer, [2, 0, 1, 0], &[]);
}

#[test]
fn ten_thousand_rows_are_taken_and_one_more_is_413() {
    let server = TestServer::start();
    let rows = |count: usize| -> Vec<Value> {
        let seconds_ago = |i| i64::try_from(20_000 - i).unwrap();
        (0..count).map(|i| event(3, &format!("t{i}"), "entry", seconds_ago(i))).collect()
    };
    let lines = |rows: &[Value]| -> Vec<u8> {
        rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect()
    };
    let too_many = rows(MAX_BATCH_ROWS + 1);
    let before = server.state();
    assert_problem(&server.post(&json!(too_many)), 413, "too-many-rows", &[]);
    assert_problem(&server.post_lines(&lines(&too_many)), 413, "too-many-rows", &[]);
    assert_eq!(server.state(), before);

    let most = &too_many[..MAX_BATCH_ROWS];
    let answer = server.post(&json!(most)).expect(200);
    assert_batch(&answer, [10_000, 0, 9_940, 0], &[]);
    let answer = server.post_lines(&lines(most)).expect(200);
    assert_batch(&answer, [0, 10_000, 0, 0], &[]);
    assert_eq!(server.floor(3).current_vehicles, 60);
    assert_eq!(server.state().1.events, 10_000);
}
