//! What `smartpark check` proves and reports.

use serde::Serialize;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Floors that were folded again from their events.
    pub floors: u64,
    /// Events that were read.
    pub events: u64,
    /// What does not hold; empty where all is well.
    pub violations: Vec<Violation>,
    /// Whether what is derived was rebuilt.
    pub repaired: bool,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which: `I3`, `I6`, `I7`, `I8`, `I9`, `I10`, `I13`, `I16`.
    pub invariant: &'static str,
    /// What is wrong, with the ids that are concerned.
    pub detail: String,
}
