//! Metrics, and the names of requests.

use std::io::{Read, Write};

use serde_json::json;
use smartpark::http::HttpConfig;

use super::{bad_input::assert_problem, keys::with_keys};
use crate::{
    scrape::{Scrape, promtool},
    server::{TestServer, entry},
};

fn scrape(server: &TestServer) -> Scrape {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200);
    Scrape::of(std::str::from_utf8(&answer.bytes).unwrap())
}

fn requests(scrape: &Scrape, method: &str, route: &str, status: &str) -> f64 {
    let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
    scrape.get(&format!("smartpark_http_requests_total{{{labels}}}")).unwrap_or(0.0)
}

#[test]
fn requests_are_counted_by_route_and_status_and_clients_make_up_no_labels() {
    let server = TestServer::start();
    server.post(&entry("a", 9)).expect(201);
    server.post(&entry("a", 9)).expect(200);
    server.post(&json!({"camera_id": 7})).expect(422);
    for path in ["/floors/1", "/floors/2", "/floors/99"] {
        server.get(path);
    }
    for n in 0..50 {
        server.get(&format!("/nowhere/{n}"));
        let head = format!("M{n} /floors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(server.raw(head.as_bytes()).starts_with("HTTP/1.1 405"));
    }
    server.send("PUT", "/floors/1/count", &[], b"");
    let told = scrape(&server);
    assert_eq!(requests(&told, "POST", "/events", "201"), 1.0);
    assert_eq!(requests(&told, "POST", "/events", "200"), 1.0);
    assert_eq!(requests(&told, "POST", "/events", "422"), 1.0);
    assert_eq!(requests(&told, "GET", "/floors/{id}", "200"), 2.0);
    assert_eq!(requests(&told, "GET", "/floors/{id}", "404"), 1.0);
    assert_eq!(requests(&told, "PUT", "/floors/{id}/count", "415"), 1.0);
    assert_eq!(requests(&told, "GET", "other", "404"), 50.0);
    assert_eq!(requests(&told, "other", "/floors", "405"), 50.0);
    assert_eq!(told.family("smartpark_http_requests_total").len(), 8);
    let took = "smartpark_http_request_duration_seconds_count";
    assert_eq!(told.value(&format!("{took}{{method=\"POST\",route=\"/events\"}}")), 3.0);
    assert_eq!(told.sum(took), told.sum("smartpark_http_requests_total"));
    assert_eq!(told.value("smartpark_http_requests_in_flight"), 1.0);
    // The scrape before has been answered since.
    assert_eq!(requests(&scrape(&server), "GET", "/metrics", "200"), 1.0);
}

#[test]
fn connections_and_watchers_are_those_that_there_are() {
    let server = TestServer::start();
    let before = scrape(&server);
    assert_eq!(before.value("smartpark_watchers"), 0.0);
    let mut idle = server.connect();
    idle.write_all(b"GET /floors HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 20]).unwrap();
    let stream = server.open("/stream", &[]);
    let during = scrape(&server);
    assert_eq!(during.value("smartpark_watchers"), 1.0);
    let grown =
        |now: &Scrape| now.value("smartpark_connections") - before.value("smartpark_connections");
    assert_eq!(grown(&during), 2.0);
    drop((idle, stream));
    while grown(&scrape(&server)) > 0.0 {}
    while scrape(&server).value("smartpark_watchers") > 0.0 {}
}

#[test]
fn the_process_is_told_as_prometheus_tools_expect() {
    let server = TestServer::start();
    let answer = server.get("/metrics");
    promtool(&["check", "metrics"], std::str::from_utf8(&answer.bytes).unwrap());
    let told = scrape(&server);
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("smartpark_build_info{{version=\"{version}\",engine=\"sqlite\"}}");
    assert_eq!(told.value(&build), 1.0);
    // The clock of the tests stands.
    assert_eq!(told.value("process_start_time_seconds"), 1_770_897_600.0);
    let memory = told.value("process_resident_memory_bytes");
    assert!((1e6..1e10).contains(&memory), "{memory}");
    let (open, most) = (told.value("process_open_fds"), told.value("process_max_fds"));
    assert!(open > 5.0 && open < most, "{open} of {most}");
    assert!(told.value("process_threads") >= 2.0);
    assert!(told.get("process_cpu_seconds_total").is_some());
}

#[test]
fn who_may_read_may_read_metrics_and_no_key_stands_in_them() {
    let (server, keys) = with_keys(HttpConfig::default());
    let mut texts = Vec::new();
    for (key, expected) in keys.iter().zip([200, 403, 200]) {
        let answer = server.send("GET", "/metrics", &[("x-api-key", key)], b"");
        assert_eq!(answer.status, expected);
        texts.push(String::from_utf8(answer.bytes).unwrap());
    }
    assert_problem(&server.get("/metrics"), 401, "unauthorized", &[]);
    let secrets = keys.iter().flat_map(|key| [key.as_str(), key.split('_').nth(1).unwrap()]);
    for secret in secrets.chain(["viewer", "admin"]) {
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret}");
    }
}

#[test]
fn an_answer_carries_the_name_of_its_request() {
    let server = TestServer::start();
    let name = |path: &str, headers: &[(&str, &str)]| {
        server.send("GET", path, headers, b"").header("x-request-id").to_owned()
    };
    assert_eq!(name("/floors", &[("x-request-id", "gate-7:42")]), "gate-7:42");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = format!("00-{trace}-00f067aa0ba902b7-01");
    assert_eq!(name("/nowhere", &[("traceparent", &traced)]), trace);
    let long = "x".repeat(65);
    let drawn: Vec<String> = [("x-request-id", "<b>"), ("x-request-id", &long), ("x-other", "a")]
        .map(|header| name("/health/live", &[header]))
        .into();
    for (place, name) in drawn.iter().enumerate() {
        assert!(name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert!(!drawn[..place].contains(name), "{drawn:?}");
    }
}

/// The alerts that are shipped, and the scrape configuration that the documents show.
#[test]
fn the_documented_rules_and_settings_are_what_prometheus_takes() {
    let document = include_str!("../../../../../docs/operations.md");
    let blocks: Vec<&str> =
        document.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let block = |begin: &str| {
        let found = blocks.iter().find(|block| block.trim_start().starts_with(begin));
        found.unwrap_or_else(|| panic!("no block {begin}"))
    };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rules = include_str!("../../../../../packaging/prometheus/alerts.yml");
    promtool(&["check", "rules", &file("smartpark-rules.yml", rules)], "");
    file("viewer.key", "x");
    promtool(&["check", "config", "--syntax-only", &file("p.yml", block("scrape_configs:"))], "");
    // What the rules compute with is what is told.
    let server = TestServer::start();
    server.post(&entry("a", 9)).expect(201);
    let told = String::from_utf8(server.get("/metrics").bytes).unwrap();
    let families: Vec<&str> =
        told.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let dashboard = include_str!("../../../../../packaging/grafana/smartpark.json");
    let both = [rules, dashboard].concat();
    let words = both.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let used: Vec<&str> = words.filter(|word| word.starts_with("smartpark_")).collect();
    assert!(used.len() >= 6, "{used:?}");
    for name in used {
        let ends = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        assert!(families.contains(&ends.unwrap_or(name)), "{name}");
    }
}

#[test]
fn drift_of_each_active_floor_is_told() {
    let server = TestServer::start();
    server.post(&json!([entry("a", 9)])).expect(200);
    let told = scrape(&server);
    let of = |name: &str| told.get(&format!("{name}{{floor_id=\"1\",floor=\"Ground Floor\"}}"));
    let band = ["low", "estimate", "high"].map(|part| of(&format!("smartpark_drift_{part}")));
    assert!(band[0] <= band[1] && band[1] <= band[2], "{band:?}");
    assert!(band[0] >= Some(0.0) && band[2] <= Some(50.0), "{band:?}");
    assert!(of("smartpark_net_loss_ratio").is_some());
}
