//! What happens, as it happens: the floors as they are and the events as they are committed, told
//! to any number of watchers.
//!
//! One task of the process looks what is new after each commit that it hears of, at most every
//! [`LIVE_PACE`], and keeps the latest events in a ring. Watchers take from there what they have
//! not seen. Nobody who writes waits for them, and none of them waits for another: a slow one
//! misses states of floors (the latest counts), but no event; what has left the ring is read from
//! the store. While nobody watches nothing is done.

mod watcher;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

pub use watcher::Watcher;

use crate::{
    Error, Event, Floor, Position, Result,
    limits::{LIVE_ATTEMPTS, LIVE_PACE, LIVE_PAUSE, LIVE_RING_EVENTS, MAX_PAGE_ROWS, MAX_WATCHERS},
    model::Site,
    store::Engine,
};

/// Something that is told to many, with the form in which they are told it.
#[derive(Debug)]
pub struct Told<T> {
    /// What is told.
    pub value: T,
    written: OnceLock<Box<[u8]>>,
}

impl<T> Told<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value, written: OnceLock::new() })
    }

    /// How it is written: by `write`, once, however many are told.
    pub fn written(&self, write: impl FnOnce(&T) -> Vec<u8>) -> &[u8] {
        self.written.get_or_init(|| write(&self.value).into_boxed_slice())
    }
}

/// One piece of news.
#[derive(Clone, Debug)]
pub enum News {
    /// A floor as it is now: each one at first, then those that changed.
    Floor(Arc<Told<Floor>>),
    /// The floor with this id is no longer there.
    FloorRemoved(i64),
    /// The site as it is now: at first after all floors, then where it changed.
    Site(Arc<Told<Site>>),
    /// An event, with the position to watch on from.
    Event(Position, Arc<Told<Event>>),
    /// The position that was asked for is not known any more: what a watcher knows of events may
    /// have gaps. Events go on after this position.
    Reload(Position),
}

/// An event and its place.
type Placed = (Position, Arc<Told<Event>>);

/// How things stand. All events up to the position are in the ring or in the store.
#[derive(Debug)]
struct State {
    floors: BTreeMap<i64, Arc<Told<Floor>>>,
    site: Arc<Told<Site>>,
    position: Position,
}

/// The latest events: all after one position, in their order.
#[derive(Debug, Default)]
struct Ring {
    after: Position,
    events: VecDeque<Placed>,
}

impl Ring {
    fn begin(&mut self, after: Position) {
        self.events.clear();
        self.after = after;
    }

    fn push(&mut self, event: Placed) {
        self.events.push_back(event);
        if self.events.len() > LIVE_RING_EVENTS
            && let Some((gone, _)) = self.events.pop_front()
        {
            self.after = gone;
        }
    }

    /// The next events after a position; none where it is not known here.
    fn after(&self, position: Position, limit: usize) -> Option<Vec<Placed>> {
        let known = position >= self.after && position.lineage == self.after.lineage;
        let first = self.events.partition_point(|(at, _)| *at <= position);
        known.then(|| self.events.range(first..).take(limit).cloned().collect())
    }
}

/// The one place of a process that looks what is new.
#[derive(Debug)]
pub(crate) struct Hub {
    engine: Engine,
    /// None before the first look, and where looking failed for long.
    state: watch::Sender<Option<Arc<State>>>,
    ring: Mutex<Ring>,
    /// Up to where was looked; whoever looks holds it.
    looked: tokio::sync::Mutex<Option<Position>>,
    runs: Mutex<bool>,
    room: Arc<Semaphore>,
}

impl Hub {
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self {
            engine,
            state: watch::Sender::new(None),
            ring: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
            runs: Mutex::default(),
            room: Arc::new(Semaphore::new(MAX_WATCHERS)),
        })
    }

    /// How many watch now.
    #[cfg(feature = "http")]
    pub(crate) fn watchers(&self) -> usize {
        MAX_WATCHERS.saturating_sub(self.room.available_permits())
    }

    /// A new watcher, who is told of events after a position, or from now on.
    pub(crate) async fn watch(self: Arc<Self>, after: Option<Position>) -> Result<Watcher> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let state = self.subscribe();
        self.look().await?;
        let now = state.borrow().as_ref().map(|state| state.position);
        let now = now.ok_or_else(not_known)?;
        Ok(Watcher::new(self, state, after, now, room))
    }

    /// Begins to listen, and has somebody look while anybody does.
    fn subscribe(self: &Arc<Self>) -> watch::Receiver<Option<Arc<State>>> {
        let mut runs = lock(&self.runs);
        let state = self.state.subscribe();
        if !*runs {
            *runs = true;
            tokio::spawn(Arc::clone(self).run());
        }
        state
    }

    /// Looks after every commit, until nobody watches.
    async fn run(self: Arc<Self>) {
        let _running = Running(&self);
        let mut changes = self.engine.changes();
        let mut failed = 0;
        loop {
            changes.borrow_and_update();
            let next = Instant::now() + LIVE_PACE;
            match self.look().await {
                Ok(()) => failed = 0,
                Err(error) => {
                    failed += 1;
                    if failed == LIVE_ATTEMPTS {
                        tracing::warn!("the live stream cannot go on: {error}");
                        self.state.send_replace(None);
                    }
                    sleep(LIVE_PAUSE).await;
                    changes.mark_changed();
                }
            }
            sleep_until(next).await;
            if self.rest().await {
                return;
            }
            while timeout(LIVE_PAUSE, changes.changed()).await.is_err() {
                if self.rest().await {
                    return;
                }
            }
        }
    }

    /// Whether nobody watches: then what was looked at is forgotten, and this one ends.
    async fn rest(&self) -> bool {
        if self.state.receiver_count() > 0 {
            return false;
        }
        let mut looked = self.looked.lock().await;
        let mut runs = lock(&self.runs);
        *looked = None;
        *runs = self.state.receiver_count() > 0;
        !*runs
    }

    /// Looks what is new, and tells it.
    async fn look(&self) -> Result<()> {
        let mut looked = self.looked.lock().await;
        let mut position = match *looked {
            Some(position) => position,
            None => self.begin().await?,
        };
        loop {
            *looked = Some(position);
            let Some(events) = self.engine.events_after(position, MAX_PAGE_ROWS).await? else {
                // The database was emptied or put back: who watches learns it from the store.
                position = self.begin().await?;
                *looked = Some(position);
                break;
            };
            let Some((last, _)) = events.last() else { break };
            position = *last;
            let mut ring = lock(&self.ring);
            events.into_iter().for_each(|(at, event)| ring.push((at, Told::new(event))));
        }
        // Read last: the floors are never older than the events.
        let floors = self.engine.floors().await?;
        self.publish(floors, position);
        Ok(())
    }

    async fn begin(&self) -> Result<Position> {
        let position = self.engine.position().await?;
        lock(&self.ring).begin(position);
        Ok(position)
    }

    /// Makes the new state known, where it is a new one. What stayed as it was is not told anew.
    fn publish(&self, floors: Vec<Floor>, position: Position) {
        self.state.send_if_modified(|state| {
            let old = state.as_deref();
            let site = Site::of(&floors);
            let site = match old.filter(|old| old.site.value == site) {
                Some(old) => Arc::clone(&old.site),
                None => Told::new(site),
            };
            let same = |floor: &Floor| {
                old?.floors.get(&floor.id).filter(|old| old.value == *floor).cloned()
            };
            let floors: BTreeMap<_, _> = floors
                .into_iter()
                .map(|floor| (floor.id, same(&floor).unwrap_or_else(|| Told::new(floor))))
                .collect();
            let unchanged = old.is_some_and(|old| {
                old.position == position
                    && old.floors.len() == floors.len()
                    && old.floors.values().zip(floors.values()).all(|(a, b)| Arc::ptr_eq(a, b))
            });
            *state = Some(Arc::new(State { floors, site, position }));
            !unchanged
        });
    }
}

/// The task that looks. Where it ends by a panic nobody would tell the watchers any more, and they
/// would wait for ever: they are let go, and the next one has it begun again.
struct Running<'h>(&'h Hub);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *lock(&self.0.runs) = false;
            self.0.state.send_replace(None);
        }
    }
}

/// The answer where looking fails.
fn not_known() -> Error {
    Error::Unavailable("it cannot be read, so nothing new is known".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
