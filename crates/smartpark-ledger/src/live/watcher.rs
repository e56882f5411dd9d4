//! One who watches: what it was told, and what is new since.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Hub, News, Piece, State, Told, lock, not_known, ring};
use crate::{Position, Result, limits::LIVE_BATCH_EVENTS};

/// One who watches what happens; from [`SmartPark::watch`](crate::SmartPark::watch).
#[derive(Debug)]
pub struct Watcher {
    hub: Arc<Hub>,
    /// Says when to look for news.
    turn: watch::Receiver<()>,
    /// All events up to here were told.
    position: Position,
    /// Whether that is a place in this database: somebody else may have named any.
    placed: bool,
    /// The state that was told.
    told: Option<Arc<State>>,
    /// None if its number is bounded elsewhere.
    _room: Option<OwnedSemaphorePermit>,
}

impl Watcher {
    pub(super) fn new(
        hub: Arc<Hub>,
        turn: watch::Receiver<()>,
        after: Option<Position>,
        now: Position,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (position, placed) = (after.unwrap_or(now), after.is_none());
        Self { hub, turn, position, placed, told: None, _room: room }
    }

    /// The position up to which all events were told: to watch on from, later.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Waits until there is news, and tells it: at first all floors and the site; then what
    /// changed, the latest states of floors only, and every event and change in the order of
    /// commits. Many come in several answers, with the states of floors as they are by then.
    /// Nothing is lost if the result is dropped before it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) and
    /// [`Error::Overloaded`](crate::Error::Overloaded) where the store cannot be read. Watch on
    /// from [`Watcher::position`], with a new watcher.
    pub async fn next(&mut self) -> Result<Vec<News>> {
        let pieces = self.next_pieces().await?;
        Ok(pieces.iter().flat_map(|piece| piece.value.iter().cloned()).collect())
    }

    /// [`Watcher::next`] in the pieces in which others are told the same, none of them empty. The
    /// first piece of all, with the floors and the site, is told to nobody else.
    pub async fn next_pieces(&mut self) -> Result<Vec<Arc<Piece>>> {
        loop {
            self.turn.borrow_and_update();
            let state = self.hub.state().ok_or_else(not_known)?;
            let events = self.events(&state).await?;
            let mut pieces = vec![state.since(self.told.as_ref())];
            match events {
                Some(events) => {
                    // Where there are none, all up to the state's position were told.
                    self.position = match events.last() {
                        Some((last, _)) => *last,
                        None => self.position.max(state.position),
                    };
                    pieces.extend(events.into_iter().map(|(_, piece)| piece));
                }
                None => {
                    pieces.push(Told::new(vec![News::Reload(state.position)]));
                    self.position = state.position;
                }
            }
            self.placed = true;
            pieces.retain(|piece| !piece.value.is_empty());
            self.told = Some(state);
            if !pieces.is_empty() {
                return Ok(pieces);
            }
            self.turn.changed().await.map_err(|_| not_known())?;
        }
    }

    /// Finds the next events, each piece with the position after it: in the ring, or else in the
    /// store. None where the position is not known any more.
    async fn events(&self, state: &State) -> Result<Option<Vec<(Position, Arc<Piece>)>>> {
        if self.placed && self.position >= state.position {
            return Ok(Some(Vec::new()));
        }
        if self.position <= state.position
            && let Some(events) = lock(&self.hub.ring).after(self.position)
        {
            return Ok(Some(events));
        }
        // In a box of its own: most never come here, and each of them would keep room for it.
        let events = self.hub.engine.facts_after(self.position, LIVE_BATCH_EVENTS);
        let events = Box::pin(events).await?;
        Ok(events.map(|events| {
            let last = events.last().map(|(at, _)| *at);
            last.map(|last| (last, ring::piece(events))).into_iter().collect()
        }))
    }
}
