//! The events of a file, sent to a running server at a speed.

use std::process::ExitCode;

use smartpark_client::replay::{reports, schedule};
use smartpark_formats::file::FloorNames;

use super::{
    super::{
        Context, Outcome, Usage,
        input::shown,
        output::note,
        remote::{
            FloorLine, Remote, ServerArgs,
            pace::{PaceArgs, send_all},
        },
        signals::StopSignals,
    },
    FileArgs, batches, reading_failed,
};
use crate::{Clock, NewEvent};

/// Send the events of a file to a running server, at a speed
///
/// Takes the files that `import` takes and `export` writes, and holds the events in memory. They
/// are sent in the order of their times, with the pauses between them shortened by the speed, in
/// batches if several are due. Repeating it with --dates keep changes nothing: the server
/// recognises every event. Rows that are no event are named with their line and passed over. Exits
/// with 1 if there were such rows, or if the server did not take every event
///
/// Events of the past are history. To see them move on the page as if they happened now, use
/// --dates end-now (the last one happens now) or --dates as-sent
///
/// Examples:
///   smartpark replay day.csv.gz --speed 600
///   smartpark replay day.ndjson --speed 60 --dates as-sent --server http://10.0.0.5:8000
///   smartpark replay day.csv --speed max --key-file key.txt --json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pace: PaceArgs,
}

pub(in crate::cli) async fn run(args: Args, context: &Context) -> Outcome {
    args.file.columns()?;
    let mut signals = StopSignals::catch()?;
    let source = args.file.open()?;
    let remote = Remote::new(args.server)?;
    let before = remote.floors().await?;
    let names = before.iter().map(|floor| (floor.name.clone(), floor.id));
    // The server's ledger is not known here: in a file that names one the floor's name decides.
    let rules = args.file.rules(FloorNames::of(names), String::new())?;
    let mut batches = batches(source, rules)?;
    let (mut events, mut is_good) = (Vec::<NewEvent>::new(), true);
    while let Some(batch) = batches.recv().await {
        let cannot =
            |fault| anyhow::anyhow!("{}: {}", shown(&args.file.file), reading_failed(&fault));
        for row in batch.map_err(cannot)? {
            match row.event {
                Ok(event) => events.extend(event),
                Err(reason) => {
                    is_good = false;
                    note(&format!("line {}: {reason}", row.line));
                }
            }
        }
    }
    let now = Clock::system().now();
    let due = reports(events)
        .and_then(|reports| schedule(reports, args.pace.speed.0, args.pace.dates(now)))
        .map_err(|fault| Usage(fault.to_string()))?;
    let mut summary = send_all(&remote, due, args.pace.is_backlog(), &mut signals).await?;
    summary.floors = FloorLine::all(&before, &remote.floors_after().await, |_| None);
    context.out.print(&summary, || summary.text())?;
    Ok(if is_good { summary.code() } else { ExitCode::FAILURE })
}
