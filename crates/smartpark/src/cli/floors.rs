//! The commands on floors: list, add, set, remove, recount; and the recommendation.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{Context, Outcome, Usage, output::table};
use crate::{
    Arrival, Floor, FloorChange, FloorCount, NewFloor, SmartPark, Timestamp,
    config::Span,
    http::views::{FloorView, FloorsView, RecommendationView},
    intake::{folded_name, parse_bound},
    occupancy_percentage,
};

/// Show how full each floor is, or manage floors
///
/// Without a further word it lists the active floors, most free slots first. A FLOOR is named by
/// its id or its name
///
/// Examples:
///   smartpark floors --all
///   smartpark floors --at 2026-02-12T08:00:00Z
///   smartpark floors add "Ground Floor" --slots 50
///   smartpark floors recount "Ground Floor" 12 --reason "night round"
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// List floors that are not active, too
    #[arg(long)]
    all: bool,
    /// List the counts as they were at this instant (with an offset or Z), of all floors
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
    #[command(subcommand)]
    command: Option<FloorsCommand>,
}

#[derive(Debug, Subcommand)]
enum FloorsCommand {
    /// Add a floor
    ///
    /// Its slots hold for all of its past, so that history can be imported
    ///
    /// Example:
    ///   smartpark floors add "Roof" --slots 30 --description "open in summer"
    #[command(verbatim_doc_comment)]
    Add(AddArgs),
    /// Change a floor
    ///
    /// New slots hold from now on. Fewer slots than vehicles are refused unless forced, which
    /// cuts the count and leaves an adjustment
    ///
    /// Example:
    ///   smartpark floors set "Roof" --slots 25 --active false
    #[command(verbatim_doc_comment)]
    Set(SetArgs),
    /// Remove a floor that never had an event
    ///
    /// Example:
    ///   smartpark floors remove "Roof"
    #[command(verbatim_doc_comment)]
    Remove {
        /// The floor's id or name
        #[arg(allow_negative_numbers = true)]
        floor: String,
    },
    /// Set a floor's count to what somebody counted just now
    ///
    /// Leaves an adjustment that says who and why. Events from before it that arrive later no
    /// longer disturb the count
    ///
    /// Example:
    ///   smartpark floors recount "Roof" 12 --reason "night round" --author Kim
    #[command(verbatim_doc_comment)]
    Recount(RecountArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Its name, unique, 1 to 100 characters
    #[arg(allow_negative_numbers = true)]
    name: String,
    /// How many vehicles fit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    slots: i64,
    /// What else is to be said about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Do not send cars there
    #[arg(long)]
    inactive: bool,
    /// Who adds it
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// The floor's id or name
    #[arg(allow_negative_numbers = true)]
    floor: String,
    /// A new name
    #[arg(long, allow_hyphen_values = true)]
    name: Option<String>,
    /// How many vehicles fit from now on
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    slots: Option<i64>,
    /// A new description; an empty one removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether cars are sent there
    #[arg(long, value_name = "BOOL")]
    active: Option<bool>,
    /// Take fewer slots than there are vehicles
    #[arg(long, requires = "slots")]
    force: bool,
    /// Who changes it
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

#[derive(Debug, clap::Args)]
struct RecountArgs {
    /// The floor's id or name
    #[arg(allow_negative_numbers = true)]
    floor: String,
    /// How many vehicles were counted
    #[arg(value_name = "N", allow_negative_numbers = true)]
    vehicles: i64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who counted
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// When the vehicles were counted, if that was earlier: what came after it still counts
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
}

/// Name the floor to send the next car to: the active one with the most free slots
///
/// Example:
///   smartpark recommend --json
///   smartpark recommend --arriving-in 20min
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RecommendArgs {
    /// For a driver who arrives after this time, by the forecasts (30min, 2h)
    #[arg(long, value_name = "TIME")]
    arriving_in: Option<Span>,
}

#[derive(Serialize)]
struct CountsView<'a> {
    at: Timestamp,
    floors: Vec<CountView<'a>>,
}

#[derive(Serialize)]
struct CountView<'a> {
    id: i64,
    name: &'a str,
    total_slots: i64,
    current_vehicles: i64,
    available_slots: i64,
}

/// Reads an instant from an argument: the bound of a window, or until when to count.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    parse_bound(text).map_err(|fault| fault.to_string())
}

/// The floor with this name, or else with this id. Accents may be written in another way.
pub(super) async fn find(park: &SmartPark, named: &str) -> anyhow::Result<Floor> {
    let composed = folded_name(named);
    for name in [named, composed.as_ref()] {
        if let Some(floor) = park.floors().get_floor_by_name(name).await? {
            return Ok(floor);
        }
    }
    let by_id = match named.parse() {
        Ok(id) => park.floors().get_floor_by_id(id).await?,
        Err(_) => None,
    };
    let told =
        || anyhow::anyhow!("no floor has this id or name; `smartpark floors --all` lists them");
    by_id.ok_or_else(told)
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    match (args.command, args.at) {
        (Some(FloorsCommand::Add(args)), _) => add(args, &park, context).await?,
        (Some(FloorsCommand::Set(args)), _) => set(args, &park, context).await?,
        (Some(FloorsCommand::Remove { floor }), _) => remove(&floor, &park, context).await?,
        (Some(FloorsCommand::Recount(args)), _) => recount(args, &park, context).await?,
        (None, Some(at)) => list_at(at, &park, context).await?,
        (None, None) => list(args.all, &park, context).await?,
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn add(args: AddArgs, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let floor = NewFloor {
        description: args.description,
        is_active: !args.inactive,
        author: args.author,
        ..NewFloor::new(args.name, args.slots)
    };
    let floor = park.floors().add_floor(floor).await?;
    show(&floor, context)
}

async fn set(args: SetArgs, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let description = args.description.map(|text| Some(text).filter(|text| !text.is_empty()));
    let change = FloorChange {
        name: args.name,
        description,
        total_slots: args.slots,
        is_active: args.active,
        force: args.force,
        author: args.author,
    };
    let nothing = FloorChange { author: change.author.clone(), ..FloorChange::default() };
    if change == nothing {
        let told = "nothing to change: give --name, --slots, --description or --active";
        return Err(Usage(told.to_owned()).into());
    }
    let id = find(park, &args.floor).await?.id;
    let floor = park.floors().change_floor(id, change).await?;
    show(&floor, context)
}

async fn remove(named: &str, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let floor = find(park, named).await?;
    park.floors().remove_floor(floor.id).await?;
    let view = serde_json::json!({ "removed": FloorView::from(floor.clone()) });
    context.out.print(&view, || format!("removed {}", floor.name))
}

async fn recount(args: RecountArgs, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let id = find(park, &args.floor).await?.id;
    let author = args.author.as_deref();
    let (floors, reason) = (park.floors(), &args.reason);
    let floor = match args.at {
        Some(at) => floors.recount_at(id, args.vehicles, reason, author, at).await?,
        None => floors.recount(id, args.vehicles, reason, author).await?,
    };
    show(&floor, context)
}

fn show(floor: &Floor, context: &Context) -> anyhow::Result<()> {
    let view = FloorView::from(floor.clone());
    context.out.print(&view, || floors_table(std::slice::from_ref(floor)))
}

async fn list(all: bool, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let floors = if all {
        park.floors().get_all_floors().await?
    } else {
        park.floors().get_all_active_floors().await?
    };
    let view = FloorsView::from(floors.clone());
    context.out.print(&view, || {
        if floors.is_empty() {
            "There is no floor yet: smartpark floors add NAME --slots N".to_owned()
        } else {
            floors_table(&floors)
        }
    })
}

fn floors_table(floors: &[Floor]) -> String {
    let titles = [">Id", "Floor", ">Slots", ">Vehicles", ">Free", ">Full", "Active"];
    table(
        &titles,
        floors.iter().map(|floor| {
            [
                floor.id.to_string(),
                floor.name.clone(),
                floor.total_slots.to_string(),
                floor.current_vehicles.to_string(),
                floor.available_slots().to_string(),
                format!("{:.0} %", floor.occupancy_percentage()),
                if floor.is_active { "yes" } else { "no" }.to_owned(),
            ]
        }),
    )
}

async fn list_at(at: Timestamp, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let counts = park.floors().get_counts_at(at).await?;
    let floors = counts.iter().map(|count| CountView {
        id: count.floor_id,
        name: &count.name,
        total_slots: count.total_slots,
        current_vehicles: count.current_vehicles,
        available_slots: count.total_slots - count.current_vehicles,
    });
    let view = CountsView { at, floors: floors.collect() };
    context.out.print(&view, || format!("At {at}\n\n{}", counts_table(&counts)))
}

fn counts_table(counts: &[FloorCount]) -> String {
    let titles = [">Id", "Floor", ">Slots", ">Vehicles", ">Free", ">Full"];
    table(
        &titles,
        counts.iter().map(|count| {
            [
                count.floor_id.to_string(),
                count.name.clone(),
                count.total_slots.to_string(),
                count.current_vehicles.to_string(),
                (count.total_slots - count.current_vehicles).to_string(),
                format!("{:.0} %", occupancy_percentage(count.current_vehicles, count.total_slots)),
            ]
        }),
    )
}

pub(super) async fn recommend(args: RecommendArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    if let Some(ahead) = args.arriving_in {
        let seconds = u32::try_from(ahead.0.as_secs()).unwrap_or(u32::MAX);
        let told = park.estimates().get_arrival_floors(seconds).await?;
        context.out.print(&RecommendationView::from(told.clone()), || arrival(&told))?;
        park.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let floors = park.floors().get_all_active_floors().await?;
    let free: Vec<Floor> = floors.into_iter().filter(|floor| floor.available_slots() > 0).collect();
    let mut views = free.iter().cloned().map(FloorView::from);
    let view =
        RecommendationView { floor: views.next(), alternatives: views.collect(), arrival: None };
    context.out.print(&view, || match free.first() {
        Some(floor) => format!(
            "{} (id {}): {} of {} slots are free",
            floor.name,
            floor.id,
            floor.available_slots(),
            floor.total_slots
        ),
        None => "No active floor has a free slot".to_owned(),
    })?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Where to send a driver who arrives later, as a sentence.
fn arrival(told: &Arrival) -> String {
    let Some((floor, step)) = told.floors.first() else {
        return format!("Every active floor will probably be full at {}", told.at);
    };
    let by = if told.is_forecast {
        format!(
            "about {:.0} of {} slots will be free at {}, at least {} in 95 of 100 such cases",
            step.available, floor.total_slots, told.at, step.available_low
        )
    } else {
        let (free, slots) = (floor.available_slots(), floor.total_slots);
        format!("{free} of {slots} slots are free now; a forecast needs 14 days of history")
    };
    format!("{} (id {}): {by}", floor.name, floor.id)
}
