//! The command that withdraws facts.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::{Context, Outcome, floors::find, output::table};
use crate::{
    NewWithdrawal, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    http::withdrawals::WithdrawalsView,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
};

/// Take back events and recounts that were wrong, or list what was withdrawn
///
/// Counts, statistics and history are then as if these facts had never been recorded. Name them by
/// their ids, by a stretch of time, or name an earlier withdrawal: its facts count again. What
/// arrives later counts, also the same events once more: so you can withdraw a wrong import and do
/// it again. Nothing before the retention horizon changes
///
/// Examples:
///   smartpark withdraw --list
///   smartpark withdraw --received-from 2026-02-12T10:00:00Z --received-to 2026-02-12T10:05:00Z \
///       --preview
///   smartpark withdraw --camera cam_001 --from 2026-02-12T08:00:00Z --to 2026-02-12T09:00:00Z \
///       --reason "the camera was turned" --author Kim
///   smartpark withdraw --event 4711 --event 4712 --reason "a shadow"
///   smartpark withdraw --withdrawal 17 --reason "it was right after all"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct WithdrawArgs {
    /// List withdrawals, the latest first
    #[arg(long, exclusive = true)]
    list: bool,
    /// An event by its id; may be given several times
    #[arg(long, value_name = "ID")]
    event: Vec<i64>,
    /// A recount, or a vehicle counted by hand, by the id that `smartpark changes --json` tells
    #[arg(long, value_name = "ID")]
    change: Vec<i64>,
    /// An earlier withdrawal: its facts count again
    #[arg(long, value_name = "ID")]
    withdrawal: Option<i64>,
    /// Only events of this camera
    #[arg(long, value_name = "CAMERA")]
    camera: Option<String>,
    /// Only events of this floor, by its id or name
    #[arg(long, value_name = "FLOOR")]
    floor: Option<String>,
    /// Events that cameras saw from this instant on
    #[arg(long, value_name = "INSTANT", requires = "to")]
    from: Option<Timestamp>,
    /// Events that cameras saw before this instant
    #[arg(long, value_name = "INSTANT", requires = "from")]
    to: Option<Timestamp>,
    /// Events that were received from this instant on
    #[arg(long, value_name = "INSTANT", requires = "received_to")]
    received_from: Option<Timestamp>,
    /// Events that were received before this instant
    #[arg(long, value_name = "INSTANT", requires = "received_from")]
    received_to: Option<Timestamp>,
    /// Tell what would happen, and change nothing
    #[arg(long)]
    preview: bool,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["preview", "list"])]
    reason: Option<String>,
    /// Who withdraws
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// A text that tells a repeat of this command from another withdrawal; drawn if absent
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
}

pub(super) async fn run(args: WithdrawArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    if args.list {
        list(&park, context).await?;
        park.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let floor_id = match &args.floor {
        Some(floor) => Some(find(&park, floor).await?.id),
        None => None,
    };
    let selection = WithdrawalSelection {
        events: args.event,
        changes: args.change,
        withdrawal: args.withdrawal,
        camera_id: args.camera,
        floor_id,
        start: args.from,
        end: args.to,
        received_start: args.received_from,
        received_end: args.received_to,
    };
    if args.preview {
        let effect = park.withdrawals().preview(selection).await?;
        context.out.print(&effect, || told(&effect, "would change"))?;
    } else {
        let key = match args.key {
            Some(key) => key,
            None => drawn()?,
        };
        let reason = args.reason.unwrap_or_default();
        let new = NewWithdrawal { selection, reason, author: args.author, key };
        let withdrawal = park.withdrawals().withdraw(new).await?;
        context.out.print(&withdrawal, || {
            let effect = told(&withdrawal.effect, "changed");
            format!("Withdrawal {}\n{effect}", withdrawal.id)
        })?;
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(park: &crate::SmartPark, context: &Context) -> anyhow::Result<()> {
    let limit = DEFAULT_PAGE_ROWS.min(MAX_PAGE_ROWS);
    let withdrawals = park.withdrawals().list(None, limit).await?;
    let rows: Vec<[String; 6]> = withdrawals.iter().map(row).collect();
    let heads = [">Id", "When", ">Events", ">Changes", "Who", "Why"];
    context.out.print(&WithdrawalsView::page(withdrawals, limit), || {
        if rows.is_empty() { "Nothing was withdrawn".to_owned() } else { table(&heads, rows) }
    })
}

fn row(withdrawal: &Withdrawal) -> [String; 6] {
    [
        withdrawal.id.to_string(),
        withdrawal.created_at.to_string(),
        withdrawal.effect.events.to_string(),
        withdrawal.effect.changes.to_string(),
        withdrawal.author.clone().unwrap_or_default(),
        withdrawal.reason.clone(),
    ]
}

/// What a withdrawal does, in words.
fn told(effect: &WithdrawalEffect, verb: &str) -> String {
    let WithdrawalEffect { events, changes, left, floors } = effect;
    let mut text = format!("Events: {events}, recounts and vehicles counted by hand: {changes}");
    if *left > 0 {
        text.push_str(&format!(
            "\n{left} are left as they are: gone, recorded anew, or before the retention horizon"
        ));
    }
    for floor in floors {
        text.push_str(&format!(
            "\nFloor {}: its count {verb} by {:+} to {}",
            floor.floor_id, floor.count_delta, floor.vehicles
        ));
    }
    text
}

/// A key that nobody else draws.
fn drawn() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("this machine gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
