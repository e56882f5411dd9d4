//! Faults at the k-th call to the kernel, put there by strace: kill -9 and failures of the disk.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
};

use super::{every_seed, must_have_failed, run, until_ended};
use crate::{
    cli::{Server, garage::Random, program::signal},
    faults::{
        journal::finding,
        load::mixed,
        trial::{Engine, Size, Trial},
    },
};

/// SQLite calls the one or the other, as it was built.
const SYNC: &str = "fsync,fdatasync";
const WRITE: &str = "pwrite64";

/// A strace that is attached to a server.
struct Tracer {
    child: Child,
    /// Open for as long as it runs, or it would end.
    _told: BufReader<ChildStderr>,
}

impl Tracer {
    /// Attaches one that does this to one of these calls, of whichever thread.
    fn attach(server: &Server, calls: &str, fault: &str) -> Self {
        let (id, trace) = (server.id().to_string(), format!("trace={calls}"));
        let inject = format!("inject={calls}:{fault}");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject, "-p", &id]);
        let mut child = strace.stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        assert!(line.contains("attached"), "{line}");
        Self { child, _told: told }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It ends with the server; where that goes on, it must let go of it first.
        if let Ok(None) = self.child.try_wait() {
            signal("TERM", &self.child);
        }
        let _ = self.child.wait();
    }
}

/// Some faults, each at one of the next `furthest` calls.
fn at_calls(
    name: &'static str,
    (calls, fault, furthest): (&str, &str, usize),
    (size, seed): (Size, u64),
) -> super::Produced<()> {
    run("strace", &["-f", "-o", "/dev/null", "-e", "trace=fsync", "true"])?;
    let folder = Engine::Sqlite.folder();
    let trial = Trial::new((name, Engine::Sqlite), folder, (size, seed), mixed);
    let mut server = Some(trial.begin());
    let mut random = Random(seed + 3);
    trial.load.run(|load| {
        for number in 1..=size.faults {
            load.wait_for_part(number - 1, size.faults);
            let place = 1 + random.below(furthest);
            let mut struck = server.take().unwrap();
            let fault = format!("{fault}:when={place}");
            let tracer = Tracer::attach(&struck, calls, &fault);
            let ended = until_ended(&mut struck, load);
            drop((tracer, struck));
            if !fault.starts_with("signal") {
                must_have_failed(&trial, ended);
            } else if !matches!(ended, Some((None, _))) {
                let told = format!("it was to be killed at {calls} {place}: {ended:?}");
                load.with(|journal| journal.findings.push(finding("contract", told)));
            }
            server = Some(trial.serve());
            trial.healed();
        }
    });
    trial.end(server.unwrap());
    Ok(())
}

#[test]
fn killed_at_a_sync() {
    const NAME: &str = "kill -9 at the k-th sync";
    every_seed(NAME, |size, seed| at_calls(NAME, (SYNC, "signal=SIGKILL", 20), (size, seed)));
}

#[test]
fn killed_at_a_write() {
    const NAME: &str = "kill -9 at the k-th write";
    every_seed(NAME, |size, seed| at_calls(NAME, (WRITE, "signal=SIGKILL", 400), (size, seed)));
}

// One failure, and then the disk does as it is told: the worst case, since what the kernel dropped
// then is asked for no more. It may be one of a commit or of a checkpoint.

#[test]
fn a_sync_fails() {
    const NAME: &str = "EIO at the k-th sync";
    every_seed(NAME, |size, seed| at_calls(NAME, (SYNC, "error=EIO", 20), (size, seed)));
}

#[test]
fn a_write_fails() {
    const NAME: &str = "EIO at the k-th write";
    every_seed(NAME, |size, seed| at_calls(NAME, (WRITE, "error=EIO", 400), (size, seed)));
}
