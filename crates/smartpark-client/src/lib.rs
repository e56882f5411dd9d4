//! Delivers crossings of vehicles to a SmartPark server, each counted once: whatever is killed, and
//! however long the server is away.
//!
//! [`Client::crossing`] returns when the event is on disk in the **spool**, one SQLite file. A thread
//! sends what is in the spool and repeats it until the server acknowledges it; a retry is the same
//! event byte for byte, so the server recognises it. If the server comes back with an older
//! database, the client finds out what is missing and sends that again.
//!
//! ```no_run
//! use smartpark_client::{Client, Crossing, Direction, ServerConfig};
//!
//! # fn main() -> Result<(), smartpark_client::Error> {
//! let server = ServerConfig { url: "http://127.0.0.1:8000".into(), ..ServerConfig::default() };
//! let client = Client::start(server, "spool.db")?;
//! client.crossing(&Crossing::new("ramp-1", "Level 1", "track-17", Direction::Entry))?;
//! println!("{} events wait", client.health()?.counts.waiting);
//! # Ok(()) }
//! ```

mod client;
mod clock;
mod compare;
mod crossing;
mod error;
pub mod limits;
pub mod replay;
mod run;
pub mod sender;
pub mod simulate;
mod spool;
mod transport;

pub use client::{Builder, Client, Health};
pub use clock::Clock;
pub use crossing::{Crossing, FloorRef};
pub use error::{Error, Result};
pub use smartpark_core::{Direction, FieldError, NewEvent, Timestamp, VehicleType};
pub use spool::{
    Counts, DeadLetter, Item, Loss, Outcome, Refusal, SenderLock, Spool, SpoolLimits, Verdict,
};
pub use transport::{Http, Request, ServerConfig, Transport};
