//! Floors, events and what is said about them: plain data and its validation.
//!
//! Instants are [`Timestamp`]s in whole microseconds of UTC.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod attention;
mod change;
mod digest;
mod key;
mod position;
mod site;
mod site_record;
mod statistics;
mod withdrawal;

pub use attention::{
    Attention, AttentionItem, AttentionKind, AttentionLevel, LastSeen, NotCounted, Refusal,
    RefusalReason,
};
pub use attention::{
    CameraHour, CameraLag, FloorAtLimit, NotCountedInHour, Receipt, RefusedInHour,
};
pub use change::{Change, ChangeKind, PlacedFact, SiteFact};
pub use digest::{DigestSlice, EventDigest, EventDigests};
pub use key::KEY_MARK;
pub use key::{ApiKey, NewKey, Role};
pub use position::Position;
pub use site::Site;
pub use site_record::{SiteDetails, SiteRecord};
pub use statistics::{
    Cleanup, FloorCount, OccupancyHistory, OccupancyStep, PeakHour, Statistics, VehicleTypeCounts,
};
pub use withdrawal::{
    NewWithdrawal, Withdrawal, WithdrawalEffect, WithdrawalFloor, WithdrawalSelection,
};

use crate::{
    error::FieldError,
    limits::{MAX_NAME_CHARS, MAX_TEXT_CHARS, MAX_TOTAL_SLOTS},
};

/// Confidence of an event that names none. Contract §2.
pub const DEFAULT_CONFIDENCE: f64 = 0.8;

/// A word that is not one of the expected ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {expected}")]
pub struct UnknownWord {
    /// The words that are.
    pub expected: &'static str,
}

/// Which way a vehicle crossed the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Onto the floor.
    Entry,
    /// Off the floor.
    Exit,
}

impl Direction {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
        }
    }
}

impl FromStr for Direction {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "entry" => Ok(Self::Entry),
            "exit" => Ok(Self::Exit),
            _ => Err(UnknownWord { expected: "entry, exit" }),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What kind of vehicle was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum VehicleType {
    /// A car.
    Car,
    /// A motorcycle.
    Motorcycle,
    /// A bus.
    Bus,
    /// A truck.
    Truck,
}

impl VehicleType {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Car, Self::Motorcycle, Self::Bus, Self::Truck];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Motorcycle => "motorcycle",
            Self::Bus => "bus",
            Self::Truck => "truck",
        }
    }
}

impl FromStr for VehicleType {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or(UnknownWord { expected: "car, motorcycle, bus, truck" })
    }
}

impl fmt::Display for VehicleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an event found the floor where it could not move the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AtLimit {
    /// A vehicle entered a full floor.
    Full,
    /// A vehicle left an empty floor.
    Empty,
}

impl AtLimit {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Empty => "empty",
        }
    }
}

/// One floor of the car park.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Its id.
    pub id: i64,
    /// Its name, unique.
    pub name: String,
    /// What else is to be said about it.
    pub description: Option<String>,
    /// How many vehicles fit.
    pub total_slots: i64,
    /// How many are there now, from 0 to `total_slots`.
    pub current_vehicles: i64,
    /// Whether cars may be sent there. A floor that is not active still counts.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its row last changed; moves with every change.
    pub updated_at: Timestamp,
}

impl Floor {
    /// Slots that are free now.
    #[must_use]
    pub fn available_slots(&self) -> i64 {
        self.total_slots - self.current_vehicles
    }

    /// How full it is, from 0 to 100; 0 for a floor without slots.
    #[must_use]
    pub fn occupancy_percentage(&self) -> f64 {
        occupancy_percentage(self.current_vehicles, self.total_slots)
    }
}

/// The order in which floors are shown: most free slots first, then the lower id.
pub fn most_free_first(floors: &mut [Floor]) {
    floors.sort_by_key(|floor| (-floor.available_slots(), floor.id));
}

/// `vehicles` of `slots` in percent, 0 where there are no slots.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "both are far below 2^53")]
pub fn occupancy_percentage(vehicles: i64, slots: i64) -> f64 {
    if slots == 0 { 0.0 } else { vehicles as f64 * 100.0 / slots as f64 }
}

/// A floor to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFloor {
    /// Its name: 1–100 characters, unique.
    pub name: String,
    /// What else is to be said about it.
    pub description: Option<String>,
    /// How many vehicles fit. Holds for all of the floor's past, too, until it is changed.
    pub total_slots: i64,
    /// Whether cars may be sent there.
    pub is_active: bool,
    /// The person or key that adds it.
    pub author: Option<String>,
}

impl NewFloor {
    /// An active floor of this name and size.
    #[must_use]
    pub fn new(name: impl Into<String>, total_slots: i64) -> Self {
        Self { name: name.into(), description: None, total_slots, is_active: true, author: None }
    }

    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        name_fault("name", &self.name, &mut faults);
        text_fault("description", self.description.as_deref(), &mut faults);
        slots_fault("total_slots", self.total_slots, &mut faults);
        faults
    }
}

/// What is to change about a floor; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FloorChange {
    /// A new name.
    pub name: Option<String>,
    /// A new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// A new capacity, from now on.
    pub total_slots: Option<i64>,
    /// Whether cars may be sent there.
    pub is_active: Option<bool>,
    /// Lower the capacity even below the current count, which then is cut to it.
    pub force: bool,
    /// The person or key that changes it.
    pub author: Option<String>,
}

impl FloorChange {
    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(name) = &self.name {
            name_fault("name", name, &mut faults);
        }
        text_fault(
            "description",
            self.description.as_ref().and_then(Option::as_deref),
            &mut faults,
        );
        if let Some(slots) = self.total_slots {
            slots_fault("total_slots", slots, &mut faults);
        }
        faults
    }
}

/// An event as a camera reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The camera: 1–100 characters.
    pub camera_id: String,
    /// The floor whose line was crossed.
    pub floor_id: i64,
    /// The vehicle's track at that camera: 1–100 characters.
    pub track_id: String,
    /// What kind of vehicle.
    pub vehicle_type: VehicleType,
    /// Which way.
    pub direction: Direction,
    /// How sure the camera is, 0 to 1.
    pub confidence: f64,
    /// When the camera saw it. Without one the server's clock is used and a repeat is only
    /// recognised within the ledger's duplicate window.
    pub timestamp: Option<Timestamp>,
}

impl NewEvent {
    /// An event with the default confidence and no timestamp.
    #[must_use]
    pub fn new(
        camera_id: impl Into<String>,
        floor_id: i64,
        track_id: impl Into<String>,
        vehicle_type: VehicleType,
        direction: Direction,
    ) -> Self {
        Self {
            camera_id: camera_id.into(),
            floor_id,
            track_id: track_id.into(),
            vehicle_type,
            direction,
            confidence: DEFAULT_CONFIDENCE,
            timestamp: None,
        }
    }

    /// The same event, seen at `timestamp` (cut to whole microseconds).
    #[must_use]
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(whole_micros(timestamp));
        self
    }

    /// The same event with this confidence.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// Every field that does not fit, by itself.
    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        name_fault("camera_id", &self.camera_id, &mut faults);
        name_fault("track_id", &self.track_id, &mut faults);
        if !(0.0..=1.0).contains(&self.confidence) {
            faults.push(FieldError::new("confidence", "must be a number from 0 to 1"));
        }
        faults
    }
}

/// Cuts an instant to whole microseconds, downwards.
pub fn whole_micros(at: Timestamp) -> Timestamp {
    let micros = at.as_nanosecond().div_euclid(1_000);
    i64::try_from(micros).ok().and_then(|m| Timestamp::from_microsecond(m).ok()).unwrap_or(at)
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id; grows.
    pub id: i64,
    /// The camera.
    pub camera_id: String,
    /// The floor.
    pub floor_id: i64,
    /// The vehicle's track.
    pub track_id: String,
    /// What kind of vehicle.
    pub vehicle_type: VehicleType,
    /// Which way.
    pub direction: Direction,
    /// How sure the camera was.
    pub confidence: f64,
    /// When the camera saw it.
    pub timestamp: Timestamp,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// What recording it did to the floor's count: -1, 0 or +1.
    pub count_delta: i64,
    /// Whether it was recorded as an entry to a full or an exit from an empty floor.
    pub at_limit: Option<AtLimit>,
}

impl Event {
    /// Whether its effect was absorbed by a limit that was reached later or a later recount.
    #[must_use]
    pub fn is_absorbed(&self) -> bool {
        self.count_delta == 0 && self.at_limit.is_none()
    }
}

/// The answer to an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The event; for a duplicate the one that was recorded first.
    pub event: Event,
    /// The event's floor, right after.
    pub floor: Floor,
    /// Whether this event had been recorded before.
    pub duplicate: bool,
    /// For a duplicate: the fields in which it differs from the first, which stands.
    pub differs: Vec<&'static str>,
}

/// Which events to list. All that is named must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this floor.
    pub floor_id: Option<i64>,
    /// Only of this camera.
    pub camera_id: Option<String>,
    /// Only of this track.
    pub track_id: Option<String>,
    /// Only of this type.
    pub vehicle_type: Option<VehicleType>,
    /// Only in this direction.
    pub direction: Option<Direction>,
    /// Only at or after this instant.
    pub start: Option<Timestamp>,
    /// Only before this instant.
    pub end: Option<Timestamp>,
    /// Only those that were recorded at the limit (`true`), or only the others.
    pub at_limit: Option<bool>,
}

/// A place in a listing of events, newest first: continue after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last event on the page before happened, in microseconds since 1970 UTC.
    pub timestamp: i64,
    /// Its id.
    pub id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.timestamp, self.id)
    }
}

impl FromStr for Cursor {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let parts = text.split_once('_');
        parts
            .and_then(|(at, id)| Some(Self { timestamp: at.parse().ok()?, id: id.parse().ok()? }))
            // A place has one name: neither "+1_1" nor "1_01" is one.
            .filter(|cursor| cursor.to_string() == text)
            .ok_or(UnknownWord { expected: "the next_cursor of an earlier page" })
    }
}

/// A page of events, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<Cursor>,
}

/// Adds the fault of a name: empty, too long, or with control characters.
pub fn name_fault(field: &'static str, name: &str, faults: &mut Vec<FieldError>) {
    if name.is_empty() || name.chars().nth(MAX_NAME_CHARS).is_some() {
        faults.push(FieldError::new(field, "must have 1 to 100 characters"));
    } else if name.chars().any(char::is_control) {
        faults.push(FieldError::new(field, "must not contain control characters"));
    }
}

/// Adds the fault of a longer text: too long, or with control characters other than line breaks.
pub fn text_fault(field: &'static str, text: Option<&str>, faults: &mut Vec<FieldError>) {
    let Some(text) = text else { return };
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        faults.push(FieldError::new(field, "must have at most 1000 characters"));
    } else if text.chars().any(|c| c.is_control() && c != '\n') {
        faults.push(FieldError::new(field, "must not contain control characters"));
    }
}

fn slots_fault(field: &'static str, slots: i64, faults: &mut Vec<FieldError>) {
    if !(0..=MAX_TOTAL_SLOTS).contains(&slots) {
        faults.push(FieldError::new(field, "must be a whole number from 0 to 1000000"));
    }
}
