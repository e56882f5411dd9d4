//! From a row of a file to an event.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Map, Value};
use smartpark_core::{
    Direction, NewEvent, VehicleType, csv_cells,
    error::FieldError,
    intake::{Misfit, RawEvent, Scalar},
};

use super::{Cells, Columns, FloorKey, FloorNames, Header, LocalTimes, Wanted};
use crate::words::{self, VehicleWord, squeezed};

/// The fields of an event in a file, in the order in which [`Rules`] take them.
pub const EVENT: [Wanted; 9] = [
    wanted("camera_id", &["camera_id", "camera"], true),
    Wanted { or: Some("floor"), ..wanted("floor_id", &["floor_id"], false) },
    Wanted {
        or: Some("floor_id"),
        ..wanted("floor", &["floor", "floor_name", "floor_id_or_name"], true)
    },
    wanted("track_id", &["track_id", "track"], true),
    wanted("vehicle_type", &["vehicle_type"], false),
    wanted("direction", &["direction"], true),
    wanted("confidence", &["confidence"], false),
    // Without its time an event could not be imported twice without being counted twice.
    wanted("timestamp", &["timestamp"], true),
    wanted("ledger", &["ledger"], false),
];

const CAMERA: usize = 0;
const FLOOR_ID: usize = 1;
const FLOOR: usize = 2;
const TRACK: usize = 3;
const TYPE: usize = 4;
const DIRECTION: usize = 5;
const CONFIDENCE: usize = 6;
const TIMESTAMP: usize = 7;
const LEDGER: usize = 8;

const fn wanted(field: &'static str, names: &'static [&'static str], is_required: bool) -> Wanted {
    Wanted { field, names, is_required, or: None }
}

/// `FIELD:WORD=MEANING`, as `--word` takes it: what a file means by a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    word: String,
    meaning: Meaning,
}

/// What a word in a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This way.
    Way(Direction),
    /// This type.
    Type(VehicleType),
    /// Something that is not counted.
    NoVehicle,
}

impl Meaning {
    /// The field that it is the value of.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Way(_) => "direction",
            Self::Type(_) | Self::NoVehicle => "vehicle_type",
        }
    }

    /// How it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Way(way) => way.as_str(),
            Self::Type(kind) => kind.as_str(),
            Self::NoVehicle => "not counted",
        }
    }
}

impl std::str::FromStr for Word {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be direction:WORD=entry, direction:WORD=exit, \
            vehicle_type:WORD=car (motorcycle, bus, truck) or vehicle_type:WORD=none";
        let (field, rest) = text.split_once(':').ok_or(FORM)?;
        let (word, meaning) = rest.rsplit_once('=').ok_or(FORM)?;
        let meaning = match (field.trim(), meaning.trim()) {
            ("vehicle_type", "none") => Some(Meaning::NoVehicle),
            ("vehicle_type", kind) => kind.parse().ok().map(Meaning::Type),
            ("direction", way) => way.parse().ok().map(Meaning::Way),
            _ => None,
        };
        Ok(Self { word: squeezed(word), meaning: meaning.ok_or(FORM)? })
    }
}

/// A word that is none of SmartPark's own, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappedWord {
    /// The field that it stood in.
    pub field: &'static str,
    /// The word, in small letters; empty if nothing stood there.
    pub word: String,
    /// What it was taken for.
    pub meaning: &'static str,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The event; `None` for something that is not counted. An error says why it is no event.
    pub event: Result<Option<NewEvent>, String>,
    /// The foreign words in it.
    pub mapped: Vec<MappedWord>,
}

/// How the rows of a file are read.
#[derive(Clone, Debug)]
pub struct Rules {
    columns: Columns<9>,
    times: LocalTimes,
    ways: BTreeMap<String, Meaning>,
    types: BTreeMap<String, Meaning>,
    floors: FloorNames,
    floor_key: Option<FloorKey>,
    /// The ledger into which the rows go, as files name it.
    ledger: String,
}

impl Rules {
    /// Rules for a file with these columns, into the ledger that files call `ledger`.
    #[must_use]
    pub fn new(columns: Columns<9>, floors: FloorNames, ledger: String) -> Self {
        let times = LocalTimes::default();
        let (ways, types) = (BTreeMap::new(), BTreeMap::new());
        Self { columns, times, ways, types, floors, floor_key: None, ledger }
    }

    /// The same, with these words, times and floors.
    #[must_use]
    pub fn with(self, words: &[Word], times: LocalTimes, floor_key: Option<FloorKey>) -> Self {
        let of = |field: &str| {
            let chosen = words.iter().filter(|word| word.meaning.field() == field);
            chosen.map(|word| (word.word.clone(), word.meaning)).collect()
        };
        Self { ways: of("direction"), types: of("vehicle_type"), times, floor_key, ..self }
    }

    /// The columns that are looked for.
    #[must_use]
    pub const fn columns(&self) -> &Columns<9> {
        &self.columns
    }

    /// Whether a record is a header once more, as in files that were put together of several.
    #[must_use]
    pub fn header_again(&self, cells: &Cells, header: &Header<9>) -> Option<Header<9>> {
        let names: Vec<&str> = cells.iter().collect();
        let super::Located::All(places) = self.columns.locate(&names) else { return None };
        Some(Header { separator: header.separator, cells: cells.clone(), places })
    }

    /// The event in a record of a table.
    #[must_use]
    pub fn from_cells(&self, cells: &Cells, header: &Header<9>) -> Reading {
        if let Err(told) = fits(cells, header) {
            return Reading { event: Err(told), mapped: Vec::new() };
        }
        let at = |cell: usize| cells.get(cell).unwrap_or_default();
        let joined: String;
        let time = match header.places[TIMESTAMP] {
            Some(place) => match place.second {
                None => at(place.cell),
                Some(second) => {
                    joined = format!("{} {}", at(place.cell).trim(), at(second).trim());
                    joined.as_str()
                }
            },
            None => self.columns.constant(TIMESTAMP).unwrap_or_default(),
        };
        let cell = |field: usize| match header.places[field] {
            Some(place) => at(place.cell),
            None => self.columns.constant(field).unwrap_or_default(),
        };
        let name = |field: usize| Scalar::from_text_cell(csv_cells::undo(cell(field)));
        let named = |field: usize| {
            let called = header.places[field].map_or("floor", |_| header.name(field));
            let called = if field == FLOOR_ID { "floor_id" } else { called };
            name(field).map(|value| (called, value))
        };
        let mut row = Row::default();
        let raw = RawEvent {
            camera_id: name(CAMERA),
            floor_id: self.floor(named(FLOOR_ID), named(FLOOR), cell(LEDGER), &mut row),
            track_id: name(TRACK),
            vehicle_type: self.vehicle_type(Scalar::from_text_cell(cell(TYPE).trim()), &mut row),
            direction: self.direction(Scalar::from_text_cell(cell(DIRECTION).trim()), &mut row),
            confidence: confidence(cell(CONFIDENCE)),
            timestamp: self.time(Scalar::from_text_cell(time.trim()), &mut row),
            ..RawEvent::default()
        };
        row.judge(raw)
    }

    /// The event in one line of objects.
    #[must_use]
    pub fn from_object(&self, text: &str) -> Reading {
        let object: Map<String, Value> = match serde_json::from_str(text) {
            Ok(object) => object,
            Err(fault) => {
                // Its own words could repeat what stands there.
                let told = match fault.classify() {
                    serde_json::error::Category::Data => "not a JSON object".to_owned(),
                    _ => format!("not JSON, at column {}", fault.column()),
                };
                return Reading { event: Err(told), mapped: Vec::new() };
            }
        };
        let named = |field: usize| self.member(&object, field);
        let member = |field: usize| named(field).map(|(_, value)| value);
        let ledger = match member(LEDGER) {
            Some(Scalar::Text(text)) => text,
            _ => Cow::Borrowed(""),
        };
        let mut row = Row::default();
        let raw = RawEvent {
            camera_id: member(CAMERA).map(as_name),
            floor_id: self.floor(named(FLOOR_ID), named(FLOOR), &ledger, &mut row),
            track_id: member(TRACK).map(as_name),
            vehicle_type: self.vehicle_type(member(TYPE), &mut row),
            direction: self.direction(member(DIRECTION), &mut row),
            confidence: match member(CONFIDENCE) {
                Some(Scalar::Text(text)) => confidence(&text).map(into_owned),
                other => other,
            },
            timestamp: self.time(member(TIMESTAMP), &mut row),
            ..RawEvent::default()
        };
        row.judge(raw)
    }

    /// The member of a field: under one of its names, or else under a name that is the same but
    /// for case, blanks, hyphens and underscores.
    fn member<'a>(
        &'a self,
        object: &'a Map<String, Value>,
        field: usize,
    ) -> Option<(&'a str, Scalar<'a>)> {
        let names = self.columns.names(field);
        let exact = names.iter().find_map(|name| Some((name.as_str(), object.get(name)?)));
        let found = exact.or_else(|| {
            let similar = |key: &str| names.iter().any(|name| squeezed(name) == squeezed(key));
            let found = object.iter().find(|(key, _)| similar(key));
            found.map(|(key, value)| (key.as_str(), value))
        });
        let found = found.map(|(name, value)| (name, Scalar::from(value)));
        found.or_else(|| {
            let value = self.columns.constant(field)?;
            Some(("floor", Scalar::Text(Cow::Borrowed(value))))
        })
    }

    fn floor<'a>(
        &self,
        id: Option<(&str, Scalar<'a>)>,
        name: Option<(&str, Scalar<'a>)>,
        ledger: &str,
        row: &mut Row,
    ) -> Option<Scalar<'a>> {
        let is_foreign = !ledger.trim().is_empty() && ledger.trim() != self.ledger;
        let key = self.floor_key.or(is_foreign.then_some(FloorKey::Name));
        self.floors.of_row(id, name, key).unwrap_or_else(|told| {
            row.faults.push(FieldError::new("floor", told));
            Some(Scalar::Int(1)) // Any: the fault refuses the row.
        })
    }

    fn vehicle_type<'a>(&self, value: Option<Scalar<'a>>, row: &mut Row) -> Option<Scalar<'a>> {
        let word = match value {
            None | Some(Scalar::Null) => Cow::Borrowed(""),
            Some(Scalar::Text(word)) => word,
            Some(Scalar::Int(number)) => Cow::Owned(number.to_string()),
            Some(other) => return Some(other),
        };
        if self.types.is_empty() && word.parse::<VehicleType>().is_ok() {
            return Some(Scalar::Text(word));
        }
        let meaning = self.types.get(&squeezed(&word)).copied();
        let meaning = meaning.or_else(|| match words::vehicle(&word)? {
            VehicleWord::Plain => Some(Meaning::Type(VehicleType::Car)),
            VehicleWord::Of(kind) => Some(Meaning::Type(kind)),
            VehicleWord::NoVehicle => Some(Meaning::NoVehicle),
        });
        row.meant(meaning, word)
    }

    fn direction<'a>(&self, value: Option<Scalar<'a>>, row: &mut Row) -> Option<Scalar<'a>> {
        let word = match value? {
            Scalar::Text(word) => word,
            Scalar::Int(number) => Cow::Owned(number.to_string()),
            other => return Some(other),
        };
        if self.ways.is_empty() && word.parse::<Direction>().is_ok() {
            return Some(Scalar::Text(word));
        }
        let meaning = self.ways.get(&squeezed(&word)).copied();
        let meaning = meaning.or_else(|| words::direction(&word).map(Meaning::Way));
        row.meant(meaning, word)
    }

    /// Reads the time; returns what only the strict rules can refuse.
    fn time<'a>(&self, value: Option<Scalar<'a>>, row: &mut Row) -> Option<Scalar<'a>> {
        let text = match value? {
            Scalar::Text(text) => text,
            Scalar::Int(number) => Cow::Owned(number.to_string()),
            Scalar::Float(number) => Cow::Owned(number.to_string()),
            other => return Some(other),
        };
        match self.times.read(&text) {
            Ok(instant) => row.instant = Some(instant),
            Err(told) => row.faults.push(FieldError::new("timestamp", told)),
        }
        None
    }
}

/// What is noted while a row is read.
#[derive(Default)]
struct Row {
    faults: Vec<FieldError>,
    mapped: Vec<MappedWord>,
    is_not_counted: bool,
    instant: Option<Timestamp>,
}

impl Row {
    /// The word that the rules know in the place of one that they may not know.
    fn meant<'a>(&mut self, meaning: Option<Meaning>, word: Cow<'a, str>) -> Option<Scalar<'a>> {
        // Without a meaning the strict rules refuse it, and name the words that they know.
        let Some(meaning) = meaning else { return Some(Scalar::Text(word)) };
        let plain = word.trim().to_lowercase();
        self.is_not_counted |= meaning == Meaning::NoVehicle;
        if plain != meaning.as_str() {
            let (field, meaning) = (meaning.field(), meaning.as_str());
            self.mapped.push(MappedWord { field, word: plain, meaning });
        }
        let known = match meaning {
            Meaning::NoVehicle => VehicleType::Car.as_str(),
            other => other.as_str(),
        };
        Some(Scalar::Text(Cow::Borrowed(known)))
    }

    fn judge(self, raw: RawEvent<'_>) -> Reading {
        let Self { mut faults, mapped, is_not_counted, instant } = self;
        let is_told = faults.iter().any(|fault| fault.field == "timestamp");
        if instant.is_none() && !is_told && matches!(raw.timestamp, None | Some(Scalar::Null)) {
            faults.push(FieldError::new("timestamp", "is required"));
        }
        let judged = match raw.judge() {
            Ok(event) => Some(NewEvent { timestamp: instant, ..event }),
            Err(Misfit { faults: mut more, .. }) => {
                more.append(&mut faults);
                faults = more;
                None
            }
        };
        let event = match judged {
            _ if is_not_counted => Ok(None),
            Some(event) if faults.is_empty() => Ok(Some(event)),
            _ => {
                let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Err(told.join("; "))
            }
        };
        Reading { event, mapped }
    }
}

/// Whether a record has the cells that the header has. Cells at the end may be missing if no field
/// that is needed stands there, and may be too many if they are empty: spreadsheets write both.
fn fits(cells: &Cells, header: &Header<9>) -> Result<(), String> {
    let (has, wants) = (cells.len(), header.cells.len());
    let needed = [CAMERA, FLOOR_ID, FLOOR, TRACK, DIRECTION, TIMESTAMP];
    let is_there = |field: &usize| {
        header.places[*field].is_none_or(|it| it.cell.max(it.second.unwrap_or(0)) < has)
    };
    let is_enough = has >= wants || needed.iter().all(is_there);
    let is_blank = |cell: usize| cells.get(cell).is_none_or(|cell| cell.trim().is_empty());
    if is_enough && (wants..has).all(is_blank) {
        return Ok(());
    }
    Err(format!("has {has} cells where the header has {wants}"))
}

/// A confidence as people write it: with a decimal point or comma, or in percent.
fn confidence(cell: &str) -> Option<Scalar<'_>> {
    let text = cell.trim();
    let (number, is_percent) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text, false),
    };
    let point = match number.split_once(',') {
        Some((whole, fraction)) if !number.contains('.') => format!("{whole}.{fraction}"),
        _ => number.to_owned(),
    };
    match Scalar::from_number_cell(&point) {
        Some(Scalar::Int(int)) if is_percent => percent(f64::from(i32::try_from(int).ok()?)),
        Some(Scalar::Float(float)) if is_percent => percent(float),
        Some(Scalar::Int(int)) => Some(Scalar::Int(int)),
        Some(Scalar::Float(float)) => Some(Scalar::Float(float)),
        _ => Scalar::from_text_cell(cell.trim()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is an arm beside others")]
fn percent(number: f64) -> Option<Scalar<'static>> {
    Some(Scalar::Float(number / 100.0))
}

/// A whole number where a name is wanted: programs that write track numbers as numbers mean their
/// digits.
fn as_name(value: Scalar<'_>) -> Scalar<'_> {
    match value {
        Scalar::Int(number) => Scalar::Text(Cow::Owned(number.to_string())),
        other => other,
    }
}

fn into_owned<'a>(value: Scalar<'_>) -> Scalar<'a> {
    match value {
        Scalar::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
        Scalar::Int(int) => Scalar::Int(int),
        Scalar::Float(float) => Scalar::Float(float),
        Scalar::Null => Scalar::Null,
        Scalar::Bool(value) => Scalar::Bool(value),
        Scalar::Nested => Scalar::Nested,
    }
}
