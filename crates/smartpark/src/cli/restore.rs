//! A backup in the place of the database.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use indicatif::HumanBytes;

use super::{
    Context, Outcome,
    check::faults,
    output::{count, note},
};
use crate::{Clock, RestoreStep, Restored, restore};

/// Put a backup in the place of the database
///
/// Run it after the server has stopped; it refuses beside a running server. It copies the backup,
/// brings the copy's tables up to this version, and proves it as `smartpark check` does. Then it
/// moves the old database aside, with its log, and puts the copy in place. The backup and the old
/// database are kept. For SQLite only: PostgreSQL has tools of its own (pg_restore)
///
/// Examples:
///   smartpark restore backup-2026-02-12.db
///   smartpark restore /backup/backup-2026-02-12.db --database sqlite:///var/lib/smartpark.db
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The backup: a file that `smartpark backup` or a server wrote, or a copy of the database of a
    /// server that had stopped, with the -wal file beside it if there was one
    file: PathBuf,
    /// Put it in place although the check finds faults. `smartpark check --repair` may mend them
    #[arg(long)]
    despite_faults: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let Args { file, despite_faults } = args;
    let database = &context.settings.database;
    let (shown, quiet) = (file.clone(), context.out.json);
    let told = move |step: RestoreStep| {
        if !quiet {
            tell(&step, &shown);
        }
    };
    let restored = restore(database, &file, despite_faults, Clock::system(), told).await?;
    context.out.print(&restored, || text(&restored))?;
    Ok(if restored.is_placed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says on standard error what is done.
fn tell(step: &RestoreStep, file: &Path) {
    let file = file.display();
    note(&match step {
        RestoreStep::Copied { bytes } => format!("Copied {file}: {}", HumanBytes(*bytes)),
        RestoreStep::Checked(report) if report.is_clean() => format!(
            "Checked the copy: all invariants hold for {} and {}",
            count(report.floors, "floor"),
            count(report.events, "event")
        ),
        RestoreStep::Checked(_) => "Checked the copy: it has faults".to_owned(),
        RestoreStep::MovedAside { from, to } => {
            format!("Moved the old {} to {}", from.display(), to.display())
        }
        RestoreStep::Placed { path } => format!("Put the copy in place: {}", path.display()),
        _ => return,
    });
}

fn text(restored: &Restored) -> String {
    let mut text = String::new();
    if !restored.report.is_clean() {
        text = format!("{}\n\n", faults(&restored.report));
    }
    if !restored.is_placed {
        text.push_str(
            "Nothing was changed. Restore another backup, or put this one in place with \
             --despite-faults and run `smartpark check --repair`",
        );
        return text;
    }
    match restored.newest_event_received_at {
        Some(at) => text.push_str(&format!(
            "Restored. The newest event was received at {at}: what came later is not in it.\n"
        )),
        None => text.push_str("Restored. There is no event in it.\n"),
    }
    text.push_str(
        "Next: start the server. Devices that keep their events send again what is missing; enter \
         recounts and changes of floors that were made later again",
    );
    if let Some(old) = &restored.old_database {
        let old = old.display();
        text.push_str(&format!(
            ".\nThe old database is {old}; delete it when you are sure (with {old}-wal, if there \
             is one)"
        ));
    }
    text
}
