//! Answers that are not sent again to those who have them.

use serde_json::json;

use crate::server::{Answer, TestServer, entry, event};

const PATHS: [&str; 4] =
    ["/floors", "/floors?include_inactive=true", "/floors/recommended", "/floors/1"];

fn ask(server: &TestServer, path: &str, tags: &str) -> Answer {
    server.send("GET", path, &[("if-none-match", tags)], b"")
}

#[test]
fn an_answer_that_is_known_is_not_sent_again_until_it_changes() {
    let server = TestServer::start();
    for (number, path) in PATHS.into_iter().enumerate() {
        let first = server.get(path);
        let body = first.expect(200);
        let tag = first.header("etag");
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        assert_eq!(first.header("content-type"), "application/json");
        let again = ask(&server, path, &format!("\"other\", W/{tag}"));
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), tag);
        assert_eq!(again.header("cache-control"), "private, no-cache");
        assert_eq!(again.header("content-type"), "");
        assert_eq!(ask(&server, path, "\"other\"").expect(200), body, "{path}");
        let head = server.send("HEAD", path, &[], b"");
        assert_eq!((head.status, head.header("etag"), head.bytes.len()), (200, tag, 0));

        server.post(&entry(&format!("{number}"), 9)).expect(201);
        let changed = ask(&server, path, tag);
        assert_ne!(changed.expect(200), body, "{path}");
        assert_ne!(changed.header("etag"), tag, "{path}");
    }
}

#[test]
fn each_answer_has_a_tag_of_its_own_and_no_other_change_moves_it() {
    let server = TestServer::start();
    let tag = |path: &str| server.get(path).header("etag").to_owned();
    let tags = || PATHS.map(tag);
    let before = tags();
    for (number, one) in before.iter().enumerate() {
        assert!(!before[..number].contains(one), "{before:?}");
    }
    // The basement is not active: only the list that shows it changes.
    server.post(&event(3, "a", "entry", 9)).expect(201);
    let after = tags();
    let moved = [0, 1, 2, 3].map(|number| before[number] != after[number]);
    assert_eq!(moved, [false, true, false, false]);
    // A repeat changes nothing.
    server.post(&event(3, "a", "entry", 9)).expect(200);
    assert_eq!(tags(), after);
}

#[test]
fn what_is_not_there_has_no_tag() {
    let server = TestServer::start();
    for path in ["/floors/4", "/floors/0", "/floors/01", "/floors/x"] {
        let answer = ask(&server, path, "*");
        assert_eq!((answer.status, answer.header("etag")), (404, ""), "{path}");
    }
    assert_eq!(ask(&server, "/floors?x=1", "*").status, 422);
    server.send_json("POST", "/floors", &json!({"name": "Roof", "total_slots": 3})).expect(201);
    assert_eq!(ask(&server, "/floors/4", "*").status, 304);
    assert_eq!(server.send("DELETE", "/floors/4", &[], b"").status, 204);
    assert_eq!(ask(&server, "/floors/4", "*").status, 404);
}
