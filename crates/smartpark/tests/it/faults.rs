//! Faults, one scenario each, against the real program under load. Whatever happens, the journal of
//! what was sent and told is judged at the end with what the API and the raw database say: the
//! invariants I1–I20, each a function that gives findings. `SMARTPARK_FAULTS` is `ci` (if nothing
//! is said), `nightly` or `release`; `scripts/faults` runs them and writes docs/reliability.md.

pub(crate) mod facts;
pub(crate) mod journal;
mod judge;
pub(crate) mod load;
mod machine;
#[cfg(feature = "planted")]
mod planted;
mod raw;
mod readers;
mod scenarios;
mod stop;
pub(crate) mod trial;
