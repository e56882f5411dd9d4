//! Whether the clock of this machine is trusted.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{Context, Outcome};
use crate::Error;

/// Tell whether this machine's clock is trusted, and accept it
///
/// A server does not trust its own clock if its database holds what was received later than now, or
/// if most cameras are ahead by minutes. Until that is settled it records no event without a
/// timestamp, no recount and no change of a floor: it answers 503, and cameras send again. Set the
/// clock first. If the clock is right and the database is not, accept the clock
///
/// Examples:
///   smartpark clock
///   smartpark clock accept
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<ClockCommand>,
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Say that the clock of this machine is right, whatever the database holds
    ///
    /// Example:
    ///   smartpark clock accept
    #[command(verbatim_doc_comment)]
    Accept,
}

#[derive(Serialize)]
struct ClockView {
    now: String,
    is_trusted: bool,
    why: Option<&'static str>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    if let Some(ClockCommand::Accept) = args.command {
        park.accept_clock().await?;
    }
    let why = match park.require_clock().await {
        Ok(()) => None,
        Err(Error::ClockDistrusted { why }) => Some(why),
        Err(error) => return Err(error.into()),
    };
    let view = ClockView { now: park.now().to_string(), is_trusted: why.is_none(), why };
    context.out.print(&view, || match why {
        None => format!("{}: the clock is trusted", view.now),
        Some(why) => format!("{}: the clock is not trusted: {why}", view.now),
    })?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}
