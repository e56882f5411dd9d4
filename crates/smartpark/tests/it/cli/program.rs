//! The program under test: one run of a command, or a server that runs until it is told to stop.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use serde_json::Value;

use crate::postgres::Schema;

/// A working directory of its own, removed at the end, and the database that commands there take.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
    url: String,
    _schema: Option<Schema>,
}

/// What a run of a command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The same, which must have gone well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended(0)
    }

    /// The same, which must have ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.out);
        parsed.unwrap_or_else(|fault| panic!("{fault}: {}\nerr: {}", self.out, self.err))
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/smartpark.db", directory.path().display());
        Self { directory, url, _schema: None }
    }

    /// One with a database and these floors.
    pub(crate) fn with_floors(floors: &[(&str, u32)]) -> Self {
        Self::new().add_floors(floors)
    }

    /// One with a schema of PostgreSQL and these floors.
    pub(crate) fn with_floors_in_postgres(floors: &[(&str, u32)]) -> Self {
        let schema = Schema::new();
        let folder = Self::on_database(&schema.url(), floors);
        Self { _schema: Some(schema), ..folder }
    }

    /// One with this database, which is given these floors.
    pub(crate) fn on_database(url: &str, floors: &[(&str, u32)]) -> Self {
        let folder = Self { url: url.to_owned(), ..Self::new() };
        folder.file("smartpark.toml", format!("database = {url:?}\n"));
        folder.add_floors(floors)
    }

    fn add_floors(self, floors: &[(&str, u32)]) -> Self {
        self.run(&["migrate"]).ok();
        for (name, slots) in floors {
            self.run(&["floors", "add", name, "--slots", &slots.to_string()]).ok();
        }
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The URL of the database that commands here take by default.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Writes a file; returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The names of the files here.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, to be started here, without settings from outside.
    pub(crate) fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpark"));
        command.args(args).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SMARTPARK_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Ran {
        self.run_with(args, b"")
    }

    /// Runs a command that reads `input`.
    pub(crate) fn run_with(&self, args: &[impl AsRef<OsStr>], input: &[u8]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            // A command that does not read all is no fault of the test.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        });
        ran(&output)
    }
}

/// What a command that has ended left.
pub(crate) fn ran(output: &std::process::Output) -> Ran {
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

/// The same command, started by a shell that does this first.
pub(crate) fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null()).stderr(Stdio::piped());
    shell
}

/// Sends a signal by its name.
pub(crate) fn signal(name: &str, to: &Child) {
    let id = to.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

/// A running server; killed where the test forgets it.
pub(crate) struct Server {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one on a free port and waits until it listens.
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut all = vec!["serve"];
        all.extend(args);
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        Self::spawn(folder.command(&all))
    }

    /// Starts what is meant to be one and waits until it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let before = log.len();
            if lines.read_line(&mut log).unwrap() == 0 {
                panic!("the server ended with {:?}:\n{log}", child.wait());
            }
            if let Some((_, url)) = log[before..].trim_end().split_once("listening on ") {
                break url.split('"').next().unwrap_or_default().to_owned();
            }
        };
        let log = Arc::new(Mutex::new(log));
        let more = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                more.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { child, url, log, reader: Some(reader) }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many files it has open.
    #[track_caller]
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// A number that the kernel tells of it: `Threads`, or `VmRSS` and others in KiB.
    #[track_caller]
    pub(crate) fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let of = |line: &str| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned);
        let value = status.lines().find_map(of).unwrap_or_else(|| panic!("no {name}: {status}"));
        value.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.child);
    }

    /// Tells it to stop and waits for it; returns its exit code and its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let code = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        (code, self.log())
    }

    /// How it ended, with its exit code and its log, where it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<(Option<i32>, String)> {
        let code = self.child.try_wait().unwrap()?.code();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        Some((code, self.log()))
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The answer to a GET: its status and its JSON.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let mut answer = agent().get(&url).call().unwrap();
        (answer.status().as_u16(), body(answer.body_mut()))
    }

    /// The answer to a POST of JSON.
    pub(crate) fn post(&self, path: &str, json: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let request = agent().post(&url).header("content-type", "application/json");
        let mut answer = request.send(json.to_string()).unwrap();
        (answer.status().as_u16(), body(answer.body_mut()))
    }
}

/// One connection, which takes every status for an answer.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

fn body(body: &mut ureq::Body) -> Value {
    let mut text = String::new();
    body.as_reader().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of one that has ended already there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
