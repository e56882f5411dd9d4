//! The import of history from a file: reads ahead in a thread, records batch by batch.
//!
//! Invariant: a row is reported only after its batch was answered, which is after its commit.
//! Whatever ends an import, the rows it reported are safe, and repeating it settles the rest.

mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
pub(super) mod missing;
pub(super) mod replay;
mod report;
mod rows;

use std::{path::PathBuf, process::ExitCode, thread};

use smartpark_formats::file::{FloorNames, Rules};
use tokio::sync::mpsc;

use super::{
    Context, Outcome,
    input::{Format, Source, shown},
    output::note,
    signals::{PauseSignal, StopSignals},
};
use crate::{
    Error, NewEvent, Recorded, Result, SmartPark,
    config::Span,
    limits::{IMPORT_ATTEMPTS, IMPORT_BATCHES_AHEAD, IMPORT_FIRST_PAUSE, IMPORT_REST},
};
use file::FileArgs;
pub(super) use missing::line;
use report::Report;
use rows::{Batch, Reader, Row};

/// Record the events of a file, each once
///
/// Takes a table (cells between commas, semicolons or tabs; lines above the header are passed
/// over) or NDJSON (one object a line), also packed with gzip, from a file or from standard input
/// (-). The fields are camera_id, floor (its name, or floor_id), track_id, direction and timestamp;
/// optional are vehicle_type (car) and confidence (0.8). Column names are compared without regard
/// to case, blanks and underscores; other columns are passed over
///
/// Times are RFC 3339, also with a blank for the T; dates as 2026-11-20 or 20.11.2026; seconds,
/// milliseconds or microseconds since 1970. Local times need --time-zone. Other words for
/// directions and vehicles (in, out, van, lorry …) are understood; the summary tells which, and how
/// often. Rows of people and bicycles are not counted
///
/// Repeating an import is always safe: what was recorded before is a duplicate and changes
/// nothing. An import that was interrupted is simply started again. Rows may come in any order.
/// Rows that are no event are named with their line and passed over; then the exit code is 1
///
/// Examples:
///   smartpark import events.csv.gz
///   smartpark import export.csv --map floor=level --map camera_id=sensor --rejects bad.csv
///   smartpark import gate.csv --set floor="Level 1" --set camera_id=gate --time-zone Europe/Berlin
///   smartpark import loops.csv --map timestamp=Date+Time --time-format "%m/%d/%Y %I:%M:%S %p" \
///     --map track_id="Veh. No." --map direction=Channel --word direction:1=entry \
///     --word direction:2=exit --set floor=P1 --set camera_id=loop --time-zone America/Chicago
///   zcat old.ndjson.gz | smartpark import - --json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    file: FileArgs,
    /// Write every rejected row's line and reason to this file, as CSV
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How far ahead of the clock an event's timestamp may lie [env: SMARTPARK_MAX_CLOCK_SKEW]
    /// [default: 5min]
    #[arg(long, value_name = "TIME")]
    pub(super) max_clock_skew: Option<Span>,
}

/// Why an import came to an end.
enum End {
    /// The whole file is dealt with.
    Complete,
    /// Somebody asked for it.
    Interrupted,
    /// Reading or recording failed.
    Failed(String),
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    args.file.columns()?;
    let signals = (StopSignals::catch()?, PauseSignal::catch()?);
    let park = context.connect().await?;
    let rules = rules(&park, &args.file).await?;
    let source = args.file.open()?;
    let mut report = Report::start(source.progress.clone(), args.rejects.as_deref())?;
    let batches = batches(source, rules)?;
    let end = record_all(&park, batches, signals, &mut report).await?;
    let summary = report.finish(matches!(end, End::Complete))?;
    if summary.rejected > 0 && park.floors().get_all_floors().await?.is_empty() {
        note("there are no floors yet: add them first with `smartpark floors add NAME --slots N`");
    }
    let is_empty = matches!(end, End::Complete) && summary.read == 0;
    if is_empty {
        note(&format!("error: {} holds no rows: nothing was read", shown(&args.file.file)));
    }
    match &end {
        End::Complete => {}
        End::Interrupted => note("interrupted"),
        End::Failed(reason) => note(&format!("error: {}: {reason}", shown(&args.file.file))),
    }
    context.out.print(&summary, || summary.text())?;
    park.close().await;
    let is_good = summary.complete && summary.rejected == 0 && !is_empty;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the rows of a file are read into a database.
async fn rules(park: &SmartPark, file: &FileArgs) -> anyhow::Result<Rules> {
    let floors = park.floors().get_all_floors().await?;
    let names = FloorNames::of(floors.into_iter().map(|floor| (floor.name, floor.id)));
    Ok(file.rules(names, park.ledger_id().await?)?)
}

/// The rows of a file, read ahead in a thread.
fn batches(source: Source, rules: Rules) -> anyhow::Result<mpsc::Receiver<Batch>> {
    let reader = match source.format {
        Format::Csv => Reader::csv(source.lines, rules)?,
        Format::Ndjson => Some(Reader::ndjson(source.lines, rules)),
    };
    let (send, batches) = mpsc::channel(IMPORT_BATCHES_AHEAD);
    // An empty file has no reader: the batches end before the first.
    if let Some(reader) = reader {
        let parser = thread::Builder::new().name("import".into());
        parser.spawn(move || reader.run(&send))?;
    }
    Ok(batches)
}

/// Records batch by batch, until the file ends, something fails or somebody interrupts.
async fn record_all(
    park: &SmartPark,
    mut batches: mpsc::Receiver<Batch>,
    (mut signals, mut pauses): (StopSignals, PauseSignal),
    report: &mut Report,
) -> anyhow::Result<End> {
    loop {
        // In this order, so that a file that is read fast can be interrupted.
        let batch = tokio::select! {
            biased;
            _ = signals.wait() => return Ok(End::Interrupted),
            () = pauses.wait() => {
                pauses.stop();
                continue;
            }
            batch = batches.recv() => batch,
        };
        let rows = match batch {
            None => return Ok(End::Complete),
            Some(Err(fault)) => return Ok(End::Failed(reading_failed(&fault))),
            Some(Ok(rows)) => rows,
        };
        if let Err(fault) = record_batch(park, rows, report).await? {
            return Ok(End::Failed(fault.to_string()));
        }
        report.show();
        // A server beside it gets its turn: the lock knows no queue.
        tokio::time::sleep(IMPORT_REST).await;
    }
}

fn reading_failed(fault: &std::io::Error) -> String {
    match fault.kind() {
        std::io::ErrorKind::UnexpectedEof => "the packed file is cut off".to_owned(),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            "the packed file is damaged".to_owned()
        }
        _ => fault.to_string(),
    }
}

/// Records one batch and reports its rows in the order of their lines. The inner error means
/// that nothing is known of them.
async fn record_batch(
    park: &SmartPark,
    rows: Vec<Row>,
    report: &mut Report,
) -> anyhow::Result<Result<()>> {
    let good = rows.iter().filter_map(|row| row.event.as_ref().ok()?.as_ref());
    let answers = match record_patiently(park, good.cloned().collect()).await {
        Ok(answers) => answers,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut answers = answers.into_iter();
    for row in rows {
        report.mapped(row.mapped);
        let answer = match row.event {
            Err(reason) => Err(reason),
            Ok(None) => {
                report.not_counted(row.line);
                continue;
            }
            Ok(Some(_)) => match answers.next() {
                Some(answer) => answer.map_err(|fault| fault.to_string()),
                None => return Ok(Err(Error::Internal("an event got no answer".into()))),
            },
        };
        match answer {
            Ok(recorded) => report.recorded(row.line, &recorded),
            Err(reason) => report.rejected(row.line, &reason)?,
        }
    }
    Ok(Ok(()))
}

/// Records events, again and again where the store cannot take them now: that is safe, and
/// settles whether they were recorded.
async fn record_patiently(
    park: &SmartPark,
    events: Vec<NewEvent>,
) -> Result<Vec<Result<Recorded>>> {
    let mut pause = IMPORT_FIRST_PAUSE;
    for _ in 1..IMPORT_ATTEMPTS {
        let answer = settled(park.events().record_events(events.clone()).await);
        if !matches!(answer, Err(Error::Overloaded | Error::Unavailable(_))) {
            return answer;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    settled(park.events().record_events(events).await)
}

/// The answers, unless one of them says that the store could not do its part.
fn settled(answers: Result<Vec<Result<Recorded>>>) -> Result<Vec<Result<Recorded>>> {
    let answers = answers?;
    let unsettled = answers.iter().find_map(|answer| match answer {
        Err(fault) => match fault {
            Error::Overloaded
            | Error::Unavailable(_)
            | Error::Broken(_)
            | Error::Unusable(_)
            | Error::Internal(_) => Some(fault.clone()),
            _ => None,
        },
        Ok(_) => None,
    });
    unsettled.map_or(Ok(answers), Err)
}
