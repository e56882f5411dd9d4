//! What the command line of the benchmark says.

use std::path::{Path, PathBuf};

/// Printed for `--help`, and where an argument is not understood.
const HELP: &str = "cargo bench --bench goals -- [OPTION...]

  --only GROUP      only this group; can be repeated
  --rounds N        interleaved rounds of each comparison [5]
  --seconds N       how long each side of a round is measured [3]
  --rows N          events of the largest database [10000000]
  --quick           seconds instead of minutes, for a look whether all of it runs
  --print           no run: the table of the results that lie in target/bench
  --docs            write the table and the chart into docs/, too

Groups: ";

/// What is to be run, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) only: Vec<String>,
    pub(crate) rounds: usize,
    /// How long one side of a round is measured, in seconds.
    pub(crate) seconds: f64,
    /// Events of the largest database.
    pub(crate) rows: u64,
    /// Rows of a file to import.
    pub(crate) import_rows: u64,
    /// Old events that a cleanup deletes.
    pub(crate) cleanup_rows: u64,
    /// Clients that watch the live stream.
    pub(crate) watchers: usize,
    /// Events of the floor on which the fold is measured.
    pub(crate) fold_events: i64,
    pub(crate) quick: bool,
    pub(crate) print_only: bool,
    pub(crate) docs: bool,
}

impl Options {
    /// Reads the arguments; without `--bench`, which `cargo bench` passes, it is a quick look.
    pub(crate) fn read(groups: &[&str]) -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        let quick = has("--quick") || has("--test") || !has("--bench") && !has("--print");
        let mut options = if quick { Self::quick() } else { Self::whole() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--quick" | "--test" | "--bench" => {}
                "--print" => options.print_only = true,
                "--docs" => options.docs = true,
                "--only" => options.only.push(value()?.clone()),
                "--rounds" => options.rounds = number::<usize>(value()?)?.max(1),
                "--seconds" => options.seconds = number(value()?)?,
                "--rows" => options.rows = number(value()?)?,
                _ => return Err(format!("{HELP}{}", groups.join(", "))),
            }
        }
        if let Some(unknown) = options.only.iter().find(|name| !groups.contains(&name.as_str())) {
            return Err(format!("no group {unknown}; the groups are {}", groups.join(", ")));
        }
        Ok(options)
    }

    fn whole() -> Self {
        Self {
            only: Vec::new(),
            rounds: 5,
            seconds: 3.0,
            rows: 10_000_000,
            import_rows: 1_000_000,
            cleanup_rows: 1_000_000,
            watchers: 1_000,
            fold_events: 1_000_000,
            quick: false,
            print_only: false,
            docs: false,
        }
    }

    fn quick() -> Self {
        Self {
            rounds: 1,
            seconds: 0.1,
            rows: 10_000,
            import_rows: 5_000,
            cleanup_rows: 5_000,
            watchers: 20,
            fold_events: 24_000,
            quick: true,
            ..Self::whole()
        }
    }

    /// Where results lie. Those of a quick look are kept apart: they say nothing.
    pub(crate) fn results(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in target");
        target.join(if self.quick { "bench/quick" } else { "bench" })
    }

    /// A folder for databases, on the disk that the target folder is on. Removed when dropped.
    pub(crate) fn folder(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written")
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}
