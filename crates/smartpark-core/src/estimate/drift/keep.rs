//! States that are kept between questions, so that an answer costs a day of facts, not 120.

use std::collections::BTreeMap;

use super::{
    hours::Floor,
    state::{State, end_of},
};
use jiff::Timestamp;

/// A bounded memory of states at quiet hours, by floor and instant.
///
/// A caller drops what a changed fact made wrong with [`States::forget_from`]. When it is full,
/// the state that was not used for longest goes. It holds no lock and no clock.
#[derive(Debug, Default)]
pub struct States {
    /// For each floor and instant: when it was used, and the state.
    kept: BTreeMap<(i64, Timestamp), (u64, State)>,
    most: usize,
    uses: u64,
}

impl States {
    /// Keeps at most so many states (about 200 kB each).
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { kept: BTreeMap::new(), most, uses: 0 }
    }

    /// The state of a floor after `hours` of its hours, continued from the latest state that is
    /// kept, and kept at its latest quiet hour.
    pub fn state(&mut self, floor_id: i64, floor: &Floor, hours: usize) -> State {
        self.uses += 1;
        let keys = (floor_id, floor.begin)..=(floor_id, end_of(floor, hours));
        let latest = self.kept.range_mut(keys).next_back();
        let mut state = match latest {
            Some((_, (used, state))) => {
                *used = self.uses;
                state.clone()
            }
            None => State::begin(floor),
        };
        let mut night = None;
        let last_day = hours.saturating_sub(24);
        state.advance(floor, last_day);
        while state.hours() < hours.min(floor.hours.len()) {
            state.advance(floor, state.hours() + 1);
            if state.is_night() {
                night = Some(state.clone());
            }
        }
        if let Some(night) = night {
            self.keep(floor_id, floor, night);
        }
        state
    }

    fn keep(&mut self, floor_id: i64, floor: &Floor, state: State) {
        let at = end_of(floor, state.hours());
        self.kept.insert((floor_id, at), (self.uses, state));
        while self.kept.len() > self.most {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used);
            let Some(key) = oldest.map(|(key, _)| *key) else { return };
            self.kept.remove(&key);
        }
    }

    /// Drops a floor's states after this instant: a fact changed there. Call it with the floor's
    /// begin if its slots then, its `usual_night` or its time zone changed.
    pub fn forget_from(&mut self, floor_id: i64, at: Timestamp) {
        self.kept.retain(|(floor, until), _| *floor != floor_id || *until <= at);
    }

    /// States kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}
