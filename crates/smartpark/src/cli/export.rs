//! Events written to a file, in the forms that `import` reads.

mod rows;
mod sink;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use indicatif::HumanCount;
use serde::Serialize;

use super::{
    Context, Outcome,
    events::FilterArgs,
    input::{Format, by_extension},
    output::{bar, count},
};
use crate::{SmartPark, limits::MAX_PAGE_ROWS};
use rows::Rows;
use sink::Sink;

/// Write events to a file, oldest first
///
/// Writes CSV with a header or NDJSON (one object a line), packed with gzip where the name ends in
/// .gz, to a file that does not exist yet or to standard output (-). `import` reads all of it
/// back: into a database with floors of the same names, it gives the same counts. (Recounts and
/// changes of a capacity are not among events: `smartpark copy` moves a whole site.) In CSV, names
/// that a spreadsheet would take for a formula have a ' before them, which `import` takes off
///
/// All that is named must hold. What is recorded meanwhile may be in it or not
///
/// Examples:
///   smartpark export events.csv.gz
///   smartpark export --floor "Ground Floor" --start 2026-02-01T00:00:00Z february.ndjson
///   smartpark export - --format ndjson --hours 24 | jq .camera_id
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The file, or - for standard output
    file: PathBuf,
    /// The form [default: what the file's name says, else CSV]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Serialize)]
struct Exported {
    file: String,
    events: u64,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let format = args.format.or_else(|| by_extension(&args.file)).unwrap_or(Format::Csv);
    let (filter, _) = args.filter.filter(&park).await?;
    let to_file = args.file != Path::new("-");
    let shown = if to_file { args.file.display().to_string() } else { "standard output".into() };
    let cannot = || format!("{shown} cannot be written");
    let mut rows = Rows::new(Sink::open(&args.file).with_context(cannot)?, format);
    let bar = bar(None, "{spinner} {msg}");
    let (mut floors, mut cursor, mut events) = (HashMap::new(), None, 0);
    loop {
        let oldest = park.events().get_events_oldest_first(filter.clone(), MAX_PAGE_ROWS, cursor);
        let page = oldest.await?;
        if page.events.iter().any(|event| !floors.contains_key(&event.floor_id)) {
            floors = floor_names(&park).await?;
        }
        for event in &page.events {
            let floor = floors.get(&event.floor_id).context("an event without its floor")?;
            rows.write(event, floor).with_context(cannot)?;
        }
        events += page.events.len() as u64;
        if to_file {
            bar.set_message(format!("{} events", HumanCount(events)));
            bar.tick();
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    rows.finish().and_then(Sink::finish).with_context(cannot)?;
    bar.finish_and_clear();
    if to_file {
        let exported = Exported { file: shown, events };
        let events = count(events, "event");
        context.out.print(&exported, || format!("Wrote {events} to {}", exported.file))?;
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn floor_names(park: &SmartPark) -> crate::Result<HashMap<i64, String>> {
    let floors = park.floors().get_all_floors().await?;
    Ok(floors.into_iter().map(|floor| (floor.id, floor.name)).collect())
}
