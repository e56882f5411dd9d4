//! Method *blob*: outlines in the mask, tracks through time, crossings of the line.

mod body;
mod counter;
mod find;
mod share;
mod track;
mod tracker;

pub use counter::BlobCounter;
pub use find::{Blob, Finder};
pub use track::Track;
pub(crate) use track::median;
pub use tracker::Tracker;
