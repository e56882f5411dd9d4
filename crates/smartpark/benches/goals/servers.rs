//! The processes that are measured: the real program, the limit, the peer. None outlives the
//! benchmark, unless that is killed itself.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{load, machine};

/// The program, as it was built for this run.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_smartpark");
/// How long a server may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);

/// A server in a process of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// `smartpark serve` on this database.
    pub(crate) fn smartpark(database: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--seed", "floors"]);
        command.args(["--database", database]).env("RUST_BACKTRACE", "1");
        Self::start(command)
    }

    /// Starts a server that says on standard error where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut lines = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it did not start: {said:#?}") };
            let told = line.split_once("http://").map(|(_, rest)| rest);
            let told = told.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            said.push(line);
            if let Some(address) = told {
                break address;
            }
        };
        // Its complaints are shown; and a pipe that nobody empties would stop it.
        std::thread::spawn(move || {
            let said = lines.map_while(Result::ok).filter(|line| !line.contains("INFO"));
            said.for_each(|line| eprintln!("{line}"));
        });
        Self { child, address }
    }

    /// Waits until it says that it is ready.
    pub(crate) fn ready(self) -> Self {
        let begin = Instant::now();
        while let Err(error) = load::get(self.address, "/health/ready") {
            assert!(begin.elapsed() < PATIENCE, "it does not become ready: {error}");
            std::thread::sleep(PAUSE);
        }
        self
    }

    /// A size that the kernel tells of it (`VmRSS`, `VmHWM`), in bytes.
    pub(crate) fn memory(&self, field: &str) -> f64 {
        machine::memory(self.child.id(), field).unwrap_or(f64::NAN)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        terminate(&self.child);
        let status = self.child.wait().expect("it is a child");
        assert!(status.success(), "the server ended with {status}");
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is a child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The peer has children of its own, which a kill would leave behind.
        if let Ok(None) = self.child.try_wait() {
            terminate(&self.child);
            let begin = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < PATIENCE {
                std::thread::sleep(PAUSE);
            }
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().ok();
}

/// The URL of an embedded database in a folder.
pub(crate) fn sqlite(folder: &Path, name: &str) -> String {
    format!("sqlite://{}/{name}.db", folder.display())
}

/// Runs the program on a database; what it prints, as JSON.
pub(crate) fn run(database: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(PROGRAM);
    let output = command.args(arguments).args(["--json", "--database", database]).output();
    let output = output.expect("the program can be started");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} on {database}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// Proves that a database holds what was sent, each event once, and that all invariants hold.
pub(crate) fn prove(database: &str, sent: u64) {
    run(database, &["check"]);
    prove_rows(database, sent);
}

/// Proves that a database holds as many events as were sent.
pub(crate) fn prove_rows(database: &str, sent: u64) {
    let events = run(database, &["info"])["events"].as_u64();
    assert_eq!(events, Some(sent), "{database} does not hold what was sent");
}
