//! The examples of withdrawals in the OpenAPI document.

use serde_json::{Value, json};

fn selection() -> Value {
    json!({
        "camera_id": "cam_001",
        "start": "2026-02-12T10:00:00Z",
        "end": "2026-02-12T11:00:00Z"
    })
}

/// A withdrawal that is wanted.
pub(super) fn new_withdrawal() -> Value {
    json!({"selection": selection(), "reason": "the camera was turned", "preview": true})
}

/// What a withdrawal does.
pub(super) fn withdrawal_effect() -> Value {
    json!({
        "events": 42,
        "changes": 0,
        "left": 0,
        "floors": [{"floor_id": 1, "count_delta": -3, "vehicles": 28}]
    })
}

/// A withdrawal that was recorded.
pub(super) fn withdrawal() -> Value {
    let mut withdrawal = json!({
        "id": 17,
        "selection": selection(),
        "reason": "the camera was turned",
        "author": "front desk",
        "created_at": "2026-02-12T12:00:00Z"
    });
    if let (Some(members), Value::Object(effect)) =
        (withdrawal.as_object_mut(), withdrawal_effect())
    {
        members.extend(effect);
    }
    withdrawal
}

/// A page of withdrawals.
pub(super) fn withdrawals() -> Value {
    json!({"withdrawals": [withdrawal()], "next": null})
}
