//! As much of a ledger as the translators need: floors, keys of events, and states.

use std::collections::{BTreeMap, BTreeSet};

use smartpark_formats::{
    config::{Camera, Floor},
    counter::{count_interval, count_reading},
    input::{Crossing, Finding},
    limits::MAX_STATE_BYTES,
};

/// One recorded event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) camera_id: String,
    pub(crate) floor: String,
    pub(crate) track_id: String,
    pub(crate) vehicle_type: String,
    pub(crate) direction: String,
    pub(crate) confidence: f64,
    pub(crate) timestamp: String,
}

/// Two floors, "Level 1" with id 1 and "Level 2" with id 2, and what was recorded.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) events: Vec<Event>,
    keys: BTreeSet<String>,
    states: BTreeMap<(String, String), Vec<u8>>,
}

impl Ledger {
    /// Records what one message gave one camera; says what was not counted.
    pub(crate) fn record(
        &mut self,
        camera: Option<&Camera>,
        findings: Vec<Finding>,
    ) -> Vec<(Option<usize>, String)> {
        let mut ignored = Vec::new();
        for finding in findings {
            self.one(camera, finding, &mut ignored);
        }
        ignored
    }

    fn one(
        &mut self,
        camera: Option<&Camera>,
        finding: Finding,
        ignored: &mut Vec<(Option<usize>, String)>,
    ) {
        let key = match &finding {
            Finding::Sighting(sighting) => sighting.key(),
            Finding::Reading(reading) => reading.counter.key(),
            Finding::Interval(interval) => interval.counter.key(),
            Finding::Crossing(crossing) => {
                crossing.events().for_each(|event| {
                    ignored.extend(self.event(event).map(|reason| (None, reason)))
                });
                return;
            }
            Finding::NotCounted(refusal) => {
                ignored.push((refusal.element, refusal.to_string()));
                return;
            }
            Finding::Alive => return,
        };
        let camera = camera.expect("only cameras of the configuration have a state");
        let place = (camera.id.clone(), key);
        let state = self.states.get(&place).map(Vec::as_slice);
        let (more, state) = match finding {
            Finding::Sighting(sighting) => {
                let advance = sighting.advance(camera, state);
                (advance.findings, advance.state)
            }
            Finding::Reading(reading) => {
                let counted = count_reading(camera, &reading, state);
                (counted.findings, counted.state)
            }
            Finding::Interval(interval) => {
                let counted = count_interval(camera, &interval, state);
                (counted.findings, counted.state)
            }
            _ => unreachable!("the others have no state"),
        };
        if let Some(state) = state {
            assert!(state.len() <= MAX_STATE_BYTES, "a state of {} bytes", state.len());
            self.states.insert(place, state);
        }
        ignored.extend(self.record(Some(camera), more));
    }

    fn event(&mut self, crossing: Crossing) -> Option<String> {
        let floor = match &crossing.floor {
            Floor::Id(id @ 1..=2) => format!("Level {id}"),
            Floor::Name(name) if name.starts_with("Level ") => name.clone(),
            unknown => {
                let place = crossing.element.map(|at| format!("element {at}: "));
                return Some(format!("{}floor {unknown} is not known", place.unwrap_or_default()));
            }
        };
        let event = Event {
            camera_id: crossing.camera_id,
            floor,
            track_id: crossing.track_id,
            vehicle_type: crossing.vehicle_type.to_string(),
            direction: crossing.direction.to_string(),
            confidence: crossing.confidence,
            timestamp: crossing.timestamp.to_string(),
        };
        let key = [&event.camera_id, &event.floor, &event.track_id, &event.direction];
        if !self.keys.insert(format!("{key:?} {}", event.timestamp)) {
            return Some("duplicate".to_owned());
        }
        self.events.push(event);
        None
    }
}
