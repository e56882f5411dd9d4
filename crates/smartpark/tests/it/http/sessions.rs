//! Signing in on the page: a cookie that stands for a key, for as long as that holds.

use serde_json::{Value, json};
use smartpark::http::{HttpConfig, Network};

use super::{bad_input::assert_problem, keys::with_keys};
use crate::server::{Answer, TestServer};

const JSON: (&str, &str) = ("content-type", "application/json");

fn sign_in(server: &TestServer, key: &str, headers: &[(&str, &str)]) -> Answer {
    let body = json!({"key": key}).to_string();
    server.send("POST", "/session", &[&[JSON], headers].concat(), body.as_bytes())
}

/// The pair that a browser sends back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

fn session(server: &TestServer, cookie: &str) -> Value {
    server.send("GET", "/session", &[("cookie", cookie)], b"").expect(200)
}

const NOBODY: (&str, Value, Value) = ("key", Value::Null, Value::Null);

fn assert_nobody(view: &Value) {
    assert_eq!(*view, json!({"auth": NOBODY.0, "role": NOBODY.1, "name": NOBODY.2}));
}

#[test]
fn without_keys_everybody_may_do_all() {
    let server = TestServer::start();
    let free = json!({"auth": "none", "role": "admin", "name": null});
    assert_eq!(server.get("/session").expect(200), free);
    let signed_in = sign_in(&server, "whatever", &[]);
    assert_eq!(signed_in.expect(200), free);
    assert_eq!(signed_in.header("set-cookie"), "");
}

#[test]
fn a_key_is_taken_for_a_cookie_and_the_cookie_for_a_key() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    assert_nobody(&server.get("/session").expect(200));
    let answer = sign_in(&server, &viewer, &[]);
    let view = json!({"auth": "key", "role": "viewer", "name": "viewer"});
    assert_eq!(answer.expect(200), view);
    let set = answer.header("set-cookie").to_owned();
    let attributes: Vec<&str> = set.split("; ").skip(1).collect();
    assert_eq!(attributes, ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"]);
    assert!(!set.contains(&viewer[12..]), "the cookie must not hold the key");
    let cookie = cookie(&answer);
    assert_eq!(session(&server, &format!("other=1; {cookie}; more=2")), view);
    let with = |cookie: &str| server.send("GET", "/floors", &[("cookie", cookie)], b"").status;
    assert_eq!(with(&cookie), 200);
    assert_eq!(server.open("/stream", &[("cookie", &cookie)]).status(), 200);
    // A key that is sent is meant, whatever cookie is there.
    let both = [("cookie", cookie.as_str()), ("x-api-key", "wrong")];
    assert_eq!(server.send("GET", "/floors", &both, b"").status, 401);
    let gone = server.send("DELETE", "/session", &[("cookie", &cookie)], b"");
    assert_eq!((gone.status, gone.bytes.len()), (204, 0));
    assert!(gone.header("set-cookie").starts_with("smartpark_session=; "), "{gone:?}");
    assert!(gone.header("set-cookie").contains("Max-Age=0"), "{gone:?}");
}

#[test]
fn what_is_no_session_signs_nobody_in() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let good = cookie(&sign_in(&server, &viewer, &[]));
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let (prefix, end) = rest.rsplit_once('.').unwrap();
    let later: i64 = end.parse::<i64>().unwrap() + 1;
    let last = if signature.ends_with('0') { "1" } else { "0" };
    let forged = [
        format!("{prefix}.{later}.{signature}"),
        format!("{rest}.{}{last}", &signature[..63]),
        format!("{rest}.{}", &signature[..62]),
        format!("{rest}."),
        format!("{prefix}x.{end}.{signature}"),
        format!("smartpark_session={viewer}"),
        "smartpark_session=".to_owned(),
        "smartpark_session=..".to_owned(),
        "smartpark_session".to_owned(),
    ];
    for cookie in forged {
        assert_nobody(&session(&server, &cookie));
        assert_eq!(server.send("GET", "/floors", &[("cookie", &cookie)], b"").status, 401);
    }
    let wrong = sign_in(&server, &format!("{}0", &viewer[..75]), &[]);
    if !viewer.ends_with('0') {
        assert_problem(&wrong, 401, "unauthorized", &[]);
        assert_eq!(wrong.header("set-cookie"), "");
    }
    assert_problem(&sign_in(&server, "", &[]), 401, "unauthorized", &[]);
}

#[test]
fn bad_bodies_are_named_and_large_ones_not_read() {
    let (server, _) = with_keys(HttpConfig::default());
    let send = |body: &str| server.send("POST", "/session", &[JSON], body.as_bytes());
    assert_problem(&send("{"), 400, "not-json", &[]);
    assert_problem(&send("{}"), 422, "invalid-fields", &["#/key"]);
    assert_problem(&send("{\"key\": 7, \"x\": 1}"), 422, "invalid-fields", &["#/key", "#/x"]);
    assert_problem(&send("[]"), 422, "invalid-fields", &["#"]);
    let large = json!({"key": "x".repeat(5_000)}).to_string();
    assert_problem(&send(&large), 413, "too-large", &[]);
    let plain = server.send("POST", "/session", &[("content-type", "text/plain")], b"{}");
    assert_problem(&plain, 415, "unsupported-media-type", &[]);
    assert_problem(&server.get("/session?x=1"), 422, "invalid-fields", &["?x"]);
}

#[test]
fn a_session_ends_in_time_and_is_renewed_where_it_is_used() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let first = cookie(&sign_in(&server, &viewer, &[]));
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let begin = server.clock.now();
    let ask = || server.send("GET", "/session", &[("cookie", &first)], b"");
    server.clock.set(begin + 14 * day);
    assert_eq!(ask().header("set-cookie"), "");
    server.clock.set(begin + 16 * day);
    let second = cookie(&ask());
    assert_eq!(session(&server, &second)["role"], "viewer");
    server.clock.set(begin + 30 * day);
    assert_nobody(&session(&server, &first));
    assert_eq!(session(&server, &second)["role"], "viewer");
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let (server, [.., admin]) = with_keys(HttpConfig::default());
    let cookie = cookie(&sign_in(&server, &admin, &[]));
    let own = format!("http://{}", server.address);
    let recount = json!({"current_vehicles": 3, "reason": "round"}).to_string();
    let put = |headers: &[(&str, &str)]| {
        let headers = [&[JSON, ("cookie", cookie.as_str())], headers].concat();
        server.send("PUT", "/floors/1/count", &headers, recount.as_bytes())
    };
    let elsewhere: [&[(&str, &str)]; 4] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
    ];
    for headers in elsewhere {
        assert_problem(&put(headers), 403, "cross-site", &[]);
        assert_problem(&sign_in(&server, &admin, headers), 403, "cross-site", &[]);
        let gone = server.send("DELETE", "/session", headers, b"");
        assert_problem(&gone, 403, "cross-site", &[]);
        // Reading is not changing, and who sends a key means it.
        let read = [headers, &[("cookie", cookie.as_str())]].concat();
        assert_eq!(server.send("GET", "/floors", &read, b"").status, 200);
        let keyed = [headers, &[JSON, ("x-api-key", admin.as_str())]].concat();
        let answer = server.send("PATCH", "/floors/1", &keyed, b"{}");
        assert_eq!(answer.status, 200);
    }
    assert_eq!(server.floor(1).current_vehicles, 0);
    let own: [&[(&str, &str)]; 3] =
        [&[], &[("origin", &own)], &[("sec-fetch-site", "same-origin"), ("origin", &own)]];
    for headers in own {
        put(headers).expect(200);
    }
}

#[test]
fn the_cookie_is_for_encrypted_connections_where_there_is_one() {
    let proxies: Vec<Network> = vec!["127.0.0.1".parse().unwrap()];
    let (server, [viewer, ..]) = with_keys(HttpConfig { proxies, ..HttpConfig::default() });
    let is_secure = |headers: &[(&str, &str)]| {
        sign_in(&server, &viewer, headers).header("set-cookie").ends_with("; Secure")
    };
    assert!(is_secure(&[("x-forwarded-proto", "https")]));
    assert!(!is_secure(&[("x-forwarded-proto", "http")]));
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let answer = sign_in(&server, &viewer, &[("x-forwarded-proto", "https")]);
    assert!(!answer.header("set-cookie").contains("Secure"), "nobody declared a proxy");
}

/// The sums of keys are enough to recognise a key, and must not be enough to make a session.
#[test]
fn nothing_that_is_stored_makes_a_session() {
    let (server, [.., admin]) = with_keys(HttpConfig::default());
    let good = cookie(&sign_in(&server, &admin, &[]));
    let (rest, token) = good.rsplit_once('.').unwrap();
    let (_, rest) = rest.split_once('=').unwrap();
    for stored in server.stored_bytes() {
        let digits: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!digits.contains(token), "the token itself is stored");
        let forged = format!("smartpark_session={rest}.{digits:0<64.64}");
        assert_nobody(&session(&server, &forged));
    }
    assert_eq!(session(&server, &good)["role"], "admin");
}

#[test]
fn a_session_outlives_the_server_and_ends_where_it_is_signed_out() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let [first, second] = [(), ()].map(|()| cookie(&sign_in(&server, &viewer, &[])));
    assert_ne!(first, second);
    let server = server.restart(HttpConfig::default());
    assert_eq!(session(&server, &first)["role"], "viewer");
    let gone = server.send("DELETE", "/session", &[("cookie", &first)], b"");
    assert_eq!(gone.status, 204);
    // Also for others who have the cookie; other sessions of the key go on.
    assert_nobody(&session(&server, &first));
    assert_eq!(session(&server, &second)["role"], "viewer");
    let server = server.restart(HttpConfig::default());
    assert_nobody(&session(&server, &first));
    assert_eq!(session(&server, &second)["role"], "viewer");
}

#[test]
fn a_session_that_lasts_too_long_was_begun_by_a_wrong_clock() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let now = server.clock.now();
    server.clock.set(now + std::time::Duration::from_secs(365 * 24 * 60 * 60));
    let ahead = cookie(&sign_in(&server, &viewer, &[]));
    assert_eq!(session(&server, &ahead)["role"], "viewer");
    server.clock.set(now);
    assert_nobody(&session(&server, &ahead));
}

#[test]
fn a_key_can_be_signed_in_with_only_so_often() {
    let (server, [viewer, ..]) = with_keys(HttpConfig::default());
    let tried: Vec<u16> = (0..100).map(|_| sign_in(&server, &viewer, &[]).status).collect();
    let begun = tried.iter().filter(|status| **status == 200).count();
    assert!((20..60).contains(&begun) && tried.contains(&429), "{tried:?}");
}
