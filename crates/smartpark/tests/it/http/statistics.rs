//! Statistics of a window: every key present, exact at its ends.

use serde_json::json;

use crate::server::{TestServer, entry, event};

#[test]
fn without_events_every_key_is_there_and_zero() {
    let server = TestServer::start();
    let statistics = server.get("/statistics").expect(200);
    let zeros = json!({"Ground Floor": 0, "Nook": 0, "Basement": 0});
    let expected = json!({
        "hours": 24,
        "start": "2026-02-11T12:00:00Z",
        "end": "2026-02-12T12:00:00.000001Z",
        "total_events": 0, "entries": 0, "exits": 0,
        "by_vehicle_type": {"car": 0, "motorcycle": 0, "bus": 0, "truck": 0},
        "by_floor": zeros, "by_camera": {},
        "at_limit": 0, "at_limit_by_floor": zeros, "at_limit_by_camera": {},
        "peak_hour": null,
    });
    assert_eq!(statistics, expected);
}

#[test]
fn windows_are_exact() {
    let server = TestServer::start();
    let mut truck = event(2, "c", "exit", 1800);
    truck["vehicle_type"] = json!("truck");
    truck["camera_id"] = json!("cam_002");
    server.post(&json!([entry("a", 7200), entry("b", 1800), truck])).expect(200);
    let last_hour = server.get("/statistics?hours=1").expect(200);
    assert_eq!(last_hour["total_events"], 2);
    assert_eq!((&last_hour["entries"], &last_hour["exits"]), (&json!(1), &json!(1)));
    assert_eq!(last_hour["by_vehicle_type"]["truck"], 1);
    assert_eq!(last_hour["by_camera"], json!({"cam_001": 1, "cam_002": 1}));
    assert_eq!(last_hour["at_limit_by_camera"], json!({"cam_002": 1}));
    let peak = json!({"start": "2026-02-12T11:00:00Z", "events": 2});
    assert_eq!(last_hour["peak_hour"], peak);
    let table = [
        ("?floor_id=1", 2, json!(24)),
        ("?floor_id=2&hours=2", 1, json!(2)),
        ("?start=2026-02-12T10:00:00Z", 3, json!(null)),
        ("?start=2026-02-12T10:00:00Z&end=2026-02-12T11:30:00Z", 1, json!(null)),
        ("?start=2026-02-12T10:00:00Z&end=2026-02-12T10:00:00Z", 0, json!(null)),
        ("?start=2026-02-12T11:00:00.000001+01:00&floor_id=1", 1, json!(null)),
    ];
    for (query, total, hours) in table {
        let statistics = server.get(&format!("/statistics{query}")).expect(200);
        assert_eq!(statistics["total_events"], total, "{query}");
        assert_eq!(statistics["hours"], hours, "{query}");
    }
    let one_floor = server.get("/statistics?floor_id=2").expect(200);
    assert_eq!(one_floor["by_floor"], json!({"Nook": 1}));
}
