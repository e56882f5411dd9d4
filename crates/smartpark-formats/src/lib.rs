//! Foreign formats to and from SmartPark's words.
//!
//! - [`input`]: one translator a device turns a message into crossings, readings of counters and
//!   reasons why something was not counted.
//! - [`counter`]: readings of a running number become cars, each once.
//! - [`config`]: the tables of `smartpark.toml` that name cameras, feeds and targets.
//! - [`feed`]: what a city, a home or an operator reads.
//! - [`plan`]: what a message comes to, given the states that were kept.
//! - [`mod@file`]: what a table or a list of another program holds, row by row.
//! - [`trial`]: what recorded messages would be counted as.
//!
//! Everything here is a pure function. Nothing reads a file, a socket, a clock or a database.

pub mod config;
pub mod counter;
pub mod feed;
pub mod file;
pub mod input;
pub mod limits;
pub mod plan;
pub mod report;
pub mod trial;
mod words;

pub use smartpark_core::{Direction, VehicleType};
