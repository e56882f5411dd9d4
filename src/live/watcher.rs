//! One who watches: what it was told, and what is new since.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Hub, News, Placed, State, Told, lock, not_known};
use crate::{Floor, Position, Result, limits::LIVE_BATCH_EVENTS, model::Site};

/// One who watches what happens; from [`SmartPark::watch`](crate::SmartPark::watch).
#[derive(Debug)]
pub struct Watcher {
    hub: Arc<Hub>,
    state: watch::Receiver<Option<Arc<State>>>,
    /// All events up to here were told.
    position: Position,
    /// Whether that is a place in this database: somebody else may have named any.
    placed: bool,
    floors: BTreeMap<i64, Arc<Told<Floor>>>,
    site: Option<Arc<Told<Site>>>,
    _room: OwnedSemaphorePermit,
}

/// What is to be told of events.
enum Events {
    /// These, up to a position.
    Next(Vec<Placed>, Position),
    /// The position is not known any more.
    Unknown,
}

impl Watcher {
    pub(super) fn new(
        hub: Arc<Hub>,
        state: watch::Receiver<Option<Arc<State>>>,
        after: Option<Position>,
        now: Position,
        room: OwnedSemaphorePermit,
    ) -> Self {
        let (position, placed) = (after.unwrap_or(now), after.is_none());
        let (floors, site) = (BTreeMap::new(), None);
        Self { hub, state, position, placed, floors, site, _room: room }
    }

    /// The position up to which all events were told: to watch on from, later.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Waits until there is news, and tells it: at first all floors and the site; then what
    /// changed, the latest states of floors only, and every event in the order of commits. Many
    /// events come in several answers, with the states of floors as they are by then. Nothing is
    /// lost where the result is dropped before it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) and
    /// [`Error::Overloaded`](crate::Error::Overloaded) where the store cannot be read. Watch on
    /// from [`Watcher::position`], with a new watcher.
    pub async fn next(&mut self) -> Result<Vec<News>> {
        loop {
            let state = self.state.borrow_and_update().clone().ok_or_else(not_known)?;
            let events = self.events(&state).await?;
            let mut news = Vec::new();
            self.tell_states(&state, &mut news);
            match events {
                Events::Next(events, position) => {
                    news.extend(events.into_iter().map(|(at, event)| News::Event(at, event)));
                    self.position = position;
                }
                Events::Unknown => {
                    news.push(News::Reload(state.position));
                    self.position = state.position;
                }
            }
            self.placed = true;
            if !news.is_empty() {
                if self.position < state.position {
                    // There is more than fits into one answer.
                    self.state.mark_changed();
                }
                return Ok(news);
            }
            self.state.changed().await.map_err(|_| not_known())?;
        }
    }

    /// Finds the next events: in the ring, or else in the store.
    async fn events(&self, state: &State) -> Result<Events> {
        if self.placed && self.position >= state.position {
            return Ok(Events::Next(Vec::new(), self.position));
        }
        let limit = LIVE_BATCH_EVENTS as usize;
        let recent = self.position <= state.position;
        let found = lock(&self.hub.ring).after(self.position, limit).filter(|_| recent);
        let events = match found {
            Some(events) => events,
            None => match self.hub.engine.events_after(self.position, LIVE_BATCH_EVENTS).await? {
                Some(events) => {
                    events.into_iter().map(|(at, event)| (at, Told::new(event))).collect()
                }
                None => return Ok(Events::Unknown),
            },
        };
        // Where there are no more, all up to the state's position were found.
        let last = events.last().map_or(self.position, |(at, _)| *at);
        let position = if events.len() < limit { last.max(state.position) } else { last };
        Ok(Events::Next(events, position))
    }

    /// Tells what is not as it was told.
    fn tell_states(&mut self, state: &State, news: &mut Vec<News>) {
        for (id, floor) in &state.floors {
            if !self.floors.get(id).is_some_and(|told| Arc::ptr_eq(told, floor)) {
                self.floors.insert(*id, Arc::clone(floor));
                news.push(News::Floor(Arc::clone(floor)));
            }
        }
        self.floors.retain(|id, _| {
            let there = state.floors.contains_key(id);
            if !there {
                news.push(News::FloorRemoved(*id));
            }
            there
        });
        if !self.site.as_ref().is_some_and(|told| Arc::ptr_eq(told, &state.site)) {
            self.site = Some(Arc::clone(&state.site));
            news.push(News::Site(Arc::clone(&state.site)));
        }
    }
}
