//! A PostgreSQL of one test's own, which may be crashed and brought back.

use std::process::{Command, Output, Stdio};

/// A private server; ended and removed when it is dropped.
pub(crate) struct Database {
    folder: tempfile::TempDir,
    /// `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub(crate) url: String,
}

impl Database {
    /// One that keeps what it says it keeps, but does not wait for its disk by itself: each
    /// connection must ask for that.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            "fsync = on",
            "full_page_writes = on",
            "synchronous_commit = off",
            "recovery_init_sync_method = syncfs",
        ];
        let path = folder.path().to_str().unwrap();
        let told = script(&[&["start", path], &lines[..]].concat());
        let url = String::from_utf8(told.stdout).unwrap().trim_end().to_owned();
        Self { folder, url }
    }

    /// Its port on loopback.
    pub(crate) fn port(&self) -> u16 {
        let (_, rest) = self.url.rsplit_once(':').unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// The same database by way of another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        self.url.replace(&format!(":{}/", self.port()), &format!(":{port}/"))
    }

    /// Ends the server at once.
    pub(crate) fn crash(&self) {
        script(&["crash", self.path()]);
    }

    /// Starts it again on what is on the disk.
    pub(crate) fn resume(&self) {
        script(&["resume", self.path()]);
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        script(&["stop", self.path()]);
    }
}

/// Runs scripts/postgres, which must go well.
fn script(args: &[&str]) -> Output {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres")).args(args);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran
}
