//! What stands for words and lists in both databases: types, directions, kinds of adjustments,
//! roles, and what a key is bound to.

use serde::{Serialize, de::DeserializeOwned};

use crate::{AtLimit, Direction, Error, RefusalReason, Result, Role, VehicleType, count::Act};

/// The number of a type: its place in [`VehicleType::ALL`].
pub(super) fn type_number(kind: VehicleType) -> u8 {
    match kind {
        VehicleType::Car => 0,
        VehicleType::Motorcycle => 1,
        VehicleType::Bus => 2,
        VehicleType::Truck => 3,
    }
}

/// The type with this number.
pub(super) fn type_of(number: i64) -> Option<VehicleType> {
    usize::try_from(number).ok().and_then(|place| VehicleType::ALL.get(place).copied())
}

/// The number of a direction.
pub(super) fn direction_number(direction: Direction) -> u8 {
    match direction {
        Direction::Entry => 0,
        Direction::Exit => 1,
    }
}

/// The direction with this number.
pub(super) fn direction_of(number: i64) -> Option<Direction> {
    match number {
        0 => Some(Direction::Entry),
        1 => Some(Direction::Exit),
        _ => None,
    }
}

/// The limit that an event in this direction can find its floor at.
pub(super) fn limit_of(direction: Direction) -> AtLimit {
    match direction {
        Direction::Entry => AtLimit::Full,
        Direction::Exit => AtLimit::Empty,
    }
}

/// The number of a role: its place in [`Role::ALL`].
pub(super) fn role_number(role: Role) -> u8 {
    match role {
        Role::Viewer => 0,
        Role::Camera => 1,
        Role::Admin => 2,
    }
}

/// The role with this number.
pub(super) fn role_of(number: i64) -> Option<Role> {
    usize::try_from(number).ok().and_then(|place| Role::ALL.get(place).copied())
}

/// What a key is bound to, as it is stored: nothing for all.
pub(super) fn binding<T: Serialize>(bound: &[T]) -> Option<String> {
    // Names and numbers cannot fail to be written.
    (!bound.is_empty()).then(|| serde_json::to_string(bound).unwrap_or_default())
}

/// What a key is bound to, from what is stored. What cannot be read never means all.
pub(super) fn bound<T: DeserializeOwned>(stored: Option<String>) -> Result<Vec<T>> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let list: Option<Vec<T>> = serde_json::from_str(&stored).ok();
    let list = list.filter(|list| !list.is_empty());
    list.ok_or_else(|| Error::Internal("the database holds a binding that is none".into()))
}

/// The number of a reason: its place in [`RefusalReason::ALL`].
pub(super) fn reason_number(reason: RefusalReason) -> u8 {
    match reason {
        RefusalReason::UnknownFloor => 0,
        RefusalReason::Future => 1,
        RefusalReason::TooOld => 2,
        RefusalReason::Invalid => 3,
        RefusalReason::Differs => 4,
    }
}

/// The reason with this number.
pub(super) fn reason_of(number: i64) -> Option<RefusalReason> {
    usize::try_from(number).ok().and_then(|place| RefusalReason::ALL.get(place).copied())
}

/// What an adjustment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recount,
    Capacity,
    Entry,
    Exit,
}

impl Kind {
    /// The number of the kind.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Recount => 0,
            Self::Capacity => 1,
            Self::Entry => 2,
            Self::Exit => 3,
        }
    }

    /// The kind with this number.
    pub(super) fn from_number(number: i64) -> Option<Self> {
        [Self::Recount, Self::Capacity, Self::Entry, Self::Exit]
            .into_iter()
            .find(|kind| i64::from(kind.number()) == number)
    }

    /// The act of an adjustment of this kind that left `count` vehicles and `slots` slots.
    pub(super) fn act(self, count: i64, slots: i64) -> Act {
        match self {
            Self::Recount => Act::Recount(count),
            Self::Capacity => Act::Capacity(slots),
            Self::Entry => Act::Entry,
            Self::Exit => Act::Exit,
        }
    }
}

impl From<Direction> for Kind {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Entry => Self::Entry,
            Direction::Exit => Self::Exit,
        }
    }
}
