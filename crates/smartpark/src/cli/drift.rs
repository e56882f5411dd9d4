//! The command that shows how far counts may be off.

use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;

use super::{
    Context, Outcome,
    floors::{find, instant},
    output::table,
};
use crate::{
    FloorDrift, Timestamp,
    http::drift_views::{DriftView, SiteDriftView, why_count},
};

/// Show how far each floor's count may be off, and where a person should count
///
/// The estimate is the most likely true number of vehicles; the true number lies between "At least"
/// and "At most" in 95 of 100 cases. The count itself stays as it is. With --json it tells what the
/// estimate rests on
///
/// Examples:
///   smartpark drift
///   smartpark drift --floor "Ground Floor" --at 2026-02-12T10:30:00Z --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct DriftArgs {
    /// Only this floor (id or name)
    #[arg(long)]
    floor: Option<String>,
    /// At this instant, from the facts before it [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
}

pub(super) async fn run(args: DriftArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let zone = park.time_zone();
    if let Some(named) = &args.floor {
        let floor = find(&park, named).await?;
        let told = park.estimates().get_drift(floor.id, args.at).await?;
        context
            .out
            .print(&DriftView::new(&told, &zone), || text(std::slice::from_ref(&told), &zone))?;
    } else {
        let told = park.estimates().get_site_drift(args.at).await?;
        context.out.print(&SiteDriftView::new(&told, &zone), || text(&told.floors, &zone))?;
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(floors: &[FloorDrift], zone: &TimeZone) -> String {
    let row = |told: &FloorDrift| {
        let why = |it| why_count(&it, &told.drift, zone);
        [
            told.floor.name.clone(),
            told.count.to_string(),
            told.drift.estimate.to_string(),
            told.drift.low.to_string(),
            told.drift.high.to_string(),
            told.drift.suggested_recount.map(why).unwrap_or_default(),
        ]
    };
    let titles = ["Floor", ">Count", ">Estimate", ">At least", ">At most", "What to do"];
    table(&titles, floors.iter().map(row))
}
