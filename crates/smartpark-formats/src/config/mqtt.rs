//! `[mqtt]`: the broker.

use super::{
    Camera, echoes,
    table::Table,
    values::{Endpoint, topic_filter},
};

/// `[mqtt.out]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttOut {
    /// The first levels of the topics that SmartPark publishes.
    pub prefix: String,
    /// Home Assistant's discovery prefix; no discovery if `None`.
    pub home_assistant: Option<String>,
}

/// `[mqtt]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    /// The broker.
    pub broker: Endpoint,
    /// The name of the session, which the broker keeps while SmartPark is away.
    pub client_id: String,
    /// The user.
    pub username: Option<String>,
    /// The file that holds the user's password.
    pub password_file: Option<String>,
    /// Topic filters of SmartPark's own events.
    pub events: Vec<String>,
    /// What SmartPark publishes; nothing if `None`.
    pub out: Option<MqttOut>,
}

impl Mqtt {
    pub(super) fn read(table: &Table<'_, '_>, cameras: &[Camera]) -> Option<Self> {
        table.require("broker");
        let plain = table.switch("plain");
        let broker = table.parsed("broker", |text| {
            let broker = Endpoint::read(text, &[("mqtts", 8883), ("mqtt", 1883)])?;
            match broker.path.as_str() {
                "" | "/" => {}
                _ => return Err("must not have a path".to_owned()),
            }
            if broker.scheme == "mqtt" && !broker.is_loopback() && !plain {
                let detail = "must begin with mqtts:// unless the broker is on this machine; \
                              plain = true sends passwords and events unencrypted";
                return Err(detail.to_owned());
            }
            Ok(broker)
        });
        let client_id = table.required("client_id");
        let events = table.texts("events");
        for filter in &events {
            if let Err(detail) = topic_filter(filter) {
                table.fault("events", &detail);
            }
        }
        let (username, password_file) = (table.text("username"), table.text("password_file"));
        if password_file.is_some() && username.is_none() {
            table.fault("password_file", "needs username beside it");
        }
        let cameras = cameras.iter().flat_map(|camera| camera.input.topics());
        let filters: Vec<&str> = events.iter().map(String::as_str).chain(cameras).collect();
        let out = table.table("out").map(|out| MqttOut::read(&out, &filters));
        table.finish();
        Some(Self { broker: broker?, client_id: client_id?, username, password_file, events, out })
    }
}

impl MqttOut {
    fn read(table: &Table<'_, '_>, filters: &[&str]) -> Self {
        let fixed = |text: &str| {
            let filter = topic_filter(text)?;
            let fits = !filter.contains(['+', '#']) && !filter.starts_with('$');
            if fits {
                Ok(filter.trim_end_matches('/').to_owned())
            } else {
                Err("must be the first levels of a topic, without + and #".to_owned())
            }
        };
        let prefix = table.parsed("prefix", fixed).unwrap_or_else(|| "smartpark".to_owned());
        let home_assistant = table.parsed("home_assistant", fixed);
        if let Some(filter) = echoes(&prefix, filters.iter().copied()) {
            let detail = format!("SmartPark also reads {filter}, so it would hear itself");
            table.fault("prefix", &detail);
        }
        table.finish();
        Self { prefix, home_assistant }
    }
}
