//! How long SmartPark was away from the broker. A broker keeps only so many messages of a session,
//! so after a while some may be lost; a person is told how long it was.
//!
//! The last moment of a connection is kept in the database, so a server that was stopped knows it,
//! too.

use jiff::{SignedDuration, Timestamp};
use smartpark_ledger::{Error, SmartPark, StateChange};

use crate::limits::{MQTT_AWAY, MQTT_SIGN_INTERVAL};

/// The key of the state that holds the last moment of a connection: microseconds since 1970 UTC.
const KEY: &str = "mqtt/connected";

/// Watches for how long the connection is away.
#[derive(Debug)]
pub(super) struct Away {
    park: SmartPark,
    client_id: String,
    stored: Option<Timestamp>,
}

impl Away {
    pub(super) fn new(park: SmartPark, client_id: &str) -> Self {
        let client_id = client_id.chars().take(100).collect();
        Self { park, client_id, stored: None }
    }

    /// The connection stands again: tells for how long it did not, if that was long.
    pub(super) async fn ended(&mut self, is_session_kept: bool) {
        let now = self.park.now();
        if let Some(last) = self.last().await {
            let away = now.duration_since(last);
            if away > MQTT_AWAY || !is_session_kept {
                self.tell(away, is_session_kept);
            }
        }
        self.store(now).await;
    }

    /// The connection is lost.
    pub(super) async fn begun(&mut self) {
        self.store(self.park.now()).await;
    }

    /// The connection stands: stores that now and then.
    pub(super) async fn still_connected(&mut self) {
        let now = self.park.now();
        let is_due = |last: Timestamp| now.duration_since(last).abs() >= MQTT_SIGN_INTERVAL;
        if self.stored.is_none_or(is_due) {
            self.store(now).await;
        }
    }

    fn tell(&self, away: SignedDuration, is_session_kept: bool) {
        let length = SignedDuration::from_secs(away.as_secs());
        let kept = if is_session_kept {
            "messages beyond what the broker keeps are lost"
        } else {
            "the broker has not kept the session, so messages from that time are lost"
        };
        let detail = format!("SmartPark was away from the broker for {length:#}; {kept}");
        tracing::warn!("{detail}");
        self.park.events().note_not_counted(None, "gap", &detail);
    }

    async fn last(&self) -> Option<Timestamp> {
        let name = (self.client_id.clone(), KEY.to_owned());
        let states = self.park.events().get_states(vec![name.clone()]).await.ok()?;
        let micros = std::str::from_utf8(states.get(&name)?).ok()?.parse().ok()?;
        Timestamp::from_microsecond(micros).ok()
    }

    async fn store(&mut self, now: Timestamp) {
        self.stored = Some(now);
        let text = |at: Timestamp| at.as_microsecond().to_string().into_bytes();
        let expected = self.last().await.map(text);
        let change = StateChange {
            camera_id: self.client_id.clone(),
            key: KEY.to_owned(),
            expected,
            new: Some(text(now)),
            keep_until: None,
        };
        match self.park.events().record_with_state(Vec::new(), vec![change]).await {
            Ok(_) | Err(Error::StateChanged) => {}
            Err(error) => tracing::debug!("the time of the connection is not stored: {error}"),
        }
    }
}
