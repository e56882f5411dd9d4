//! The check of the configuration file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use serde::Serialize;
use smartpark_formats::config::{ConfigFault, Connections};

use super::{
    Outcome,
    output::{Out, count},
};
use crate::config::{ConfigError, ConfigFile, DEFAULT_FILE};

/// Check the configuration file
///
/// Example:
///   smartpark config check --config /etc/smartpark.toml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Name every fault of the configuration file at once, with its line and key
    ///
    /// Reads smartpark.toml or the file that --config names, and nothing else: it opens no database
    /// and no other file. Exits with 1 if there are faults
    ///
    /// Examples:
    ///   smartpark config check
    ///   smartpark config check --config /etc/smartpark.toml --json
    #[command(verbatim_doc_comment)]
    Check,
}

/// What a check found, as programs read it.
#[derive(Serialize)]
struct Checked {
    file: String,
    valid: bool,
    faults: Vec<FaultView>,
}

#[derive(Serialize)]
struct FaultView {
    line: usize,
    key: String,
    detail: String,
}

pub(super) fn run(args: &Args, named: Option<PathBuf>, out: &Out) -> Outcome {
    let ConfigCommand::Check = args.command;
    let file = read(named)?;
    let shown = file.path.display().to_string();
    let checked = file.connections();
    let faults = checked.as_ref().err().map_or(&[][..], Vec::as_slice);
    let view = |ConfigFault { line, key, detail }: &ConfigFault| FaultView {
        line: *line,
        key: key.clone(),
        detail: detail.clone(),
    };
    let faults: Vec<_> = faults.iter().map(view).collect();
    let value = Checked { file: shown.clone(), valid: faults.is_empty(), faults };
    out.print(&value, || match &checked {
        Ok(connections) => format!("{shown} is valid: {}", contents(connections)),
        Err(faults) => listed(&file.path, faults),
    })?;
    Ok(if value.valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The configuration file, which must exist.
pub(super) fn read(named: Option<PathBuf>) -> anyhow::Result<ConfigFile> {
    ConfigFile::read(named.as_deref())?.ok_or_else(|| {
        let advice = "name another file with --config";
        ConfigError::new(DEFAULT_FILE, format!("there is no such file here; {advice}")).into()
    })
}

/// Every fault on a line of its own.
pub(super) fn listed(path: &Path, faults: &[ConfigFault]) -> String {
    let line = |ConfigFault { line, key, detail }: &ConfigFault| {
        let key = if key.is_empty() { String::new() } else { format!(" ({key})") };
        format!("{} line {line}{key}: {detail}", path.display())
    };
    let lines: Vec<String> = faults.iter().map(line).collect();
    lines.join("\n")
}

fn contents(connections: &Connections) -> String {
    let many = [
        (connections.cameras.len(), "camera"),
        (connections.pushes.len(), "push target"),
        (connections.webhooks.len(), "webhook"),
    ];
    let parts: Vec<String> =
        many.iter().map(|(number, thing)| count(*number as u64, thing)).collect();
    parts.join(", ")
}
