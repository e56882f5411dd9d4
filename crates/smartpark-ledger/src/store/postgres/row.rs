//! An event of a group while it is being recorded, and the events that were recorded before it in
//! the same attempt.

use std::collections::HashMap;

use crate::{Direction, Error, Event, NewEvent, Result, store::codes::direction_number};

/// An event of a group.
pub(super) struct Row {
    /// Its batch and its place there.
    pub(super) place: (usize, usize),
    pub(super) event: NewEvent,
    pub(super) at: i64,
    /// The ids drawn for it, one an attempt, each with the time of its attempt; the last is its
    /// own if it is new. An earlier one is not used again: after a crash it may not be known any
    /// more that it was drawn, and it is drawn again, for another event or for another row of this
    /// group.
    pub(super) drawn: Vec<(i64, i64)>,
}

impl Row {
    /// The id that it will have if it is new.
    pub(super) fn id(&self) -> Result<i64> {
        let last = self.drawn.last().map(|(id, _)| *id);
        last.ok_or_else(|| Error::Internal("an event without an id".into()))
    }

    pub(super) fn key(&self) -> (&str, &str, Direction) {
        (&self.event.camera_id, &self.event.track_id, self.event.direction)
    }

    /// What names the vehicle of an event without a timestamp. No name holds a line break.
    pub(super) fn track(&self) -> String {
        let (camera, track, direction) = self.key();
        format!("{camera}\n{track}\n{}", direction_number(direction))
    }

    /// Whether this attempt or an earlier one recorded the event for this row: it was found under
    /// the id that the row had then, with the time of that attempt. The id alone may since have
    /// been given to another's event, or to a repeat of this one in its own group.
    pub(super) fn recorded(&self, event: &Event) -> bool {
        self.drawn.contains(&(event.id, event.created_at.as_microsecond()))
    }

    /// Whether an event that was looked up is there for this row. Before the horizon it is gone,
    /// though its month may not have been dropped yet; only its own answer may still be due.
    pub(super) fn finds(&self, event: &Event, horizon: Option<i64>) -> bool {
        let is_gone = horizon.is_some_and(|at| event.timestamp.as_microsecond() < at);
        !is_gone || self.recorded(event)
    }
}

/// The events that this attempt records, by vehicle.
#[derive(Default)]
pub(super) struct News {
    by_track: HashMap<(String, String, Direction), Vec<Event>>,
}

impl News {
    pub(super) fn add(&mut self, event: &Event) {
        let key = (event.camera_id.clone(), event.track_id.clone(), event.direction);
        self.by_track.entry(key).or_default().push(event.clone());
    }

    /// The one that `row` repeats: at the same instant, or, for a row without a timestamp, the
    /// latest within the window.
    pub(super) fn twin(&self, row: &Row, window: i64) -> Option<Event> {
        let (camera, track, direction) = row.key();
        let key = (camera.to_owned(), track.to_owned(), direction);
        let reach = if row.event.timestamp.is_some() { 0 } else { window };
        let events = self.by_track.get(&key)?.iter();
        let near = events.filter(|e| (e.timestamp.as_microsecond() - row.at).abs() <= reach);
        near.max_by_key(|event| event.timestamp).cloned()
    }
}
