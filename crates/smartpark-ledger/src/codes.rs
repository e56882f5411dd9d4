//! What stands for words and lists in both databases: types, directions, kinds of adjustments,
//! roles, and what a key is bound to.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    AtLimit, Direction, Error, RefusalReason, Result, Role, VehicleType, decide::AdjustmentKind,
};

/// The number of a type: its place in [`VehicleType::ALL`].
pub(crate) fn type_number(kind: VehicleType) -> u8 {
    match kind {
        VehicleType::Car => 0,
        VehicleType::Motorcycle => 1,
        VehicleType::Bus => 2,
        VehicleType::Truck => 3,
    }
}

/// The type with this number.
pub(crate) fn type_of(number: i64) -> Option<VehicleType> {
    usize::try_from(number).ok().and_then(|place| VehicleType::ALL.get(place).copied())
}

/// The number of a direction.
pub(crate) fn direction_number(direction: Direction) -> u8 {
    match direction {
        Direction::Entry => 0,
        Direction::Exit => 1,
    }
}

/// The direction with this number.
pub(crate) fn direction_of(number: i64) -> Option<Direction> {
    match number {
        0 => Some(Direction::Entry),
        1 => Some(Direction::Exit),
        _ => None,
    }
}

/// The limit that an event in this direction can find its floor at.
pub(crate) fn limit_of(direction: Direction) -> AtLimit {
    match direction {
        Direction::Entry => AtLimit::Full,
        Direction::Exit => AtLimit::Empty,
    }
}

/// The number of a role: its place in [`Role::ALL`].
pub(crate) fn role_number(role: Role) -> u8 {
    match role {
        Role::Viewer => 0,
        Role::Camera => 1,
        Role::Admin => 2,
    }
}

/// The role with this number.
pub(crate) fn role_of(number: i64) -> Option<Role> {
    usize::try_from(number).ok().and_then(|place| Role::ALL.get(place).copied())
}

/// What a key is bound to, as it is stored: nothing for all.
pub(crate) fn binding<T: Serialize>(bound: &[T]) -> Option<String> {
    // Names and numbers cannot fail to be written.
    (!bound.is_empty()).then(|| serde_json::to_string(bound).unwrap_or_default())
}

/// What a key is bound to, from what is stored. What cannot be read never means all.
pub(crate) fn bound<T: DeserializeOwned>(stored: Option<String>) -> Result<Vec<T>> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let list: Option<Vec<T>> = serde_json::from_str(&stored).ok();
    let list = list.filter(|list| !list.is_empty());
    list.ok_or_else(|| Error::Internal("the database holds a binding that is none".into()))
}

/// The number of a reason: its place in [`RefusalReason::ALL`].
pub(crate) fn reason_number(reason: RefusalReason) -> u8 {
    match reason {
        RefusalReason::UnknownFloor => 0,
        RefusalReason::Future => 1,
        RefusalReason::TooOld => 2,
        RefusalReason::Invalid => 3,
        RefusalReason::Differs => 4,
    }
}

/// The reason with this number.
pub(crate) fn reason_of(number: i64) -> Option<RefusalReason> {
    usize::try_from(number).ok().and_then(|place| RefusalReason::ALL.get(place).copied())
}

/// The number of a kind of adjustment.
pub(crate) fn adjustment_number(kind: AdjustmentKind) -> u8 {
    match kind {
        AdjustmentKind::Recount => 0,
        AdjustmentKind::Capacity => 1,
        AdjustmentKind::Entry => 2,
        AdjustmentKind::Exit => 3,
        AdjustmentKind::Opened => 4,
        AdjustmentKind::Closed => 5,
        AdjustmentKind::Rules => 6,
        AdjustmentKind::Added => 7,
        AdjustmentKind::Renamed => 8,
        AdjustmentKind::Withdrawn => 9,
        AdjustmentKind::Restored => 10,
    }
}

/// The kind of adjustment with this number.
pub(crate) fn adjustment_of(number: i64) -> Option<AdjustmentKind> {
    use AdjustmentKind::{
        Added, Capacity, Closed, Entry, Exit, Opened, Recount, Renamed, Restored, Rules, Withdrawn,
    };
    let kinds = [
        Recount, Capacity, Entry, Exit, Opened, Closed, Rules, Added, Renamed, Withdrawn, Restored,
    ];
    kinds.into_iter().find(|kind| i64::from(adjustment_number(*kind)) == number)
}
