//! Turns a camera picture or a film into crossing events: one event per vehicle over a line.
//!
//! An `ffmpeg` child decodes the source ([`source`]), the counter finds vehicles by one of three
//! methods ([`blob`], [`strip`], [`model`]), and each crossing of the line becomes one [`Event`].
//! [`count`] counts a film, [`live::watch`] runs a live camera, [`check()`] looks at a source,
//! [`still`] draws pictures for people, and [`health`] tells when a camera cannot see.
//!
//! # Rules of the line
//!
//! A line is a segment `p1 -> p2` in pixels of the source picture. An entry goes from the left of
//! `p1 -> p2` to its right as seen in the picture; `swap` turns it round. All thresholds are in
//! cars: `car_box` is what a car on the line covers, along the line and across it.
//!
//! 1. The anchor is the middle of the box. Inside a band around the line nothing changes.
//! 2. Two frames beyond the band, at least 0.08 s apart, confirm a side. The first confirmed side
//!    is the origin.
//! 3. A change between confirmed sides is a crossing if its interpolated point lies on the segment.
//! 4. A true reversal gives the opposite crossing. There is no dead time.
//! 5. Another track that crosses at the same place and moment in the same direction is a fragment.
//! 6. What is too narrow, or narrow and slow, is a person. From above, what is long is a vehicle.
//! 7. The end of a film ends all tracks: one frame beyond the band is enough then.
//! 8. A track that is born inside the band has no origin and does not count alone. A track that
//!    split from another one has that one's origin, so two vehicles in one outline count both when
//!    they come apart.
//! 9. A track must have moved in the direction of its crossing, as its points say: a box also
//!    moves when an outline grows.

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
pub mod live;
pub mod model;
pub mod seg;
pub mod sides;
pub mod source;
pub mod still;
pub mod strip;
pub mod watch;

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
pub use live::{LiveCamera, Numbers, Report, StopSignal, watch};
pub use model::{Detection, Detector, DetectorFile};
pub use source::{Capture, CaptureOptions, Source};
pub use watch::{Sighting, Watch, WatchOptions};
