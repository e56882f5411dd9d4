//! The command that makes a report.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use smartpark_formats::report;

use super::{
    Context, Outcome, Usage,
    output::{self, note, table},
};
use crate::{
    private,
    report::{Figures, FloorReport, Report, ReportPeriod},
};

/// Report on a month, a week, a day or a range of days
///
/// Cars in and out, mean and most vehicles, minutes full, mean stay, what people counted and by how
/// much the count was off, and how far it may be off at the end: of the site and of each floor, by
/// the days of the site's time zone. As text, JSON, CSV, or a page that prints on A4
///
/// Examples:
///   smartpark report --month 2026-11
///   smartpark report --week 2026-W48 --form csv
///   smartpark report --month 2026-11 --form page --output november.html
///   smartpark report --start 2026-11-01 --end 2026-11-15
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ReportArgs {
    /// This month, such as 2026-11 [default: the last one that has ended]
    #[arg(long, value_name = "MONTH", value_parser = |text: &str| of_length(text, 7))]
    month: Option<ReportPeriod>,
    /// This week, such as 2026-W48
    #[arg(long, value_name = "WEEK", value_parser = |text: &str| of_length(text, 8))]
    #[arg(conflicts_with_all = ["month", "day", "start"])]
    week: Option<ReportPeriod>,
    /// This day, such as 2026-11-30
    #[arg(long, value_name = "DAY", value_parser = |text: &str| of_length(text, 10))]
    #[arg(conflicts_with_all = ["month", "start"])]
    day: Option<ReportPeriod>,
    /// From this day on
    #[arg(long, value_name = "DAY", value_parser = |text: &str| of_length(text, 10))]
    #[arg(requires = "end", conflicts_with = "month")]
    start: Option<ReportPeriod>,
    /// Until this day, which belongs to it; at most 93 days
    #[arg(long, value_name = "DAY", value_parser = |text: &str| of_length(text, 10))]
    #[arg(requires = "start")]
    end: Option<ReportPeriod>,
    /// In what form; --json is the form for programs
    #[arg(long, value_enum, default_value_t = Form::Text)]
    form: Form,
    /// Write it to this file, which is replaced
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// In what form a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Tables for a terminal
    Text,
    /// A row for the site and each floor, and for each of their days
    Csv,
    /// An HTML file that prints on A4
    Page,
}

fn of_length(text: &str, length: usize) -> Result<ReportPeriod, String> {
    let told = match length {
        7 => "must be a month such as 2026-11",
        8 => "must be a week such as 2026-W48",
        _ => "must be a day such as 2026-11-30",
    };
    ReportPeriod::parse(text).filter(|_| text.len() == length).ok_or_else(|| told.to_owned())
}

pub(super) async fn run(args: ReportArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let zone = park.time_zone().await;
    let range = match (&args.start, &args.end) {
        (Some(start), Some(end)) => {
            let told = "--end must not be before --start";
            Some(ReportPeriod::range(start.first, end.first).ok_or(Usage(told.to_owned()))?)
        }
        _ => None,
    };
    let named = args.month.or(args.week).or(args.day).or(range);
    let last = || ReportPeriod::month(zone.to_datetime(park.now()).date())?.before();
    let period = named.or_else(last).ok_or(Usage("--month is needed".to_owned()))?;
    let made = park.get_report(&period).await?;
    let written = match args.form {
        _ if context.out.json => serde_json::to_string(&made)? + "\n",
        Form::Text => text(&made) + "\n",
        Form::Csv => report::csv(&made),
        Form::Page => report::page(&made),
    };
    match &args.output {
        Some(file) => {
            use std::io::Write as _;
            let failed = |fault| anyhow::anyhow!("{} cannot be written: {fault}", file.display());
            let mut open = private::create(file).map_err(failed)?;
            open.write_all(written.as_bytes()).map_err(failed)?;
            note(&format!("{} is written", file.display()));
        }
        None => output::write(written.as_bytes())?,
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(report: &Report) -> String {
    let site = (report.site.as_str(), &report.figures);
    let floors = report.floors.iter().map(|floor| (floor.floor.as_str(), &floor.figures));
    let row = |(name, figures): (&str, &Figures)| {
        let stay = figures.mean_stay_minutes.map(|it| format!("{it:.0} min"));
        [
            name.to_owned(),
            figures.entries.to_string(),
            figures.exits.to_string(),
            format!("{:.1}", figures.mean),
            figures.highest.to_string(),
            figures.slots.to_string(),
            format!("{} min", figures.full_minutes),
            stay.unwrap_or_default(),
        ]
    };
    let heads = ["", ">In", ">Out", ">Mean", ">Most", ">Slots", ">Full", ">Mean stay"];
    let figures = table(&heads, [site].into_iter().chain(floors).map(row));
    let evidence = |floor: &FloorReport| {
        let found = floor.recounts.iter().map(|it| format!("{:+}", it.difference));
        let bounds = floor.drift.map(|drift| format!("{} to {}", drift.low, drift.high));
        [
            floor.floor.clone(),
            floor.recounts.len().to_string(),
            found.collect::<Vec<_>>().join(", "),
            bounds.unwrap_or_default(),
        ]
    };
    let heads = ["Floor", ">Counted by people", "Differences found", "True number at the end"];
    let evidence = table(&heads, report.floors.iter().map(evidence));
    let so_far = if report.is_complete { "" } else { ", until now" };
    format!("{}, {}{so_far}\n\n{figures}\n\n{evidence}", report.site, report.period)
}
