//! A Mosquitto of one test's own, which may be stopped and brought back.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until it is so.
#[track_caller]
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// A broker on loopback; ended when it is dropped.
pub(super) struct Broker {
    folder: tempfile::TempDir,
    pub(super) port: u16,
    child: Option<Child>,
}

/// The programs of Mosquitto; Debian keeps the broker off the path of users.
fn program(name: &str) -> Command {
    let beside = Path::new("/usr/sbin").join(name);
    let mut command = if beside.exists() { Command::new(beside) } else { Command::new(name) };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Broker {
    /// A broker that keeps what it acknowledged.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let lines = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n\
             persistence_location {}/\nmax_queued_messages 100000\nuser {}\n",
            folder.path().display(),
            if nobody_else() { "root" } else { "mosquitto" }
        );
        fs::write(folder.path().join("mosquitto.conf"), lines).unwrap();
        let mut broker = Self { folder, port, child: None };
        broker.resume();
        broker
    }

    /// Ends it; it writes down what it has to keep.
    pub(super) fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        child.wait().unwrap();
    }

    /// Starts it again.
    pub(super) fn resume(&mut self) {
        let mut command = program("mosquitto");
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        self.child = Some(command.spawn().expect("mosquitto is installed (scripts/test does it)"));
        until("the broker answers", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn client(&self, name: &str) -> Command {
        let mut command = program(name);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    /// Publishes each line as a message with QoS 1, and again until the broker has taken all of
    /// them.
    pub(super) fn publish(&self, topic: &str, lines: &str) {
        until("the messages are published", || {
            // A broker that ends meanwhile leaves the publisher waiting.
            let mut command = Command::new("timeout");
            let port = self.port.to_string();
            command.args(["5", "mosquitto_pub", "-h", "127.0.0.1", "-p", &port]);
            command.args(["-q", "1", "-l", "-t", topic]).stdin(Stdio::piped());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(lines.as_bytes()).ok();
            child.wait().unwrap().success()
        });
    }

    /// Publishes one message, retained or not.
    pub(super) fn publish_one(&self, topic: &str, payload: &str, retained: bool) {
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic, "-m", payload]);
        if retained {
            command.arg("-r");
        }
        assert!(command.status().unwrap().success());
    }

    /// Publishes one message of any bytes.
    pub(super) fn publish_bytes(&self, topic: &str, payload: &[u8], retained: bool) {
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic, "-s"]).stdin(Stdio::piped());
        if retained {
            command.arg("-r");
        }
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(payload).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// The retained message on a topic; empty if there is none.
    pub(super) fn retained(&self, topic: &str) -> String {
        let mut command = self.client("mosquitto_sub");
        command.args(["-t", topic, "-C", "1", "-W", "1"]).stdout(Stdio::piped());
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Another client that takes this name and holds on to it.
    pub(super) fn take_name(&self, client_id: &str) -> Child {
        let mut command = self.client("mosquitto_sub");
        command.args(["-t", "nothing", "-i", client_id, "-c", "-q", "1"]).spawn().unwrap()
    }
}

/// Whether the tests run as root: then the broker would become somebody else, who may not write
/// here.
fn nobody_else() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0")
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
