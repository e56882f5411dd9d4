//! The words and the arithmetic of SmartPark, without I/O.
//!
//! - The [model](Event): floors, events, statistics, keys, and the rules for their values.
//! - [`count`]: the fold that turns a floor's history into its count.
//! - [`estimate`]: how far a count may be off, which camera errs, what comes next.
//! - [`intake`]: from the members of a JSON object, or the cells of a table, to an event.
//! - [`report`]: the figures of a month, a week or a day.
//! - [`zone`]: time zones by name.
//!
//! This crate reads no file, no socket and no clock. Time is always a parameter.

pub mod count;
pub mod csv_cells;
pub mod error;
pub mod estimate;
pub mod intake;
pub mod limits;
pub mod model;
pub mod report;
pub mod zone;

pub use error::FieldError;
pub use jiff::Timestamp;
pub use model::*;
