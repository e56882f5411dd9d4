//! A group of events that are recorded in one transaction.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    Direction, Error, Event, NewEvent, Options, Recorded, Result,
    count::{Fact, Source},
    decide::{Draft, GroupStates, Lack, draft::Decided, repeat::differs},
};

/// What tells a vehicle of an event: camera, track and direction.
type Vehicle<'g> = (&'g str, &'g str, Direction);

/// An event of a group.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its batch, and its place there.
    pub(crate) place: (usize, usize),
    /// What was sent.
    pub(crate) event: NewEvent,
    /// Its instant; without a timestamp that of the group.
    pub(crate) at: i64,
    /// The ids that an engine drew for it, one an attempt, each with the time of its attempt. The
    /// last one is its id if it is new. An earlier one is not used again: after a crash a database
    /// may not know any more that it gave that id, and may give it to another event.
    pub(crate) drawn: Vec<(i64, i64)>,
}

impl Row {
    /// What tells its vehicle.
    pub(crate) fn vehicle(&self) -> Vehicle<'_> {
        (&self.event.camera_id, &self.event.track_id, self.event.direction)
    }

    /// The instants at which an earlier event of the same vehicle is the same event: its own
    /// instant, or, without a timestamp, all within the duplicate window of the group's time.
    pub(crate) fn reach(&self, window: i64) -> (i64, i64) {
        let reach = if self.event.timestamp.is_some() { 0 } else { window };
        (self.at - reach, self.at + reach)
    }

    /// Whether this attempt or an earlier one recorded `event` for this row, and only the answer
    /// was lost. It was found under the id that the row had then, with the time of that attempt.
    /// The id alone proves nothing: a database may have given it to another event since.
    pub(super) fn recorded(&self, event: &Event) -> bool {
        self.drawn.contains(&(event.id, event.created_at.as_microsecond()))
    }

    /// Whether a stored event still counts as there. An event before the retention horizon is gone,
    /// though its row may not be deleted yet; only its own answer may still be due.
    fn finds(&self, event: &Event, horizon: Option<i64>) -> bool {
        let is_gone = horizon.is_some_and(|at| event.timestamp.as_microsecond() < at);
        !is_gone || self.recorded(event)
    }
}

/// The events of a group in the order of their instants: an event on time stays on time, whatever
/// batch it came in.
#[derive(Debug)]
pub(crate) struct Group {
    /// The events.
    pub(crate) rows: Vec<Row>,
    /// The answers by batch and place. Until a row is judged, its answer says that it was not.
    pub(crate) answers: Vec<Vec<Result<Recorded>>>,
    /// The group's time, in microseconds since 1970 UTC.
    #[cfg(feature = "postgres")]
    pub(crate) now: i64,
    /// The duplicate window, in microseconds.
    pub(crate) window: i64,
    /// The batches that the attempt under way leaves out; empty if there are none.
    pub(crate) apart: Vec<bool>,
    /// The time of the last attempt. No two attempts have the same.
    #[cfg(feature = "postgres")]
    pub(super) attempted: i64,
    /// The first row that is not judged yet in this attempt.
    pub(super) next: usize,
    /// The states that the batches change.
    pub(super) states: GroupStates,
}

impl Group {
    /// A group of batches at this time.
    pub(crate) fn new(batches: Vec<Vec<Result<NewEvent>>>, options: &Options) -> Self {
        let now = options.clock.now().as_microsecond();
        let window = i64::try_from(options.dedup_window.as_micros()).unwrap_or(i64::MAX / 4);
        let mut rows = Vec::new();
        let mut answers = Vec::with_capacity(batches.len());
        for (batch, events) in batches.into_iter().enumerate() {
            let mut of_batch = Vec::with_capacity(events.len());
            for (row, event) in events.into_iter().enumerate() {
                let place = (batch, row);
                of_batch.push(Err(match event {
                    Ok(event) => {
                        let at = event.timestamp.map_or(now, Timestamp::as_microsecond);
                        rows.push(Row { place, event, at, drawn: Vec::new() });
                        Error::Internal("a row was not answered".into())
                    }
                    Err(refused) => refused,
                }));
            }
            answers.push(of_batch);
        }
        rows.sort_by_key(|row| row.at);
        Self {
            rows,
            answers,
            #[cfg(feature = "postgres")]
            now,
            window,
            apart: Vec::new(),
            #[cfg(feature = "postgres")]
            attempted: i64::MIN,
            next: 0,
            states: GroupStates::default(),
        }
    }

    /// The ids of the floors that the group names.
    pub(crate) fn floors(&self) -> BTreeSet<i64> {
        self.rows.iter().map(|row| row.event.floor_id).collect()
    }

    /// The answers, batch by batch.
    pub(crate) fn into_answers(self) -> Vec<Vec<Result<Recorded>>> {
        self.states.answers(self.answers)
    }

    /// Whether the attempt under way leaves the row out.
    pub(crate) fn is_apart(&self, row: &Row) -> bool {
        self.apart.get(row.place.0).is_some_and(|apart| *apart)
    }

    /// Judges at most so many rows in turn, and tells whether all are judged. `twins` holds, by the
    /// place of the row in the group, the stored event of the same vehicle within the row's
    /// [reach](Row::reach), the latest if there are several. The draft holds all floors that rows
    /// and twins name, as far as they exist. If something is missing, the engine loads it and calls
    /// again: the group goes on with that row.
    pub(crate) fn decide(
        &mut self,
        draft: &mut Draft,
        twins: &HashMap<usize, Event>,
        at_most: usize,
    ) -> Result<bool, Lack> {
        let end = self.next.saturating_add(at_most).min(self.rows.len());
        while let Some(row) = self.rows[..end].get(self.next) {
            if !self.is_apart(row) && !self.states.is_refused(row.place.0) {
                let stored = twins.get(&self.next).filter(|it| row.finds(it, draft.horizon));
                let answer = match stored.or_else(|| draft.twin(row, self.window)) {
                    Some(first) => repeated(draft, row, first),
                    None => draft.record(row)?,
                };
                self.answers[row.place.0][row.place.1] = answer;
            }
            self.next += 1;
        }
        Ok(self.next == self.rows.len())
    }
}

/// The answer to a row whose event was recorded before.
fn repeated(draft: &Draft, row: &Row, first: &Event) -> Result<Recorded> {
    let floor = draft.floor(first.floor_id).ok().or_else(|| draft.others.get(&first.floor_id));
    let floor = floor.ok_or_else(|| Error::Internal("an event without its floor".into()))?.clone();
    let duplicate = !row.recorded(first);
    let differs = if duplicate { differs(&row.event, first) } else { Vec::new() };
    Ok(Recorded { event: first.clone(), floor, duplicate, differs })
}

impl Draft {
    /// The event of this transaction that `row` repeats: the latest within its reach.
    fn twin(&self, row: &Row, window: i64) -> Option<&Event> {
        if self.events.is_empty() {
            return None;
        }
        let (camera, track, direction) = row.vehicle();
        let places = self.by_vehicle.get(&(camera.to_owned(), track.to_owned(), direction))?;
        let (from, to) = row.reach(window);
        let events = places.iter().filter_map(|place| self.events.get(*place));
        let near = events.filter(|e| (from..=to).contains(&e.timestamp.as_microsecond()));
        near.max_by_key(|event| event.timestamp)
    }

    /// Records a row whose event is new.
    fn record(&mut self, row: &Row) -> Decided<Recorded> {
        let Row { event, at, .. } = row;
        if let Some(horizon) = self.horizon.filter(|horizon| at < horizon) {
            let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
            return Ok(Err(Error::TooOld { horizon }));
        }
        if !self.floors.contains_key(&event.floor_id) {
            return Ok(Err(Error::UnknownFloor));
        }
        let Some(id) = self.next_event_id.or(row.drawn.last().map(|(id, _)| *id)) else {
            return Ok(Err(Error::Internal("an event without an id".into())));
        };
        let source = Source::Event {
            camera_id: event.camera_id.clone(),
            track_id: event.track_id.clone(),
            direction: event.direction,
        };
        let fact = Fact { at: *at, source, act: event.direction.into(), id };
        let effect = match self.record_fact(event.floor_id, &fact)? {
            Ok(effect) => effect,
            Err(error) => return Ok(Err(error)),
        };
        self.next_event_id = self.next_event_id.map(|id| id + 1);
        let event = Event {
            id,
            camera_id: event.camera_id.clone(),
            floor_id: event.floor_id,
            track_id: event.track_id.clone(),
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            confidence: event.confidence,
            timestamp: instant(*at),
            created_at: instant(self.now),
            count_delta: effect.delta,
            at_limit: effect.at_limit,
        };
        self.count_event(&event);
        let vehicle = (event.camera_id.clone(), event.track_id.clone(), event.direction);
        self.by_vehicle.entry(vehicle).or_default().push(self.events.len());
        self.events.push(event.clone());
        let floor = self.floor(event.floor_id).cloned();
        Ok(floor.map(|floor| Recorded { event, floor, duplicate: false, differs: Vec::new() }))
    }
}

fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
}
