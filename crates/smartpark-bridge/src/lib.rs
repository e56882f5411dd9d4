//! Tasks beside a server that join devices and other systems to the ledger.
//!
//! - [`Inputs`]: a message of a device becomes events, recorded together with the states of the
//!   device's counters and objects.
//! - [`Signs`]: when each camera was last heard, by an event, a message or a heartbeat.
//! - [`StreamTask`]: the event stream of a camera that is asked instead of one that sends.
//! - [`MqttBridge`]: messages of devices from an MQTT broker, and the state of the floors to it.
//! - [`PushTask`]: the state of the site to a ParkAPI server or a FIWARE context broker.
//! - [`WebhookTask`]: what happened, told to receivers as it happens.
//! - [`Sites`]: the car park as feeds, Home Assistant and targets of pushes see it.
//!
//! Which transport a message came by, HTTP or MQTT, makes no difference here.

mod device;
mod inputs;
pub mod limits;
mod mqtt;
mod push;
mod signs;
mod sites;
mod webhook;

pub use device::StreamTask;
pub use inputs::{Inputs, Received};
pub use mqtt::MqttBridge;
pub use push::PushTask;
pub use signs::Signs;
pub use sites::Sites;
pub use webhook::{WebhookState, WebhookTask, replay_webhook, test_webhook, webhook_state};
