//! What devices sent and SmartPark did not count, as far as it needs a person.

use super::MANY;
use crate::{AttentionItem, AttentionKind, AttentionLevel, NotCounted};

/// Reasons that are no fault: the configuration wants it so, the device repeats itself, or it tells
/// of other things than vehicles.
const ORDINARY: [&str; 4] = ["repeat", "ignored_type", "low_confidence", "no_crossing"];

/// The item of one reason, if it needs a person.
pub(super) fn item(entry: &NotCounted) -> Option<AttentionItem> {
    if ORDINARY.contains(&entry.reason.as_str()) {
        return None;
    }
    let advice = match entry.reason.as_str() {
        "not_configured" => {
            "If it is a vehicle, add the word to entry or exit of the camera in smartpark.toml. \
             Other messages of the device are normal."
        }
        "not_subscribed" => "Correct the topic of the camera, or switch retain off on the device.",
        "unknown_type" => "Add the word to types of the camera in smartpark.toml, or to ignore.",
        "unknown_floor" => "Correct the floor of the camera in smartpark.toml, or add the floor.",
        "no_direction" => "Draw one line for each direction on the device.",
        "implausible" => "Check the device. Raise max_per_minute if the traffic was real.",
        "takeover" => "Give each server and each program a client_id of its own.",
        "unreachable" => {
            "Check the camera's power and network, and the address, user and password in \
             smartpark.toml."
        }
        "push_failed" => "Check the address and the password of the target, and its log.",
        "webhook_failed" => {
            "Check the receiver and its log: smartpark webhooks test NAME. Messages wait up to 75 \
             hours; then they are given up."
        }
        "webhook_off" => {
            "If the receiver is to go on, switch the webhook on: smartpark webhooks replay NAME."
        }
        "webhook_begun_anew" | "webhook_given_up" => {
            "Read the state of the floors in the receiver once: GET /floors."
        }
        "lost_message" | "gap" => {
            "Check the connection of the device, and that it publishes with QoS 1."
        }
        _ => "Try a recorded message: smartpark input try CAMERA FILE.",
    };
    let level = match entry.reason.as_str() {
        "not_configured" | "lost_message" | "gap" => AttentionLevel::Low,
        _ if entry.times < MANY => AttentionLevel::Medium,
        _ => AttentionLevel::High,
    };
    let camera = entry.camera_id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
    let what = if entry.detail.is_empty() { &entry.reason } else { &entry.detail };
    let times = match entry.times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    Some(AttentionItem {
        camera_id: entry.camera_id.clone(),
        count: Some(entry.times),
        last: Some(entry.last_at),
        detail: format!("{camera}{what} ({times} in the last 24 hours)."),
        ..super::item(AttentionKind::NotCounted, level, advice)
    })
}
