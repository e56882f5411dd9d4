//! The words and the arithmetic of SmartPark, without I/O.
//!
//! - The [model](Event): floors, events, statistics, keys, and the rules for their values.
//! - [`count`]: the fold that turns a floor's history into its count.
//! - [`intake`]: from the members of a JSON object, or the cells of a table, to an event.
//!
//! This crate reads no file, no socket and no clock. Time is always a parameter.

pub mod count;
pub mod csv_cells;
pub mod error;
pub mod intake;
pub mod limits;
pub mod model;

pub use error::FieldError;
pub use jiff::Timestamp;
pub use model::*;
