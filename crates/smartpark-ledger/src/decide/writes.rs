//! What a decision has an engine store.

use crate::{
    Event, Floor,
    count::{Erased, Fact, Flip, NodeRow},
    decide::{
        Adjustment, StateWrite, WithdrawnFact,
        sums::{HourKey, HourSum},
    },
};

/// Rows that a transaction stores, all of them or none.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// New events.
    pub(crate) events: Vec<Event>,
    /// Floors whose name, description or activity changed, as they are now.
    pub(crate) settings: Vec<Floor>,
    /// Floors whose count or slots changed, as they are now.
    pub(crate) floors: Vec<Floor>,
    /// Stretches of the histories of floors, each with its floor's id.
    pub(crate) stretches: Vec<(i64, NodeRow)>,
    /// What is added to the sums of hours, in the order of their keys: transactions that change the
    /// same sums then meet at the first one.
    pub(crate) hours: Vec<(HourKey, HourSum)>,
    /// Events that are at the limit now, each with its floor's id.
    pub(crate) at_limit: Vec<(i64, Flip)>,
    /// The ids of events that are no longer at the limit.
    pub(crate) no_longer: Vec<i64>,
    /// Stretches that no longer exist, each with its floor's id: an engine takes them out before it
    /// stores any.
    pub(crate) erased: Vec<(i64, Erased)>,
    /// Events whose place in history is not their timestamp, each with its floor's id.
    pub(crate) places: Vec<(i64, Fact)>,
    /// Stored adjustments that have a new place, by id.
    pub(crate) pulled: Vec<(i64, i64)>,
    /// Stored facts that no longer count.
    pub(crate) removed: Vec<WithdrawnFact>,
    /// Withdrawn facts that count again.
    pub(crate) restored: Vec<WithdrawnFact>,
    /// New adjustments.
    pub(crate) adjustments: Vec<Adjustment>,
    /// States of adapters, in the order of their names.
    pub(crate) states: Vec<StateWrite>,
}
