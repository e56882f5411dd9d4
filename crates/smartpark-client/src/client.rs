//! The client: a spool and the thread that empties it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    Error, Result,
    clock::Clock,
    crossing::Crossing,
    limits::COMPARE_INTERVAL,
    run::{Runner, Signals},
    spool::{Counts, LAST_ERROR, LAST_SUCCESS, Loss, Spool, SpoolLimits},
    transport::{Http, ServerConfig, Transport},
};

/// How often [`Client::flush`] looks whether the spool is empty.
const FLUSH_LOOK: Duration = Duration::from_millis(20);
/// How long a client that is dropped waits for the request that is under way.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Puts crossings into a spool and delivers them in the background.
#[derive(Debug)]
pub struct Client {
    spool: Arc<Spool>,
    signals: Arc<Signals>,
    clock: Clock,
    unwritten: Mutex<u64>,
}

/// How the client is, for an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// How many events are where.
    pub counts: Counts,
    /// Whether as many events wait as may: more are lost.
    pub is_full: bool,
    /// Events that were lost, by camera.
    pub losses: Vec<Loss>,
    /// Events that could not be written to disk, since the client started.
    pub unwritten: u64,
    /// When the server last took events.
    pub last_success: Option<Timestamp>,
    /// What last went wrong, and when.
    pub last_error: Option<(Timestamp, String)>,
}

/// Settings of a client other than the usual ones.
#[derive(Clone, Debug)]
pub struct Builder {
    spool: PathBuf,
    limits: SpoolLimits,
    clock: Clock,
    compare_interval: Duration,
}

impl Builder {
    /// How much the spool keeps.
    #[must_use]
    pub fn limits(mut self, limits: SpoolLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How often what was delivered is compared with what the server has, beside each start and
    /// each time that the server was away.
    #[must_use]
    pub fn compare_every(mut self, interval: Duration) -> Self {
        self.compare_interval = interval;
        self
    }

    /// Starts the client over HTTP.
    ///
    /// # Errors
    /// [`Error::Config`] and the errors of [`Spool::open`].
    pub fn start(self, server: ServerConfig) -> Result<Client> {
        let transport = Http::new(server)?;
        self.start_with(transport)
    }

    /// Starts the client over another transport.
    ///
    /// # Errors
    /// Those of [`Spool::open`].
    pub fn start_with(self, transport: impl Transport + 'static) -> Result<Client> {
        let spool = Arc::new(Spool::open(&self.spool, self.limits)?);
        let signals = Arc::new(Signals::default());
        let runner = Runner {
            spool: Arc::clone(&spool),
            transport: Box::new(transport),
            signals: Arc::clone(&signals),
            clock: self.clock.clone(),
            compare_interval: self.compare_interval,
            random,
        };
        let thread = std::thread::Builder::new().name("smartpark-sender".into());
        let started = thread.spawn(move || runner.run());
        started.map_err(|error| Error::Config(format!("the sender cannot start: {error}")))?;
        Ok(Client { spool, signals, clock: self.clock, unwritten: Mutex::new(0) })
    }
}

impl Client {
    /// Starts a client with the usual settings. The spool's file is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Config`] and the errors of [`Spool::open`].
    pub fn start(server: ServerConfig, spool: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(spool).start(server)
    }

    /// Settings for a client with this spool.
    #[must_use]
    pub fn builder(spool: impl Into<PathBuf>) -> Builder {
        Builder {
            spool: spool.into(),
            limits: SpoolLimits::default(),
            clock: Clock::system(),
            compare_interval: COMPARE_INTERVAL,
        }
    }

    /// Reports a crossing. When this returns, its events are on disk and will be delivered. A
    /// crossing that is reported again (same camera, track, direction and time) is the same one.
    /// Returns how many events are new: 1, 2 for a ramp, 0 for a repeat.
    ///
    /// # Errors
    /// [`Error::Invalid`] if fields do not fit. [`Error::Full`] if too many events wait: this one
    /// is lost, and counted as lost. [`Error::Unavailable`] and [`Error::Damaged`] if the event
    /// cannot be written; report it again.
    pub fn crossing(&self, crossing: &Crossing) -> Result<usize> {
        let now = self.clock.now();
        let events = crossing.events(now)?;
        let put = self.spool.put(&events, now);
        match &put {
            Ok(_) => self.signals.wake(),
            Err(Error::Full { waiting }) => {
                tracing::error!(waiting, camera = crossing.camera_id, "the spool is full");
            }
            Err(error) => {
                *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) +=
                    events.len() as u64;
                tracing::error!(camera = crossing.camera_id, "an event is not on disk: {error}");
            }
        }
        put
    }

    /// Waits until no event waits any more, held ones included. Returns whether that is so before
    /// the time is up.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Damaged`].
    pub fn flush(&self, timeout: Duration) -> Result<bool> {
        let start = Instant::now();
        self.signals.wake();
        loop {
            let counts = self.spool.counts()?;
            if counts.waiting + counts.again == 0 {
                return Ok(true);
            }
            if start.elapsed() >= timeout {
                return Ok(false);
            }
            self.signals.wait_stopped(FLUSH_LOOK);
        }
    }

    /// How the client is. Also tells what another process does with the same spool.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Damaged`].
    pub fn health(&self) -> Result<Health> {
        let unwritten = *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Health { unwritten, ..self.spool.health()? })
    }

    /// The spool, for its dead letters.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Tells the sender that dead letters were let go, or that the network is back.
    pub fn wake(&self) {
        self.signals.wake();
    }

    /// Stops the sender after the request that is under way. Everything that waits stays in the
    /// spool. Returns whether the sender stopped before the time was up.
    pub fn stop(self, timeout: Duration) -> bool {
        self.signals.stop();
        self.signals.wait_stopped(timeout)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.signals.stop();
        self.signals.wait_stopped(STOP_WAIT);
    }
}

impl Spool {
    /// How the client of this spool is, as far as the file tells.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Damaged`].
    pub fn health(&self) -> Result<Health> {
        let counts = self.counts()?;
        let last_error = self.noted(LAST_ERROR)?.and_then(|note| {
            let (at, text) = note.split_once(' ')?;
            Some((micros(at)?, text.to_owned()))
        });
        Ok(Health {
            is_full: counts.waiting >= self.limits().waiting,
            counts,
            losses: self.losses()?,
            unwritten: 0,
            last_success: self.noted(LAST_SUCCESS)?.and_then(|at| micros(&at)),
            last_error,
        })
    }
}

/// An instant in a note.
fn micros(text: &str) -> Option<Timestamp> {
    Timestamp::from_microsecond(text.parse().ok()?).ok()
}

/// A random number from 0 to 1.
fn random() -> f64 {
    // Without randomness of the system all clients pause for the same time: a pity, no more.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
