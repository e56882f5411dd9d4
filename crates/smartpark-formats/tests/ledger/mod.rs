//! A trial over two floors that keeps its events as texts.

use smartpark_formats::{
    config::Camera,
    input::{Crossing, Finding},
    limits::MAX_STATE_BYTES,
    trial::{Trial, TrialOutcome},
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
pub(crate) struct Ledger {
    pub(crate) events: Vec<Event>,
    trial: Trial,
}

impl Default for Ledger {
    fn default() -> Self {
        let floors = [1, 2].map(|id| (id, format!("Level {id}"))).to_vec();
        Self { events: Vec::new(), trial: Trial::with_floors(floors) }
    }
}

impl Ledger {
    /// Records what one message gave one camera; says what was not counted.
    pub(crate) fn record(
        &mut self,
        camera: Option<&Camera>,
        findings: Vec<Finding>,
    ) -> Vec<(Option<usize>, String)> {
        let mut ignored = Vec::new();
        for outcome in self.trial.record(camera, findings) {
            match outcome {
                TrialOutcome::Event(event) => self.events.push(shown(event)),
                TrialOutcome::NotCounted { element, detail, .. } => {
                    ignored.push((element, detail));
                }
            }
        }
        let largest = self.trial.largest_state();
        assert!(largest <= MAX_STATE_BYTES, "a state of {largest} bytes");
        ignored
    }
}

fn shown(event: Crossing) -> Event {
    Event {
        camera_id: event.camera_id,
        floor: event.floor.to_string(),
        track_id: event.track_id,
        vehicle_type: event.vehicle_type.to_string(),
        direction: event.direction.to_string(),
        confidence: event.confidence,
        timestamp: event.timestamp.to_string(),
    }
}
