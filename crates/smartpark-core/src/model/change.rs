//! Changes of a floor that no camera made, and the facts of a site in one order.

use jiff::Timestamp;
use serde::Serialize;

use super::{Event, Position};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A person counted the vehicles.
    Recount,
    /// The number of slots changed.
    Slots,
    /// A vehicle was counted in by hand.
    Entry,
    /// A vehicle was counted out by hand.
    Exit,
    /// The floor was opened.
    Opened,
    /// The floor was closed.
    Closed,
    /// A new version of the program counts by other rules.
    Rules,
    /// The floor was added.
    Added,
    /// The floor got another name.
    Renamed,
    /// Facts of the floor were withdrawn.
    Withdrawn,
    /// Withdrawn facts of the floor count again.
    Restored,
}

impl ChangeKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recount => "recount",
            Self::Slots => "slots",
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Rules => "rules",
            Self::Added => "added",
            Self::Renamed => "renamed",
            Self::Withdrawn => "withdrawn",
            Self::Restored => "restored",
        }
    }
}

/// A change of a floor that no camera made: who made it, when, why, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id; grows with every change.
    pub id: i64,
    /// The floor.
    pub floor_id: i64,
    /// What changed.
    pub kind: ChangeKind,
    /// By how many vehicles it changed the current count when it was made.
    pub count_delta: i64,
    /// The vehicles on the floor after it; of a dated recount, those that were counted.
    pub vehicles: i64,
    /// The slots of the floor after it.
    pub slots: i64,
    /// Why.
    pub reason: Option<String>,
    /// Who made it: the name of a key, or the name that was given.
    pub author: Option<String>,
    /// From when on it holds.
    pub timestamp: Timestamp,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// Whether a person named the instant from which on it holds.
    pub is_dated: bool,
}

/// A fact of a site: an event of a camera, or a change that no camera made. All facts of a site
/// stand in one order, that of their commits.
#[derive(Clone, Debug, PartialEq)]
pub enum SiteFact {
    /// A camera saw a vehicle.
    Event(Event),
    /// A person, or the program, changed a floor.
    Change(Change),
}

impl SiteFact {
    /// The floor that it belongs to.
    #[must_use]
    pub const fn floor_id(&self) -> i64 {
        match self {
            Self::Event(event) => event.floor_id,
            Self::Change(change) => change.floor_id,
        }
    }
}

/// A fact with its position in the order of commits: read on from there.
pub type PlacedFact = (Position, SiteFact);
