//! A site moves to another database.

use std::process::ExitCode;

use indicatif::{HumanCount, ProgressBar};
use serde::Serialize;

use super::{
    Context, Outcome,
    output::{bar, count, note, shown_url},
    signals::StopSignals,
};
use crate::{
    Error, SmartPark,
    config::database_url,
    copy::{Copied, Progress},
};

/// Copy a whole site to another database, from SQLite to PostgreSQL or any other way
///
/// All that is known goes over: floors, events with their ids and the answers that were given,
/// adjustments, statistics also of events that were cleaned up, the retention horizon. The target
/// is created where it is missing, and must be empty, or an earlier copy of the same source that
/// nobody wrote to since. At the end it is checked, and compared with
/// the source
///
/// A copy that was interrupted is started again with the same command and goes on. Until it is
/// finished nobody can use the target: let no server run on it
///
/// The source is only read, and servers may go on writing to it. But the copy is finished only
/// when the source stands still: to move a site, copy it once beside the running servers, stop
/// them, and copy again, which only carries over what is new. Then start servers on the target.
/// Those who watch the live stream are told to load anew
///
/// Examples:
///   smartpark copy --from sqlite://smartpark.db --to postgres://user:password@host/database
///   smartpark copy --from "$SMARTPARK_DATABASE" --to sqlite://copy.db --json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The database to copy: a file or a URL
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to copy it to
    #[arg(long, value_name = "URL")]
    to: String,
}

#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    copied: &'a Copied,
    finished: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let mut signals = StopSignals::catch()?;
    let bar = bar(Some(0), "{bar:30} {percent:>3} %, {msg}");
    let args = Args { from: database_url(args.from), to: database_url(args.to) };
    let copy = SmartPark::copy(&args.from, &args.to, context.options(), |progress| {
        show(&bar, progress);
    });
    let copied = tokio::select! {
        copied = copy => copied,
        signal = signals.wait() => {
            bar.finish_and_clear();
            note(&format!("{signal}: not finished; the same command goes on from here"));
            return Ok(ExitCode::FAILURE);
        }
    };
    bar.finish_and_clear();
    let copied = copied.map_err(|fault| match fault {
        Error::NotEmpty => anyhow::anyhow!(
            "{} holds floors already; a copy needs an empty database, or a finished copy of the \
             same source that nobody wrote to since",
            shown_url(&args.to)
        ),
        other => other.into(),
    })?;
    let view = View { copied: &copied, finished: copied.is_finished() };
    context.out.print(&view, || text(&copied, &args))?;
    Ok(if copied.is_finished() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Events { done, all } => {
            bar.set_length(all);
            bar.set_position(done);
            let (done, all) = (HumanCount(done), HumanCount(all));
            bar.set_message(format!("{done} of {all} events"));
        }
        Progress::Deriving => bar.set_message("building counts and statistics"),
        Progress::Checking => bar.set_message("checking the copy"),
    }
    bar.tick();
}

fn text(copied: &Copied, args: &Args) -> String {
    let held = format!(
        "{}, {} and {}",
        count(copied.floors, "floor"),
        count(copied.events, "event"),
        count(copied.adjustments, "adjustment"),
    );
    let target = shown_url(&args.to);
    if copied.is_finished() {
        return format!(
            "{target} now holds all of the site: {held} ({} carried over by this run); every \
             invariant holds",
            copied.written
        );
    }
    if !copied.complete {
        return format!(
            "Not finished: the source was written to all the time. {target} holds {held}; stop \
             what writes to the source, and copy again to carry over the rest"
        );
    }
    let found: String = copied
        .check
        .violations
        .iter()
        .map(|it| format!("\n{}  {}", it.invariant, it.detail))
        .collect();
    format!(
        "Not finished: {target} holds all of the site ({held}), but not every invariant holds. \
         Mend the source with `smartpark check --repair`, and copy again{found}"
    )
}
