//! What is known of the car park, and the days of its time zone.

use serde_json::{Value, json};

use crate::server::{TestServer, entry};

#[test]
fn a_site_is_known_changed_and_named_in_paths() {
    for server in TestServer::on_each_engine() {
        let sites = server.get("/sites").expect(200);
        let site = &sites["sites"][0];
        assert_eq!((&site["slug"], &site["time_zone"]), (&json!("default"), &json!("UTC")));
        let floors = server.get("/floors").json();
        assert_eq!(site["total_slots"], floors["total_slots"]);
        let patch = json!({"slug": "north", "name": "North", "time_zone": "Europe/Berlin",
            "latitude": 48.1, "longitude": 11.5});
        let changed = server.send_json("PATCH", "/sites/default", &patch).expect(200);
        assert_eq!(changed, server.get("/sites/north").expect(200));
        assert_eq!(changed["latitude"], 48.1);
        assert_eq!(server.get("/sites/default").status, 404);
        // Every operation, below its name.
        assert_eq!(server.get("/sites/north/floors").expect(200), server.get("/floors").json());
        let (json, body) = (("content-type", "application/json"), entry("t", 0).to_string());
        let posted = server.send("POST", "/sites/north/events", &[json], body.as_bytes());
        assert_eq!(posted.status, 201);
        for path in ["/sites/default/floors", "/sites/north/nothing", "/sites/north/sites/x/floors"]
        {
            assert_eq!(server.get(path).status, 404, "{path}");
        }
        let wrong = json!({"time_zone": "Berlin", "colour": 1});
        let told = server.send_json("PATCH", "/sites/north", &wrong).expect(422);
        assert_eq!(told["errors"].as_array().unwrap().len(), 2);
        server.send_json("PATCH", "/sites/north", &json!([])).expect(422);
        assert!(server.run(server.park.check(false)).unwrap().is_clean());
    }
}

#[test]
fn days_are_those_of_the_site_over_both_changes_of_the_clock() {
    for server in TestServer::on_each_engine() {
        server.clock.set("2026-12-01T12:00:00Z".parse().unwrap());
        server
            .send_json("PATCH", "/sites/default", &json!({"time_zone": "Europe/Berlin"}))
            .expect(200);
        // One car an hour, for two days around each change.
        for (from, hours) in [("2026-03-27T23:00:00Z", 71), ("2026-10-23T22:00:00Z", 73)] {
            let from: jiff::Timestamp = from.parse().unwrap();
            let row = |hour: i64| {
                let mut event = entry("t", 0);
                let at = from + jiff::SignedDuration::from_mins(60 * hour + 30);
                event["timestamp"] = json!(at.to_string());
                event
            };
            let rows: Vec<Value> = (0..hours).map(row).collect();
            assert_eq!(server.post(&json!(rows)).expect(200)["recorded"], hours);
        }
        let entries = |query: &str| -> Vec<u64> {
            let history = server.get(&format!("/history?{query}")).expect(200);
            let steps = history["steps"].as_array().unwrap().iter();
            steps.map(|step| step["entries"].as_u64().unwrap()).collect()
        };
        assert_eq!(entries("start=2026-03-28&end=2026-03-31&step=day"), [24, 23, 24]);
        assert_eq!(entries("start=2026-10-24&end=2026-10-27&step=day"), [24, 25, 24]);
        assert_eq!(entries("start=2026-10-19&end=2026-11-02&step=week"), [49, 24]);
        let months = entries("start=2026-01&step=month");
        assert_eq!(months, [0, 0, 71, 0, 0, 0, 0, 0, 0, 73, 0, 0]);
        let day = server.get("/history?period=2026-10-25&step=day").expect(200);
        assert_eq!((&day["unit"], &day["start"]), (&json!("day"), &json!("2026-10-24T22:00:00Z")));
        let statistics = |query: &str| server.get(&format!("/statistics?{query}")).expect(200);
        assert_eq!(statistics("period=2026-10-25")["entries"], 25);
        assert_eq!(statistics("period=2026-03")["entries"], 71);
        assert_eq!(statistics("start=2026-10-25&end=2026-10-26")["entries"], 25);
        assert_eq!(statistics("period=today")["entries"], 0);
        assert_eq!(
            server.get("/events?period=2026-03-29").expect(200)["events"][22]["track_id"],
            "t"
        );
        for query in ["period=soon", "period=today&hours=3", "start=2026-02-30", "step=year"] {
            assert_eq!(server.get(&format!("/history?{query}")).status, 422, "{query}");
        }
    }
}

#[test]
fn the_last_hours_end_now() {
    let server = TestServer::start();
    let mut ahead = entry("t", 0);
    ahead["timestamp"] = json!("2026-02-12T12:01:00Z");
    server.post(&ahead).expect(201);
    server.post(&entry("u", 0)).expect(201);
    assert_eq!(server.get("/statistics?hours=24").expect(200)["total_events"], 1);
    assert_eq!(server.get("/events?hours=24").expect(200)["events"].as_array().unwrap().len(), 1);
}
