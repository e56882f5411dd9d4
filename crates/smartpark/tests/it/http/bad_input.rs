//! Whatever is not a good request gets its exact status and a problem that names every fault,
//! stores nothing and moves no count, on both engines.

use std::io::Write;

use serde_json::json;
use smartpark::{
    http::{HttpConfig, Timeouts},
    limits::MAX_BODY_BYTES,
};

use crate::server::{Answer, TestServer, entry, read_all};

/// Asserts that an answer is the problem `slug`, with faults at exactly these pointers.
#[track_caller]
pub(super) fn assert_problem(answer: &Answer, status: u16, slug: &str, pointers: &[&str]) {
    let problem = answer.expect(status);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{problem}");
    assert_eq!(problem["type"], format!("urn:smartpark:problem:{slug}"), "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert!(problem["title"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let named: Vec<&str> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!(named, pointers, "{problem}");
    assert!(errors.iter().all(|error| error["detail"].is_string()), "{problem}");
    let told = problem.to_string().to_lowercase();
    let inner = ["select ", "insert ", "sqlite", "postgres", "/tmp", ".rs:", "s3cret"];
    assert!(inner.iter().all(|word| !told.contains(word)), "{problem}");
}

/// Method, path, content type, body, status, slug, pointers.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [u8], u16, &'a str, &'a [&'a str]);

fn assert_table(table: &[Case<'_>]) {
    TestServer::on_each_engine().for_each(|server| assert_refused(&server, table));
}

/// Asserts that every request is refused as the table says, and leaves all as it was.
fn assert_refused(server: &TestServer, table: &[Case<'_>]) {
    server.post(&entry("before", 60)).expect(201);
    let before = server.state();
    for (method, path, media_type, body, status, slug, pointers) in table {
        let headers = [("content-type", *media_type)];
        let headers = if media_type.is_empty() { &[][..] } else { &headers[..] };
        let answer = server.send(method, path, headers, body);
        println!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(100)]));
        assert_problem(&answer, *status, slug, pointers);
        assert_eq!(server.state(), before, "{method} {path} changed something");
    }
}

const JSON: &str = "application/json";
/// The operations that take a JSON body and nothing else.
const WITH_BODY: [(&str, &str); 4] =
    [("POST", "/floors"), ("PATCH", "/floors/1"), ("PUT", "/floors/1/count"), ("POST", "/session")];

#[test]
fn what_is_no_json_is_400() {
    let good = entry("t", 0).to_string();
    let within = |value: &str| good.replace("0.9", value).into_bytes();
    let deep = "[".repeat(100_000);
    let invalid = [&good.as_bytes()[..good.len() - 1], b",\"x\":\"\xff\"}"].concat();
    let half_array = format!("[{good},{good}");
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"event".to_vec(),
        format!("{good} trailing").into_bytes(),
        half_array.into_bytes(),
        format!("[{good}],").into_bytes(),
        within("NaN"),
        within("1e999"),
        within("0.9,\"x\":[-1e999]"),
        invalid,
        deep.clone().into_bytes(),
        within(&deep),
    ];
    let of_body = |body| ("POST", "/events", JSON, body, 400, "not-json", &[][..]);
    let table: Vec<Case<'_>> = bodies.iter().map(|body| of_body(body.as_slice())).collect();
    assert_table(&table);
    let broken: [&[u8]; 7] = [
        b"{",
        b"",
        b"{} x",
        b"{\"a\":\"\xff\"}",
        b"{\"total_slots\":NaN}",
        b"{\"total_slots\":1e999}",
        &deep.as_bytes()[..2_000],
    ];
    let elsewhere: Vec<Case<'_>> = WITH_BODY
        .into_iter()
        .flat_map(|(method, path)| {
            broken.map(|body| (method, path, JSON, body, 400, "not-json", &[][..]))
        })
        .collect();
    assert_table(&elsewhere);
}

#[test]
fn other_media_types_are_415() {
    let good = entry("t", 0).to_string();
    let floor = json!({"name": "Roof", "total_slots": 3}).to_string();
    let slug = "unsupported-media-type";
    let mut table: Vec<Case<'_>> = Vec::new();
    for media_type in ["", "text/plain", "application/xml", "application/jsonx", "json"] {
        table.push(("POST", "/events", media_type, good.as_bytes(), 415, slug, &[]));
        table.push(("POST", "/floors", media_type, floor.as_bytes(), 415, slug, &[]));
    }
    for (method, path) in WITH_BODY {
        table.push((method, path, "application/x-ndjson", floor.as_bytes(), 415, slug, &[]));
    }
    assert_table(&table);
    let server = TestServer::start();
    for coding in ["br", "deflate", "gzip, gzip", "zstd"] {
        let packed = [("content-type", JSON), ("content-encoding", coding)];
        let answer = server.send("POST", "/events", &packed, good.as_bytes());
        assert_problem(&answer, 415, slug, &[]);
    }
    let packed = [("content-type", JSON), ("content-encoding", "gzip")];
    let answer = server.send("POST", "/events", &packed, good.as_bytes());
    assert_problem(&answer, 400, "not-json", &[]);
}

#[test]
fn media_types_may_have_parameters() {
    let server = TestServer::start();
    let body = entry("t", 0).to_string();
    for media_type in ["application/json; charset=utf-8", "Application/JSON", JSON] {
        let answer =
            server.send("POST", "/events", &[("content-type", media_type)], body.as_bytes());
        assert!(answer.status < 300, "{media_type}");
    }
    let lines = [("content-type", "application/x-ndjson;charset=UTF-8")];
    assert_eq!(server.send("POST", "/events", &lines, body.as_bytes()).status, 200);
}

#[test]
fn what_is_not_there_is_404() {
    let paths = [
        "/nowhere",
        "/events/1/x",
        "/Floors",
        "/floors//",
        "/floors/99",
        "/floors/0",
        "/floors/-1",
        "/floors/one",
        "/floors/1.0",
        "/floors/+1",
        "/floors/01",
        "/floors/%20",
        "/floors/%ff",
        "/floors/99999999999999999999",
        "/events/99",
        "/events/x",
        "/docs/../x",
        "/docs/x.js",
        "/floors/99/history",
        "/floors/x/history",
        "/floors/1/history/x",
    ];
    let mut table: Vec<Case<'_>> =
        paths.iter().map(|path| ("GET", *path, "", &b""[..], 404, "not-found", &[][..])).collect();
    table.extend([
        ("PATCH", "/floors/99", JSON, &b"{\"name\":\"x\"}"[..], 404, "not-found", &[][..]),
        ("PATCH", "/floors/x", JSON, b"{\"name\":\"x\"}", 404, "not-found", &[]),
        ("DELETE", "/floors/99", "", b"", 404, "not-found", &[]),
        ("PUT", "/floors/x/count", JSON, b"{}", 404, "not-found", &[]),
        ("GET", "/statistics?floor_id=99", "", b"", 404, "not-found", &[]),
        ("POST", "/nowhere", JSON, b"{}", 404, "not-found", &[]),
    ]);
    let recount = br#"{"current_vehicles":0,"reason":"r"}"#;
    table.push(("PUT", "/floors/99/count", JSON, recount, 404, "not-found", &[]));
    assert_table(&table);
}

#[test]
fn other_methods_are_405_and_told_which_are_allowed() {
    let server = TestServer::start();
    let before = server.state();
    let table = [
        ("PUT", "/events", "DELETE,GET,HEAD,POST"),
        ("DELETE", "/events/1", "GET,HEAD"),
        ("DELETE", "/floors", "GET,HEAD,POST"),
        ("POST", "/floors/1", "DELETE,GET,HEAD,PATCH"),
        ("GET", "/floors/1/count", "PUT"),
        ("POST", "/floors/recommended", "GET,HEAD"),
        ("POST", "/statistics", "GET,HEAD"),
        ("POST", "/health/live", "GET,HEAD"),
        ("DELETE", "/openapi.json", "GET,HEAD"),
        ("POST", "/docs", "GET,HEAD"),
        ("OPTIONS", "/events", "DELETE,GET,HEAD,POST"),
    ];
    for (method, path, allowed) in table {
        let answer = server.send(method, path, &[], b"");
        assert_problem(&answer, 405, "method-not-allowed", &[]);
        let mut allow: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        allow.sort_unstable();
        assert_eq!(allow.join(","), allowed, "{method} {path}");
    }
    assert_eq!(server.state(), before);
}

#[test]
fn too_large_a_body_is_413_announced_or_not() {
    let server = TestServer::start();
    let before = server.state();
    let large = vec![b' '; MAX_BODY_BYTES + 1];
    let json = [("content-type", JSON)];
    for path in ["/events", "/floors"] {
        assert_problem(&server.send("POST", path, &json, &large), 413, "too-large", &[]);
    }
    let mut stream = server.connect();
    let head = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    stream.write_all(head).unwrap();
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..17 {
        stream.write_all(b"100000\r\n").unwrap();
        stream.write_all(&chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = read_all(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("urn:smartpark:problem:too-large"), "{answer}");
    // A client that asks first is told without sending anything.
    let asks = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n";
    let answer = server.raw(asks);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(server.state(), before);

    let exact = [entry("t", 0).to_string().as_bytes(), &large[..]].concat();
    let exact = &exact[..MAX_BODY_BYTES];
    assert_eq!(server.send("POST", "/events", &json, exact).status, 201);
}

#[test]
fn a_body_that_does_not_arrive_is_408_or_cut_short() {
    let body = std::time::Duration::from_millis(200);
    let timeouts = Timeouts { body, ..Timeouts::default() };
    let server = TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() });
    let before = server.state();
    let slow = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 100\r\n\r\n{\"camera_id\"";
    let answer = server.raw(slow);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("urn:smartpark:problem:too-slow"), "{answer}");
    assert_eq!(server.state(), before);
}
