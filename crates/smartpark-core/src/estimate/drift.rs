//! How far a floor's count may be off.
//!
//! Cameras miss cars and see others twice, so a count drifts away from the truth. Nobody sees the
//! truth, but the facts hold evidence: recounts, events at a limit (a car that leaves an "empty"
//! floor), nights that resemble one another, cameras that fall silent. A particle filter follows
//! 2000 possible true counts through that evidence and tells how they spread.
//!
//! The caller fills a [`Floor`] with hours of facts; [`State::begin`] and [`State::advance`] walk
//! through them; [`State::answer`] tells estimate, interval and evidence. A state may be kept and
//! continued later: the answer is the same as from a walk without a stop.
//!
//! What it costs: a day of facts takes about a millisecond, 120 days about 100; a state takes
//! about 200 kB. [`States`] keeps a bounded number of them.

mod answer;
mod hours;
mod keep;
mod particles;
mod random;
mod state;

#[cfg(test)]
mod tests;

pub use answer::{Caution, Drift, Evidence, LastRecount, NetLoss, Reason, Suggestion, add_up};
pub use hours::{Fact, FactKind, Floor, Hour, Piece, UsualNight, hours};
pub use keep::States;
pub use particles::Stretch;
pub use state::State;
