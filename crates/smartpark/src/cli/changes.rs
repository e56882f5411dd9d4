//! The command that lists changes of floors that no camera made.

use std::process::ExitCode;

use clap::Args;

use super::{Context, Outcome, floors::find, output::table};
use crate::{
    Change,
    http::changes::ChangesView,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
};

/// List who changed a count or a floor, when and why, the latest first
///
/// Recounts, changes of slots, openings and closings, vehicles that were counted by hand
///
/// Examples:
///   smartpark changes
///   smartpark changes --floor "Ground Floor" --limit 10
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ChangesArgs {
    /// Only of this floor, by its id or name
    #[arg(long, value_name = "FLOOR")]
    floor: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PAGE_ROWS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE_ROWS)))]
    limit: u32,
    /// Only those before the one with this id
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
}

pub(super) async fn run(args: ChangesArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let floor_id = match &args.floor {
        Some(floor) => Some(find(&park, floor).await?.id),
        None => None,
    };
    let floors = park.floors().get_all_floors().await?;
    let changes = park.floors().get_changes(floor_id, args.before, args.limit).await?;
    let name = |id: i64| {
        let floor = floors.iter().find(|floor| floor.id == id);
        floor.map_or_else(|| id.to_string(), |floor| floor.name.clone())
    };
    let rows: Vec<[String; 7]> = changes.iter().map(|change| row(change, &name)).collect();
    let heads = ["When", "Floor", "What", ">Vehicles", ">Slots", "Who", "Why"];
    context.out.print(&ChangesView::page(changes, args.limit), || {
        if rows.is_empty() { "Nothing was changed".to_owned() } else { table(&heads, rows) }
    })?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn row(change: &Change, name: &impl Fn(i64) -> String) -> [String; 7] {
    let delta = match change.count_delta {
        0 => String::new(),
        delta => format!(" ({delta:+})"),
    };
    [
        change.timestamp.to_string(),
        name(change.floor_id),
        change.kind.as_str().to_owned(),
        format!("{}{delta}", change.vehicles),
        change.slots.to_string(),
        change.author.clone().unwrap_or_default(),
        change.reason.clone().unwrap_or_default(),
    ]
}
