//! A copy of the database's file.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use indicatif::HumanBytes;
use serde::Serialize;

use super::{Context, Outcome, output::bar};

/// Write a copy of the database to a file, while it is in use
///
/// The copy is the database as it was at one moment; recording goes on beside it. It is written
/// under another name and put into place when it is safely on disk; a file that exists is never
/// overwritten. To restore it, use the file as the database. For SQLite only: PostgreSQL has
/// tools of its own (pg_dump, pg_basebackup)
///
/// Examples:
///   smartpark backup backup-$(date +%F).db
///   smartpark check --database sqlite://backup-2026-02-12.db
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The file to write, which must not exist
    file: PathBuf,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: u64,
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
    let written = Written { file: args.file.display().to_string(), bytes: written? };
    context.out.print(&written, || {
        format!("{} holds the database: {}", written.file, HumanBytes(written.bytes))
    })?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}
