//! The examples of estimates in the OpenAPI document.

use serde_json::{Value, json};

/// A forecast of a floor or of the site.
pub(super) fn forecast(floor_id: Option<i64>) -> Value {
    let step = |at: &str, vehicles: f64, (low, high): (i64, i64), p_free: f64| {
        json!({
            "at": at, "vehicles": vehicles, "low": low, "high": high,
            "available": 50.0 - vehicles, "available_low": 50 - high, "p_free": p_free,
        })
    };
    json!({
        "floor_id": floor_id,
        "from": "2026-02-12T10:30:45Z",
        "step": 900,
        "current_vehicles": 30,
        "total_slots": 50,
        "history_days": 91,
        "ready": true,
        "past_error": [
            {"minutes": 30, "vehicles": 1.9, "rmse": 2.8, "inside": 0.951},
            {"minutes": 1440, "vehicles": 3.1, "rmse": 4.4, "inside": 0.948},
        ],
        "may_be_full_at": null,
        "will_be_full_at": null,
        "steps": [
            step("2026-02-12T10:45:00Z", 31.4, (27, 36), 0.998),
            step("2026-02-12T11:00:00Z", 32.5, (27, 38), 0.996),
        ],
    })
}

/// Today on a floor or on the site.
pub(super) fn today(floor_id: Option<i64>) -> Value {
    let step = |at: &str, vehicles: Option<i64>| {
        let (low, middle, high) = (2, 3, 5);
        json!({"at": at, "vehicles": vehicles, "low": low, "middle": middle, "high": high})
    };
    json!({
        "floor_id": floor_id,
        "date": "2026-02-12",
        "time_zone": "Europe/Berlin",
        "start": "2026-02-11T23:00:00Z",
        "end": "2026-02-12T23:00:00Z",
        "at": "2026-02-11T23:10:45Z",
        "current_vehicles": 4,
        "total_slots": 50,
        "full_since": null,
        "usual_days": 6,
        "usually_full": {"from": "2026-02-12T06:45:00Z", "until": "2026-02-12T14:00:00Z"},
        "steps": [step("2026-02-11T23:00:00Z", Some(4)), step("2026-02-11T23:15:00Z", None)],
    })
}

/// Where to send a driver who arrives later.
pub(super) fn arrival() -> Value {
    let mut told = super::examples::recommendation();
    told["arrival"] = json!({
        "at": "2026-02-12T10:50:45Z",
        "basis": "forecast",
        "floors": [{
            "floor_id": 1, "at": "2026-02-12T10:50:45Z", "vehicles": 31.8, "low": 27,
            "high": 37, "available": 18.2, "available_low": 13, "p_free": 0.997,
        }],
    });
    told
}

/// How far a floor's count may be off.
pub(super) fn drift() -> Value {
    json!({
        "floor_id": 1,
        "floor": "Ground Floor",
        "at": "2026-02-12T10:30:00Z",
        "count": 37,
        "estimate": 39,
        "low": 34,
        "high": 44,
        "level": 0.95,
        "total_slots": 50,
        "net_loss_per_1000": {"estimate": 6.9, "low": 5.1, "high": 8.8},
        "last_recount": {
            "at": "2026-02-02T04:31:00Z", "counted_before": 41, "found": 38, "difference": -3,
        },
        "evidence": {
            "recounts": 3, "at_limit_full": 2, "at_limit_empty": 0, "nights": 61,
            "blind_hours": 4,
            "text": "It rests on 3 recounts, 61 nights, 2 entries into a full floor, 0 exits \
                from an empty floor, 4 hours of blind cameras.",
        },
        "caution": null,
        "suggested_recount": {
            "reason": "interval",
            "text": "The true number may be anything from 34 to 44. Count the vehicles, best at \
                about 04:30.",
            "best_at": "2026-02-13T04:30:00Z",
        },
    })
}

/// How far the site's count may be off.
pub(super) fn site_drift() -> Value {
    json!({
        "at": "2026-02-12T10:30:00Z",
        "count": 37,
        "estimate": 39,
        "low": 34,
        "high": 44,
        "level": 0.95,
        "total_slots": 50,
        "floors": [drift()],
    })
}

/// How far a floor's count was off over time.
pub(super) fn drift_history() -> Value {
    json!({
        "floor_id": 1,
        "step": 3600,
        "steps": [
            {"at": "2026-02-12T09:00:00Z", "count": 35, "estimate": 36, "low": 32, "high": 41},
            {"at": "2026-02-12T10:00:00Z", "count": 37, "estimate": 39, "low": 34, "high": 44},
        ],
    })
}

/// Which camera errs.
pub(super) fn camera_quality() -> Value {
    json!({
        "start": "2026-01-15T04:00:00Z",
        "end": "2026-02-12T04:00:00Z",
        "days": 28,
        "nothing_wrong": 0.02,
        "cameras": [{
            "camera_id": "cam_012",
            "from_floor_id": 1,
            "floor_id": 2,
            "entries": 4012,
            "exits": 3931,
            "probability": 0.97,
            "loss": {"direction": "exit", "share": 0.021, "low": 0.013, "high": 0.029},
            "verdict": "named",
            "one_of": [],
            "twin": null,
            "text": "cam_012 misses 2.1 % of exits (1.3 to 2.9 %), or counts as many entries \
                twice.",
        }],
        "parts": [
            {"floors": [1], "lines": ["cam_001", "cam_012"], "imbalance": -79, "per_day": -2.8},
            {"floors": [2], "lines": ["cam_012"], "imbalance": 81, "per_day": 2.9},
        ],
    })
}
