//! Which requests need no key before the first one is made: those from this machine, that call it
//! by a name which no domain has, that nothing handed on, and that no page of another site makes.

use std::io::Write;

use serde_json::json;
use smartpark::http::{HttpConfig, Origin};

use super::{
    bad_input::assert_problem,
    keys::{issue, with_keys},
};
use crate::server::{TestServer, entry, read_all};

/// A GET of /floors spoken byte by byte; the status.
fn floors(server: &TestServer, target: &str, lines: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
    let answer = server.raw(request.as_bytes());
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn without_a_key_only_names_of_this_machine_are_served() {
    let server = TestServer::start();
    let port = server.address.port();
    let ours = ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8000"];
    let named = ours.map(|host| format!("Host: {host}\r\n"));
    for line in named.into_iter().chain([format!("Host: localhost:{port}\r\n")]) {
        assert_eq!(floors(&server, "/floors", &line), "200", "{line}");
    }
    let others = [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "localhost.",
        "notlocalhost",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "192.0.2.1",
    ];
    for host in others {
        let line = format!("Host: {host}\r\n");
        assert_eq!(floors(&server, "/floors", &line), "401", "{host}");
    }
    // The target is what holds, but the header must not name anybody else either.
    let local = "Host: localhost\r\n";
    assert_eq!(floors(&server, "http://localhost/floors", local), "200");
    assert_eq!(floors(&server, "http://evil.example/floors", local), "401");
    assert_eq!(floors(&server, "http://localhost/floors", "Host: evil.example\r\n"), "401");
}

#[test]
fn every_request_names_one_host() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let key = format!("X-API-Key: {viewer}\r\n");
    let bad =
        ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: \r\n", "Host: a b\r\n"];
    let more = ["Host: a/b\r\n", "Host: u@a\r\n", "Host: a:x\r\n", "Host: a:99999\r\n"];
    for lines in bad.into_iter().chain(more) {
        for path in ["/floors", "/health/live", "/", "/docs", "/nowhere"] {
            let status = floors(&server, path, &format!("{lines}{key}"));
            assert_eq!(status, "400", "{path} {lines:?}");
        }
    }
    assert_eq!(floors(&server, "/floors", &format!("Host: park.example\r\n{key}")), "200");
    // What probes of balancers send.
    let mut old = server.connect();
    old.write_all(b"GET /health/live HTTP/1.0\r\n\r\n").unwrap();
    assert!(read_all(&mut old).starts_with("HTTP/1.0 200 "));
    let answer = server.raw(b"GET /floors HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("urn:smartpark:problem:bad-host"), "{answer}");
}

#[test]
fn a_name_that_leads_here_from_a_domain_changes_nothing() {
    let server = TestServer::start();
    let host = format!("evil.example:{}", server.address.port());
    let origin = format!("http://{host}");
    let recount = json!({"current_vehicles": 5, "reason": "full"}).to_string();
    let calls =
        [("GET", "/floors", ""), ("PUT", "/floors/1/count", &recount), ("GET", "/stream", "")];
    for (method, path, body) in calls {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = server.raw(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("there is no key yet"), "{answer}");
    }
    let session = format!("GET /session HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = server.raw(session.as_bytes());
    assert!(answer.contains(r#""role":null"#), "{answer}");
    assert_eq!(server.floor(1).current_vehicles, 0);
}

#[test]
fn without_a_key_pages_of_other_sites_get_nothing() {
    let server = TestServer::start();
    let own = format!("http://{}", server.address);
    let other_port = format!("http://127.0.0.1:{}", server.address.port() ^ 1);
    let other_scheme = format!("https://{}", server.address);
    let elsewhere: [&[(&str, &str)]; 9] = [
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost")],
        &[("origin", &other_port)],
        &[("origin", &other_scheme)],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    let json = ("content-type", "application/json");
    let car = entry("t", 9).to_string();
    for headers in elsewhere {
        assert_problem(&server.send("GET", "/floors", headers, b""), 401, "unauthorized", &[]);
        let post = server.send("POST", "/events", &[headers, &[json]].concat(), car.as_bytes());
        assert_problem(&post, 401, "unauthorized", &[]);
    }
    assert_eq!(server.floor(1).current_vehicles, 0);
    let ours: [&[(&str, &str)]; 3] = [
        &[("origin", &own), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[],
    ];
    for headers in ours {
        assert_eq!(server.send("GET", "/floors", headers, b"").status, 200, "{headers:?}");
    }
}

#[test]
fn without_a_key_nothing_is_taken_from_a_proxy() {
    let server = TestServer::start();
    let names = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via"];
    let more = ["X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "x-forwarded"];
    for name in names.into_iter().chain(more) {
        for value in ["203.0.113.9", "127.0.0.1", "localhost", ""] {
            let answer = server.send("GET", "/floors", &[(name, value)], b"");
            assert_problem(&answer, 401, "unauthorized", &[]);
        }
    }
    // With a key it may come by any way.
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let headers = [("x-forwarded-for", "203.0.113.9"), ("x-api-key", viewer.as_str())];
    assert_eq!(server.send("GET", "/floors", &headers, b"").status, 200);
}

#[test]
fn pages_of_allowed_sites_need_a_key_also_before_there_is_one() {
    const SITE: &str = "https://board.example";
    let cors_origins: Vec<Origin> = vec![SITE.parse().unwrap()];
    let server = TestServer::with(HttpConfig { cors_origins, ..HttpConfig::default() });
    for headers in [&[("origin", SITE)][..], &[("origin", SITE), ("sec-fetch-site", "cross-site")]]
    {
        let answer = server.send("GET", "/floors", headers, b"");
        assert_problem(&answer, 401, "unauthorized", &[]);
        assert_eq!(answer.header("access-control-allow-origin"), SITE);
        let patch = [headers, &[("content-type", "application/json")]].concat();
        assert_eq!(server.send("PATCH", "/floors/1", &patch, b"{}").status, 401);
    }
    assert_eq!(server.get("/floors").status, 200);
}

#[test]
fn where_nobody_is_asked_pages_of_other_sites_still_change_nothing() {
    const SITE: &str = "https://board.example";
    let cors_origins: Vec<Origin> = vec![SITE.parse().unwrap()];
    let config = HttpConfig { no_auth: true, cors_origins, ..HttpConfig::default() };
    let server = TestServer::with(config);
    let patch = |origin: &str| {
        let headers = [("origin", origin), ("content-type", "application/json")];
        server.send("PATCH", "/floors/1", &headers, b"{}")
    };
    assert_problem(&patch("http://evil.example"), 403, "cross-site", &[]);
    assert_eq!(patch(SITE).status, 200);
    assert_eq!(patch(&format!("http://{}", server.address)).status, 200);
    let through = [("x-forwarded-for", "203.0.113.9"), ("host", "park.example")];
    assert_eq!(server.send("GET", "/floors", &through, b"").status, 200);
}

#[test]
fn one_key_cannot_take_all_live_streams() {
    use smartpark::{NewKey, Role};
    const STREAMS: usize = 8;
    let server = TestServer::with(HttpConfig { streams: STREAMS, ..HttpConfig::default() });
    let keys = ["greedy", "modest"].map(|name| issue(&server, NewKey::new(name, Role::Viewer)));
    let [greedy, modest] = keys.map(|key| key.secret.expose().to_owned());
    let open = |key: &str| server.open("/stream", &[("x-api-key", key)]);
    let taken: Vec<_> = (0..STREAMS).map(|_| open(&greedy)).collect();
    assert!(taken.iter().all(|stream| stream.status() == 200));
    assert_eq!(open(&greedy).status(), 503);
    let others: Vec<_> = (0..STREAMS / 2).map(|_| open(&modest)).collect();
    assert!(others.iter().all(|stream| stream.status() == 200));
    assert_eq!([open(&modest).status(), open(&greedy).status()], [503, 503]);
    // The newest of the greedy one have ended, which their clients see.
    for stream in taken.into_iter().skip(STREAMS / 2) {
        use std::io::Read;
        let mut told = String::new();
        stream.into_body().into_reader().read_to_string(&mut told).unwrap();
        assert!(told.starts_with("retry: 1000"), "{told}");
    }
}
