//! A day of a car park without a camera: a stream of events that a seed decides, with the faults
//! that are ordered. Pure: no clock, no network, the same day on every machine.
//!
//! Cars come through one gate onto the first floor and drive up the ramps to the first floor with
//! room. The gate makes one event a car, each ramp two: off one floor and onto the next, at the same
//! time. A car stays as long as shoppers or commuters do, and leaves the same way.
//!
//! ```
//! use smartpark_client::simulate::{Day, Faults, SimulatedFloor};
//!
//! let floors = vec![SimulatedFloor { id: 1, slots: 50 }, SimulatedFloor { id: 2, slots: 45 }];
//! let start = "2026-02-12T00:00:00Z".parse().unwrap();
//! let day = Day { faults: Faults { missed: 5, ..Faults::default() }, ..Day::new(7, start, floors) };
//! let simulated = day.simulate();
//! assert!(simulated.reports.is_sorted_by_key(|report| report.sent_at));
//! ```

mod cars;
mod faults;
mod random;

use std::time::Duration;

use jiff::Timestamp;
use smartpark_core::NewEvent;

pub use faults::{Faults, WrongClock};

/// A floor of the simulated car park, in the order in which cars reach them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedFloor {
    /// Its id at the server.
    pub id: i64,
    /// How many vehicles fit.
    pub slots: u32,
}

/// What is to be simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// When the day begins: local midnight, for the hours to mean what they say.
    pub start: Timestamp,
    /// The floors, the one behind the gate first.
    pub floors: Vec<SimulatedFloor>,
    /// How many cars come.
    pub cars: u32,
    /// What goes wrong.
    pub faults: Faults,
}

/// An event, and when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// When it is sent. The event's own time is the one that its camera believes in.
    pub sent_at: Timestamp,
    /// What is sent.
    pub event: NewEvent,
}

/// A simulated day.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// What is sent, in that order.
    pub reports: Vec<Report>,
    /// How many vehicles truly stand on each floor in the end, in the order of the floors.
    pub parked: Vec<u32>,
    /// Cars that found no room and drove on.
    pub turned_away: u32,
    /// How many events were missed, repeated and late.
    pub faults: FaultCounts,
}

/// How often something went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Events that no camera saw.
    pub missed: u32,
    /// Events that were sent twice.
    pub doubled: u32,
    /// Events that were sent late.
    pub late: u32,
}

impl Day {
    /// A usual day without faults, of as many cars as fill the park two and a half times.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, floors: Vec<SimulatedFloor>) -> Self {
        let slots: u32 = floors.iter().map(|floor| floor.slots).sum();
        let cars = slots.saturating_mul(5) / 2;
        Self { seed, start, floors, cars, faults: Faults::default() }
    }

    /// Simulates the day.
    #[must_use]
    pub fn simulate(&self) -> Simulated {
        let mut random = random::Random::new(self.seed);
        let cars::Traffic { events, parked, turned_away } = cars::traffic(self, &mut random);
        let (mut reports, faults) = faults::apply(&self.faults, events, &mut random);
        reports.sort_by_key(|report| report.sent_at);
        Simulated { reports, parked, turned_away, faults }
    }
}

/// The instant so long after another one, or the last one that there is.
fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
