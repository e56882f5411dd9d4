//! Turns a camera picture or a film into crossing events: one event per vehicle over a line.

pub mod backoff;
pub mod blob;
pub mod check;
pub mod components;
pub mod counter;
pub mod crossing;
pub mod error;
pub mod event;
pub mod film;
pub mod flow;
pub mod frame;
pub mod geometry;
pub mod health;
pub mod limits;
pub mod model;
pub mod seg;
pub mod sides;
pub mod source;
pub mod still;
pub mod strip;

pub use backoff::Backoff;
pub use check::{CheckReport, check};
pub use counter::{Counter, Method, Step};
pub use crossing::{Crossing, Direction, VehicleType};
pub use error::{Error, Result};
pub use event::{Event, EventContext};
pub use film::{CountOptions, CountReport, count};
pub use frame::Frame;
pub use geometry::{Line, Point, Rect};
pub use health::{Blindness, Health, State, StateChange};
pub use model::{Detection, Detector};
pub use source::{Capture, CaptureOptions, Source};
