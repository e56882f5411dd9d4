//! The commands on the database as a whole: migrate, seed, reset, info.

use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    Context, Outcome, Usage,
    output::{count, note, shown_url, table},
};
use crate::{DatabaseStats, Error, Floor, SmartPark, TableInfo, http::views::FloorView};

/// Create the database and its tables, or bring older tables up to this version
///
/// Does nothing where all is current, and never touches what is stored. The server does it by
/// itself when it starts
///
/// Example:
///   smartpark migrate --database sqlite:///var/lib/smartpark.db
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct MigrateArgs {}

/// Fill a new database with the four floors of the design
///
/// Creates the database where there is none, and refuses one that has floors already
///
/// Example:
///   smartpark seed --samples
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SeedArgs {
    /// Record 15 sample events of the last hours, too
    #[arg(long)]
    samples: bool,
}

/// Remove every floor, event and statistic, and seed the four sample floors anew
///
/// Asks first on a terminal; elsewhere it wants --yes. What is removed cannot be brought back
///
/// Examples:
///   smartpark reset --empty                           to begin with your own floors
///   smartpark reset --yes --samples
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ResetArgs {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Leave the database empty, without the four sample floors
    #[arg(long, conflicts_with = "samples")]
    empty: bool,
    /// Record 15 sample events of the last hours, too
    #[arg(long)]
    samples: bool,
}

/// Show what the database holds: tables, columns, indexes, sizes, version, horizon
///
/// The horizon is the instant before which events were cleaned up and new ones are refused
///
/// Example:
///   smartpark info
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct InfoArgs {}

#[derive(Serialize)]
struct Seeded {
    floors: Vec<FloorView>,
    events: usize,
}

#[derive(Serialize)]
struct Info {
    #[serde(flatten)]
    stats: DatabaseStats,
    tables: Vec<TableInfo>,
}

pub(super) async fn migrate(context: &Context) -> Outcome {
    let park = context.create().await?;
    park.migrations().create_tables().await?;
    let stats = park.migrations().get_database_stats().await?;
    context.out.print(&stats, || {
        let url = shown_url(&context.settings.database);
        format!("{url} is ready, with tables of version {}", stats.schema_version)
    })?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn seed(args: SeedArgs, context: &Context) -> Outcome {
    let park = context.create().await?;
    let floors = park.seed().seed_floors().await.map_err(|fault| match fault {
        Error::NotEmpty => {
            anyhow::anyhow!("{fault}; `smartpark reset` removes them and seeds anew")
        }
        other => other.into(),
    })?;
    finish_seed(&park, &floors, args.samples, context).await?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn reset(args: ResetArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    if !args.yes && !confirmed(&park, context).await? {
        note("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let floors = if args.empty {
        park.seed().reset_to_empty().await?;
        Vec::new()
    } else {
        park.seed().reset_database_seed().await?
    };
    finish_seed(&park, &floors, args.samples, context).await?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn finish_seed(
    park: &SmartPark,
    floors: &[Floor],
    samples: bool,
    context: &Context,
) -> anyhow::Result<()> {
    let events = if samples { park.seed().seed_sample_events(floors).await?.len() } else { 0 };
    let now = park.floors().get_all_floors().await?;
    let seeded = Seeded { floors: now.into_iter().map(Into::into).collect(), events };
    context.out.print(&seeded, || {
        if floors.is_empty() {
            return "the database is empty; next: smartpark floors add NAME --slots N".to_owned();
        }
        let floors = count(floors.len() as u64, "floor");
        format!("seeded {floors} and {}", count(events as u64, "event"))
    })
}

/// Whether somebody in front of the terminal agrees to lose everything.
async fn confirmed(park: &SmartPark, context: &Context) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let told = "reset removes every floor and event; say --yes to do it without being asked";
        return Err(Usage(told.to_owned()).into());
    }
    let stats = park.migrations().get_database_stats().await?;
    note(&format!(
        "This removes {} and {} of {}.\nType yes to go on:",
        count(stats.floors, "floor"),
        count(stats.events, "event"),
        shown_url(&context.settings.database),
    ));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

pub(super) async fn info(context: &Context) -> Outcome {
    let park = context.connect().await?;
    let info = Info {
        stats: park.migrations().get_database_stats().await?,
        tables: park.migrations().get_table_info().await?,
    };
    context.out.print(&info, || info_text(&info, context))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn info_text(info: &Info, context: &Context) -> String {
    let stats = &info.stats;
    let facts = [
        ("Database", shown_url(&context.settings.database).to_owned()),
        ("Schema version", stats.schema_version.to_string()),
        ("Size", indicatif::HumanBytes(stats.size_bytes).to_string()),
        ("Floors", stats.floors.to_string()),
        ("Events", stats.events.to_string()),
        ("Adjustments", stats.adjustments.to_string()),
        (
            "Retention horizon",
            stats.horizon.clone().unwrap_or_else(|| "none: history of any age is taken".into()),
        ),
    ];
    let facts: String = facts.map(|(name, value)| format!("{name:<18} {value}\n")).concat();
    let rows = info.tables.iter().map(|table| {
        let columns = table.columns.len().to_string();
        [table.name.clone(), table.rows.to_string(), columns, table.indexes.join("\n")]
    });
    format!("{facts}\n{}", table(&["Table", ">Rows", ">Columns", "Indexes"], rows))
}
