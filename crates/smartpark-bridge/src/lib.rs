//! Tasks beside a server that join devices and other systems to the ledger.
//!
//! - [`Inputs`]: a message of a device becomes events, recorded together with the states of the
//!   device's counters and objects.
//! - [`Signs`]: when each camera was last heard, by an event, a message or a heartbeat.
//! - [`Sites`]: the car park as feeds, Home Assistant and targets of pushes see it.
//!
//! Which transport a message came by, HTTP or MQTT, makes no difference here.

mod inputs;
pub mod limits;
mod signs;
mod sites;

pub use inputs::{Inputs, Received};
pub use signs::Signs;
pub use sites::Sites;
