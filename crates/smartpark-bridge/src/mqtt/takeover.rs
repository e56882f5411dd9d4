//! Another client with the same `client_id`: the broker ends our connection for it, and its for
//! ours.

use jiff::{SignedDuration, Timestamp};

use crate::limits::{MQTT_TAKEOVER_WINDOW, MQTT_TAKEOVERS};

/// Connections that stood and were ended by the broker soon after.
#[derive(Debug, Default)]
pub(super) struct Takeovers {
    connected: Option<Timestamp>,
    lost: Vec<Timestamp>,
}

impl Takeovers {
    /// A connection stands.
    pub(super) fn connected(&mut self, now: Timestamp) {
        self.connected = Some(now);
    }

    /// A connection that stood is lost. Whether that was so often, each time after a short while,
    /// that another client must be the reason: a broker that is restarted does not answer at once.
    pub(super) fn lost(&mut self, now: Timestamp) -> bool {
        let is_recent = |at: &Timestamp| now.duration_since(*at).abs() < WINDOW;
        self.lost.retain(is_recent);
        if self.connected.take().is_some_and(|at| is_recent(&at)) {
            self.lost.push(now);
        }
        let is_takeover = self.lost.len() >= MQTT_TAKEOVERS;
        if is_takeover {
            self.lost.clear();
        }
        is_takeover
    }
}

const WINDOW: SignedDuration = MQTT_TAKEOVER_WINDOW;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(losses: &[i64]) -> Vec<bool> {
        let at = |seconds: i64| Timestamp::from_second(1_770_000_000 + seconds).unwrap();
        let mut takeovers = Takeovers::default();
        losses
            .iter()
            .map(|seconds| {
                takeovers.connected(at(seconds - 1));
                takeovers.lost(at(*seconds))
            })
            .collect()
    }

    #[test]
    fn three_in_a_minute_are_another_client() {
        assert_eq!(told(&[1, 3, 5, 70, 72]), [false, false, true, false, false]);
        assert_eq!(told(&[1, 40, 80, 120]), [false; 4]);
    }
}
