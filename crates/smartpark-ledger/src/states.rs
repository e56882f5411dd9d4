//! States that adapters of devices keep between two messages.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, EventOperations, NewEvent, Recorded, Result,
    limits::{MAX_BATCH_ROWS, MAX_STATE_BYTES},
    model::{name_fault, whole_micros},
};

/// A change of the state that an adapter keeps of a device: an opaque text of bytes, known by the
/// camera's id and a key of the adapter's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The camera, 1 to 100 characters.
    pub camera_id: String,
    /// The adapter's key, 1 to 100 characters.
    pub key: String,
    /// The state that the change starts from; none if there is no state yet.
    pub expected: Option<Vec<u8>>,
    /// The state that takes its place, at most 4096 bytes; none deletes the state.
    pub new: Option<Vec<u8>>,
    /// From when on the state may be deleted; never if none.
    pub keep_until: Option<Timestamp>,
}

impl EventOperations<'_> {
    /// Records events and changes states in one transaction: all of it, or nothing. An adapter
    /// reads its states, decides which events a message means, and calls this. If another message
    /// changed one of the states meanwhile, nothing is stored, and the adapter reads and decides
    /// again.
    ///
    /// Calling it again with the same arguments is safe: the first call has changed the states, so
    /// the second stores nothing.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, Error, NewEvent, StateChange, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// let change = StateChange {
    ///     camera_id: "cam_001".into(),
    ///     key: "counter/entry".into(),
    ///     expected: None,
    ///     new: Some(b"1".to_vec()),
    ///     keep_until: None,
    /// };
    /// let event = NewEvent::new("cam_001", 1, "counter#1", VehicleType::Car, Direction::Entry)
    ///     .at("2026-02-12T10:30:45Z".parse().unwrap());
    /// let events = park.events();
    /// let recorded = events.record_with_state(vec![event], vec![change.clone()]).await?;
    /// assert!(!recorded[0].duplicate);
    /// let stale = StateChange { new: Some(b"2".to_vec()), ..change };
    /// let outcome = events.record_with_state(Vec::new(), vec![stale]).await;
    /// assert_eq!(outcome, Err(Error::StateChanged));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::StateChanged`]; the error of the first event that is refused ([`Error::Invalid`],
    /// [`Error::UnknownFloor`], [`Error::InFuture`], [`Error::TooOld`]); [`Error::Overloaded`]:
    /// nothing was stored. [`Error::Unavailable`]: unknown; read the states and decide anew.
    pub async fn record_with_state(
        self,
        events: Vec<NewEvent>,
        changes: Vec<StateChange>,
    ) -> Result<Vec<Recorded>> {
        if events.len() > MAX_BATCH_ROWS {
            return Err(Error::invalid("events", "must be at most 10000"));
        }
        changes.iter().try_for_each(fitting)?;
        let cameras: Vec<String> = events.iter().map(|event| event.camera_id.clone()).collect();
        let judged = self.judged(events).await?;
        if let Some(error) = judged.iter().find_map(|event| event.as_ref().err()) {
            let error = error.clone();
            self.note_refusals(&cameras[..1], &[Err(error.clone())]);
            return Err(error);
        }
        let answers = self.park.engine.record(judged, changes).await?;
        self.note_refusals(&cameras, &answers);
        answers.into_iter().collect()
    }

    /// The states of these cameras and keys, as far as there are any.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot be read.
    pub async fn get_states(
        self,
        names: Vec<(String, String)>,
    ) -> Result<HashMap<(String, String), Vec<u8>>> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        self.park.engine.states(names).await
    }

    /// The states of all cameras under one key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot be read.
    pub async fn get_states_of_key(self, key: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.park.engine.states_of_key(key.to_owned()).await
    }

    /// Deletes the states whose `keep_until` has passed; returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_states(self) -> Result<u64> {
        self.park.engine.forget_states(self.park.now().as_microsecond()).await
    }

    /// Whether these events would be recorded, one answer each; nothing is recorded, and what does
    /// not fit is not counted as refused. Whether an event is a repeat is not looked up.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, Error, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// let nowhere = NewEvent::new("cam_001", 99, "t2", VehicleType::Car, Direction::Entry);
    /// let judged = park.events().validate_events(vec![nowhere]).await?;
    /// assert_eq!(judged, [Err(Error::UnknownFloor)]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot be read.
    pub async fn validate_events(self, events: Vec<NewEvent>) -> Result<Vec<Result<()>>> {
        let floors = self.park.floors().get_latest_floors().await?;
        let horizon = self.park.engine.horizon().await?;
        let horizon = horizon.and_then(|at| Timestamp::from_microsecond(at).ok());
        let check = |event: Result<NewEvent>| {
            let event = event?;
            let is_old = |horizon: &Timestamp| event.timestamp.is_some_and(|at| at < *horizon);
            if let Some(horizon) = horizon.filter(is_old) {
                return Err(Error::TooOld { horizon });
            }
            let is_known = floors.iter().any(|floor| floor.id == event.floor_id);
            if is_known { Ok(()) } else { Err(Error::UnknownFloor) }
        };
        let times = self.now_and_latest();
        Ok(events.into_iter().map(|event| check(judge(event, times, &Ok(())))).collect())
    }

    /// The events as the queue takes them: each fits, or carries the reason why not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it cannot be told whether the clock is right.
    pub(crate) async fn judged(self, events: Vec<NewEvent>) -> Result<Vec<Result<NewEvent>>> {
        let (now, latest) = self.now_and_latest();
        let clock = self.clock_for(&events, now, latest).await?;
        Ok(events.into_iter().map(|event| judge(event, (now, latest), &clock)).collect())
    }

    /// The time, and the latest that an event may have.
    fn now_and_latest(self) -> (Timestamp, Timestamp) {
        let now = self.park.now();
        let ahead = SignedDuration::try_from(self.park.options.max_clock_skew);
        let latest = ahead.ok().and_then(|ahead| now.checked_add(ahead).ok());
        (now, latest.unwrap_or(Timestamp::MAX))
    }
}

/// Whether an event fits by itself. What depends on a clock that is not trusted is not judged.
fn judge(
    mut event: NewEvent,
    (now, latest): (Timestamp, Timestamp),
    clock: &Result<()>,
) -> Result<NewEvent> {
    let faults = event.faults();
    event.timestamp = event.timestamp.map(whole_micros);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    if let (Err(distrusted), true) = (clock, event.timestamp.is_none_or(|at| at > latest)) {
        return Err(distrusted.clone());
    }
    if event.timestamp.is_some_and(|at| at > latest) {
        return Err(Error::InFuture { now });
    }
    Ok(event)
}

fn fitting(change: &StateChange) -> Result<()> {
    let mut faults = Vec::new();
    name_fault("camera_id", &change.camera_id, &mut faults);
    name_fault("key", &change.key, &mut faults);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    if change.new.as_ref().is_some_and(|new| new.len() > MAX_STATE_BYTES) {
        return Err(Error::invalid("state", "must be at most 4096 bytes"));
    }
    Ok(())
}
