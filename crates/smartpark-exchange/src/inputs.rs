//! A message of a device, however it came, becomes events in the ledger.
//!
//! The states of the device's counters and objects change in the transaction of the events. If
//! another server changed one of them meanwhile, the message is decided anew: so of several servers
//! that receive one message each event counts once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use smartpark_formats::{
    config::{Camera, Connections, Floor as FloorName},
    input::{Crossing, Finding, Message, Reason, Routed, route, translate},
    plan::{NewState, Outcome, Plan, plan, state_keys},
};
use smartpark_ledger::{Error, Floor, NewEvent, Recorded, Result, SmartPark, StateChange};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Signs,
    limits::{MAX_CACHED_STATES, MAX_DECISIONS},
};

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Events that were recorded now.
    pub recorded: usize,
    /// Events that had been recorded before.
    pub duplicates: usize,
    /// Those of the recorded events that found their floor at its limit.
    pub at_limit: usize,
    /// What was not counted: the reason in one word, and a sentence for a person.
    pub not_counted: Vec<(&'static str, String)>,
}

/// States that were read or written last, by key; `None` is known not to exist.
type States = HashMap<String, Option<Vec<u8>>>;

/// The way in for messages of the cameras of a configuration.
#[derive(Debug)]
pub struct Inputs {
    park: SmartPark,
    connections: Arc<Connections>,
    signs: Arc<Signs>,
    /// Messages that need a state are decided one after the other for each camera.
    states: HashMap<String, Mutex<States>>,
}

impl Inputs {
    /// The way in for these cameras.
    #[must_use]
    pub fn new(park: SmartPark, connections: Arc<Connections>, signs: Arc<Signs>) -> Self {
        let ids = connections.cameras.iter().map(|camera| camera.id.clone());
        let states = ids.map(|id| (id, Mutex::default())).collect();
        Self { park, connections, signs, states }
    }

    /// The configuration.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Takes one message of one camera. Returns when its events are safely on disk.
    ///
    /// # Errors
    /// [`Error::Overloaded`] and [`Error::Unavailable`]: the message is to be sent again. Whatever
    /// can never be counted is no error but part of the answer.
    pub async fn receive(&self, camera: &Camera, message: &Message<'_>) -> Result<Received> {
        let findings = translate(camera, message);
        self.record(vec![Routed { camera: Some(camera), findings }]).await
    }

    /// Takes one MQTT message for every camera that subscribes to its topic.
    ///
    /// # Errors
    /// As [`Inputs::receive`].
    pub async fn receive_topic(&self, message: &Message<'_>) -> Result<Received> {
        self.record(route(&self.connections, message)).await
    }

    async fn record(&self, routed: Vec<Routed<'_>>) -> Result<Received> {
        let mut received = Received::default();
        for Routed { camera, findings } in routed {
            let states = camera.and_then(|camera| self.states.get(&camera.id));
            let states = states.filter(|_| !state_keys(&findings).is_empty());
            // First of all: messages that wait here are decided in the order in which they came.
            let states = match states {
                Some(states) => Some(states.lock().await),
                None => None,
            };
            if let Some(camera) = camera
                && findings.iter().any(is_sign_of_life)
            {
                self.signs.heard(&self.park, &camera.id).await;
            }
            received.add(match states {
                Some(states) => self.with_states(camera, findings, states).await?,
                None => self.without_states(camera, findings).await?,
            });
        }
        Ok(received)
    }

    /// Records events that depend on nothing that is kept.
    async fn without_states(
        &self,
        camera: Option<&Camera>,
        findings: Vec<Finding>,
    ) -> Result<Received> {
        let mut received = Received::default();
        let floors = self.park.floors().get_latest_floors().await?;
        let mut events = Vec::new();
        for outcome in plan(camera, findings, |_| None).outcomes {
            match outcome {
                Outcome::Event(crossing) => match event(&crossing, &floors) {
                    Some(event) => events.push(event),
                    None => self.unknown_floor(&crossing, &mut received),
                },
                Outcome::NotCounted(refusal) => {
                    self.not_counted(camera, refusal.reason.as_str(), &refusal, &mut received);
                }
            }
        }
        for answer in self.park.events().record_events(events).await? {
            match answer {
                Ok(recorded) => received.note(&recorded),
                Err(error) => received.refuse(error)?,
            }
        }
        Ok(received)
    }

    /// Records events and the states that they depend on, together.
    async fn with_states(
        &self,
        camera: Option<&Camera>,
        findings: Vec<Finding>,
        mut states: MutexGuard<'_, States>,
    ) -> Result<Received> {
        let id = camera.map(|camera| camera.id.as_str()).unwrap_or_default();
        for _ in 0..MAX_DECISIONS {
            self.load(id, &state_keys(&findings), &mut states).await?;
            let stored = |key: &str| states.get(key).and_then(Option::as_deref);
            let Plan { outcomes, states: new } = plan(camera, findings.clone(), stored);
            let mut received = Received::default();
            let floors = self.park.floors().get_latest_floors().await?;
            let (mut events, mut is_whole) = (Vec::new(), true);
            for outcome in &outcomes {
                if let Outcome::Event(crossing) = outcome {
                    match event(crossing, &floors) {
                        Some(event) => events.push(event),
                        None => {
                            is_whole = false;
                            self.unknown_floor(crossing, &mut received);
                        }
                    }
                }
            }
            if !is_whole {
                // The state stays as it is: a later reading brings what this one would have.
                return Ok(received);
            }
            let changes = changes(id, &new, &states);
            match self.park.events().record_with_state(events, changes).await {
                Ok(recorded) => {
                    recorded.iter().for_each(|recorded| received.note(recorded));
                    let kept = new.into_iter().map(|(key, new)| (key, Some(new.state)));
                    states.extend(kept);
                }
                Err(Error::StateChanged) => {
                    states.clear();
                    continue;
                }
                Err(error) => {
                    // It is not known what is stored now.
                    states.clear();
                    received.refuse(error)?;
                }
            }
            for outcome in &outcomes {
                if let Outcome::NotCounted(refusal) = outcome {
                    self.not_counted(camera, refusal.reason.as_str(), refusal, &mut received);
                }
            }
            return Ok(received);
        }
        Err(Error::Overloaded)
    }

    /// Reads the states that are not known yet.
    async fn load(&self, id: &str, keys: &[String], states: &mut States) -> Result<()> {
        if states.len() > MAX_CACHED_STATES {
            states.clear();
        }
        let missing = keys.iter().filter(|key| !states.contains_key(*key));
        let names: Vec<_> = missing.map(|key| (id.to_owned(), key.clone())).collect();
        if names.is_empty() {
            return Ok(());
        }
        let mut stored = self.park.events().get_states(names.clone()).await?;
        for name in names {
            let state = stored.remove(&name);
            states.insert(name.1, state);
        }
        Ok(())
    }

    fn unknown_floor(&self, crossing: &Crossing, received: &mut Received) {
        let detail = format!("floor {} is not known", crossing.floor);
        let events = self.park.events();
        events.note_not_counted(Some(&crossing.camera_id), "unknown_floor", &detail);
        received.not_counted.push(("unknown_floor", detail));
    }

    fn not_counted(
        &self,
        camera: Option<&Camera>,
        reason: &'static str,
        detail: &impl ToString,
        received: &mut Received,
    ) {
        let detail = detail.to_string();
        let id = camera.map(|camera| camera.id.as_str());
        self.park.events().note_not_counted(id, reason, &detail);
        received.not_counted.push((reason, detail));
    }
}

impl Received {
    fn add(&mut self, other: Self) {
        self.recorded += other.recorded;
        self.duplicates += other.duplicates;
        self.at_limit += other.at_limit;
        self.not_counted.extend(other.not_counted);
    }

    fn note(&mut self, recorded: &Recorded) {
        if recorded.duplicate {
            self.duplicates += 1;
            return;
        }
        self.recorded += 1;
        self.at_limit += usize::from(recorded.event.at_limit.is_some());
    }

    /// Notes an event that can never be counted. The ledger has counted the refusal already.
    fn refuse(&mut self, error: Error) -> Result<()> {
        let reason = match &error {
            Error::Invalid(_) => "invalid",
            Error::UnknownFloor => "unknown_floor",
            Error::InFuture { .. } => "future",
            Error::TooOld { .. } => "too_old",
            _ => return Err(error),
        };
        self.not_counted.push((reason, error.to_string()));
        Ok(())
    }
}

/// Whether a finding shows that the camera works. A message of another device on the same topic, or
/// one that cannot be read, does not.
fn is_sign_of_life(finding: &Finding) -> bool {
    match finding {
        Finding::NotCounted(refusal) => {
            let strange = [Reason::NotConfigured, Reason::NotSubscribed, Reason::Unreadable];
            !strange.contains(&refusal.reason)
        }
        _ => true,
    }
}

/// The event of a crossing; `None` if its floor is not known by that name.
fn event(crossing: &Crossing, floors: &[Floor]) -> Option<NewEvent> {
    let floor_id = match &crossing.floor {
        FloorName::Id(id) => *id,
        FloorName::Name(name) => floors.iter().find(|floor| floor.name == *name)?.id,
    };
    let Crossing { camera_id, track_id, vehicle_type, direction, .. } = crossing;
    let event = NewEvent::new(camera_id, floor_id, track_id, *vehicle_type, *direction);
    Some(event.at(crossing.timestamp).confidence(crossing.confidence))
}

/// The changes of states, from those that are known.
fn changes(id: &str, new: &BTreeMap<String, NewState>, known: &States) -> Vec<StateChange> {
    let change = |(key, new): (&String, &NewState)| StateChange {
        camera_id: id.to_owned(),
        key: key.clone(),
        expected: known.get(key).cloned().flatten(),
        new: Some(new.state.clone()),
        keep_until: new.keep_until,
    };
    new.iter().map(change).collect()
}
