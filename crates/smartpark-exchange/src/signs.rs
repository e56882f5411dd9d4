//! Signs of life: when each camera was last heard. A camera that sees no car in a quiet night may
//! still send messages or heartbeats; then its numbers are vouched for.
//!
//! They are stored beside the states of adapters, at most once a minute for each camera, so every
//! server on one database knows them, also after a restart.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use smartpark_ledger::{Error, Result, SmartPark, StateChange};

use crate::limits::{MAX_SIGNS, SIGN_INTERVAL, SIGN_KEPT};

/// The key of the state that holds the last sign of life: microseconds since 1970 UTC, as text.
const KEY: &str = "heard";

/// When each camera was last heard, as far as this process stored it.
#[derive(Debug, Default)]
pub struct Signs(Mutex<HashMap<String, Timestamp>>);

impl Signs {
    /// Notes that a camera was heard now. A store that is away loses a sign of life, no more.
    pub async fn heard(&self, park: &SmartPark, camera_id: &str) {
        let now = park.now();
        if !self.is_due(camera_id, now) {
            return;
        }
        if let Err(error) = store(park, camera_id, now).await {
            tracing::debug!("a sign of life of {camera_id} could not be stored: {error}");
            self.forget(camera_id);
        }
    }

    /// [`Signs::heard`] for a caller that wants to know whether it is stored.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is no camera's; [`Error::Unavailable`].
    pub async fn heartbeat(&self, park: &SmartPark, camera_id: &str) -> Result<()> {
        let now = park.now();
        if !self.is_due(camera_id, now) {
            return Ok(());
        }
        store(park, camera_id, now).await.inspect_err(|_| self.forget(camera_id))
    }

    /// When each camera was last heard, by every server on the database.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn all(park: &SmartPark) -> Result<HashMap<String, Timestamp>> {
        let states = park.events().get_states_of_key(KEY).await?;
        Ok(states.into_iter().filter_map(|(id, state)| Some((id, read(&state)?))).collect())
    }

    /// Whether a sign of life is to be stored: the last one is a while ago.
    fn is_due(&self, camera_id: &str, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |last: &Timestamp| now.duration_since(*last).abs() < SIGN_INTERVAL;
        if known.get(camera_id).is_some_and(is_recent) {
            return false;
        }
        if known.len() >= MAX_SIGNS {
            known.clear();
        }
        known.insert(camera_id.to_owned(), now);
        true
    }

    fn forget(&self, camera_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(camera_id);
    }
}

async fn store(park: &SmartPark, camera_id: &str, now: Timestamp) -> Result<()> {
    let name = (camera_id.to_owned(), KEY.to_owned());
    let expected = park.events().get_states(vec![name.clone()]).await?.remove(&name);
    let change = StateChange {
        camera_id: name.0,
        key: name.1,
        expected,
        new: Some(now.as_microsecond().to_string().into_bytes()),
        keep_until: now.checked_add(SIGN_KEPT).ok(),
    };
    match park.events().record_with_state(Vec::new(), vec![change]).await {
        // Another server heard it at the same moment.
        Ok(_) | Err(Error::StateChanged) => Ok(()),
        Err(error) => Err(error),
    }
}

fn read(state: &[u8]) -> Option<Timestamp> {
    let micros = std::str::from_utf8(state).ok()?.parse().ok()?;
    Timestamp::from_microsecond(micros).ok()
}
