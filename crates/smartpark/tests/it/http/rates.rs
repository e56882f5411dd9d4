//! Rates: of keys, of addresses, and of tries without a good key; and whose address it is.

use std::num::NonZeroU32;

use smartpark::http::{HttpConfig, Network, Rates};

use super::{bad_input::assert_problem, keys::with_keys};
use crate::server::{Answer, TestServer};

/// So slow that nothing comes in while a test runs; ten of it come at once.
const ONE: Option<NonZeroU32> = NonZeroU32::new(1);

fn behind_proxy(rates: Rates) -> (TestServer, [String; 3]) {
    let proxies: Vec<Network> = vec!["127.0.0.0/8".parse().unwrap()];
    with_keys(HttpConfig { rates, proxies, ..HttpConfig::default() })
}

/// Asks until the rate is used up; the answer that says so.
#[track_caller]
fn exhaust(ask: impl FnMut() -> Answer) -> Answer {
    let answers = std::iter::repeat_with(ask).take(500);
    let mut refused = answers.skip_while(|answer| answer.status != 429);
    refused.next().expect("500 requests at once were all let through")
}

#[track_caller]
fn assert_too_often(answer: &Answer) {
    assert_problem(answer, 429, "too-many-requests", &[]);
    assert_eq!(answer.header("retry-after"), "1");
}

#[test]
fn each_key_has_its_rate() {
    let rates = Rates { per_key: ONE, per_address: None };
    let (server, [viewer, _, admin]) = with_keys(HttpConfig { rates, ..HttpConfig::default() });
    let ask = |key: &str| server.send("GET", "/floors", &[("x-api-key", key)], b"");
    assert_too_often(&exhaust(|| ask(&viewer)));
    assert_eq!(ask(&admin).status, 200);
    assert_eq!(server.get("/health/live").status, 200);
}

#[test]
fn each_address_has_its_rate_and_only_a_proxy_says_whose_it_is() {
    let rates = Rates { per_key: None, per_address: ONE };
    let (server, [viewer, ..]) = behind_proxy(rates);
    let ask = |from: &str| {
        let headers = [("x-api-key", viewer.as_str()), ("x-forwarded-for", from)];
        server.send("GET", "/floors", &headers, b"")
    };
    assert_too_often(&exhaust(|| ask("198.51.100.1")));
    // What the client wrote itself stands to the left of what the proxy wrote.
    for left in 0..20 {
        assert_too_often(&ask(&format!("203.0.113.{left}, 198.51.100.1")));
    }
    assert_eq!(ask("198.51.100.2").status, 200);
    let nobody = server.send("GET", "/session", &[("x-forwarded-for", "198.51.100.1")], b"");
    assert_too_often(&nobody);

    let (server, [viewer, ..]) = with_keys(HttpConfig { rates, ..HttpConfig::default() });
    let mut number = 0;
    let refused = exhaust(|| {
        number += 1;
        let from = format!("198.51.100.{number}");
        let headers = [("x-api-key", viewer.as_str()), ("x-forwarded-for", from.as_str())];
        server.send("GET", "/floors", &headers, b"")
    });
    assert_too_often(&refused);
}

#[test]
fn tries_without_a_good_key_become_429_and_shut_nobody_else_out() {
    let (server, [viewer, ..]) = behind_proxy(Rates::default());
    let ask = |key: &str, from: &str| {
        server.send("GET", "/floors", &[("x-api-key", key), ("x-forwarded-for", from)], b"")
    };
    assert_eq!(ask("wrong", "198.51.100.1").status, 401);
    assert_too_often(&exhaust(|| ask("wrong", "198.51.100.1")));
    // A good key behind the same address is let in; others are told that theirs is wrong.
    assert_eq!(ask(&viewer, "198.51.100.1").status, 200);
    assert_eq!(ask("wrong", "198.51.100.2").status, 401);
}
