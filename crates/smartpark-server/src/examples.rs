//! The examples in the OpenAPI document: one small story of one camera. The tests send them.

use serde_json::{Value, json};

/// An event as a camera sends it.
pub(super) fn new_event() -> Value {
    json!({
        "camera_id": "cam_001",
        "floor_id": 1,
        "track_id": "track_a1b2c3",
        "vehicle_type": "car",
        "direction": "entry",
        "confidence": 0.92,
        "timestamp": "2026-02-12T10:30:45Z"
    })
}

/// Another, with only what must be there and an offset.
fn another_event() -> Value {
    json!({
        "camera_id": "cam_001",
        "floor_id": 1,
        "track_id": "track_d4e5f6",
        "vehicle_type": "motorcycle",
        "direction": "exit",
        "timestamp": "2026-02-12T11:31:02.250+01:00"
    })
}

/// Several at once.
pub(super) fn new_events() -> Value {
    json!([new_event(), another_event()])
}

/// The same, one a line.
pub(super) fn new_event_lines() -> Value {
    json!(format!("{}\n{}\n", new_event(), another_event()))
}

/// The first event, recorded.
pub(super) fn event() -> Value {
    json!({
        "id": 1001,
        "camera_id": "cam_001",
        "floor_id": 1,
        "track_id": "track_a1b2c3",
        "vehicle_type": "car",
        "direction": "entry",
        "confidence": 0.92,
        "timestamp": "2026-02-12T10:30:45Z",
        "created_at": "2026-02-12T10:30:45.123456Z",
        "count_delta": 1,
        "at_limit": null
    })
}

/// An event that found its floor full.
pub(super) fn event_at_limit() -> Value {
    let mut event = event();
    event["count_delta"] = json!(0);
    event["at_limit"] = json!("full");
    event
}

/// A floor.
pub(super) fn floor() -> Value {
    json!({
        "id": 1,
        "name": "Ground Floor",
        "description": "Main entry and exit",
        "total_slots": 50,
        "current_vehicles": 12,
        "available_slots": 38,
        "occupancy_percentage": 24.0,
        "is_active": true,
        "created_at": "2026-02-12T10:00:00Z",
        "updated_at": "2026-02-12T10:30:45.123456Z"
    })
}

/// The answer to the first event.
pub(super) fn recorded() -> Value {
    json!({
        "event": event(),
        "floor": floor(),
        "duplicate": false,
        "at_limit": null,
        "absorbed": false,
        "differs": []
    })
}

/// The answer to the first event sent again with another confidence.
pub(super) fn repeated() -> Value {
    let mut answer = recorded();
    answer["duplicate"] = json!(true);
    answer["differs"] = json!(["confidence"]);
    answer
}

/// The answer to a batch with one bad row.
pub(super) fn batch() -> Value {
    let mut problem = super::kind::Kind::UnknownFloor.example();
    problem["index"] = json!(2);
    json!({
        "recorded": 2, "duplicates": 0, "at_limit": 0, "rejected": 1, "errors": [problem]
    })
}

/// A page of events.
pub(super) fn page() -> Value {
    json!({"events": [event()], "next_cursor": "1770892245000000_1001"})
}

/// All floors, of which there is one.
pub(super) fn floors() -> Value {
    json!({
        "floors": [floor()],
        "total_slots": 50,
        "current_vehicles": 12,
        "available_slots": 38,
        "occupancy_percentage": 24.0
    })
}

/// Where to send the next car.
pub(super) fn recommendation() -> Value {
    json!({"floor": floor(), "alternatives": []})
}

/// A floor to be made.
pub(super) fn new_floor() -> Value {
    json!({"name": "Roof", "total_slots": 30, "description": "Open to the sky"})
}

/// A change of a floor.
pub(super) fn floor_change() -> Value {
    json!({"total_slots": 55, "is_active": true})
}

/// A recount.
pub(super) fn recount() -> Value {
    json!({"current_vehicles": 12, "reason": "night round"})
}

/// A day's statistics.
pub(super) fn statistics() -> Value {
    json!({
        "hours": 24,
        "start": "2026-02-11T10:30:45Z",
        "end": "2026-02-12T10:35:45.000001Z",
        "total_events": 127,
        "entries": 65,
        "exits": 62,
        "by_vehicle_type": {"car": 80, "motorcycle": 25, "bus": 15, "truck": 7},
        "by_floor": {"First Floor": 42, "Ground Floor": 45, "Second Floor": 40},
        "by_camera": {"cam_001": 45, "cam_002": 42, "cam_003": 40},
        "at_limit": 1,
        "at_limit_by_floor": {"First Floor": 0, "Ground Floor": 1, "Second Floor": 0},
        "at_limit_by_camera": {"cam_001": 1},
        "peak_hour": {"start": "2026-02-12T08:00:00Z", "events": 31}
    })
}

/// Three hours of a floor, or of a site that has only this one.
pub(super) fn history(floor_id: Option<i64>) -> Value {
    let step = |start: &str, (min, max, mean, closing): (i64, i64, f64, i64), (ins, outs)| {
        let (entries, exits): (u64, u64) = (ins, outs);
        json!({
            "start": start, "min": min, "max": max, "mean": mean, "closing": closing,
            "total_slots": 50, "entries": entries, "exits": exits,
        })
    };
    json!({
        "start": "2026-02-12T08:00:00Z",
        "end": "2026-02-12T10:30:45Z",
        "step": 3600,
        "floor_id": floor_id,
        "steps": [
            step("2026-02-12T08:00:00Z", (3, 9, 5.25, 8), (10, 5)),
            step("2026-02-12T09:00:00Z", (8, 14, 11.5, 14), (9, 3)),
            step("2026-02-12T10:00:00Z", (11, 14, 12.75, 12), (1, 3)),
        ],
    })
}

/// Two hours of a camera's events.
pub(super) fn digests() -> Value {
    let empty = "00000000000000000000000000000000";
    json!({
        "camera_id": "cam_001",
        "start": "2026-02-12T09:00:00Z",
        "end": "2026-02-12T11:00:00Z",
        "step": 3600,
        "horizon": null,
        "slices": [
            {"start": "2026-02-12T09:00:00Z", "events": 0, "digest": empty},
            {
                "start": "2026-02-12T10:00:00Z",
                "events": 1,
                "digest": "3da7286f4a43cf98d86b5ef26821cdb3",
            },
        ],
    })
}

/// A camera with a wrong clock.
pub(super) fn attention() -> Value {
    json!({
        "items": [{
            "kind": "events_refused",
            "level": "high",
            "floor_id": null,
            "floor": null,
            "camera_id": "cam_001",
            "reason": "future",
            "count": 12,
            "since": null,
            "last": "2026-02-12T10:30:45Z",
            "detail": "Events of cam_001 not taken in the last 24 hours: 12; their time is ahead \
                       of the server's clock.",
            "advice": "Set the camera's clock, best by NTP. Where all cameras are named, check \
                       the server's.",
        }],
        "checked_at": "2026-02-12T10:31:00Z",
    })
}

/// A message that made one event.
pub(super) fn message_received() -> Value {
    json!({"recorded": 1, "duplicates": 0, "at_limit": 0, "not_counted": [
        {"reason": "not_configured", "detail": "region 3 is not configured"},
    ]})
}

/// A message of a device that counts.
pub(super) fn message() -> Value {
    json!({"in": 12, "out": 7, "time": "2026-02-12T10:30:45Z"})
}

/// A feed without sites.
pub(super) fn feed_json() -> Value {
    json!("[]")
}

/// A table of one event.
pub(super) fn download() -> Value {
    json!(
        "id,camera_id,floor_id,floor,track_id,vehicle_type,direction,confidence,timestamp,\
         created_at,count_delta,at_limit,ledger\r\n\
         1001,cam_001,1,Ground Floor,track_a1b2c3,car,entry,0.92,2026-02-12T10:30:45Z,\
         2026-02-12T10:30:45.123456Z,1,,9b2f04c1d77e3\r\n"
    )
}

/// A site.
pub(super) fn site() -> Value {
    json!({
        "slug": "north", "name": "North Garage", "time_zone": "Europe/Berlin",
        "latitude": 48.137, "longitude": 11.575, "address": null, "operator": "City of Example",
        "website": null, "opening_hours": "24/7", "kind": "garage", "language": "de",
        "max_height_cm": 210, "reserved_slots": null, "licence": null,
        "total_slots": 135, "current_vehicles": 37, "available_slots": 98,
        "occupancy_percentage": 27.4,
    })
}

/// All sites.
pub(super) fn sites() -> Value {
    json!({"sites": [site()]})
}

/// What is to change about a site.
pub(super) fn site_change() -> Value {
    json!({"name": "North Garage", "time_zone": "Europe/Berlin"})
}

/// The beginning of a live stream.
pub(super) fn stream() -> Value {
    let site = json!({
        "recommended_floor_id": 1,
        "total_slots": 50,
        "current_vehicles": 12,
        "available_slots": 38,
        "occupancy_percentage": 24.0
    });
    let (floor, event) = (floor(), event());
    json!(format!(
        "event: floor\ndata: {floor}\n\n\
         id: 1000.0\nevent: site\ndata: {site}\n\n\
         id: 1001.0\nevent: event\ndata: {event}\n\n\
         event: heartbeat\ndata: {{\"now\":\"2026-02-12T10:30:50Z\"}}\n\n"
    ))
}

/// Changes that no camera made.
pub(super) fn changes() -> Value {
    json!({
        "changes": [{
            "id": 7,
            "floor_id": 1,
            "kind": "recount",
            "count_delta": -2,
            "vehicles": 31,
            "slots": 50,
            "reason": "night round",
            "author": "desk",
            "timestamp": "2026-02-12T22:30:00Z",
            "created_at": "2026-02-12T22:30:00Z",
            "is_dated": false,
        }],
        "next": null,
    })
}

/// What a cleanup answers.
pub(super) fn cleanup() -> Value {
    json!({"deleted": 4210, "horizon": "2026-01-13T10:30:45Z"})
}

/// Somebody who signs in. (The key is none that a server ever gave.)
pub(super) fn new_session() -> Value {
    json!({"key": format!("sp_00000000_{}", "0".repeat(64))})
}

/// Somebody who is signed in.
pub(super) fn session() -> Value {
    json!({"auth": "key", "role": "admin", "name": "front desk"})
}

/// The beginning of the metrics.
pub(super) fn metrics() -> Value {
    json!(
        "# HELP smartpark_floor_free_slots Free slots of a floor.\n\
         # TYPE smartpark_floor_free_slots gauge\n\
         smartpark_floor_free_slots{floor_id=\"1\",floor=\"Ground Floor\"} 49\n"
    )
}
