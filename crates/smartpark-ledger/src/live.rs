//! What happens, as it happens: the floors as they are and the events as they are committed, told
//! to any number of watchers.
//!
//! One task of the process looks what is new after each commit that it hears of, at most every
//! [`LIVE_PACE`], and keeps the latest events in a ring. Watchers take from there what they have
//! not seen: the same pieces, as long as they keep up. They are woken some at a time, so that what
//! else the server does comes in between. Nobody who writes waits for them, and none of them waits
//! for another: a slow one misses states of floors (the latest counts), but no event; what has
//! left the ring is read from the store. While nobody watches nothing is done.

mod ring;
mod state;
mod watcher;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

pub use watcher::Watcher;

use crate::{
    Change, Error, Event, Floor, Position, Result,
    limits::{
        LIVE_ATTEMPTS, LIVE_PACE, LIVE_PAUSE, LIVE_TURN_PAUSE, LIVE_TURN_WATCHERS, MAX_PAGE_ROWS,
        MAX_WATCHERS,
    },
    model::Site,
    store::Engine,
};
use ring::Ring;
use state::State;

/// Something that is told to many, with the form in which they are told it.
#[derive(Debug)]
pub struct Told<T> {
    /// What is told.
    pub value: T,
    written: OnceLock<Arc<[u8]>>,
}

/// News that are told together, to many.
pub type Piece = Told<Vec<News>>;

impl<T> Told<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value, written: OnceLock::new() })
    }

    /// How it is written: by `write`, once, however many are told.
    pub fn written(&self, write: impl FnOnce(&T) -> Vec<u8>) -> &Arc<[u8]> {
        self.written.get_or_init(|| write(&self.value).into())
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
    Event(Position, Arc<Event>),
    /// A change of a floor that no camera made, with the position to watch on from.
    Change(Position, Arc<Change>),
    /// The position that was asked for is not known any more: what a watcher knows of events may
    /// have gaps. Events go on after this position.
    Reload(Position),
}

/// The one place of a process that looks what is new.
#[derive(Debug)]
pub(crate) struct Hub {
    engine: Engine,
    /// None before the first look, and where looking failed for long.
    state: Mutex<Option<Arc<State>>>,
    ring: Mutex<Ring>,
    /// Up to where was looked; whoever looks holds it.
    looked: tokio::sync::Mutex<Option<Position>>,
    runs: Mutex<bool>,
    room: Arc<Semaphore>,
    /// Wakes watchers, so many with each.
    turns: Vec<watch::Sender<()>>,
}

impl Hub {
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        let turns = MAX_WATCHERS.div_ceil(LIVE_TURN_WATCHERS);
        Arc::new(Self {
            engine,
            state: Mutex::default(),
            ring: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
            runs: Mutex::default(),
            room: Arc::new(Semaphore::new(MAX_WATCHERS)),
            turns: (0..turns).map(|_| watch::Sender::default()).collect(),
        })
    }

    /// How things stand, where that is known.
    fn state(&self) -> Option<Arc<State>> {
        lock(&self.state).clone()
    }

    /// How many watch now.
    pub(crate) fn watchers(&self) -> usize {
        MAX_WATCHERS.saturating_sub(self.room.available_permits())
    }

    /// A new watcher, who is told of events after a position, or from now on.
    pub(crate) async fn watch(self: Arc<Self>, after: Option<Position>) -> Result<Watcher> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        self.watch_in(after, Some(room)).await
    }

    /// A new watcher whose number somebody else bounds.
    pub(crate) async fn watch_seated(self: Arc<Self>, after: Option<Position>) -> Result<Watcher> {
        self.watch_in(after, None).await
    }

    async fn watch_in(
        self: Arc<Self>,
        after: Option<Position>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<Watcher> {
        let turn = self.subscribe();
        self.look().await?;
        let now = self.state().ok_or_else(not_known)?.position;
        Ok(Watcher::new(self, turn, after, now, room))
    }

    /// Begins to listen, and has somebody look while anybody does.
    fn subscribe(self: &Arc<Self>) -> watch::Receiver<()> {
        let mut runs = lock(&self.runs);
        // There is room in one of them: all together hold as many as may watch.
        let has_room = |turn: &&watch::Sender<()>| turn.receiver_count() < LIVE_TURN_WATCHERS;
        let turn = self.turns.iter().find(has_room).unwrap_or(&self.turns[0]).subscribe();
        if !*runs {
            *runs = true;
            tokio::spawn(Arc::clone(self).run());
        }
        turn
    }

    /// Looks after every commit, until nobody watches.
    async fn run(self: Arc<Self>) {
        let _running = Running(&self);
        let mut changes = self.engine.changes();
        let (mut failed, mut told) = (0, None);
        loop {
            changes.borrow_and_update();
            let next = Instant::now() + LIVE_PACE;
            match self.look().await {
                Ok(()) => failed = 0,
                Err(error) => {
                    failed += 1;
                    if failed == LIVE_ATTEMPTS {
                        tracing::warn!("the live stream cannot go on: {error}");
                        self.let_go();
                    }
                    sleep(LIVE_PAUSE).await;
                    changes.mark_changed();
                }
            }
            self.tell(&mut told).await;
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
        if self.is_watched() {
            return false;
        }
        let mut looked = self.looked.lock().await;
        let mut runs = lock(&self.runs);
        *looked = None;
        *runs = self.is_watched();
        !*runs
    }

    fn is_watched(&self) -> bool {
        self.turns.iter().any(|turn| turn.receiver_count() > 0)
    }

    /// Wakes the watchers where there is something new, turn by turn: a thousand at once would
    /// keep every processor busy for as long as all of them take, and who posts would wait.
    async fn tell(&self, told: &mut Option<Arc<State>>) {
        let state = self.state();
        if state.as_ref().map(Arc::as_ptr) == told.as_ref().map(Arc::as_ptr) {
            return;
        }
        *told = state;
        for turn in self.turns.iter().filter(|turn| turn.receiver_count() > 0) {
            turn.send_replace(());
            sleep(LIVE_TURN_PAUSE).await;
        }
    }

    /// Lets all watchers go: nothing new is known.
    fn let_go(&self) {
        *lock(&self.state) = None;
        self.turns.iter().for_each(|turn| turn.send_replace(()));
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
            let Some(events) = self.engine.facts_after(position, MAX_PAGE_ROWS).await? else {
                // The database was emptied or put back: who watches learns it from the store.
                position = self.begin().await?;
                *looked = Some(position);
                break;
            };
            let Some((last, _)) = events.last() else { break };
            position = *last;
            lock(&self.ring).push(events);
        }
        let gone = self.engine.last_gone().await?;
        lock(&self.ring).forget(gone);
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

    /// Makes the new state known, where it is a new one.
    fn publish(&self, floors: Vec<Floor>, position: Position) {
        let mut state = lock(&self.state);
        let next = State::after(state.as_ref(), floors, position);
        if next.is_new() {
            *state = Some(Arc::new(next));
        }
    }
}

/// The task that looks. Where it ends by a panic nobody would tell the watchers any more, and they
/// would wait for ever: they are let go, and the next one has it begun again.
struct Running<'h>(&'h Hub);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *lock(&self.0.runs) = false;
            self.0.let_go();
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
