//! What the findings of one message come to, given the states that were kept: events, what is not
//! counted, and new states. A pure step between [`translate`](crate::input::translate) and a store
//! that records the events and changes the states in one transaction.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::Camera,
    counter::{count_interval, count_reading},
    input::{Crossing, Finding, NotCounted},
    limits::STATE_KEPT,
};

/// One thing that a message comes to, in the order of the message.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An event. A crossing of a ramp between two floors gives two.
    Event(Crossing),
    /// Something that makes no event.
    NotCounted(NotCounted),
}

/// A state to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewState {
    /// The bytes.
    pub state: Vec<u8>,
    /// From when on they may be deleted; never if `None`.
    pub keep_until: Option<Timestamp>,
}

/// What one message gives one camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Events and what is not counted.
    pub outcomes: Vec<Outcome>,
    /// The states that change, by their keys beside the camera's id.
    pub states: BTreeMap<String, NewState>,
}

/// The keys of the states that these findings need, each once.
#[must_use]
pub fn state_keys(findings: &[Finding]) -> Vec<String> {
    let mut keys: Vec<String> = findings.iter().filter_map(state_key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn state_key(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Sighting(sighting) => Some(sighting.key()),
        Finding::Reading(reading) => Some(reading.counter.key()),
        Finding::Interval(interval) => Some(interval.counter.key()),
        Finding::Crossing(_) | Finding::NotCounted(_) | Finding::Alive => None,
    }
}

/// What the findings of one message come to. `stored` gives the state that was kept under a key
/// beside the camera's id. SmartPark's own events have no camera here; they name theirs.
#[must_use]
pub fn plan<'s>(
    camera: Option<&Camera>,
    findings: Vec<Finding>,
    stored: impl Fn(&str) -> Option<&'s [u8]>,
) -> Plan {
    let mut plan = Plan::default();
    for finding in findings {
        let key = state_key(&finding);
        let before = key.as_deref().and_then(|key| {
            let changed = plan.states.get(key).map(|new| new.state.clone());
            changed.or_else(|| stored(key).map(<[u8]>::to_vec))
        });
        let before = before.as_deref();
        let (found, state, keep_until) = match (finding, camera) {
            (Finding::Sighting(sighting), Some(camera)) => {
                let seen = sighting.seen_at();
                let advance = sighting.advance(camera, before);
                // An object whose end was lost is not kept for ever.
                let last = || seen.checked_add(STATE_KEPT).unwrap_or(Timestamp::MAX);
                let until = advance.forget_after.unwrap_or_else(last);
                (advance.findings, advance.state, Some(until))
            }
            (Finding::Reading(reading), Some(camera)) => {
                let counted = count_reading(camera, &reading, before);
                (counted.findings, counted.state, None)
            }
            (Finding::Interval(interval), Some(camera)) => {
                let counted = count_interval(camera, &interval, before);
                (counted.findings, counted.state, None)
            }
            // Only cameras of the configuration have a state.
            (Finding::Sighting(_) | Finding::Reading(_) | Finding::Interval(_), None) => continue,
            (other, _) => (vec![other], None, None),
        };
        plan.add(found);
        if let (Some(key), Some(state)) = (key, state) {
            plan.states.insert(key, NewState { state, keep_until });
        }
    }
    plan
}

impl Plan {
    fn add(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            match finding {
                Finding::Crossing(crossing) => {
                    self.outcomes.extend(crossing.events().map(Outcome::Event));
                }
                Finding::NotCounted(refusal) => self.outcomes.push(Outcome::NotCounted(refusal)),
                // A state makes crossings and refusals only, and a sign of life makes no event.
                Finding::Sighting(_)
                | Finding::Reading(_)
                | Finding::Interval(_)
                | Finding::Alive => {}
            }
        }
    }
}

const _: () = assert!(STATE_KEPT.as_secs() > SignedDuration::from_hours(24).as_secs());
