//! What a server tells Prometheus, read as Prometheus reads it.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

/// The series by name and labels, as they are written, and their values.
#[derive(Clone, Debug)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// The series in a text. Each stands there once.
    pub(crate) fn of(text: &str) -> Self {
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            let value = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
            assert_eq!(series.insert(name.to_owned(), value), None, "{line:?}");
        }
        Self(series)
    }

    /// A series that is there.
    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.get(series).unwrap_or_else(|| panic!("{series} is not in {self:#?}"))
    }

    /// A series, if it is there.
    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The series of a family.
    pub(crate) fn family(&self, name: &str) -> Vec<(&str, f64)> {
        let of = |series: &str| {
            series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0.iter().filter(|(s, _)| of(s)).map(|(s, value)| (s.as_str(), *value)).collect()
    }

    /// The sum of a family.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.family(name).iter().map(|(_, value)| value).sum()
    }
}

/// Lets Prometheus' own tool judge something. It comes with Debian's package `prometheus`, which
/// `scripts/test` installs.
#[track_caller]
pub(crate) fn promtool(args: &[&str], input: &str) {
    let mut tool = Command::new("promtool");
    tool.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = tool.spawn().expect("promtool, of Debian's package prometheus");
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = running.wait_with_output().unwrap();
    let told = [ended.stdout, ended.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(ended.status.success(), "{told}\n{input}");
}
