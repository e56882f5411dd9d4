//! Method *blob*: outlines in the mask, tracks through time, crossings of the line.

mod find;
mod track;
mod tracker;

pub use find::{Blob, Finder};
pub use track::Track;
pub use tracker::Tracker;
