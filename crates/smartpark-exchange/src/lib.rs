//! Joins foreign formats to the ledger, whatever the transport.
//!
//! - [`Inputs`]: a message of a device becomes events, recorded together with the states of the
//!   device's counters and objects.
//! - [`Signs`]: when each camera was last heard, by an event, a message or a heartbeat.
//! - [`Sites`]: the car park as feeds, Home Assistant and targets of pushes see it.
//!
//! A message that came over HTTP and one that came over MQTT make no difference here. This crate
//! knows neither, so the HTTP server is built without MQTT.

mod inputs;
pub mod limits;
mod signs;
mod sites;

pub use inputs::{Inputs, Received};
pub use signs::Signs;
pub use sites::Sites;
