//! Estimates, as programs are told.

use serde_json::{Value, json};

use super::bad_input::assert_problem;
use crate::{
    contract::world::after,
    server::{TestServer, entry, event},
};

/// Three weeks of a floor with a car every 50 minutes by day, which stays four hours.
fn weeks() -> Value {
    let mut events = Vec::new();
    for day in 0..22_i64 {
        for car in 0..12_i64 {
            let ago = day * 86_400 + 3_600 + car * 3_000;
            events.push(event(1, &format!("{day}/{car}"), "entry", ago + 14_400));
            events.push(event(1, &format!("{day}/{car}"), "exit", ago));
        }
    }
    Value::Array(events)
}

#[test]
fn a_forecast_is_told_with_its_interval_and_past_errors() {
    let server = TestServer::start();
    server.post(&weeks()).expect(200);
    let told = server.get("/floors/1/forecast?hours=2").expect(200);
    assert_eq!(told["floor_id"], 1);
    assert_eq!(told["from"], "2026-02-12T12:00:00Z");
    assert_eq!((&told["step"], &told["ready"]), (&json!(900), &json!(true)));
    assert_eq!(told["total_slots"], 50);
    let steps = told["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[0]["at"]), (8, &json!("2026-02-12T12:15:00Z")));
    for step in steps {
        let number = |name: &str| step[name].as_f64().unwrap();
        assert!(number("low") <= number("vehicles") && number("vehicles") <= number("high"));
        assert!((number("available") + number("vehicles") - 50.0).abs() < 0.01);
        assert!((number("available_low") + number("high") - 50.0).abs() < 0.01);
        assert!((0.0..=1.0).contains(&number("p_free")));
    }
    let past: Vec<&Value> = told["past_error"].as_array().unwrap().iter().collect();
    assert_eq!((past[0]["minutes"].as_i64(), past.len()), (Some(15), 8));
    assert_eq!(told["may_be_full_at"], Value::Null);

    let site = server.get("/forecast?hours=1&step=3600").expect(200);
    assert_eq!((&site["floor_id"], &site["ready"]), (&Value::Null, &json!(true)));
    let slots = server.get("/floors").expect(200)["total_slots"].clone();
    assert_eq!(site["total_slots"], slots);
    assert_eq!(site["steps"].as_array().unwrap().len(), 1);
}

#[test]
fn a_floor_without_history_says_that_it_is_not_ready() {
    let server = TestServer::start();
    server.post(&json!([entry("a", 60)])).expect(200);
    let told = server.get("/floors/1/forecast").expect(200);
    assert_eq!((&told["ready"], &told["history_days"]), (&json!(false), &json!(0)));
    let step = json!({"at": "2026-02-12T12:15:00Z", "vehicles": 1.0, "low": 0, "high": 50,
        "available": 49.0, "available_low": 0, "p_free": null});
    assert_eq!(told["steps"][0], step);
    assert_eq!(told["steps"].as_array().unwrap().len(), 96);
}

#[test]
fn a_driver_is_told_what_is_free_on_arrival() {
    let server = TestServer::start();
    let now = server.get("/floors/recommended").expect(200);
    assert!(now.get("arrival").is_none());
    let told = server.get("/floors/recommended?arriving_in=1200").expect(200);
    assert_eq!(told["floor"], now["floor"]);
    assert_eq!(told["arrival"]["basis"], "now");
    assert_eq!(told["arrival"]["at"], "2026-02-12T12:20:00Z");
    server.post(&weeks()).expect(200);
    let told = server.get("/floors/recommended?arriving_in=1200").expect(200);
    assert_eq!((&told["floor"]["id"], &told["arrival"]["basis"]), (&json!(1), &json!("forecast")));
    let floors = told["arrival"]["floors"].as_array().unwrap();
    assert_eq!((&floors[0]["floor_id"], &floors[0]["at"]), (&json!(1), &told["arrival"]["at"]));
    // A floor that is closed is not recommended, however much room it has.
    server.send_json("PATCH", "/floors/1", &json!({"is_active": false})).expect(200);
    let told = server.get("/floors/recommended?arriving_in=1200").expect(200);
    assert_ne!(told["floor"]["id"], 1);
}

#[test]
fn drift_is_told_beside_the_count_in_words() {
    let server = TestServer::start();
    server.post(&weeks()).expect(200);
    let count = server.get("/floors/1").expect(200)["current_vehicles"].clone();
    let told = server.get("/floors/1/drift").expect(200);
    assert_eq!((&told["count"], &told["level"]), (&count, &json!(0.95)));
    assert_eq!(
        (&told["floor"], &told["at"]),
        (&json!("Ground Floor"), &json!("2026-02-12T12:00:00Z"))
    );
    let text = told["evidence"]["text"].as_str().unwrap();
    assert!(text.starts_with("It rests on 0 recounts, 2"), "{text}");
    assert_eq!(told["last_recount"], Value::Null);
    let at = server.get("/floors/1/drift?at=2026-02-11T12:00:00Z").expect(200);
    assert_eq!(at["at"], "2026-02-11T12:00:00Z");

    let site = server.get("/drift").expect(200);
    let active = server.get("/floors").expect(200)["floors"].as_array().unwrap().len();
    assert_eq!(site["floors"].as_array().unwrap().len(), active);
    assert_eq!(site["floors"][0], told);

    let path = "/floors/1/drift/history?start=2026-02-12T00:00:00Z&step=3600";
    let history = server.get(path).expect(200);
    let steps = history["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[0]["at"]), (12, &json!("2026-02-12T01:00:00Z")));
    assert_eq!(steps[11]["estimate"], told["estimate"]);
}

#[test]
fn a_floor_on_which_the_count_has_drifted_asks_for_a_recount() {
    let server = TestServer::start();
    // Exits from an empty floor: entries were missed.
    let exits: Vec<Value> =
        (0..12).map(|car| event(1, &format!("x{car}"), "exit", 7_200 + car * 60)).collect();
    server.post(&Value::Array(exits)).expect(200);
    let told = server.get("/floors/1/drift").expect(200);
    assert_eq!(told["evidence"]["at_limit_empty"], 12);
    let asked = &told["suggested_recount"];
    assert_eq!(asked["reason"], "at_limit");
    let text = "12 vehicles entered a full floor or left an empty one since the last recount. \
        Count the vehicles, best at about 05:00.";
    assert_eq!((&asked["text"], &asked["best_at"]), (&json!(text), &json!("2026-02-13T05:00:00Z")));
}

#[test]
fn what_does_not_fit_is_named() {
    let server = TestServer::start();
    for (path, field) in [
        ("/floors/1/forecast?hours=169", "?hours"),
        ("/floors/1/forecast?step=60", "?step"),
        ("/forecast?days=1", "?days"),
        ("/cameras/quality?days=0", "?days"),
        ("/cameras/quality?days=85", "?days"),
        ("/floors/recommended?arriving_in=soon", "?arriving_in"),
        ("/floors/1/drift?at=2030-01-01T00:00:00Z", "?at"),
        ("/drift?at=yesterday", "?at"),
        ("/floors/1/drift/history", "?start"),
        ("/floors/1/drift/history?start=2026-02-12T00:00:00Z&step=3700", "?step"),
    ] {
        assert_problem(&server.get(path), 422, "invalid-fields", &[field]);
    }
    for path in ["/floors/99/forecast", "/floors/99/drift"] {
        assert_problem(&server.get(path), 404, "not-found", &[]);
    }
}

#[test]
fn today_stands_beside_the_same_weekday_of_the_last_weeks() {
    let server = TestServer::start();
    server.post(&weeks()).expect(200);
    let today = server.get("/floors/1/today").expect(200);
    assert_eq!((&today["date"], &today["time_zone"]), (&json!("2026-02-12"), &json!("UTC")));
    assert_eq!((&today["usual_days"], &today["usually_full"]), (&json!(3), &Value::Null));
    let steps = today["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 96);
    // The weeks repeat: what is usual at six in the morning is what is there today.
    let six = &steps[24];
    assert_eq!(six["at"], "2026-02-12T06:00:00Z");
    assert_eq!((&six["low"], &six["high"]), (&six["vehicles"], &six["vehicles"]));
    assert!(six["vehicles"].as_i64().unwrap() > 0);
    assert_eq!(steps[95]["vehicles"], Value::Null);
    let site = server.get("/today").expect(200);
    assert_eq!((&site["floor_id"], &site["steps"][24]), (&Value::Null, six));
    assert_problem(&server.get("/floors/99/today"), 404, "not-found", &[]);
}

#[test]
fn cameras_are_listed_with_a_clock_that_is_an_hour_behind() {
    let server = TestServer::start();
    for car in 0..6 {
        let late = event(1, &format!("car {car}"), "entry", 3_600 - car * 60);
        server.clock.set(after(car * 60));
        server.post(&json!([late])).expect(200);
    }
    let cameras = server.get("/cameras").expect(200)["cameras"].clone();
    let camera = &cameras[0];
    assert_eq!((&camera["lag_seconds"], &camera["is_behind"]), (&json!(3_600), &json!(true)));
    assert_eq!(camera["last_event"], "2026-02-12T11:05:00Z");
    assert_eq!(camera["last_received"], "2026-02-12T12:05:00Z");
    assert_eq!((&camera["events_today"], &camera["refused"]), (&json!(6), &json!(0)));
}
