//! Faults that the machine produces: the power goes, the disk fails, files are damaged, the
//! clock jumps. They are the embedded database's: PostgreSQL's files are its own affair. What a
//! machine cannot produce stands in the results, with the reason, and is never taken for tried.

mod calls;
mod clock;
mod disk;
mod files;
mod power;
mod replaced;
mod space;

use std::process::Command;

use serde_json::json;

use super::{
    journal::finding,
    load::Load,
    trial::{Size, Trial, add_result},
};
use crate::cli::Server;

/// What was produced, or why it cannot be here.
type Produced<T> = Result<T, String>;

/// Runs a scenario with every seed of the size.
fn every_seed(fault: &'static str, scenario: impl Fn(Size, u64) -> Produced<()>) {
    Size::each_seed(|size, seed| {
        if let Err(why) = scenario(size, seed) {
            eprintln!("not produced here: {fault}: {why}");
            let line = json!({
                "fault": fault, "engine": "SQLite", "size": size.name, "seed": seed,
                "not_produced": why,
            });
            add_result(size, &line);
        }
    });
}

/// Runs a program of the machine to its end.
fn run(program: &str, args: &[&str]) -> Produced<()> {
    let ran = Command::new(program).args(args).output();
    let ran = ran.map_err(|error| format!("{program}: {error}"))?;
    let told = String::from_utf8_lossy(&ran.stderr);
    if ran.status.success() { Ok(()) } else { Err(format!("{program}: {}", told.trim_end())) }
}

/// Waits until the server has ended by itself; none where it outlives the load.
fn until_ended(server: &mut Server, load: &Load) -> Option<(Option<i32>, String)> {
    loop {
        let over = load.is_over();
        let ended = server.ended();
        if ended.is_some() || over {
            return ended;
        }
        load.pause();
    }
}

/// Notes where a server did not end as one does whose disk failed: by itself, with an error that
/// it tells, and without a panic.
fn must_have_failed(trial: &Trial, ended: Option<(Option<i32>, String)>) {
    let fault = match ended {
        None => "the fault came and the server went on".to_owned(),
        Some((Some(1), log)) if log.contains("stopping: ") && !log.contains("panicked") => return,
        Some((code, log)) => format!("ended with {code:?}: {log}"),
    };
    trial.load.with(|journal| journal.findings.push(finding("contract", fault)));
}
