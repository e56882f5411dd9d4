//! The proof that what is stored is right.

use std::{path::PathBuf, process::ExitCode};

use serde::Serialize;
use smartpark_formats::file::Mapping;

use super::{
    Context, Outcome,
    output::{count, table},
    truth::{self, Comparison},
};
use crate::check::Report;

/// Prove the invariants on the stored data, and name each one that does not hold
///
/// Folds every floor's history again from its events and compares: counts, limits, duplicates,
/// statistics. Exits with 1 where something does not hold. Safe beside a running server
///
/// With --truth it also compares the history with a file of known counts: CSV (also .gz) with the
/// columns hour_utc (or timestamp), floor, and occupied_at_start (or occupied, count)
///
/// Examples:
///   smartpark check
///   smartpark check --truth hourly_truth.csv.gz
///   smartpark check --repair
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Rebuild what is derived from events and adjustments
    #[arg(long)]
    repair: bool,
    /// Compare the counts in the history with those of this file
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// The column of the truth file that holds a field (timestamp, floor, count), as FIELD=COLUMN
    #[arg(long, value_name = "FIELD=COLUMN", requires = "truth")]
    map: Vec<Mapping>,
}

#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    report: &'a Report,
    clean: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<&'a Comparison>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let report = park.check(args.repair).await?;
    let truth = match &args.truth {
        Some(file) => Some(truth::compare(&park, file, &args.map).await?),
        None => None,
    };
    let view = View { report: &report, clean: report.is_clean(), truth: truth.as_ref() };
    context.out.print(&view, || text(&report, truth.as_ref()))?;
    park.close().await;
    // What a repair has found is put right.
    let is_right = report.is_clean() || report.repaired;
    let is_true = truth.is_none_or(|truth| truth.mismatches == 0);
    Ok(if is_right && is_true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The violations, each on a line.
pub(super) fn faults(report: &Report) -> String {
    let seen = format!("{} and {}", count(report.floors, "floor"), count(report.events, "event"));
    let violations = report.violations.iter();
    let rows = violations.map(|it| [it.invariant.to_owned(), it.detail.clone()]);
    let found = count(report.violations.len() as u64, "violation");
    let rows = table(&["Invariant", "What does not hold"], rows);
    format!("{found} in {seen}\n\n{rows}")
}

/// What to do about violations.
fn advice(report: &Report) -> &'static str {
    // A damaged file or a changed schema or row: nothing in the database tells what was there.
    if report.violations.iter().any(|it| matches!(it.invariant, "I3" | "I4")) {
        "Next: keep a copy of the files and look at the disk. I3 and I4 mean that the file, its \
         tables or rows were changed or damaged: stop the server, restore the newest backup that \
         passes (`smartpark restore FILE`), and let the devices send again what came later. \
         `smartpark check --repair` rebuilds what is derived"
    } else {
        "Next: `smartpark check --repair` rebuilds what is derived; then check again. Keep a copy \
         of the database (`smartpark backup FILE`) and tell us: it is a defect"
    }
}

fn text(report: &Report, truth: Option<&Comparison>) -> String {
    let seen = format!("{} and {}", count(report.floors, "floor"), count(report.events, "event"));
    let mut text =
        if report.is_clean() { format!("All invariants hold for {seen}") } else { faults(report) };
    if report.repaired {
        text.push_str("\nWhat is derived was rebuilt; check again to see what is left");
    } else if !report.is_clean() {
        text.push_str(&format!("\n\n{}", advice(report)));
    }
    if let Some(truth) = truth {
        text.push_str(&format!("\n{}", truth.text()));
    }
    text
}
