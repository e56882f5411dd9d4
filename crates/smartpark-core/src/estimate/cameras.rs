//! Which camera errs: conservation of vehicles between the floors of a car park.
//!
//! A vehicle that enters a floor comes from somewhere and goes somewhere. If the cameras of a
//! floor saw more vehicles come than go, night after night, one of them errs, and the pattern
//! over all floors and days tells which. [`judge`] weighs that up. It names a camera only above
//! 0.9; if several explain the pattern equally well, it tells them together.
//!
//! Two cameras on one line see the same vehicles, so [`twins`] tells the share that each misses.

mod balance;
mod judge;
mod linear;
mod lines;
mod split;
mod twins;

#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod tests;

pub use judge::{
    Cameras, Direction, Flow, Judged, Line, Loss, Part, Verdict, Window, judge, parts,
};
pub use lines::{SaidLine, Traffic, lines, nights};
pub use twins::{Miss, Seen, Twin, twins};
