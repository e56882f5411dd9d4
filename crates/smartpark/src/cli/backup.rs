//! A copy of the database's file.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use indicatif::HumanBytes;
use serde::Serialize;

use super::{
    Context, Outcome,
    check::faults,
    output::{bar, count},
};
use crate::{SmartPark, check::Report};

/// Write a copy of the database to a file, while it is in use
///
/// The copy is the database as it was at one moment; recording goes on beside it. It is written
/// under another name and put into place when it is safely on disk; a file that exists is never
/// overwritten. With --check it is proved as `smartpark check` does. `smartpark restore FILE` puts
/// it back. The table [backup] of smartpark.toml has a server make backups by itself. For SQLite
/// only: PostgreSQL has tools of its own (pg_dump, pg_basebackup)
///
/// Examples:
///   smartpark backup backup-$(date +%F).db
///   smartpark backup --check backup-$(date +%F).db
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The file to write, which must not exist
    file: PathBuf,
    /// Prove the copy: fold every floor's history in it again and compare
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: u64,
    /// What the check found; none without a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let bar = Arc::new(bar(Some(0), "{bar:30} {percent:>3} %, {eta} left"));
    let shown = Arc::clone(&bar);
    let written = park.backup(args.file.clone(), move |done, all| {
        shown.set_length(all);
        shown.set_position(done);
    });
    let written = written.await;
    bar.finish_and_clear();
    let (file, bytes) = (args.file.display().to_string(), written?);
    park.close().await;
    let report = match args.check {
        true => Some(SmartPark::check_backup(args.file).await?),
        false => None,
    };
    let written = Written { file, bytes, report };
    context.out.print(&written, || text(&written))?;
    let is_right = written.report.is_none_or(|report| report.is_clean());
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(written: &Written) -> String {
    let mut text = format!("{} holds the database: {}", written.file, HumanBytes(written.bytes));
    match &written.report {
        None => {}
        Some(report) if report.is_clean() => {
            let (floors, events) = (count(report.floors, "floor"), count(report.events, "event"));
            text.push_str(&format!("; all invariants hold for {floors} and {events}"));
        }
        Some(report) => text.push_str(&format!("\n\n{}", faults(report))),
    }
    text
}
