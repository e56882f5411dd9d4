//! What recorded messages would be counted as: a ledger in memory, for trying a configuration out.
//!
//! [`recording::messages`] reads the messages of a file. [`Trial::receive`] gives each of them the
//! way that it takes in a server: to its cameras, through the states of counters and objects, to
//! events that count once. Nothing is recorded anywhere.

pub mod recording;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    config::{Camera, Connections, Floor},
    input::{Crossing, Finding, NotCounted, Routed, route, translate},
    plan::{Outcome, plan},
};
use recording::RecordedMessage;

/// What one thing in a message comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialOutcome {
    /// An event that would be recorded.
    Event(Crossing),
    /// Something that would not be counted.
    NotCounted {
        /// The kind of the reason, in one word: one of [`Reason`](crate::input::Reason),
        /// `duplicate` or `unknown_floor`.
        reason: &'static str,
        /// The reason for a person.
        detail: String,
        /// The position in the message, if the message is a list.
        element: Option<usize>,
    },
}

/// The events so far, and the states of counters and objects.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    floors: Option<Vec<(i64, String)>>,
    keys: BTreeSet<String>,
    states: BTreeMap<(String, String), Vec<u8>>,
}

impl Trial {
    /// A trial in which every floor exists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A trial with these floors only: an event of another one is not counted. Events name their
    /// floors by name.
    #[must_use]
    pub fn with_floors(floors: Vec<(i64, String)>) -> Self {
        Self { floors: Some(floors), ..Self::default() }
    }

    /// Receives one message at a time: an MQTT message goes to every camera that subscribes to its
    /// topic, any other one to `camera`. Returns what it comes to for each camera; without one for
    /// SmartPark's own events, and for a message that is no camera's.
    pub fn receive<'a>(
        &mut self,
        connections: &'a Connections,
        camera: &'a Camera,
        sent: &RecordedMessage,
        arrived: Timestamp,
    ) -> Vec<(Option<&'a Camera>, Vec<TrialOutcome>)> {
        let message = sent.message(arrived);
        let routed = if message.topic.is_some() {
            route(connections, &message)
        } else {
            vec![Routed { camera: Some(camera), findings: translate(camera, &message) }]
        };
        let come_to = |Routed { camera, findings }| (camera, self.record(camera, findings));
        routed.into_iter().map(come_to).collect()
    }

    /// Records what one message gave one camera.
    pub fn record(&mut self, camera: Option<&Camera>, findings: Vec<Finding>) -> Vec<TrialOutcome> {
        let id = camera.map(|camera| camera.id.clone()).unwrap_or_default();
        let stored = |key: &str| self.states.get(&(id.clone(), key.to_owned())).map(Vec::as_slice);
        let plan = plan(camera, findings, stored);
        let states = plan.states.into_iter().map(|(key, new)| ((id.clone(), key), new.state));
        self.states.extend(states);
        let outcome = |outcome| match outcome {
            Outcome::Event(event) => self.event(event),
            Outcome::NotCounted(refusal) => not_counted(&refusal),
        };
        plan.outcomes.into_iter().map(outcome).collect()
    }

    fn event(&mut self, mut crossing: Crossing) -> TrialOutcome {
        let element = crossing.element;
        if let Some(floors) = &self.floors {
            let is_it = |(id, name): &&(i64, String)| match &crossing.floor {
                Floor::Id(wanted) => wanted == id,
                Floor::Name(wanted) => wanted == name,
            };
            match floors.iter().find(is_it) {
                Some((_, name)) => crossing.floor = Floor::Name(name.clone()),
                None => {
                    let place = element.map(|at| format!("element {at}: ")).unwrap_or_default();
                    let detail = format!("{place}floor {} is not known", crossing.floor);
                    return TrialOutcome::NotCounted { reason: "unknown_floor", detail, element };
                }
            }
        }
        let Crossing { camera_id, floor, track_id, direction, timestamp, .. } = &crossing;
        let key =
            format!("{:?} {direction} {timestamp}", [camera_id, &floor.to_string(), track_id]);
        if self.keys.insert(key) {
            return TrialOutcome::Event(crossing);
        }
        TrialOutcome::NotCounted { reason: "duplicate", detail: "duplicate".to_owned(), element }
    }

    /// The largest state of a counter or an object, in bytes.
    #[must_use]
    pub fn largest_state(&self) -> usize {
        self.states.values().map(Vec::len).max().unwrap_or(0)
    }
}

fn not_counted(refusal: &NotCounted) -> TrialOutcome {
    TrialOutcome::NotCounted {
        reason: refusal.reason.as_str(),
        detail: refusal.to_string(),
        element: refusal.element,
    }
}
