//! The keys and sessions at hand: read from the database every few seconds while somebody asks,
//! however many ask and whatever they send, so that a wrong key costs no question and no memory. A
//! session that another server has just begun is looked for at once, a few times a second at most.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use smartpark_ledger::{
    Error, Result, SmartPark,
    keys::KeyRing,
    limits::{KEYS_FRESH, KEYS_MAX_AGE, KEYS_PACE},
};

/// The keys of a database, as one server knows them.
#[derive(Debug)]
pub(super) struct Keys {
    park: SmartPark,
    latest: watch::Sender<Latest>,
    looking: AtomicBool,
    /// When the last look began.
    looked: Mutex<Option<Instant>>,
}

/// What the last looks found.
#[derive(Debug, Default)]
struct Latest {
    /// The keys, and when the look that found them began.
    found: Option<(Arc<KeyRing>, Instant)>,
    /// Why the last look failed, where it did.
    failure: Option<Error>,
}

impl Latest {
    /// The keys, where they are younger than `age`.
    fn younger(&self, age: std::time::Duration) -> Option<Arc<KeyRing>> {
        let (ring, at) = self.found.as_ref()?;
        (at.elapsed() < age).then(|| Arc::clone(ring))
    }
}

impl Keys {
    pub(super) fn new(park: SmartPark) -> Arc<Self> {
        let looking = AtomicBool::new(false);
        Arc::new(Self { park, latest: watch::Sender::default(), looking, looked: Mutex::default() })
    }

    /// The park whose keys these are.
    pub(super) fn park(&self) -> &SmartPark {
        &self.park
    }

    /// The keys, not older than [`KEYS_MAX_AGE`].
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<KeyRing>> {
        let at_hand = {
            let latest = self.latest.borrow();
            if let Some(ring) = latest.younger(KEYS_FRESH) {
                return Ok(ring);
            }
            latest.younger(KEYS_MAX_AGE)
        };
        let mut looks = self.latest.subscribe();
        self.look();
        if let Some(ring) = at_hand {
            return Ok(ring);
        }
        loop {
            // The sender is ours: it does not go.
            looks.changed().await.map_err(|_| Error::Overloaded)?;
            let latest = looks.borrow_and_update();
            match (latest.younger(KEYS_MAX_AGE), &latest.failure) {
                (Some(ring), _) => return Ok(ring),
                (None, Some(failure)) => return Err(failure.clone()),
                (None, None) => self.look(),
            }
        }
    }

    /// The keys as a look finds them that begins now, or [`KEYS_PACE`] after the one before it,
    /// however many ask.
    pub(super) async fn newest(self: &Arc<Self>) -> Result<Arc<KeyRing>> {
        let asked = Instant::now();
        let mut looks = self.latest.subscribe();
        loop {
            self.look();
            // The sender is ours: it does not go.
            looks.changed().await.map_err(|_| Error::Overloaded)?;
            let latest = looks.borrow_and_update();
            match (&latest.found, &latest.failure) {
                (Some((ring, began)), _) if *began >= asked => return Ok(Arc::clone(ring)),
                (_, Some(failure)) => return Err(failure.clone()),
                _ => {}
            }
        }
    }

    /// The keys that the last look found, without waiting for a newer one, which is begun where
    /// they are no longer fresh.
    pub(super) fn at_hand(self: &Arc<Self>) -> Option<Arc<KeyRing>> {
        let latest = self.latest.borrow();
        let is_fresh = latest.younger(KEYS_FRESH).is_some();
        let ring = latest.found.as_ref().map(|(ring, _)| Arc::clone(ring));
        drop(latest);
        if !is_fresh {
            self.look();
        }
        ring
    }

    /// Begins a look, where none is under way.
    fn look(self: &Arc<Self>) {
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let look = Look(Arc::clone(self));
        tokio::spawn(async move {
            let began = look.0.begin().await;
            let outcome = look.0.park.keys().ring().await;
            look.0.latest.send_modify(|latest| match outcome {
                Ok(ring) => {
                    *latest = Latest { found: Some((Arc::new(ring), began)), failure: None };
                }
                Err(error) => latest.failure = Some(error),
            });
        });
    }
}

impl Keys {
    /// Waits until a look may begin, and notes that it does.
    async fn begin(&self) -> Instant {
        let looked = || self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *looked();
        if let Some(last) = last {
            sleep_until(last + KEYS_PACE).await;
        }
        *looked().insert(Instant::now())
    }
}

/// A look that is under way. However it ends, there can be another, and who waits is woken.
struct Look(Arc<Keys>);

impl Drop for Look {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
        self.0.latest.send_modify(|_| ());
    }
}
