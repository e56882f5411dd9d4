//! The command line, tried on the real binary.

mod cameras;
pub(crate) mod client;
mod commands;
mod copy;
mod disaster;
mod export;
mod files;
pub(crate) mod garage;
mod import;
mod inputs;
mod keys;
mod observed;
pub(crate) mod program;
mod published;
mod reads;
mod serve;
mod settings;
mod simulate;
mod sites;
mod stopped;
mod tls;
mod usage;
mod vision;
mod withdraw;

pub(crate) use garage::Garage;
pub(crate) use program::{Folder, Server};
