//! A scenario: a database, the load, servers that come and go, the judgement at the end.
//!
//! ```ignore
//! let trial = Trial::new("kill -9", Engine::Sqlite, Folder::with_floors(&FLOORS), mixed);
//! let mut server = Some(trial.serve());
//! trial.load.run(|load| {
//!     load.wait_for_part(1, 2);
//!     server.take().unwrap().kill();
//!     server = Some(trial.serve());
//! });
//! trial.end(server.unwrap());
//! ```

use std::{
    env, fs,
    io::Write as _,
    path::PathBuf,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    facts::Facts,
    journal::{Finding, finding},
    judge::{self, Usage},
    load::{Load, Post},
    raw,
};
use crate::{
    cli::{Folder, Server, client::Client, garage::Random},
    servers::cars::FLOORS,
};

/// How long after a fault has healed the service must be ready by itself (I18).
const READY: Duration = Duration::from_secs(10);

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Cars that are sent in a run.
    pub(crate) cars: usize,
    /// How often a fault is repeated in a run.
    pub(crate) faults: usize,
    /// Runs, each with a seed of its own.
    pub(crate) runs: u64,
}

impl Size {
    /// Runs a scenario with every seed of the size that is chosen.
    pub(crate) fn each_seed(run: impl Fn(Self, u64)) {
        let size = Self::chosen();
        (1..=size.runs).for_each(|seed| run(size, seed));
    }

    /// What `SMARTPARK_FAULTS` says.
    fn chosen() -> Self {
        match env::var("SMARTPARK_FAULTS").as_deref() {
            Err(_) | Ok("" | "ci") => Self { name: "ci", cars: 2_500, faults: 4, runs: 1 },
            Ok("nightly") => Self { name: "nightly", cars: 20_000, faults: 12, runs: 3 },
            Ok("release") => Self { name: "release", cars: 60_000, faults: 30, runs: 40 },
            Ok(other) => panic!("SMARTPARK_FAULTS is ci, nightly or release, not {other:?}"),
        }
    }
}

/// The databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// A folder with the floors of every run.
    pub(crate) fn folder(self) -> Folder {
        match self {
            Self::Sqlite => Folder::with_floors(&FLOORS),
            Self::Postgres => Folder::with_floors_in_postgres(&FLOORS),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// One run of a scenario.
pub(crate) struct Trial {
    name: &'static str,
    engine: Engine,
    seed: u64,
    size: Size,
    pub(crate) folder: Folder,
    pub(crate) load: Load,
    /// The URL by which servers reach the database.
    pub(crate) url: String,
    /// What the servers' environment says beside.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What the last server used when it had just begun, and the events that were stored then.
    begun: Mutex<(Usage, i64)>,
}

impl Trial {
    /// One on this folder's database, whose load is made by `posts`.
    pub(crate) fn new(
        (name, engine): (&'static str, Engine),
        folder: Folder,
        (size, seed): (Size, u64),
        posts: impl FnOnce(&Facts, &mut Random) -> Vec<Post>,
    ) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let facts = Facts::new(size.cars, &mut random);
        let posts = posts(&facts, &mut random);
        folder.run(&["floors", "set", FLOORS[FLOORS.len() - 1].0, "--active", "false"]).ok();
        let key = folder.run(&["key", "add", "faults", "--role", "admin"]).ok();
        let load = Load::new(facts, posts, key.out.trim_end().to_owned());
        let url = folder.url().to_owned();
        let (environment, begun) = (Vec::new(), Mutex::default());
        Self { name, engine, seed, size, folder, load, url, environment, begun }
    }

    /// The command that serves.
    pub(crate) fn command(&self) -> Command {
        let args = ["serve", "--listen", "127.0.0.1:0", "--database", &self.url];
        let mut command = self.folder.command(&args);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a server; all is sent there from now on.
    pub(crate) fn serve(&self) -> Server {
        let server = Server::spawn(self.command());
        *self.begun.lock().unwrap() = (Usage::of(&server), raw::summed(self.folder.url()));
        self.load.aim(&server.url);
        server
    }

    /// The first server, with the cars of long ago, which are forgotten while the load goes on.
    pub(crate) fn begin(&self) -> Server {
        let server = self.serve();
        self.load.send_old();
        server
    }

    /// Forgets the cars of long ago. Counts and statistics must not move.
    pub(crate) fn forget(&self) {
        let client = Client::new(Some(&self.load.key));
        let old = || {
            let (first, last) = (self.load.facts.cars[0].at, self.load.facts.horizon());
            let path = format!("/statistics?start={first}&end={last}");
            client.get(&self.load.url(&path)).map(|answer| answer.body)
        };
        let before = old();
        self.note_horizon();
        let now = smartpark::Clock::system().now();
        let hours = now.duration_since(self.load.facts.horizon()).as_hours();
        // Whoever keeps more days afterwards brings nothing back.
        for days in [hours / 24, hours / 24 + 30] {
            let url = self.load.url(&format!("/events?older_than_days={days}"));
            client.send("DELETE", &url, None);
            self.note_horizon();
        }
        let after = old();
        if before != after {
            let told = format!("statistics before cleanup {before:?}, after {after:?}");
            self.load.with(|journal| journal.findings.push(finding("I16", told)));
        }
    }

    /// Notes where the horizon is.
    pub(crate) fn note_horizon(&self) {
        let horizon = raw::horizon(self.folder.url());
        self.load.with(|journal| journal.horizons.push(horizon));
    }

    /// Waits until the server is ready, which must be soon.
    pub(crate) fn healed(&self) {
        let client = Client::new(Some(&self.load.key));
        let deadline = Instant::now() + READY;
        let ready =
            || client.get(&self.load.url("/health/ready")).is_some_and(|it| it.status == 200);
        while !ready() {
            if Instant::now() > deadline {
                let told = finding("I18", "not ready ten seconds after the fault was healed");
                // The load would wait for it for ever.
                return self.load.with(|journal| {
                    journal.given_up = true;
                    journal.findings.push(told);
                });
            }
            self.load.pause();
        }
    }

    /// Judges everything, stops the server, and notes the result.
    pub(crate) fn judge(&self, server: Server) -> Vec<Finding> {
        self.healed();
        self.note_horizon();
        let begun = *self.begun.lock().unwrap();
        let mut findings = judge::all(self, &server, begun);
        let (code, log) = server.stop();
        findings.extend(judge::ended(&self.load.key, code, &log));
        self.note(&findings);
        findings
    }

    /// [`Trial::judge`] where nothing may be found.
    pub(crate) fn end(&self, server: Server) {
        let findings = self.judge(server);
        let (seed, name) = (self.seed, self.name);
        let shown: Vec<_> = findings.iter().take(12).collect();
        assert!(findings.is_empty(), "{name}, seed {seed}: {}: {shown:#?}", findings.len());
    }

    /// Adds a line to the results, for docs/reliability.md.
    fn note(&self, findings: &[Finding]) {
        let lost = findings.iter().filter(|it| it.invariant == "I1").count();
        let line = self.load.with(|journal| {
            let unknown: u32 = journal.told.iter().map(|told| told.unknown).sum();
            json!({
                "fault": self.name, "engine": self.engine.name(), "size": self.size.name,
                "seed": self.seed, "acknowledged": journal.acknowledged, "unknown": unknown,
                "reads": journal.reads.len(), "lost": lost, "findings": findings.len(),
            })
        });
        add_result(self.size, &line);
    }
}

/// Adds a line to the results of this size.
pub(crate) fn add_result(size: Size, line: &Value) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/faults");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{}.jsonl", size.name));
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

/// Makes of each function two tests, one for each engine, and runs it with every seed of the size.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* fn $name:ident($engine:ident, $size:ident, $seed:ident) $body:block)*) => {
        $($(#[$meta])* fn $name(
            $engine: $crate::faults::trial::Engine,
            $size: $crate::faults::trial::Size,
            $seed: u64,
        ) $body

        mod $name {
            use $crate::faults::trial::{Engine, Size};

            fn run(engine: Engine) {
                Size::each_seed(|size, seed| super::$name(engine, size, seed));
            }

            #[test]
            fn sqlite() {
                run(Engine::Sqlite);
            }

            #[test]
            fn postgres() {
                run(Engine::Postgres);
            }
        })*
    };
}
pub(crate) use on_both_engines;
