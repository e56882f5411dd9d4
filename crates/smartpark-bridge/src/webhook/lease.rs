//! Which of several servers on one database delivers. The one that does counts on in the database
//! every few seconds; another one takes over when it has seen no such step for a while by its own
//! clock. So no clocks must agree.

use std::time::Duration;

use smartpark_ledger::{Error, Result, SmartPark, StateChange};
use tokio::time::Instant;

use super::record::owner;
use crate::limits::{WEBHOOK_BEAT, WEBHOOK_LEASE};

const KEY: &str = "webhook/lease";

/// One server's part in it.
#[derive(Debug)]
pub(super) struct Lease {
    park: SmartPark,
    owner: String,
    /// The name that this server writes into the lease; no other server has it.
    holder: String,
    beats: u64,
    /// The last state of the lease that this server read, and since when it stands.
    seen: Option<(Vec<u8>, Instant)>,
    /// When this server counted on last.
    held_since: Option<Instant>,
}

impl Lease {
    pub(super) fn new(park: SmartPark, webhook: &str, holder: String) -> Self {
        let owner = owner(webhook);
        Self { park, owner, holder, beats: 0, seen: None, held_since: None }
    }

    /// Whether this server delivers for at least one more attempt.
    pub(super) async fn is_held(&mut self) -> Result<bool> {
        // An embedded database has one server only.
        if self.park.engine_name() == "sqlite" {
            return Ok(true);
        }
        if self.held_since.is_some_and(|at| at.elapsed() < WEBHOOK_BEAT) {
            return Ok(true);
        }
        let name = (self.owner.clone(), KEY.to_owned());
        let stored = self.park.events().get_states(vec![name.clone()]).await?.remove(&name);
        let is_ours = stored.as_ref().is_some_and(|state| state.starts_with(self.prefix()));
        if let Some(state) = &stored
            && !is_ours
        {
            self.held_since = None;
            match &self.seen {
                Some((seen, since)) if seen == state => {
                    if since.elapsed() < WEBHOOK_LEASE {
                        return Ok(false);
                    }
                }
                _ => {
                    self.seen = Some((state.clone(), Instant::now()));
                    return Ok(false);
                }
            }
        }
        let begun = Instant::now();
        let is_changed = self.change(stored, true).await?;
        self.held_since = is_changed.then_some(begun);
        Ok(is_changed)
    }

    /// Lets another server take over at once.
    pub(super) async fn leave(&mut self) {
        if self.held_since.is_some() {
            let state = self.state();
            drop(self.change(Some(state), false).await);
        }
    }

    async fn change(&mut self, expected: Option<Vec<u8>>, is_kept: bool) -> Result<bool> {
        self.beats += u64::from(is_kept);
        let change = StateChange {
            camera_id: self.owner.clone(),
            key: KEY.to_owned(),
            expected,
            new: is_kept.then(|| self.state()),
            keep_until: None,
        };
        match self.park.events().record_with_state(Vec::new(), vec![change]).await {
            Ok(_) => Ok(true),
            Err(Error::StateChanged) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn prefix(&self) -> &[u8] {
        self.holder.as_bytes()
    }

    fn state(&self) -> Vec<u8> {
        format!("{} {}", self.holder, self.beats).into_bytes()
    }
}

/// A server that delivers does not look up from an attempt for longer than another one waits.
const _: () = assert!(
    WEBHOOK_LEASE.as_secs() > WEBHOOK_BEAT.as_secs() + crate::limits::WEBHOOK_TIMEOUT.as_secs()
        && WEBHOOK_BEAT.as_secs() >= Duration::from_secs(1).as_secs()
);
