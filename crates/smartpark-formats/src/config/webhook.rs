//! `[[webhook]]`: a receiver that SmartPark tells of what happened.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    Floor,
    table::Table,
    values::{Endpoint, one_of},
};

/// The types of events that a webhook may ask for.
pub const WEBHOOK_EVENTS: [&str; 6] = [
    "floor.full",
    "floor.nearly_full",
    "floor.free",
    "camera.silent",
    "camera.heard",
    "events.refused",
];

/// Longest name of a webhook, in characters.
const MAX_WEBHOOK_NAME: usize = 64;

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
    /// What commands and the log call it, and what its position is stored under: its host if no
    /// name was written.
    pub name: String,
    /// The receiver.
    pub url: Endpoint,
    /// The types of events that it gets.
    pub events: Vec<String>,
    /// The floors of whose `floor.*` it is told; all if empty.
    pub floors: Vec<Floor>,
    /// The file that holds its secret.
    pub secret_file: String,
    /// The form of the body.
    pub format: WebhookFormat,
    /// Networks that it may lie in although they are private, as `10.0.0.0/8`.
    pub allow: Vec<IpNet>,
}

/// Reads all webhooks; no two may have one name.
pub(super) fn read_all(tables: &[Table<'_, '_>]) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for table in tables {
        let Some(webhook) = Webhook::read(table) else { continue };
        if webhooks.iter().any(|known| known.name == webhook.name) {
            let detail = format!(
                "another webhook is called {}; give each a name of its own (its host is its name \
                 if you give none)",
                webhook.name
            );
            table.fault("name", &detail);
        }
        webhooks.push(webhook);
    }
    webhooks
}

impl Webhook {
    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let allow = networks(table);
        table.require("url");
        let url = table.parsed("url", |text| {
            let url = Endpoint::read(text, &[("https", 443), ("http", 80)])?;
            if url.scheme == "http" && allow.is_empty() {
                return Err("must begin with https:// (http:// only to a network in allow)".into());
            }
            Ok(url)
        });
        let given = table.parsed("name", name);
        let events = events(table);
        let floors = table.texts("floors").into_iter().map(Floor::Name).collect();
        let formats =
            [("standard", WebhookFormat::Standard), ("cloudevents", WebhookFormat::CloudEvents)];
        let format = table.parsed("format", |text| one_of(text, &formats));
        let secret_file = table.required("secret_file");
        table.finish();
        let url = url?;
        Some(Self {
            name: given.unwrap_or_else(|| url.host.chars().take(MAX_WEBHOOK_NAME).collect()),
            url,
            events,
            floors,
            secret_file: secret_file?,
            format: format.unwrap_or(WebhookFormat::Standard),
            allow,
        })
    }
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=MAX_WEBHOOK_NAME).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 letters, digits, dots, - and _".to_owned())
    }
}

fn events(table: &Table<'_, '_>) -> Vec<String> {
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
    events
}

fn networks(table: &Table<'_, '_>) -> Vec<IpNet> {
    let read = |text: &String| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).ok()
    };
    let texts = table.texts("allow");
    let networks: Vec<IpNet> = texts.iter().filter_map(read).collect();
    if networks.len() < texts.len() {
        table.fault("allow", "must be networks such as 10.0.0.0/8 or addresses");
    }
    networks
}
