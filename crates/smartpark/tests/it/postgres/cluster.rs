//! A PostgreSQL of one test's own: it may be stopped, secured, followed and promoted.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// A server that is ended and removed when it is dropped.
pub(super) struct Cluster {
    folder: tempfile::TempDir,
    /// `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub(super) url: String,
}

impl Cluster {
    /// A new one.
    pub(super) fn start() -> Self {
        Self::with(&[])
    }

    /// A new one with these further lines of configuration.
    pub(super) fn with(lines: &[&str]) -> Self {
        Self::made(&["start"], lines)
    }

    /// A standby that follows this one by streaming.
    pub(super) fn standby(&self) -> Self {
        Self::made(&["standby"], &[self.folder().to_str().unwrap()])
    }

    fn made(before: &[&str], after: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = script(&[before, &[folder.path().to_str().unwrap()], after].concat());
        Self { folder, url: url.trim_end().to_owned() }
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `127.0.0.1:PORT`.
    pub(super) fn host(&self) -> &str {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split_once('/').unwrap().0
    }

    /// `crash` or `resume` it, or `secure` its connections.
    pub(super) fn make(&self, what: &str) {
        script(&[what, self.folder().to_str().unwrap()]);
    }

    /// Runs statements; returns the first value of the last row.
    pub(super) fn ask(&self, sql: &str) -> String {
        super::expect(&self.url, sql).unwrap_or_default()
    }

    /// Runs a statement again and again, until it says this. A standby may not have the table yet.
    pub(super) fn await_that(&self, sql: &str, says: &str) {
        while !super::ask(&self.url, sql).is_ok_and(|told| told.as_deref() == Some(says)) {}
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script(&["stop", self.folder().to_str().unwrap()]);
    }
}

/// Runs scripts/postgres, which must go well; returns what it printed.
fn script(args: &[&str]) -> String {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres")).args(args);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}
