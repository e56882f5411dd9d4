//! From what a camera sent to an event: judges the members of a JSON object, or the cells of a
//! table, and names every field that does not fit at once.
//!
//! Two kinds of fault are kept apart. What is no JSON at all is [`Unreadable::NotJson`]; what is
//! JSON but no event is a list of [`FieldError`]s. Neither ever repeats a value that was sent.

mod instant;
mod members;
mod names;
mod rows;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, str::FromStr};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    error::FieldError,
    model::{DEFAULT_CONFIDENCE, Direction, NewEvent, UnknownWord, VehicleType, name_fault},
};
pub use instant::{parse_bound, parse_instant};
pub use members::displayable;
pub use members::{Members, Named};
pub use names::folded_name;
pub use rows::{Input, read_events, read_events_with};

/// The members of an event, in the order of the contract.
const MEMBERS: [&str; 8] = [
    "camera_id",
    "floor_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
];

const REQUIRED: &str = "is required";
const NOT_A_NAME: &str = "must be a string of 1 to 100 characters";
const NOT_A_FLOOR_ID: &str = "must be a whole number, 1 or more";
const NO_SUCH_FLOOR: &str = "names no floor";
const ANOTHER_FLOOR: &str = "names another floor than floor_id";
const NOT_A_CONFIDENCE: &str = "must be a number from 0 to 1";
const NOT_AN_OBJECT: &str = "must be a JSON object with the fields of an event";

/// One value as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent, within 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array or an object: never what is wanted.
    Nested,
}

impl<'a> Scalar<'a> {
    /// The text in a cell of a table; `None` for an empty cell, which stands for no value.
    #[must_use]
    pub fn from_text_cell(cell: &'a str) -> Option<Self> {
        (!cell.is_empty()).then_some(Self::Text(Cow::Borrowed(cell)))
    }

    /// The number that is written in a cell of a table, such as `3` or `1.00`; the text itself
    /// (to be refused by name) where it is no number, `None` for an empty cell.
    #[must_use]
    pub fn from_number_cell(cell: &'a str) -> Option<Self> {
        let number = cell.trim();
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let float = || number.parse().ok().filter(|float: &f64| float.is_finite());
        match number.parse() {
            Ok(int) => Some(Self::Int(int)),
            Err(_) if is_plain => float().map(Self::Float).or_else(|| Self::from_text_cell(cell)),
            Err(_) => Self::from_text_cell(cell),
        }
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(_) | Value::Object(_) => Self::Nested,
        }
    }
}

/// Why something cannot even be read as the members of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON; says what the parser stumbled over and where, never the text itself.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no object.
    #[error("must be a JSON object with the fields of an event")]
    NotAnObject,
}

/// Knows the id of the floor with a name.
pub type FloorLookup<'l> = &'l dyn Fn(&str) -> Option<i64>;

/// Why something is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The camera, where that much fits.
    pub camera_id: Option<String>,
    /// Every field that does not fit: those of an event in the order of the contract, then those
    /// that are repeated or unknown.
    pub faults: Vec<FieldError>,
}

/// The members of an event as they were sent, before they are judged. A member that is absent is
/// `None`; for the two optional ones, confidence and timestamp, `null` means the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawEvent<'a> {
    /// The camera.
    pub camera_id: Option<Scalar<'a>>,
    /// The floor's id.
    pub floor_id: Option<Scalar<'a>>,
    /// The floor's name, which may stand in place of its id.
    pub floor: Option<Scalar<'a>>,
    /// The vehicle's track.
    pub track_id: Option<Scalar<'a>>,
    /// What kind of vehicle.
    pub vehicle_type: Option<Scalar<'a>>,
    /// Which way.
    pub direction: Option<Scalar<'a>>,
    /// How sure the camera is.
    pub confidence: Option<Scalar<'a>>,
    /// When it was seen.
    pub timestamp: Option<Scalar<'a>>,
    /// What is wrong already: members that are unknown or repeated.
    pub faults: Vec<FieldError>,
}

impl<'a> From<Members<'a, 8>> for RawEvent<'a> {
    fn from(members: Members<'a, 8>) -> Self {
        let [camera_id, floor_id, floor, track_id, vehicle_type, direction, confidence, timestamp] =
            members.values;
        Self {
            camera_id,
            floor_id,
            floor,
            track_id,
            vehicle_type,
            direction,
            confidence,
            timestamp,
            faults: members.faults,
        }
    }
}

impl<'a> RawEvent<'a> {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no JSON (also bad UTF-8, bytes after the value, numbers out of
    /// range, nesting without end) or no object.
    pub fn read(json: &'a [u8]) -> Result<Self, Unreadable> {
        let members = read_members(json, Named(&MEMBERS))?;
        members.map(Self::from).ok_or(Unreadable::NotAnObject)
    }

    /// The event, if every field fits. No floor is known by its name.
    ///
    /// # Errors
    /// Every field that does not.
    pub fn judge(self) -> Result<NewEvent, Misfit> {
        self.judge_with(&|_| None)
    }

    /// The event, if every field fits; `floors` knows the id of the floor with a name.
    ///
    /// # Errors
    /// Every field that does not.
    pub fn judge_with(self, floors: FloorLookup<'_>) -> Result<NewEvent, Misfit> {
        let mut faults = Vec::new();
        let camera_id = name("camera_id", self.camera_id, &mut faults);
        let floor_id = floor_of(self.floor_id, self.floor, floors, &mut faults);
        let track_id = name("track_id", self.track_id, &mut faults);
        let vehicle_type = word::<VehicleType>("vehicle_type", self.vehicle_type, &mut faults);
        let direction = word::<Direction>("direction", self.direction, &mut faults);
        let confidence = confidence(self.confidence, &mut faults);
        let timestamp = timestamp(self.timestamp, &mut faults);
        faults.extend(self.faults);
        if !faults.is_empty() {
            return Err(Misfit { camera_id, faults });
        }
        let event = (|| {
            Some(NewEvent {
                camera_id: camera_id?,
                floor_id: floor_id?,
                track_id: track_id?,
                vehicle_type: vehicle_type?,
                direction: direction?,
                confidence,
                timestamp,
            })
        })();
        // Whatever is missing has its fault.
        event.ok_or(Misfit { camera_id: None, faults })
    }
}

/// Reads one JSON value, all of it, with `named`.
pub fn read_members<const N: usize>(
    json: &[u8],
    named: Named<N>,
) -> Result<Option<Members<'_, N>>, Unreadable> {
    rows::read(json, named)
}

/// A required text that names something; `None` with a fault where it does not fit.
pub fn name(
    field: &'static str,
    value: Option<Scalar<'_>>,
    faults: &mut Vec<FieldError>,
) -> Option<String> {
    match value {
        Some(Scalar::Text(text)) => {
            let before = faults.len();
            name_fault(field, &text, faults);
            (faults.len() == before).then(|| text.into_owned())
        }
        other => refuse(field, other.as_ref(), NOT_A_NAME, faults),
    }
}

/// The floor of an event: its id, or the id of the floor with its name. Both must mean one floor.
fn floor_of(
    id: Option<Scalar<'_>>,
    name: Option<Scalar<'_>>,
    floors: FloorLookup<'_>,
    faults: &mut Vec<FieldError>,
) -> Option<i64> {
    let Some(name) = name.filter(|name| *name != Scalar::Null) else {
        return floor_id(id, faults);
    };
    let named = match &name {
        Scalar::Text(text) => floors(text),
        other => return refuse("floor", Some(other), NOT_A_NAME, faults),
    };
    if named.is_none() {
        faults.push(FieldError::new("floor", NO_SUCH_FLOOR));
    }
    if id.as_ref().is_none_or(|id| *id == Scalar::Null) {
        return named;
    }
    let id = floor_id(id, faults)?;
    if named.is_some_and(|named| named != id) {
        faults.push(FieldError::new("floor", ANOTHER_FLOOR));
    }
    Some(id)
}

fn floor_id(value: Option<Scalar<'_>>, faults: &mut Vec<FieldError>) -> Option<i64> {
    match value {
        Some(Scalar::Int(id)) if id >= 1 => Some(id),
        other => refuse("floor_id", other.as_ref(), NOT_A_FLOOR_ID, faults),
    }
}

fn word<T: FromStr<Err = UnknownWord>>(
    field: &'static str,
    value: Option<Scalar<'_>>,
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    let text = match &value {
        Some(Scalar::Text(text)) => text.as_ref(),
        Some(_) => "",
        None => return refuse(field, None, REQUIRED, faults),
    };
    text.parse()
        .map_err(|unknown: UnknownWord| faults.push(FieldError::new(field, unknown.to_string())))
        .ok()
}

#[expect(clippy::cast_precision_loss, reason = "only 0 and 1 are taken")]
fn confidence(value: Option<Scalar<'_>>, faults: &mut Vec<FieldError>) -> f64 {
    let number = match value {
        None | Some(Scalar::Null) => return DEFAULT_CONFIDENCE,
        Some(Scalar::Int(number)) => number as f64,
        Some(Scalar::Float(number)) => number,
        Some(_) => f64::NAN,
    };
    if !(0.0..=1.0).contains(&number) {
        faults.push(FieldError::new("confidence", NOT_A_CONFIDENCE));
    }
    // A negative zero becomes a plain one.
    number + 0.0
}

fn timestamp(value: Option<Scalar<'_>>, faults: &mut Vec<FieldError>) -> Option<Timestamp> {
    let text = match &value {
        None | Some(Scalar::Null) => return None,
        Some(Scalar::Text(text)) => text.as_ref(),
        Some(_) => "",
    };
    // An instant that cannot be said lies ahead of every clock: it is refused as that.
    parse_bound(text).map_err(|detail| faults.push(FieldError::new("timestamp", detail))).ok()
}

/// Notes that a required field is absent, or that it is there but `detail`.
pub fn refuse<T>(
    field: &'static str,
    value: Option<&Scalar<'_>>,
    detail: &'static str,
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    let detail = if value.is_some() { detail } else { REQUIRED };
    faults.push(FieldError::new(field, detail));
    None
}
