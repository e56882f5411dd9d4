//! The laws of counting, held up against a naive model: pure, without a database.
//!
//! - [`naive`] says what is right: it sorts all facts and folds them from scratch.
//! - [`floor`] is a floor whose rows and facts lie in memory. It answers [`super::Missing`] as a
//!   store does, and compares every answer and every row with the naive model.
//! - [`story`] makes random histories: clustered in time, late, repeated, with adjustments.

mod floor;
mod horizon;
mod insertion;
mod laws;
mod naive;
mod story;
mod tree;
