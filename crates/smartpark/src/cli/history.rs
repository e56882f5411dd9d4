//! The command that shows occupancy over time.

use std::process::ExitCode;

use clap::Args;

use super::{
    Context, Outcome,
    floors::{find, instant},
    output::table,
};
use crate::{
    OccupancyHistory, OccupancyStep, Timestamp,
    http::history::HistoryView,
    limits::{MAX_HISTORY_STEP, MAX_STATISTICS_HOURS, MIN_HISTORY_STEP},
};

/// Show occupancy over time: of a floor, or of all active floors together
///
/// Step by step: the least, greatest and mean number of vehicles, how many there were at the end
/// and of how many slots, entries and exits. Late events have their place in it
///
/// Examples:
///   smartpark history --floor "Ground Floor" --hours 12
///   smartpark history --start 2026-02-01T00:00:00Z --end 2026-03-01T00:00:00Z --step 86400
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct HistoryArgs {
    /// Only this floor (id or name)
    #[arg(long, allow_hyphen_values = true)]
    floor: Option<String>,
    /// The last hours
    #[arg(long, value_name = "N", default_value_t = 24, conflicts_with_all = ["start", "end"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_STATISTICS_HOURS)))]
    hours: u32,
    /// From this instant on
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    start: Option<Timestamp>,
    /// Until this instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant, requires = "start")]
    end: Option<Timestamp>,
    /// How long a step is, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    #[arg(value_parser = clap::value_parser!(u32)
        .range(i64::from(MIN_HISTORY_STEP)..=i64::from(MAX_HISTORY_STEP)))]
    step: u32,
}

pub(super) async fn run(args: HistoryArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let floor_id = match &args.floor {
        Some(named) => Some(find(&park, named).await?.id),
        None => None,
    };
    let (first, now) = park.floors().history_window(args.hours)?;
    let (start, end) = (args.start.unwrap_or(first), args.end.unwrap_or(now));
    let history = park.floors().get_history(floor_id, start, end, Some(args.step)).await?;
    context.out.print(&HistoryView::from(history.clone()), || text(&history))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(history: &OccupancyHistory) -> String {
    let row = |step: &OccupancyStep| {
        [
            step.start.to_string(),
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
