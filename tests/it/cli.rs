//! The command line, tried on the real binary.

mod commands;
mod garage;
mod import;
pub(crate) mod program;
mod serve;
mod settings;
mod usage;

pub(crate) use garage::{Garage, Line};
pub(crate) use program::{Folder, Server};
