//! `[[push]]` and `[[webhook]]`: where SmartPark sends by itself.

use std::time::Duration;

use super::{
    table::Table,
    values::{Endpoint, duration, one_of},
};

/// The system that a push is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushTarget {
    /// A ParkAPI version 3 server: HTTP Basic with the uid of the source.
    ParkApiV3 {
        /// The uid of the source there.
        source: String,
        /// The file that holds its password.
        password_file: String,
    },
    /// An NGSI-LD broker.
    NgsiLd {
        /// The header `NGSILD-Tenant`.
        tenant: Option<String>,
    },
    /// An NGSI version 2 broker.
    NgsiV2 {
        /// The header `Fiware-Service`.
        tenant: Option<String>,
    },
}

/// `[[push]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The system.
    pub target: PushTarget,
    /// Its address.
    pub url: Endpoint,
    /// How often the whole state is sent.
    pub every: Duration,
}

impl Push {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        table.require("to");
        table.require("url");
        let to = table.parsed("to", |text| {
            one_of(text, &[("parkapi-v3", 0_u8), ("ngsi-ld", 1), ("ngsi-v2", 2)])
        });
        let url = table.parsed("url", |text| Endpoint::read(text, &[("https", 443), ("http", 80)]));
        let every = table.parsed("every", |text| match duration(text)? {
            length if length >= Duration::from_secs(10) => Ok(length),
            _ => Err("must be at least 10s".to_owned()),
        });
        let target = match to {
            Some(0) => {
                let source = table.required("source");
                let password_file = table.required("password_file");
                source
                    .zip(password_file)
                    .map(|(source, password_file)| PushTarget::ParkApiV3 { source, password_file })
            }
            Some(1) => Some(PushTarget::NgsiLd { tenant: table.text("tenant") }),
            Some(_) => Some(PushTarget::NgsiV2 { tenant: table.text("tenant") }),
            None => {
                ["source", "password_file", "tenant"].iter().for_each(|key| table.skip(key));
                None
            }
        };
        table.finish();
        let every = every.unwrap_or(Duration::from_secs(5 * 60));
        Some(Self { target: target?, url: url?, every })
    }
}

/// The types of events that a webhook may ask for.
pub const WEBHOOK_EVENTS: [&str; 6] = [
    "floor.full",
    "floor.nearly_full",
    "floor.free",
    "camera.silent",
    "camera.heard",
    "events.refused",
];

/// The form of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFormat {
    /// Standard Webhooks.
    Standard,
    /// CloudEvents 1.0, structured.
    CloudEvents,
}

/// `[[webhook]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The receiver.
    pub url: Endpoint,
    /// The types of events that it gets.
    pub events: Vec<String>,
    /// The file that holds its secret.
    pub secret_file: String,
    /// The form of the body.
    pub format: WebhookFormat,
    /// Networks that it may lie in although they are private, as `10.0.0.0/8`.
    pub allow: Vec<String>,
}

impl Webhook {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        table.require("url");
        let allow = table.texts("allow");
        for network in &allow {
            if !is_network(network) {
                table.fault("allow", "must be networks such as 10.0.0.0/8 or addresses");
            }
        }
        let url = table.parsed("url", |text| {
            let url = Endpoint::read(text, &[("https", 443), ("http", 80)])?;
            if url.scheme == "http" && allow.is_empty() {
                return Err("must begin with https:// (http:// only to a network in allow)".into());
            }
            Ok(url)
        });
        table.require("events");
        let events = table.texts("events");
        for event in &events {
            if !WEBHOOK_EVENTS.contains(&event.as_str()) {
                let detail = format!("must be any of: {}", WEBHOOK_EVENTS.join(", "));
                table.fault("events", &detail);
            }
        }
        if table.has("events") && events.is_empty() {
            table.fault("events", "must name at least one type of event");
        }
        let formats =
            [("standard", WebhookFormat::Standard), ("cloudevents", WebhookFormat::CloudEvents)];
        let format = table.parsed("format", |text| one_of(text, &formats));
        let secret_file = table.required("secret_file");
        table.finish();
        let format = format.unwrap_or(WebhookFormat::Standard);
        Some(Self { url: url?, events, secret_file: secret_file?, format, allow })
    }
}

/// An address, or one with the length of its prefix.
fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    let address: Option<std::net::IpAddr> = address.parse().ok();
    let most = match address {
        Some(std::net::IpAddr::V4(_)) => 32,
        Some(std::net::IpAddr::V6(_)) => 128,
        None => return false,
    };
    length.parse().is_ok_and(|length: u8| length <= most)
}
