//! The rules of recording, of changing a floor, of recounting and of adjusting: each stands here
//! once, as a pure decision. This module does no I/O and knows no engine.
//!
//! An engine loads a [`Draft`]: the floors that a transaction works on and where their histories
//! begin. It asks the draft to decide. If something is missing, the draft has changed nothing and
//! names what it lacks ([`Lack`]); the engine loads that and asks again. In the end the draft gives
//! [`Writes`], the rows to store, and the engine stores them in the same transaction.

mod adjustment;
#[cfg(feature = "postgres")]
mod attempts;
mod draft;
mod floor;
mod floors;
mod group;
mod repeat;
pub(crate) mod seam;
mod states;
pub(crate) mod sums;
#[cfg(test)]
mod tests;
mod withdrawal;
mod writes;

pub(crate) use adjustment::{Adjustment, AdjustmentKind};
pub(crate) use draft::{Draft, Lack};
#[cfg(feature = "postgres")]
pub(crate) use floor::range;
pub(crate) use floor::{OpenFloor, Origin};
pub(crate) use floors::{Dated, may_remove};
pub(crate) use group::{Group, Row};
pub(crate) use states::{GroupStates, StateName, StateWrite};
pub(crate) use withdrawal::{Selected, SelectedFact, Withdrawing, WithdrawnFact, may_withdraw};
pub(crate) use writes::Writes;
