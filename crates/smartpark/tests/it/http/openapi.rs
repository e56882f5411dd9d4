//! The OpenAPI document and the server agree, and its examples work.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use smartpark::{NewKey, Role, http::HttpConfig};
use smartpark_formats::config::Connections;

use super::bad_input::assert_problem;
use crate::server::{TestServer, entry};

/// Every operation of the document: method, path, the operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter()
            .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// What a reference points to.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).expect(reference),
        None => value,
    }
}

#[test]
fn the_document_is_openapi_3_1_and_the_one_of_the_library() {
    let server = TestServer::start();
    let served = server.get("/openapi.json");
    let document = served.expect(200);
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let own = serde_json::to_value(smartpark::http::openapi()).unwrap();
    assert_eq!(document, own);
}

#[test]
fn the_document_lists_exactly_the_operations_of_the_contract() {
    let document = serde_json::to_value(smartpark::http::openapi()).unwrap();
    let listed: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let contract = [
        "DELETE /events",
        "DELETE /floors/{id}",
        "DELETE /session",
        "GET /attention",
        "GET /cameras",
        "GET /cameras/quality",
        "GET /changes",
        "GET /events",
        "GET /events.csv",
        "GET /events/digest",
        "GET /events/{id}",
        "GET /feeds/datex2-light.json",
        "GET /feeds/geojson.json",
        "GET /feeds/ngsi-ld.jsonld",
        "GET /feeds/ngsi-v2.json",
        "GET /feeds/parkapi-v1",
        "GET /feeds/parkapi-v1/{id}",
        "GET /feeds/parkapi-v3.json",
        "GET /feeds/siri-fm.xml",
        "GET /floors",
        "GET /floors/recommended",
        "GET /floors/{id}",
        "GET /floors/{id}/drift",
        "GET /floors/{id}/drift/history",
        "GET /floors/{id}/forecast",
        "GET /floors/{id}/history",
        "GET /floors/{id}/today",
        "GET /forecast",
        "GET /drift",
        "GET /health/live",
        "GET /health/ready",
        "GET /history",
        "GET /metrics",
        "GET /report",
        "GET /report.csv",
        "GET /report.html",
        "GET /session",
        "GET /sites",
        "GET /sites/{slug}",
        "PATCH /sites/{slug}",
        "GET /statistics",
        "GET /stream",
        "GET /today",
        "GET /withdrawals",
        "PATCH /floors/{id}",
        "POST /cameras/{id}/heartbeat",
        "POST /events",
        "POST /floors",
        "POST /inputs/{id}",
        "POST /session",
        "POST /withdrawals",
        "PUT /floors/{id}/count",
    ];
    assert_eq!(listed, contract.map(str::to_owned).into());
}

#[test]
fn every_operation_is_there_and_no_other_method_is() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    let operations = operations(&document);
    for path in operations.iter().map(|(_, path, _)| path).collect::<BTreeSet<_>>() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let documented = operations.iter().any(|(m, p, _)| m == method && p == path);
            // No body and no parameter that fits: nothing is changed, but the route shows.
            let path = path
                .replace("{id}", "1")
                .replace("{slug}", "default")
                .replace("/stream", "/stream?after=none");
            let answer = server.send(method, &path, &[], b"");
            let is_told =
                |what: &str| answer.json()["detail"] == format!("the {what} does not exist");
            let there = answer.status != 405
                && (answer.status != 404
                    || ["event", "floor", "camera", "site"].into_iter().any(is_told));
            assert_eq!(there, documented, "{method} {path}: {}", answer.status);
        }
    }
}

#[test]
fn every_response_is_described_with_an_example_and_a_schema_that_exists() {
    let document = serde_json::to_value(smartpark::http::openapi()).unwrap();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{name}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let number: u16 = status.parse().unwrap();
            let is_problem = number >= 400;
            assert!(!response["description"].as_str().unwrap().is_empty(), "{name} {status}");
            let Some(content) = response["content"].as_object() else {
                assert!(status == "204" || status == "304", "{name} {status}");
                continue;
            };
            for (media_type, content) in content {
                let expected = match path.as_str() {
                    _ if is_problem => "application/problem+json",
                    "/stream" => "text/event-stream",
                    "/events.csv" | "/report.csv" => "text/csv",
                    "/report.html" => "text/html",
                    "/metrics" => "text/plain",
                    "/feeds/siri-fm.xml" => "application/xml",
                    "/feeds/ngsi-ld.jsonld" if media_type != "application/json" => {
                        "application/ld+json"
                    }
                    "/feeds/geojson.json" => "application/geo+json",
                    _ => "application/json",
                };
                assert_eq!(media_type, expected, "{name} {status}");
                assert!(resolve(&document, &content["schema"]).is_object(), "{name} {status}");
                let examples = content["examples"].as_object().map_or(0, serde_json::Map::len);
                let example = &content["example"];
                let is_told = example.is_object() || example.is_string() || examples > 0;
                assert!(is_told || path.starts_with("/health"), "{name} {status}");
                for example in content["examples"].as_object().into_iter().flatten() {
                    let told = &example.1["value"]["status"];
                    assert!(!is_problem || told == &json!(number), "{name} {status}");
                }
            }
            let retry = response["headers"]["Retry-After"].is_object();
            assert_eq!(retry, ["429", "503"].contains(&status.as_str()), "{name} {status}");
        }
        let has_body = operation["requestBody"].is_object();
        // Any request may fail to name its host; the others are about bodies.
        assert!(operation["responses"]["400"].is_object(), "{name}");
        for status in ["408", "413", "415"] {
            let told = operation["responses"][status].is_object();
            assert_eq!(told, has_body, "{name} {status}");
        }
    }
}

#[test]
fn every_operation_but_a_few_wants_a_key_and_says_so() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let names: BTreeSet<&str> = schemes.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["bearer", "header", "session"]));
    let gate = NewKey::new("gate", Role::Camera);
    server.run(server.park.keys().add_key(gate)).unwrap();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let path = path
            .replace("{id}", "1")
            .replace("{slug}", "default")
            .replace("/stream", "/stream?after=none");
        let answer = server.send(&method, &path, &[], b"");
        let asked = answer.status == 401 && path != "/session";
        let is_open = path == "/session" || path.starts_with("/health/");
        assert_eq!(asked, !is_open, "{name}: {}", answer.status);
        let alternatives = operation["security"].as_array().map_or(0, Vec::len);
        assert_eq!(alternatives, if is_open { 0 } else { 3 }, "{name}");
        for status in ["401", "403", "429"] {
            let told = operation["responses"][status].is_object();
            assert!(told || is_open, "{name} {status}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                resolve(document, value);
                members.values().for_each(|member| check(document, member));
            }
            Value::Array(items) => items.iter().for_each(|item| check(document, item)),
            _ => {}
        }
    }
    let document = serde_json::to_value(smartpark::http::openapi()).unwrap();
    check(&document, &document);
}

/// The examples of a request's body, by media type.
fn request_examples(operation: &Value) -> Vec<(String, Value)> {
    let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
    content
        .into_iter()
        .flat_map(|(media_type, content)| {
            let mut examples = vec![content["example"].clone()];
            if let Some(named) = content["examples"].as_object() {
                examples.extend(named.values().map(|example| example["value"].clone()));
            }
            examples.retain(|example| !example.is_null());
            examples.into_iter().map(move |example| (media_type.clone(), example))
        })
        .collect()
}

/// A camera of the id 1 that reads the example of a message.
fn counter() -> Arc<Connections> {
    let text = "[[camera]]\nid = '1'\nfloor_id = 1\n[camera.counter]\nentry = '/in'\n\
                exit = '/out'\ntime = '/time'\n";
    Arc::new(Connections::parse(text, &[]).unwrap())
}

#[test]
fn every_example_of_a_request_works() {
    let document = serde_json::to_value(smartpark::http::openapi()).unwrap();
    for (method, path, operation) in operations(&document) {
        let examples = request_examples(&operation);
        assert_eq!(examples.is_empty(), operation["requestBody"].is_null(), "{method} {path}");
        for (media_type, example) in examples {
            let server =
                TestServer::with(HttpConfig { connections: counter(), ..Default::default() });
            let path = path.replace("{id}", "1").replace("{slug}", "default");
            let body = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let headers = [("content-type", media_type.as_str())];
            let answer = server.send(&method, &path, &headers, body.as_bytes());
            assert!(answer.status < 300, "{method} {path} {body}: {:?}", answer.json());
            let rejected = answer.json()["rejected"].as_u64().unwrap_or(0);
            assert_eq!(rejected, 0, "{method} {path} {body}");
        }
    }
}

#[test]
fn every_documented_parameter_is_known() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let path =
                format!("{}?{name}=%21", path.replace("{id}", "1").replace("{slug}", "default"));
            let answer = server.send(&method, &path, &[], b"");
            let text = String::from_utf8_lossy(&answer.bytes);
            assert!(!text.contains("not a known parameter"), "{method} {path}: {text}");
        }
    }
}

/// The names of an object's members, however deep.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), shape(member))).collect()
        }
        Value::Array(items) => json!(items.iter().take(1).map(shape).collect::<Vec<_>>()),
        _ => json!(null),
    }
}

/// Something that needs a person.
fn event_from_the_future(server: &TestServer) {
    let mut event = entry("early", 0);
    event["timestamp"] = json!("2027-01-01T00:00:00Z");
    server.post(&event).expect(422);
}

#[test]
fn answers_have_the_shape_of_the_examples() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    let example = |pointer: &str| {
        let found = document.pointer(&format!("/paths/{pointer}/content/application~1json"));
        shape(&found.unwrap_or_else(|| panic!("{pointer}"))["example"])
    };
    let recorded = server.post(&entry("a", 9)).expect(201);
    assert_eq!(shape(&recorded), example("~1events/post/responses/201"));
    assert_eq!(
        shape(&server.get("/events?limit=1").expect(200)),
        example("~1events/get/responses/200")
    );
    assert_eq!(
        shape(&server.get("/floors/1").expect(200)),
        example("~1floors~1{id}/get/responses/200")
    );
    assert_eq!(shape(&server.get("/floors").expect(200)), example("~1floors/get/responses/200"));
    let by_name = ["by_floor", "by_camera", "at_limit_by_floor", "at_limit_by_camera"];
    for (path, documented) in [
        ("/floors/1/history?hours=1", "~1floors~1{id}~1history"),
        ("/history?hours=1", "~1history"),
        ("/attention", "~1attention"),
        ("/events/digest?camera_id=cam_001", "~1events~1digest"),
    ] {
        event_from_the_future(&server);
        let documented = example(&format!("{documented}/get/responses/200"));
        assert_eq!(shape(&server.get(path).expect(200)), documented, "{path}");
    }
    let mut statistics = server.get("/statistics").expect(200);
    let mut documented = example("~1statistics/get/responses/200");
    for member in by_name {
        statistics[member] = json!(null);
        documented[member] = json!(null);
    }
    assert_eq!(shape(&statistics), documented);
}

#[test]
fn documented_problems_look_like_real_ones() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    let mut event = entry("a", 9);
    event["floor_id"] = json!(99);
    let answer = server.post(&event);
    assert_problem(&answer, 422, "unknown-floor", &["#/floor_id"]);
    let documented = document
        .pointer("/paths/~1events/post/responses/422/content/application~1problem+json/examples")
        .unwrap();
    assert_eq!(documented["unknown-floor"]["value"], answer.json());
}
