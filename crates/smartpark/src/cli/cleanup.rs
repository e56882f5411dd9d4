//! The command that deletes old events, and puts a horizon right.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{Context, Outcome, output::count};
use crate::{
    Cleanup, HorizonRepair, SmartPark, Timestamp, http::views::CleanupView,
    limits::MAX_RETENTION_DAYS,
};

/// Delete old events. Counts and statistics stay as they are
///
/// Events older than this are refused from then on, because whether they are repeats can no
/// longer be known. Safe beside a running server
///
/// An age goes by this machine's clock. An instant depends on no clock: without --yes the command
/// only tells how many events it would delete
///
/// If a cleanup went by a clock that was wrong, the horizon lies in the future, and events of now
/// are refused. --repair moves it back to just behind the last event or change that was forgotten.
/// It deletes nothing, brings nothing back, and changes no count. Set the clock first
///
/// Examples:
///   smartpark cleanup --older-than-days 30
///   smartpark cleanup --before 2026-10-01T00:00:00Z --yes
///   smartpark cleanup --repair
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CleanupArgs {
    /// Delete events older than this many days
    #[arg(long, value_name = "N", required_unless_present_any = ["before", "repair"])]
    older_than_days: Option<u32>,
    /// Delete events before this instant
    #[arg(long, value_name = "INSTANT", conflicts_with = "older_than_days")]
    before: Option<Timestamp>,
    /// Delete them, rather than tell how many there are
    #[arg(long, requires = "before")]
    yes: bool,
    /// Delete nothing: put a horizon right that lies in the future
    #[arg(long, conflicts_with_all = ["older_than_days", "before"])]
    repair: bool,
}

#[derive(Serialize)]
struct WouldDelete {
    events: u64,
    before: String,
}

#[derive(Serialize)]
struct RepairView {
    horizon_before: Timestamp,
    horizon: Option<Timestamp>,
}

pub(super) async fn run(args: CleanupArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let days = args.older_than_days.unwrap_or(MAX_RETENTION_DAYS);
    match args.before {
        _ if args.repair => told_of_repair(park.events().repair_horizon().await?, &park, context)?,
        Some(before) if args.yes => {
            told(park.events().cleanup_events_before(before).await?, context)?;
        }
        Some(before) => would_delete(before, &park, context).await?,
        None => told(park.events().cleanup_old_events(days).await?, context)?,
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn told(done: Cleanup, context: &Context) -> anyhow::Result<()> {
    let view = CleanupView::from(done);
    context.out.print(&view, || {
        let deleted = format!("Deleted {}", count(done.deleted, "event"));
        match done.horizon {
            Some(horizon) => format!("{deleted}; events before {horizon} are refused from now on"),
            None => deleted,
        }
    })
}

async fn would_delete(
    before: Timestamp,
    park: &SmartPark,
    context: &Context,
) -> anyhow::Result<()> {
    let counted = park.events().get_event_statistics_between(Timestamp::MIN, before, None);
    let events = counted.await?.total_events;
    let would = WouldDelete { events, before: before.to_string() };
    context.out.print(&would, || {
        let what = count(events, "event");
        format!("{what} before {before} would be deleted; add --yes to delete them")
    })
}

fn told_of_repair(
    HorizonRepair { from, to }: HorizonRepair,
    park: &SmartPark,
    context: &Context,
) -> anyhow::Result<()> {
    let view = RepairView { horizon_before: from, horizon: to };
    context.out.print(&view, || match to {
        None => format!("The horizon was {from}; nothing was forgotten, so there is none now"),
        Some(to) if to > park.now() => format!(
            "The horizon was {from}; what was forgotten reaches into the future, so events before \
             {to} are still refused"
        ),
        Some(to) => format!("The horizon was {from}; only events before {to} are refused now"),
    })
}
