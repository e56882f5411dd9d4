//! The program: commands, settings, logging and wiring.

mod cameras;
pub mod cli;
mod config;
mod logging;

pub use smartpark_ledger::*;
pub use smartpark_server as http;
