//! What others read: feeds, Home Assistant, webhooks.
//!
//! Each function turns [`SiteView`]s into the bytes of one document. Numbers that are not vouched
//! for are left out: not `null`, not 0.

mod datex2;
mod geojson;
mod home_assistant;
mod ngsi;
mod parkapi;
mod siri;
mod view;
mod webhook;

pub use datex2::datex2_light;
pub use geojson::geojson;
pub use home_assistant::{
    Publication, floor_state, floor_topic, home_assistant_all, home_assistant_config, status_topic,
};
pub use ngsi::{NgsiForm, ngsi, ngsi_v2_update};
pub use parkapi::{parkapi_v1_city, parkapi_v1_index, parkapi_v3};
pub use siri::siri_fm;
pub use view::{FloorView, Lack, Opening, SiteView, lacks};
pub use webhook::{
    WebhookFault, WebhookOrigin, WebhookSecret, cloud_event, standard_webhook, webhook_headers,
};

/// A document as bytes. Every document here has text keys and finite numbers, which always can be
/// written.
fn json(document: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}
