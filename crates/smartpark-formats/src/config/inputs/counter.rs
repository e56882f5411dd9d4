//! `[camera.counter]`: any device with a number that runs on, or with one number an interval.

use std::time::Duration;

use super::super::{
    table::Table,
    values::{duration, one_of, pointer, topic_filter},
};
use crate::{Direction, input::matches, limits::MAX_WRAPS_AT};

/// How running numbers become vehicles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterRules {
    /// After `wraps_at` − 1 comes 0; never if `None`.
    pub wraps_at: Option<u64>,
    /// More in a minute is a fault of the device, not traffic; no bound if `None`.
    pub max_per_minute: Option<u64>,
    /// Whether the first reading counts all that it shows.
    pub first_counts: bool,
    /// Units are dated at the end of the period of this length in which the reading lies; at the
    /// reading itself if `None`.
    pub period: Option<Duration>,
}

impl CounterRules {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let first = [("baseline", false), ("zero", true)];
        Self {
            wraps_at: table.whole("wraps_at", 2..=MAX_WRAPS_AT),
            max_per_minute: table.whole("max_per_minute", 1..=100_000),
            first_counts: table.parsed("first", |text| one_of(text, &first)).unwrap_or(false),
            period: table.parsed("period", |text| match duration(text)? {
                length if (1..=3_600).contains(&length.as_secs()) => Ok(length),
                _ => Err("must be a length from 1s to 1h".to_owned()),
            }),
        }
    }
}

/// What a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterKind {
    /// It runs on since its last reset.
    Total,
    /// It is what came within one interval.
    Interval,
}

/// Where the numbers stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// The number of entries: its topic, if it has one of its own, and its JSON Pointer.
    pub entry: Option<(Option<String>, String)>,
    /// The number of exits.
    pub exit: Option<(Option<String>, String)>,
    /// The time; the time of arrival if `None`.
    pub time: Option<String>,
    /// The beginning of the interval.
    pub start: Option<String>,
    /// A value that changes with each reset.
    pub epoch: Option<String>,
}

impl Pointers {
    /// The pointers that hold for a message of this topic.
    pub(crate) fn of(&self, topic: Option<&str>) -> impl Iterator<Item = (Direction, &str)> {
        let ways = [(Direction::Entry, &self.entry), (Direction::Exit, &self.exit)];
        ways.into_iter().filter_map(move |(direction, way)| {
            let (own, pointer) = way.as_ref()?;
            let fits = match (own, topic) {
                (Some(filter), Some(topic)) => matches(filter, topic),
                _ => true,
            };
            fits.then_some((direction, pointer.as_str()))
        })
    }

    /// The pointer of one direction.
    pub(crate) fn pointer(&self, direction: Direction) -> Option<&str> {
        let way = match direction {
            Direction::Entry => &self.entry,
            Direction::Exit => &self.exit,
        };
        way.as_ref().map(|(_, pointer)| pointer.as_str())
    }

    fn read(table: &Table<'_, '_>) -> Self {
        let pointers = Self {
            entry: way(table, "entry"),
            exit: way(table, "exit"),
            time: table.parsed("time", pointer),
            start: table.parsed("start", pointer),
            epoch: table.parsed("epoch", pointer),
        };
        if !table.has("entry") && !table.has("exit") {
            let detail = "name the JSON Pointer of the number of entries, of exits, or of both";
            table.fault("entry", detail);
        }
        pointers
    }
}

/// A pointer, or a table of a topic and a pointer if each direction is a device of its own.
fn way(table: &Table<'_, '_>, key: &str) -> Option<(Option<String>, String)> {
    if !table.is_table(key) {
        return table.parsed(key, pointer).map(|pointer| (None, pointer));
    }
    let inner = table.table(key)?;
    inner.require("topic");
    let topic = inner.parsed("topic", topic_filter);
    let value = inner.parsed("value", pointer).unwrap_or_default();
    inner.finish();
    Some((topic, value))
}

/// Readings that a device stored and sends later, as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Where the list stands.
    pub list: String,
    /// Where the numbers stand in each of its items.
    pub pointers: Pointers,
}

/// `[camera.counter]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The name that its tracks begin with.
    pub name: String,
    /// The topic of its messages; `None` if they come by HTTP, or if each direction has its own.
    pub topic: Option<String>,
    /// Totals or intervals.
    pub kind: CounterKind,
    /// Where the numbers stand.
    pub pointers: Pointers,
    /// Where stored readings stand.
    pub history: Option<History>,
    /// Only messages in which these pointers hold these values.
    pub conditions: Vec<(String, String)>,
    /// How it is counted.
    pub rules: CounterRules,
}

impl Counter {
    pub(super) fn read(table: &Table<'_, '_>, camera_id: &str) -> Option<Self> {
        let name = table.text("name").unwrap_or_else(|| camera_id.to_owned());
        let topic = table.parsed("topic", topic_filter);
        let kinds = [("total", CounterKind::Total), ("interval", CounterKind::Interval)];
        let kind = table.parsed("kind", |text| one_of(text, &kinds));
        let kind = kind.unwrap_or(CounterKind::Total);
        let pointers = Pointers::read(table);
        match kind {
            CounterKind::Interval => {
                table.require("start");
                table.require("time");
            }
            CounterKind::Total if pointers.start.is_some() => {
                table.fault("start", "only stands beside kind = \"interval\"");
            }
            CounterKind::Total => {}
        }
        let history = table.table("history").and_then(|inner| {
            inner.require("list");
            inner.require("time");
            let history = inner.parsed("list", pointer);
            let pointers = Pointers::read(&inner);
            inner.finish();
            history.map(|list| History { list, pointers })
        });
        let mut rules = CounterRules::read(table);
        let counter =
            Self { name, topic, kind, pointers, history, conditions: conditions(table), rules };
        if counter.topics().1.is_some() {
            // Two devices never send at the same moment: their units act together by the minute.
            rules.period = rules.period.or(Some(Duration::from_secs(60)));
        }
        if counter.is_bare() && !(counter.conditions.is_empty() && counter.history.is_none()) {
            table.fault("entry", "a payload that is only a number has no `where` and no history");
        }
        Some(Self { rules, ..counter })
    }

    /// Whether a payload is the number itself.
    pub(crate) fn is_bare(&self) -> bool {
        let ways = [&self.pointers.entry, &self.pointers.exit];
        ways.into_iter().flatten().all(|(_, pointer)| pointer.is_empty())
    }

    /// The topic filters: one, or one for each direction.
    pub(super) fn topics(&self) -> (Option<&str>, Option<&str>) {
        let Pointers { entry, exit, .. } = &self.pointers;
        let entry = entry.as_ref().and_then(|(topic, _)| topic.as_deref());
        let exit = exit.as_ref().and_then(|(topic, _)| topic.as_deref());
        match (entry, exit) {
            (None, None) => (self.topic.as_deref(), None),
            (Some(entry), exit) => (Some(entry), exit.or(self.topic.as_deref())),
            (None, exit) => (self.topic.as_deref(), exit),
        }
    }

    pub(super) fn words(&self) -> Vec<String> {
        let ways = [&self.pointers.entry, &self.pointers.exit];
        let pointers = ways.into_iter().flatten().map(|(_, pointer)| pointer);
        pointers.map(|pointer| format!("{:?} {pointer}", self.conditions)).collect()
    }
}

fn conditions(table: &Table<'_, '_>) -> Vec<(String, String)> {
    let Some(inner) = table.table("where") else { return Vec::new() };
    let read = |name: String| {
        if let Err(detail) = pointer(&name) {
            inner.fault(&name, &detail);
        }
        let value = inner.any_text(&name)?;
        Some((name, value))
    };
    inner.names().into_iter().filter_map(read).collect()
}
