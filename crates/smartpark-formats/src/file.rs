//! Files of other programs: what a table or a list of objects holds, row by row.
//!
//! [`Search`] finds the header among the first lines, [`Columns`] the fields in it, and [`Rules`]
//! turn a row into an event. The caller reads the file and hands over its text.

mod cells;
mod columns;
mod encoding;
mod floors;
mod header;
mod instant;
mod rules;
#[cfg(test)]
mod tests;

pub use cells::Cells;
pub use columns::{Columns, Constant, Located, Mapping, Place, Wanted};
pub use encoding::{Encoding, Utf16, latin1_to_utf8};
pub use floors::{FloorKey, FloorNames};
pub use header::{Header, Search};
pub use instant::LocalTimes;
pub use rules::{EVENT, MappedWord, Meaning, Reading, Rules, Word};
