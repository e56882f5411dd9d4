//! The real server as a child process.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use smartpark_client::{Crossing, Direction, FloorRef};

/// Camera, track, floor and direction of an event.
pub(crate) type Key = (String, String, i64, String);

/// The program: the one that SMARTPARK_PROGRAM names, or the workspace's own, built if it is
/// missing.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("SMARTPARK_PROGRAM") {
        return program.into();
    }
    let test = env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("smartpark");
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "smartpark", "--bin", "smartpark"]);
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    }
    program
}

/// A server with a database in a folder. It keeps its port over restarts.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    pub(crate) url: String,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { folder: folder.to_owned(), port, url, child: None };
        server.run();
        server
    }

    /// Starts it and waits until it listens.
    pub(crate) fn run(&mut self) {
        let database = format!("sqlite://{}", self.folder.join("park.db").display());
        let mut command = Command::new(program());
        command.args(["serve", "--seed", "floors", "--database", &database, "--listen"]);
        command.arg(format!("127.0.0.1:{}", self.port)).current_dir(&self.folder);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("listening on ") {
            assert_ne!(lines.read_line(&mut log).unwrap(), 0, "the server ended:\n{log}");
        }
        // Read on, so that the server does not wait for the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        self.child = Some(child);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Copies the database of a server that was killed.
    pub(crate) fn back_up(&self) {
        fs::remove_dir_all(self.folder.join("backup")).ok();
        fs::create_dir(self.folder.join("backup")).unwrap();
        for name in self.files() {
            fs::copy(self.folder.join(&name), self.folder.join("backup").join(&name)).unwrap();
        }
    }

    /// Goes back to the copy.
    pub(crate) fn restore(&self) {
        for name in self.files() {
            fs::remove_file(self.folder.join(name)).unwrap();
        }
        for entry in fs::read_dir(self.folder.join("backup")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.folder.join(entry.file_name())).unwrap();
        }
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        names.filter(|name| name.starts_with("park.db")).collect()
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(format!("{}{path}", self.url)).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// When the newest floor was made, in microseconds since 1970.
    pub(crate) fn newest(&self) -> i64 {
        let floors = self.get("/floors?include_inactive=true");
        let floors = floors["floors"].as_array().unwrap().iter();
        let made = floors.map(|floor| floor["created_at"].as_str().unwrap().parse().unwrap());
        made.map(|at: smartpark_client::Timestamp| at.as_microsecond()).max().unwrap()
    }

    /// All events.
    pub(crate) fn events(&self) -> Vec<Key> {
        let events = self.get("/events?limit=1000");
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let key = |event: &Value| {
            let floor = event["floor_id"].as_i64().unwrap();
            (text(event, "camera_id"), text(event, "track_id"), floor, text(event, "direction"))
        };
        events["events"].as_array().unwrap().iter().map(key).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The events that a crossing makes.
pub(crate) fn crossing_keys(crossing: &Crossing, names: &[(&str, i64)]) -> Vec<Key> {
    let id = |floor: &FloorRef| match floor {
        FloorRef::Id(id) => *id,
        FloorRef::Name(name) => names.iter().find(|(known, _)| known == name).unwrap().1,
    };
    let key = |floor: &FloorRef, direction: Direction| {
        let direction = direction.as_str().to_owned();
        (crossing.camera_id.clone(), crossing.track_id.clone(), id(floor), direction)
    };
    let opposite = match crossing.direction {
        Direction::Entry => Direction::Exit,
        Direction::Exit => Direction::Entry,
    };
    let from = crossing.from.iter().map(|from| key(from, opposite));
    std::iter::once(key(&crossing.floor, crossing.direction)).chain(from).collect()
}
