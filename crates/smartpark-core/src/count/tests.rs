//! The laws of counting, held up against a naive model: pure, without a database.
//!
//! - [`naive`] says what is right: it sorts all facts and folds them from scratch.
//! - [`floor`] is a floor whose rows and facts lie in memory. It answers [`super::Missing`] as a
//!   store does, and compares every answer and every row with the naive model.
//! - [`story`] makes random histories: clustered in time, late, repeated, with adjustments.

mod ahead;
mod floor;
mod fullness;
mod horizon;
mod insertion;
mod laws;
mod naive;
mod occupancy;
mod story;
mod tree;

use proptest::test_runner::Config as ProptestConfig;

/// So many cases; a failing one is printed, not kept in a file.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}
