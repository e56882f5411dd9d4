//! Estimates: what the stored facts say beyond the count itself.
//!
//! - [`cameras`]: which camera errs.
//! - [`drift`]: how far a count may be off.
//! - [`observed`]: what the estimates take, folded from stored facts.
//! - [`forecast`]: how many vehicles a floor will hold in 15 minutes to 7 days.
//!
//! Everything here is a pure function of facts in event time: no clock, no files, no store. The
//! caller reads the facts, passes the time as a parameter and keeps nothing that must be repaired
//! later. The same facts in any order give the same bytes.

pub mod calendar;
pub mod cameras;
pub mod drift;
pub mod forecast;
pub mod observed;
mod quiet;
