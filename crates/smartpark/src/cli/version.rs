//! The version of the program.

use std::process::ExitCode;

use serde::Serialize;

use super::{Outcome, output::Out};

/// Print the version
///
/// Example:
///   smartpark version
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

pub(super) fn run(out: &Out) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    out.print(&Version { version }, || format!("smartpark {version}"))?;
    Ok(ExitCode::SUCCESS)
}
