//! The tables of `smartpark.toml` that connect SmartPark with other systems.
//!
//! [`Connections::parse`] reads the whole text and names every fault at once, each with its line
//! and key. It reads nothing else: files of secrets are only named here.

mod camera;
mod feeds;
mod inputs;
mod mqtt;
mod push;
mod site;
mod table;
mod values;
mod video;
mod webhook;

use std::collections::BTreeMap;

pub use camera::{Camera, Floor};
pub use feeds::{Feed, Feeds};
pub use inputs::{
    Access, Axis, AxisReport, Counter, CounterKind, CounterRules, Dahua, Directions, Frigate,
    Hikvision, HikvisionEvent, History, Input, Onvif, OpenDataCam, Pointers, Unifi, Xovis,
    XovisSource,
};
pub use mqtt::{Mqtt, MqttOut};
pub use push::{Push, PushTarget};
pub use site::{Site, SiteKind};
pub use values::Endpoint;
pub use video::{Server, Video, VideoLine, VideoMethod, Vision};
pub use webhook::{WEBHOOK_EVENTS, Webhook, WebhookFormat};

use table::{Source, Table};

use crate::{
    input::matches,
    limits::{MAX_CAMERAS, MAX_CONFIG_BYTES},
};

/// The names of the tables that this module reads.
pub const TABLES: [&str; 8] =
    ["site", "feeds", "push", "webhook", "mqtt", "camera", "vision", "server"];

/// Something in the file that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} ({key}): {detail}")]
pub struct ConfigFault {
    /// The line, from 1.
    pub line: usize,
    /// The key with its tables: `camera.ramp-north.frigate.topic`.
    pub key: String,
    /// What is wrong and what to write instead. Never repeats a secret.
    pub detail: String,
}

/// All tables, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connections {
    /// `[site]`, read when the first site is made.
    pub site: Option<Site>,
    /// `[feeds]`.
    pub feeds: Feeds,
    /// `[[push]]`.
    pub pushes: Vec<Push>,
    /// `[[webhook]]`.
    pub webhooks: Vec<Webhook>,
    /// `[mqtt]`.
    pub mqtt: Option<Mqtt>,
    /// `[[camera]]`.
    pub cameras: Vec<Camera>,
    /// `[vision]`.
    pub vision: Vision,
    /// `[server]`.
    pub server: Option<Server>,
}

impl Connections {
    /// Reads a configuration. `other_keys` are the keys at the top of the file that belong to other
    /// readers; anything else that is not known is a fault.
    ///
    /// # Errors
    /// Every fault of the text, in the order of its lines.
    pub fn parse(text: &str, other_keys: &[&str]) -> Result<Self, Vec<ConfigFault>> {
        if text.len() > MAX_CONFIG_BYTES {
            let detail = format!("the configuration is larger than {MAX_CONFIG_BYTES} bytes");
            return Err(vec![ConfigFault { line: 1, key: String::new(), detail }]);
        }
        let (document, errors) = toml::de::DeTable::parse_recoverable(text);
        let source = Source::new(text);
        if !errors.is_empty() {
            for error in errors {
                source.fault_at(error.span().map_or(0, |span| span.start), "", error.message());
            }
            return Err(source.into_faults());
        }
        let root = Table::root(&source, document.get_ref());
        let connections = Self::read(&root, other_keys);
        root.finish();
        let faults = source.into_faults();
        if faults.is_empty() { Ok(connections) } else { Err(faults) }
    }

    fn read(root: &Table<'_, '_>, other_keys: &[&str]) -> Self {
        for key in other_keys {
            root.skip(key);
        }
        let site = root.table("site").map(|table| Site::read(&table));
        let zone = site.as_ref().map_or(jiff::tz::TimeZone::UTC, |site| site.time_zone.clone());
        let tables = root.tables("camera");
        if tables.len() > MAX_CAMERAS {
            root.fault("camera", &format!("there are more than {MAX_CAMERAS} cameras"));
        }
        let (mut cameras, mut own): (Vec<Camera>, Vec<&Table<'_, '_>>) = Default::default();
        for table in &tables {
            if let Some(camera) = Camera::read(table, &zone) {
                if cameras.iter().any(|known| known.id == camera.id) {
                    table.fault("id", "another camera has this id");
                }
                share_a_topic(table, &cameras, &camera);
                cameras.push(camera);
                own.push(table);
            }
        }
        for (table, camera) in own.iter().zip(&cameras) {
            let is_known = |twin: &&String| cameras.iter().any(|other| other.id == **twin);
            if let Some(twin) = camera.twin_of.as_ref().filter(|twin| !is_known(twin)) {
                table.fault("twin_of", &format!("there is no camera {twin}"));
            }
        }
        let mqtt = root.table("mqtt").and_then(|table| Mqtt::read(&table, &cameras));
        let needs_broker = |camera: &&Camera| camera.input.topics().next().is_some();
        if !root.has("mqtt")
            && let Some(camera) = cameras.iter().find(needs_broker)
            && !matches!(camera.input, Input::Axis(_) | Input::Onvif(_))
        {
            let detail = format!("camera {} has a topic, so [mqtt] must name a broker", camera.id);
            root.fault("camera", &detail);
        }
        Self {
            site,
            feeds: root.table("feeds").map(|table| Feeds::read(&table)).unwrap_or_default(),
            pushes: root.tables("push").iter().filter_map(Push::read).collect(),
            webhooks: webhook::read_all(&root.tables("webhook")),
            mqtt,
            cameras,
            vision: root.table("vision").map(|table| Vision::read(&table)).unwrap_or_default(),
            server: root.table("server").and_then(|table| Server::read(&table)),
        }
    }

    /// The camera of this id.
    #[must_use]
    pub fn camera(&self, id: &str) -> Option<&Camera> {
        self.cameras.iter().find(|camera| camera.id == id)
    }

    /// Every topic filter to subscribe to, each once.
    #[must_use]
    pub fn topics(&self) -> Vec<&str> {
        let own = self.mqtt.iter().flat_map(|mqtt| &mqtt.events).map(String::as_str);
        let cameras = self.cameras.iter().flat_map(|camera| camera.input.topics());
        let mut topics: Vec<&str> = own.chain(cameras).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}

/// Two cameras that read the same words on the same topic would count each vehicle twice.
fn share_a_topic(table: &Table<'_, '_>, cameras: &[Camera], camera: &Camera) {
    let words = camera.input.words();
    for other in cameras {
        let shares = |topic: &str| other.input.topics().any(|known| known == topic);
        if camera.input.kind() == other.input.kind()
            && camera.input.topics().any(shares)
            && other.input.words().iter().any(|word| words.contains(word))
        {
            let detail = format!(
                "camera {} reads the same words on the same topic, so every vehicle would be \
                 counted twice; give each device its own topic",
                other.id
            );
            table.fault("id", &detail);
        }
    }
}

/// Topics under `prefix` must not come back as input.
fn echoes<'a>(prefix: &str, mut filters: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let ours = [format!("{prefix}/site/status"), format!("{prefix}/site/floor/1")];
    filters.find(|filter| ours.iter().any(|topic| matches(filter, topic)))
}

/// Words of types: the device's word in small letters and what it means.
type Types = BTreeMap<String, crate::VehicleType>;
