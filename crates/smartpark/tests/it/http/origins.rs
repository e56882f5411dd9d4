//! What browsers are told: how to treat answers, and which other sites may read them.

use smartpark::http::{HttpConfig, Origin};

use super::keys::with_keys;
use crate::server::{TestServer, entry};

#[test]
fn every_answer_says_what_browsers_must_not_do_with_it() {
    let server = TestServer::start();
    server.post(&entry("t", 9)).expect(201);
    let paths = ["/floors", "/events", "/nowhere", "/health/live", "/docs", "/openapi.json", "/"];
    for path in paths {
        let answer = server.get(path);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        // Nothing here is encrypted, so nothing may ask browsers to come back encrypted.
        assert!(!answer.headers.contains_key("strict-transport-security"), "{path}");
    }
    let stream = server.open("/stream", &[]);
    assert_eq!(stream.headers()["x-content-type-options"], "nosniff");
}

const SITE: &str = "https://signs.example";
const ASKS: (&str, &str) = ("access-control-request-method", "PUT");

#[test]
fn other_sites_read_nothing_unless_they_are_allowed() {
    let server = TestServer::start();
    let answer = server.send("GET", "/floors", &[("origin", SITE)], b"");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert_eq!(server.send("OPTIONS", "/floors", &[("origin", SITE), ASKS], b"").status, 401);

    let cors_origins: Vec<Origin> = vec![SITE.parse().unwrap()];
    let (server, [viewer, ..]) = with_keys(HttpConfig { cors_origins, ..HttpConfig::default() });
    // The question comes without a key.
    let answer = server.send("OPTIONS", "/floors/1", &[("origin", SITE), ASKS], b"");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), SITE);
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    assert!(answer.header("access-control-allow-methods").contains("PUT"));
    for (key, status) in [(viewer.as_str(), 200), ("wrong", 401)] {
        let headers = [("origin", SITE), ("x-api-key", key)];
        let answer = server.send("GET", "/floors", &headers, b"");
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), SITE);
        assert_eq!(answer.header("vary"), "origin");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
    for other in ["https://evil.example", "http://signs.example", "null"] {
        let answer = server.send("OPTIONS", "/floors/1", &[("origin", other), ASKS], b"");
        assert_eq!(answer.status, 401, "{other}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{other}");
        assert_eq!(answer.header("vary"), "origin");
    }
}
