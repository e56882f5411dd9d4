//! Tasks beside a server that join devices and other systems to the ledger.
//!
//! - [`StreamTask`]: the event stream of a camera that is asked instead of one that sends.
//! - [`MqttBridge`]: messages of devices from an MQTT broker, and the state of the floors to it.
//! - [`PushTask`]: the state of the site to a ParkAPI server or a FIWARE context broker.
//! - [`WebhookTask`]: what happened, told to receivers as it happens.

mod device;
pub mod limits;
mod mqtt;
mod push;
mod webhook;

pub use device::StreamTask;
pub use mqtt::MqttBridge;
pub use push::PushTask;
pub use webhook::{WebhookState, WebhookTask, replay_webhook, test_webhook, webhook_state};
