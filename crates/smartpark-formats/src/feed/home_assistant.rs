//! Home Assistant: discovery of one device a site, and the states it reads.

use serde_json::{Map, Value, json};

use super::view::{FloorView, SiteView, seconds};

/// One message to publish, retained, with QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The topic of a site's status: `online`, or `offline` as the last will.
#[must_use]
pub fn status_topic(prefix: &str, site: &str) -> String {
    format!("{prefix}/{site}/status")
}

/// The topic of a floor's state.
#[must_use]
pub fn floor_topic(prefix: &str, site: &str, floor: i64) -> String {
    format!("{prefix}/{site}/floor/{floor}")
}

/// The state of one floor.
#[must_use]
pub fn floor_state(prefix: &str, site: &SiteView, floor: &FloorView) -> Publication {
    let state = json!({
        "floor_id": floor.id,
        "name": floor.name,
        "free": floor.free(),
        "occupied": floor.occupied,
        "total": floor.total,
        "occupancy": floor.occupancy(),
        "full": floor.free() == 0,
        "active": floor.is_active,
        "last_event": floor.last_event.map(seconds),
    });
    Publication { topic: floor_topic(prefix, &site.id, floor.id), payload: super::json(&state) }
}

/// The device config of a site. `gone` are floors that were removed since the last one: they are
/// named once, so that Home Assistant forgets them. With no floor left the payload is empty, which
/// removes the device.
#[must_use]
pub fn home_assistant_config(
    site: &SiteView,
    gone: &[i64],
    (discovery, prefix): (&str, &str),
    version: &str,
) -> Publication {
    let topic = format!("{discovery}/device/smartpark_{}/config", site.id);
    let mut components = Map::new();
    for floor in &site.floors {
        components.extend(floor_components(prefix, site, floor));
    }
    for id in gone.iter().filter(|id| !site.floors.iter().any(|floor| floor.id == **id)) {
        for (key, platform) in KEYS {
            components.insert(format!("floor_{id}_{key}"), json!({ "platform": platform }));
        }
    }
    if components.is_empty() {
        return Publication { topic, payload: Vec::new() };
    }
    let mut device = json!({
        "identifiers": [format!("smartpark_{}", site.id)],
        "name": site.name,
        "manufacturer": "SmartPark",
        "model": "Car park counter",
        "sw_version": version,
    });
    if let Some(website) = &site.website {
        device["configuration_url"] = json!(website);
    }
    let config = json!({
        "device": device,
        "origin": { "name": "SmartPark", "sw_version": version },
        "components": components,
        "availability_topic": status_topic(prefix, &site.id),
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
    });
    Publication { topic, payload: super::json(&config) }
}

/// What each floor shows, and as what.
const KEYS: [(&str, &str); 4] = [
    ("free", "sensor"),
    ("occupied", "sensor"),
    ("occupancy", "sensor"),
    ("full", "binary_sensor"),
];

fn floor_components(prefix: &str, site: &SiteView, floor: &FloorView) -> Vec<(String, Value)> {
    let component = |(key, platform): (&str, &str)| {
        let id = format!("{}_{}_{key}", site.id, floor.id);
        let entity = id.to_lowercase().replace('-', "_");
        let mut component = json!({
            "platform": platform,
            // Made of ids: a floor that is renamed stays the same entity.
            "unique_id": format!("smartpark_{id}"),
            "default_entity_id": format!("{platform}.smartpark_{entity}"),
            "name": format!("{} {key}", floor.name),
            "state_topic": floor_topic(prefix, &site.id, floor.id),
            "value_template": format!("{{{{ value_json.{key} }}}}"),
        });
        let unit = match key {
            "free" => "slots",
            "occupied" => "vehicles",
            "occupancy" => "%",
            _ => {
                component["value_template"] = json!("{{ 'ON' if value_json.full else 'OFF' }}");
                component["payload_on"] = json!("ON");
                component["payload_off"] = json!("OFF");
                return (format!("floor_{}_{key}", floor.id), component);
            }
        };
        component["state_class"] = json!("measurement");
        component["unit_of_measurement"] = json!(unit);
        (format!("floor_{}_{key}", floor.id), component)
    };
    KEYS.into_iter().map(component).collect()
}

/// Everything to publish after a connection, in this order: config, status, states.
#[must_use]
pub fn home_assistant_all(
    site: &SiteView,
    gone: &[i64],
    (discovery, prefix): (Option<&str>, &str),
    version: &str,
) -> Vec<Publication> {
    let config =
        discovery.map(|discovery| home_assistant_config(site, gone, (discovery, prefix), version));
    let online = Publication { topic: status_topic(prefix, &site.id), payload: b"online".to_vec() };
    let states = site.floors.iter().map(|floor| floor_state(prefix, site, floor));
    config.into_iter().chain([online]).chain(states).collect()
}
