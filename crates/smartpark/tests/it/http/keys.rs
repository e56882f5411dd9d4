//! Who gets in: keys, their roles, what they are bound to, and how soon they end.

use std::io::{Read, Write};

use serde_json::{Value, json};
use smartpark::{
    IssuedKey, NewKey, Role,
    http::{HttpConfig, Network},
};

use super::bad_input::assert_problem;
use crate::server::{Answer, TestServer, entry, event};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Makes a key.
pub(super) fn issue(server: &TestServer, new: NewKey) -> IssuedKey {
    server.run(server.park.keys().add_key(new)).unwrap()
}

/// A server with a key of each role: viewer, camera, admin.
pub(super) fn with_keys(config: HttpConfig) -> (TestServer, [String; 3]) {
    let server = TestServer::with(config);
    let keys = Role::ALL
        .map(|role| issue(&server, NewKey::new(role.as_str(), role)).secret.expose().to_owned());
    (server, keys)
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn ask(server: &TestServer, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [JSON, ("authorization", &bearer(key))];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.send(method, path, &headers, body.as_bytes())
}

/// Asks again and again until the answer has this status: keys end within seconds, not at once.
#[track_caller]
fn until(status: u16, mut ask: impl FnMut() -> u16) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while ask() != status {
        assert!(std::time::Instant::now() < deadline, "it is still {}", ask());
    }
}

#[test]
fn each_role_may_do_what_the_contract_says() {
    let (server, keys) = with_keys(HttpConfig::default());
    let recount = json!({"current_vehicles": 1, "reason": "round"});
    let floor = json!({"name": "Roof", "total_slots": 3});
    let nothing = Value::Null;
    // Method, path, body, and the status for viewer, camera and admin.
    let table = [
        ("GET", "/floors", &nothing, [200, 403, 200]),
        ("HEAD", "/floors", &nothing, [200, 403, 200]),
        ("GET", "/events", &nothing, [200, 403, 200]),
        ("GET", "/statistics", &nothing, [200, 403, 200]),
        ("GET", "/events/digest?camera_id=c", &nothing, [200, 200, 200]),
        ("POST", "/events/digest?camera_id=c", &nothing, [403, 403, 405]),
        ("GET", "/floors/99", &nothing, [404, 403, 404]),
        ("POST", "/events", &entry("t", 9), [403, 201, 200]),
        ("POST", "/events", &json!([]), [403, 200, 200]),
        ("PUT", "/floors/1/count", &recount, [403, 403, 200]),
        ("POST", "/floors", &floor, [403, 403, 201]),
        ("PATCH", "/floors/1", &json!({}), [403, 403, 200]),
        ("DELETE", "/floors/3", &nothing, [403, 403, 204]),
        ("DELETE", "/events?older_than_days=30", &nothing, [403, 403, 200]),
        ("PUT", "/events", &nothing, [403, 403, 405]),
        ("GET", "/nowhere", &nothing, [404, 404, 404]),
        ("GET", "/health/ready", &nothing, [200, 200, 200]),
        ("GET", "/docs", &nothing, [200, 200, 200]),
    ];
    for (method, path, body, expected) in table {
        for (key, expected) in keys.iter().zip(expected) {
            let answer = ask(&server, key, method, path, body);
            assert_eq!(answer.status, expected, "{method} {path} {answer:?}");
            if expected == 403 && method != "HEAD" {
                assert_problem(&answer, 403, "forbidden", &[]);
            }
        }
    }
}

#[test]
fn a_key_is_taken_from_either_header() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let status = |headers: &[(&str, &str)]| server.send("GET", "/floors", headers, b"").status;
    assert_eq!(status(&[("authorization", &bearer(&viewer))]), 200);
    assert_eq!(status(&[("authorization", &format!("bearer  {viewer} "))]), 200);
    assert_eq!(status(&[("x-api-key", &viewer)]), 200);
    // What a proxy in front asks for is its own.
    assert_eq!(status(&[("authorization", "Basic eDp5"), ("x-api-key", &viewer)]), 200);
    assert_eq!(status(&[("authorization", "Basic eDp5")]), 401);
    assert_eq!(status(&[("authorization", &viewer)]), 401);
    assert_eq!(status(&[("authorization", "Bearer x"), ("x-api-key", &viewer)]), 401);
}

#[test]
fn unknown_revoked_and_missing_keys_get_the_same_answer() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    server.run(server.park.keys().revoke_key("viewer")).unwrap();
    until(401, || ask(&server, &viewer, "GET", "/floors", &Value::Null).status);
    let unknown = format!("sp_00000000_{}", "0".repeat(64));
    let other_secret = format!("{}{}", &viewer[..12], "0".repeat(64));
    let before = server.run(server.park.migrations().get_database_stats()).unwrap();
    let answers = ["", "x", &unknown, &other_secret, &viewer].map(|key| {
        let answer = ask(&server, key, "POST", "/events", &entry("t", 9));
        assert_problem(&answer, 401, "unauthorized", &[]);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"smartpark\"");
        answer.bytes
    });
    let none = server.send("POST", "/events", &[JSON], entry("t", 9).to_string().as_bytes());
    assert!(answers.iter().all(|bytes| *bytes == none.bytes));
    let after = server.run(server.park.migrations().get_database_stats()).unwrap();
    assert_eq!(before.events, after.events);
}

#[test]
fn the_key_is_judged_before_the_body_is_asked_for() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let cases = [(&b"sp_nobody"[..], "401"), (b"\xe9\xff", "401"), (viewer.as_bytes(), "403")];
    for (key, status) in cases {
        let head =
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 999\r\nExpect: 100-continue\r\nX-API-Key: ";
        let mut stream = server.connect();
        stream.write_all(&[head, key, b"\r\n\r\n"].concat()).unwrap();
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(std::str::from_utf8(&begin), Ok(format!("HTTP/1.1 {status}").as_str()));
    }
}

#[test]
fn a_camera_speaks_only_for_what_its_key_is_bound_to() {
    let server = TestServer::start();
    let new = NewKey {
        cameras: vec!["cam_001".into()],
        floors: vec![1, 2],
        ..NewKey::new("gate", Role::Camera)
    };
    let key = issue(&server, new).secret;
    let post = |body: &Value| ask(&server, key.expose(), "POST", "/events", body);
    let other_camera = |mut event: Value| {
        event["camera_id"] = json!("cam_002");
        event
    };
    post(&entry("a", 50)).expect(201);
    assert_problem(&post(&other_camera(entry("b", 40))), 403, "forbidden", &["#/camera_id"]);
    assert_problem(&post(&event(3, "c", "entry", 40)), 403, "forbidden", &["#/floor_id"]);
    let both = other_camera(event(3, "d", "entry", 40));
    assert_problem(&post(&both), 403, "forbidden", &["#/camera_id", "#/floor_id"]);
    let batch = json!([entry("e", 30), other_camera(entry("f", 30)), event(2, "g", "entry", 30)]);
    let answer = post(&batch).expect(200);
    assert_eq!((&answer["recorded"], &answer["rejected"]), (&json!(2), &json!(1)), "{answer}");
    let fault = &answer["errors"][0];
    assert_eq!((&fault["index"], &fault["status"]), (&json!(1), &json!(403)), "{answer}");
    assert_eq!(fault["errors"][0]["pointer"], "#/camera_id");
    assert_eq!((server.floor(1).current_vehicles, server.floor(2).current_vehicles), (2, 1));
    assert_eq!(server.floor(3).current_vehicles, 0);
}

#[test]
fn keys_are_asked_for_from_the_first_one_on_and_for_ever() {
    let server = TestServer::start();
    assert_eq!(server.get("/floors").status, 200);
    let key = issue(&server, NewKey::new("desk", Role::Admin));
    until(401, || server.get("/floors").status);
    assert_eq!(ask(&server, key.secret.expose(), "GET", "/floors", &Value::Null).status, 200);
    server.run(server.park.keys().revoke_key("desk")).unwrap();
    until(401, || ask(&server, key.secret.expose(), "GET", "/floors", &Value::Null).status);
    assert_eq!(server.get("/floors").status, 401);
}

#[test]
fn nobody_is_asked_where_that_is_said() {
    let (server, _) = with_keys(HttpConfig { no_auth: true, ..HttpConfig::default() });
    assert_eq!(server.get("/floors").status, 200);
    assert_eq!(server.send("GET", "/floors", &[("x-api-key", "wrong")], b"").status, 200);
}

#[test]
fn strangers_need_a_key_also_where_there_is_none() {
    // What comes through a proxy comes from anywhere.
    let proxies: Vec<Network> = vec!["127.0.0.0/8".parse().unwrap()];
    let server = TestServer::with(HttpConfig { proxies, ..HttpConfig::default() });
    let forwarded = [("x-forwarded-for", "198.51.100.1")];
    for headers in [&forwarded[..], &[("x-forwarded-for", "127.0.0.1")], &[]] {
        let answer = server.send("GET", "/floors", headers, b"");
        assert_problem(&answer, 401, "unauthorized", &[]);
    }
}

#[test]
fn a_live_stream_ends_with_its_key() {
    use std::io::BufRead;
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let stream = server.open("/stream", &[("x-api-key", &viewer)]);
    assert_eq!(stream.status(), 200);
    server.run(server.park.keys().rotate_key("viewer")).unwrap();
    // It ends by itself; where the client gives up waiting there is an error instead.
    let lines = std::io::BufReader::new(stream.into_body().into_reader()).lines();
    assert!(lines.map(Result::unwrap).count() > 0);
}

#[test]
fn a_recount_is_kept_with_the_name_of_its_key() {
    let (server, [.., admin]) = with_keys(HttpConfig::default());
    let recount = json!({"current_vehicles": 3, "reason": "round"});
    ask(&server, &admin, "PUT", "/floors/1/count", &recount).expect(200);
    let slots = json!({"total_slots": 40});
    ask(&server, &admin, "PATCH", "/floors/1", &slots).expect(200);
    assert_eq!(server.authors(), ["admin", "admin"]);
}
