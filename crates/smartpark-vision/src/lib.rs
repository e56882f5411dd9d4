//! Turns a camera picture or a film into crossing events: one event per vehicle over a line.

pub mod blob;
pub mod components;
pub mod counter;
pub mod crossing;
pub mod error;
pub mod flow;
pub mod frame;
pub mod geometry;
pub mod limits;
pub mod seg;
pub mod sides;
pub mod source;

pub use counter::Counter;
pub use crossing::{Crossing, Direction, VehicleType};
pub use error::{Error, Result};
pub use frame::Frame;
pub use geometry::{Line, Point};
pub use source::{Capture, CaptureOptions, Source};
