//! The command that shows occupancy over time.

use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;

use super::{Context, Outcome, floors::find, output::table, window::WindowArgs};
use crate::{
    OccupancyHistory, OccupancyStep,
    http::history::HistoryView,
    limits::{DEFAULT_STATISTICS_HOURS, MAX_HISTORY_STEP, MIN_HISTORY_STEP},
    zone::{CalendarStep, written},
};

/// Show occupancy over time: of a floor, or of all active floors together
///
/// Step by step: the least, greatest and mean number of vehicles, how many there were at the end
/// and of how many slots, entries and exits. Late events have their place in it
///
/// Examples:
///   smartpark history --floor "Ground Floor" --hours 12
///   smartpark history --period 2026-11 --step day
///   smartpark history --start 2026-01-01 --step month --time-zone Europe/Berlin
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct HistoryArgs {
    /// Only this floor (id or name)
    #[arg(long, allow_hyphen_values = true)]
    floor: Option<String>,
    #[command(flatten)]
    window: WindowArgs,
    /// How long a step is: a number of seconds, or day, week or month by the calendar
    #[arg(long, value_name = "STEP", default_value = "3600", value_parser = step)]
    step: Step,
}

/// How long a step is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Seconds(u32),
    Calendar(CalendarStep),
}

fn step(text: &str) -> Result<Step, String> {
    if let Ok(unit) = text.parse() {
        return Ok(Step::Calendar(unit));
    }
    let range = MIN_HISTORY_STEP..=MAX_HISTORY_STEP;
    let seconds = text.parse().ok().filter(|seconds| range.contains(seconds));
    seconds.map(Step::Seconds).ok_or_else(|| {
        let (least, most) = (MIN_HISTORY_STEP, MAX_HISTORY_STEP);
        format!("must be a number of seconds from {least} to {most}, or day, week or month")
    })
}

pub(super) async fn run(args: HistoryArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let floor_id = match &args.floor {
        Some(named) => Some(find(&park, named).await?.id),
        None => None,
    };
    let window = args.window.read(&park).await?;
    let floors = park.floors();
    let last = |hours| floors.history_window(hours);
    let (start, end) = window.or_last(DEFAULT_STATISTICS_HOURS, last)?;
    let history = match args.step {
        Step::Seconds(step) => floors.get_history(floor_id, start, end, Some(step)).await?,
        Step::Calendar(unit) => {
            floors.get_calendar_history(floor_id, start, end, unit, &window.zone).await?
        }
    };
    let view = HistoryView::from(history.clone());
    context.out.print(&view, || text(&history, &window.zone))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(history: &OccupancyHistory, zone: &TimeZone) -> String {
    let row = |step: &OccupancyStep| {
        [
            written(step.start, zone),
            step.min.to_string(),
            step.max.to_string(),
            format!("{:.1}", step.mean),
            step.closing.to_string(),
            step.total_slots.to_string(),
            step.entries.to_string(),
            step.exits.to_string(),
        ]
    };
    let titles = ["From", ">Least", ">Most", ">Mean", ">At the end", ">Slots", ">In", ">Out"];
    table(&titles, history.steps.iter().map(row))
}
