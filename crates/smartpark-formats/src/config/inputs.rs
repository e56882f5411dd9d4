//! The input table of a camera: what the device is, and which of its words mean which way.

mod counter;
mod read;

use super::{table::Table, values::Endpoint, video::Video};
use crate::Direction;

pub use counter::{Counter, CounterKind, CounterRules, History, Pointers};

/// Which of a device's words mean entry and which mean exit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directions {
    /// Words that mean entry.
    pub entry: Vec<String>,
    /// Words that mean exit.
    pub exit: Vec<String>,
}

impl Directions {
    /// What a word means; `None` for a word that is not configured.
    #[must_use]
    pub fn of(&self, word: &str) -> Option<Direction> {
        let is = |words: &[String]| words.iter().any(|known| known == word);
        match (is(&self.entry), is(&self.exit)) {
            (true, _) => Some(Direction::Entry),
            (_, true) => Some(Direction::Exit),
            _ => None,
        }
    }

    /// Every word with its meaning, entries first.
    pub fn all(&self) -> impl Iterator<Item = (&str, Direction)> {
        let entries = self.entry.iter().map(|word| (word.as_str(), Direction::Entry));
        entries.chain(self.exit.iter().map(|word| (word.as_str(), Direction::Exit)))
    }

    fn read(table: &Table<'_, '_>) -> Self {
        let directions = Self { entry: table.texts("entry"), exit: table.texts("exit") };
        if directions.entry.is_empty() && directions.exit.is_empty() {
            table.fault("entry", "name the device's words for entry, for exit, or for both");
        }
        if let Some(word) = directions.entry.iter().find(|word| directions.exit.contains(word)) {
            table.fault("exit", &format!("{word} also stands in entry"));
        }
        directions
    }
}

/// How to reach a device that is asked, instead of one that sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The device's address.
    pub url: Option<Endpoint>,
    /// The user.
    pub username: Option<String>,
    /// The file that holds the user's password.
    pub password_file: Option<String>,
}

impl Access {
    fn read(table: &Table<'_, '_>) -> Self {
        let url = table.parsed("url", |text| Endpoint::read(text, &[("http", 80), ("https", 443)]));
        let (username, password_file) = (table.text("username"), table.text("password_file"));
        if username.is_some() != password_file.is_some() {
            table.fault("username", "username and password_file go together");
        }
        Self { url, username, password_file }
    }
}

/// `frigate = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frigate {
    /// The topic of its events.
    pub topic: String,
    /// The camera's name in Frigate.
    pub camera: String,
    /// Zones outside of the line.
    pub outside: Vec<String>,
    /// Zones inside of the line.
    pub inside: Vec<String>,
}

/// What an Axis camera sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisReport {
    /// Totals of a crossline counting scenario of Object Analytics, over MQTT.
    ObjectAnalytics,
    /// Intervals of Retail Data of this kind of measurement, by HTTP.
    RetailData(String),
}

/// `axis = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The topic of its events.
    pub topic: String,
    /// What it sends.
    pub report: AxisReport,
    /// Scenarios, or directions of Retail Data.
    pub directions: Directions,
    /// How its totals are counted.
    pub rules: CounterRules,
}

/// Which event of a Hikvision camera is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HikvisionEvent {
    /// Line crossings, by region.
    LineDetection,
    /// Number plate readers, by direction.
    Anpr,
    /// Counters.
    PeopleCounting {
        /// Totals (`realTime`) or else intervals (`timeRange`).
        is_total: bool,
    },
}

impl HikvisionEvent {
    /// The device's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LineDetection => "linedetection",
            Self::Anpr => "ANPR",
            Self::PeopleCounting { .. } => "PeopleCounting",
        }
    }
}

/// `hikvision = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hikvision {
    /// The event.
    pub event: HikvisionEvent,
    /// Regions, directions or names of numbers.
    pub directions: Directions,
    /// How its totals are counted.
    pub rules: CounterRules,
}

/// `dahua = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dahua {
    /// Where its event stream is read.
    pub access: Access,
    /// The channel of a recorder, from 0; any if `None`.
    pub channel: Option<u64>,
    /// The number of the rule; any if `None`.
    pub rule: Option<u64>,
    /// `LeftToRight` and `RightToLeft`.
    pub directions: Directions,
}

/// `onvif = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onvif {
    /// The topic of its events; `None` if they are pulled.
    pub topic: Option<String>,
    /// Where its events are pulled.
    pub access: Access,
    /// Names of rules.
    pub directions: Directions,
    /// How its totals are counted.
    pub rules: CounterRules,
}

/// `unifi = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unifi {
    /// Where the event list is read.
    pub access: Access,
    /// The camera's id.
    pub camera: String,
    /// The line's id.
    pub line: String,
    /// `a2b` and `b2a`.
    pub directions: Directions,
}

/// What a Xovis sensor pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XovisSource {
    /// Events of the line of this name.
    Line(String),
    /// Interval counts of the logic of this name.
    Logic(String),
}

/// `xovis = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xovis {
    /// What it pushes.
    pub source: XovisSource,
    /// `forward` and `backward`, or the names of the counts of a logic.
    pub directions: Directions,
}

/// `opendatacam = {…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDataCam {
    /// The name of the counter area.
    pub area: String,
    /// Its counting directions.
    pub directions: Directions,
}

/// What a device is.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Frigate.
    Frigate(Frigate),
    /// Axis.
    Axis(Axis),
    /// Hikvision.
    Hikvision(Hikvision),
    /// Dahua.
    Dahua(Dahua),
    /// ONVIF.
    Onvif(Onvif),
    /// UniFi Protect.
    Unifi(Unifi),
    /// Xovis.
    Xovis(Xovis),
    /// Any device with a number.
    Counter(Box<Counter>),
    /// OpenDataCam.
    OpenDataCam(OpenDataCam),
    /// A picture that SmartPark watches itself.
    Video(Box<Video>),
}

/// The names of the input tables.
const KINDS: [&str; 10] = [
    "frigate",
    "axis",
    "hikvision",
    "dahua",
    "onvif",
    "unifi",
    "xovis",
    "counter",
    "opendatacam",
    "video",
];

impl Input {
    pub(super) fn read(table: &Table<'_, '_>, camera_id: &str) -> Option<Self> {
        if table.has("telraam") {
            table.skip("telraam");
            table.fault("telraam", "cannot be counted: Telraam sends hourly estimates, not counts");
            return None;
        }
        let named: Vec<&str> = KINDS.into_iter().filter(|kind| table.has(kind)).collect();
        let [kind] = named[..] else {
            let detail = match named.len() {
                0 => format!("needs one table that says what it is: {}", KINDS.join(", ")),
                _ => format!("has {} input tables; exactly one may stand", named.join(" and ")),
            };
            named.iter().for_each(|kind| table.skip(kind));
            table.fault(named.get(1).copied().unwrap_or("id"), &detail);
            return None;
        };
        let inner = table.table(kind)?;
        let input = match kind {
            "frigate" => read::frigate(&inner),
            "axis" => Some(read::axis(&inner)),
            "hikvision" => read::hikvision(&inner),
            "dahua" => Some(read::dahua(&inner)),
            "onvif" => Some(read::onvif(&inner)),
            "unifi" => read::unifi(&inner),
            "xovis" => read::xovis(&inner),
            "counter" => {
                Counter::read(&inner, camera_id).map(|counter| Self::Counter(Box::new(counter)))
            }
            "video" => Video::read(&inner).map(|video| Self::Video(Box::new(video))),
            _ => read::opendatacam(&inner),
        };
        inner.finish();
        input
    }

    /// The name of the input table.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Frigate(_) => "frigate",
            Self::Axis(_) => "axis",
            Self::Hikvision(_) => "hikvision",
            Self::Dahua(_) => "dahua",
            Self::Onvif(_) => "onvif",
            Self::Unifi(_) => "unifi",
            Self::Xovis(_) => "xovis",
            Self::Counter(_) => "counter",
            Self::OpenDataCam(_) => "opendatacam",
            Self::Video(_) => "video",
        }
    }

    /// The topic filters that it reads over MQTT.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Frigate(frigate) => (Some(frigate.topic.as_str()), None),
            Self::Axis(axis) if axis.report == AxisReport::ObjectAnalytics => {
                (Some(axis.topic.as_str()), None)
            }
            Self::Onvif(onvif) => (onvif.topic.as_deref(), None),
            Self::Counter(counter) => counter.topics(),
            _ => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// How its counters are counted.
    #[must_use]
    pub fn rules(&self) -> CounterRules {
        match self {
            Self::Axis(Axis { rules, .. })
            | Self::Hikvision(Hikvision { rules, .. })
            | Self::Onvif(Onvif { rules, .. }) => *rules,
            Self::Counter(counter) => counter.rules,
            _ => CounterRules::default(),
        }
    }

    /// What must differ between two cameras that read the same topic.
    pub(super) fn words(&self) -> Vec<String> {
        let named = |directions: &Directions| {
            directions.all().map(|(word, _)| word.to_owned()).collect::<Vec<_>>()
        };
        match self {
            Self::Frigate(frigate) => {
                let zones = frigate.inside.iter().chain(&frigate.outside);
                zones.map(|zone| format!("{}/{zone}", frigate.camera)).collect()
            }
            Self::Axis(axis) => named(&axis.directions),
            Self::Onvif(onvif) => named(&onvif.directions),
            Self::Counter(counter) => counter.words(),
            _ => Vec::new(),
        }
    }
}
