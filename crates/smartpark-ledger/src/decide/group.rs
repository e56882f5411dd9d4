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

    /// Its floor and instant: rows that share both act together.
    fn instant(&self) -> (i64, i64) {
        (self.at, self.event.floor_id)
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
    /// Whether the row after that one is.
    pub(super) exit_went_first: bool,
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
        take_turns(&mut rows);
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
            exit_went_first: false,
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
        while self.next < end {
            let place = self.turn(draft)?;
            let row = &self.rows[place];
            if !self.is_apart(row) && !self.states.is_refused(row.place.0) {
                let stored = twins.get(&place).filter(|it| row.finds(it, draft.horizon));
                let answer = match stored.or_else(|| draft.twin(row, self.window)) {
                    Some(first) => repeated(draft, row, first),
                    None => draft.record(row)?,
                };
                self.answers[row.place.0][row.place.1] = answer;
            }
            self.judged(place);
        }
        Ok(self.next == self.rows.len())
    }

    /// The row whose turn it is. On a full floor the exit of a pair of one instant goes first, so
    /// that no car that counts is told that the floor was full.
    fn turn(&self, draft: &Draft) -> Result<usize, Lack> {
        let (row, after) = (&self.rows[self.next], self.rows.get(self.next + 1));
        let is_pair = after.is_some_and(|after| {
            let directions = (row.event.direction, after.event.direction);
            row.instant() == after.instant() && directions == (Direction::Entry, Direction::Exit)
        });
        let exit_first = is_pair && !self.exit_went_first && draft.is_full_before(row)?;
        Ok(self.next + usize::from(exit_first))
    }

    /// The row at this place is judged.
    fn judged(&mut self, place: usize) {
        if place > self.next {
            self.exit_went_first = true;
        } else {
            self.next += if self.exit_went_first { 2 } else { 1 };
            self.exit_went_first = false;
        }
    }
}

/// Sorts rows by their instants. Those of one floor and instant take turns: entry, exit, entry, ….
fn take_turns(rows: &mut [Row]) {
    rows.sort_by_key(Row::instant);
    for instant in rows.chunk_by_mut(|one, next| one.instant() == next.instant()) {
        let mut seen = [0, 0];
        instant.sort_by_cached_key(|row| {
            let is_exit = row.event.direction == Direction::Exit;
            let turn = &mut seen[usize::from(is_exit)];
            *turn += 1;
            (*turn, is_exit)
        });
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
    /// The place of what is recorded now with this timestamp: nothing can have happened after it
    /// was received. What lies before the horizon is one number, so no place does.
    pub(super) fn place_of(&self, timestamp: i64) -> i64 {
        timestamp.min(self.now).max(self.horizon.unwrap_or(i64::MIN))
    }

    /// Whether a row's floor is full where the row has its place.
    fn is_full_before(&self, row: &Row) -> Result<bool, Lack> {
        let floor_id = row.event.floor_id;
        let Some(open) = self.floors.get(&floor_id) else { return Ok(false) };
        let place = self.place_of(row.at);
        if open.history.latest().is_none_or(|latest| latest < place) {
            return Ok(open.floor.available_slots() <= 0);
        }
        let count = open.history.count_before(place).map_err(|it| Lack::Past(floor_id, it))?;
        Ok(count >= open.floor.total_slots)
    }

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
            timestamp: *at,
        };
        let place = self.place_of(*at);
        let fact = Fact { at: place, source, act: event.direction.into(), id };
        let effect = match self.record_fact(event.floor_id, &fact)? {
            Ok(effect) => effect,
            Err(error) => return Ok(Err(error)),
        };
        if place < *at {
            self.places.push((event.floor_id, fact));
        }
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
