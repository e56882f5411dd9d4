//! The program: commands, settings, logging, and the HTTP server.

#[cfg(feature = "cli")]
mod cameras;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
mod config;
#[cfg(feature = "http")]
mod files;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "cli")]
mod logging;
#[cfg(feature = "http")]
mod request_id;

pub use smartpark_ledger::*;
