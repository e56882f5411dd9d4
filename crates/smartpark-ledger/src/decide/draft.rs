//! What one write transaction has loaded and decided.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Direction, Error, Event, Floor, Result,
    count::{Effect, Fact, Flip, Missing, Source},
    decide::{
        Adjustment, OpenFloor, SelectedFact, WithdrawnFact, Writes,
        sums::{AT_LIMIT, HourKey, HourSum, column, hour_of},
    },
};

/// What a decision lacks. The engine loads it and asks again; nothing has changed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// A part of a floor's history.
    Past(i64, Missing),
    /// An id that no adjustment ever had: for [`Draft::adjustment_id`].
    AdjustmentId,
}

/// The outcome of a decision: an answer, or the reason why there is none for this request.
pub(crate) type Decided<T> = Result<Result<T>, Lack>;

/// A write transaction: the floors that it has loaded, and what it has decided so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// The time of the transaction, in microseconds since 1970 UTC.
    pub(crate) now: i64,
    /// The retention horizon.
    pub(crate) horizon: Option<i64>,
    /// The floors that were loaded, by id.
    pub(crate) floors: BTreeMap<i64, OpenFloor>,
    /// Floors that the transaction only reads, by id: answers to repeats tell their counts.
    pub(crate) others: BTreeMap<i64, Floor>,
    /// The next id of an event, if the engine gives ids in the order of the decisions. Otherwise
    /// each row brings the id that was drawn for it.
    pub(crate) next_event_id: Option<i64>,
    /// An id for the next adjustment, once the engine has given one.
    pub(crate) adjustment_id: Option<i64>,
    pub(super) events: Vec<Event>,
    /// The places of these events, by vehicle: camera, track and direction.
    pub(super) by_vehicle: HashMap<(String, String, Direction), Vec<usize>>,
    pub(super) settings: Vec<i64>,
    pub(super) adjustments: Vec<Adjustment>,
    /// Events whose place is not their timestamp, each with its floor's id.
    pub(super) places: Vec<(i64, Fact)>,
    /// Stored adjustments that were pulled, and where to.
    pulled: Vec<(i64, i64)>,
    hours: HashMap<HourKey, HourSum>,
    /// Events by id that change sides, as they stand in the end, each with its floor.
    flips: BTreeMap<i64, (i64, Flip)>,
    /// Stored facts that were taken out.
    removed: Vec<WithdrawnFact>,
    /// Withdrawn facts that count again.
    restored: Vec<WithdrawnFact>,
    /// Events that were at the limit and are not there any more.
    no_longer: Vec<i64>,
}

impl Draft {
    /// A transaction at this time that has loaded these floors.
    pub(crate) fn new(now: i64, horizon: Option<i64>, floors: BTreeMap<i64, OpenFloor>) -> Self {
        Self { now, horizon, floors, ..Self::default() }
    }

    /// A floor as the transaction has it.
    pub(crate) fn floor(&self, id: i64) -> Result<&Floor> {
        self.floors.get(&id).map(|open| &open.floor).ok_or(Error::NotFound("the floor"))
    }

    /// Puts a fact into a floor's history, moves its count, and lets the event change sides that
    /// absorbs it.
    pub(super) fn record_fact(&mut self, open_id: i64, fact: &Fact) -> Decided<Effect> {
        let Some(open) = self.floors.get_mut(&open_id) else {
            return Ok(Err(Error::NotFound("the floor")));
        };
        let effect = open.record(fact, self.now).map_err(|missing| Lack::Past(open_id, missing))?;
        self.take_flips(open_id, &effect);
        Ok(Ok(effect))
    }

    /// Gives all facts of a floor that lie ahead of an instant that instant as their place. Returns
    /// how far that moved the count.
    pub(super) fn pull(&mut self, open_id: i64, to: i64) -> Decided<i64> {
        let Some(open) = self.floors.get_mut(&open_id) else {
            return Ok(Err(Error::NotFound("the floor")));
        };
        let pulled = open.pull(to, self.now).map_err(|missing| Lack::Past(open_id, missing))?;
        self.take_flips(open_id, &pulled.effect);
        for fact in pulled.facts {
            match fact.source {
                Source::Adjustment(id) => self.pulled.push((id, to)),
                Source::Event { .. } => self.places.push((open_id, Fact { at: to, ..fact })),
                Source::Base => {}
            }
        }
        Ok(Ok(pulled.effect.delta))
    }

    /// Takes a stored fact out of its floor's history. Returns how far that moved the count.
    pub(super) fn withdraw(&mut self, selected: &SelectedFact) -> Decided<i64> {
        let SelectedFact { fact, is_at_limit } = selected;
        let (floor_id, now) = (fact.floor_id(), self.now);
        let Some(open) = self.floors.get_mut(&floor_id) else {
            return Ok(Err(Error::NotFound("the floor")));
        };
        let effect =
            open.remove(&fact.fact(), now).map_err(|missing| Lack::Past(floor_id, missing))?;
        self.take_flips(floor_id, &effect);
        if let WithdrawnFact::Event { event, .. } = fact {
            // Another withdrawn event may have moved it to the other side before.
            let flip = self.flips.remove(&event.id);
            let is_at_limit = flip.map_or(*is_at_limit, |(_, flip)| flip.at_limit);
            let column = column(event.vehicle_type, event.direction);
            let at = event.timestamp.as_microsecond();
            let sum = self.hour(at, floor_id, &event.camera_id);
            sum[column] -= 1;
            sum[AT_LIMIT] -= i64::from(is_at_limit);
            self.no_longer.push(event.id);
        }
        self.removed.push(fact.clone());
        Ok(Ok(effect.delta))
    }

    /// Puts a withdrawn fact back into its floor's history. Returns how far that moved the count.
    pub(super) fn restore(&mut self, selected: &SelectedFact) -> Decided<i64> {
        let fact = &selected.fact;
        let floor_id = fact.floor_id();
        let effect = match self.record_fact(floor_id, &fact.fact())? {
            Ok(effect) => effect,
            Err(error) => return Ok(Err(error)),
        };
        if let WithdrawnFact::Event { event, place } = fact {
            let at = event.timestamp.as_microsecond();
            let column = column(event.vehicle_type, event.direction);
            self.hour(at, floor_id, &event.camera_id)[column] += 1;
            if effect.at_limit.is_some() {
                let camera_id = event.camera_id.clone();
                let flip = Flip { event_id: event.id, camera_id, at, at_limit: true };
                self.flip(floor_id, flip);
            }
            if *place < at {
                self.places.push((floor_id, fact.fact()));
            }
        }
        self.restored.push(fact.clone());
        Ok(Ok(effect.delta))
    }

    fn take_flips(&mut self, floor_id: i64, effect: &Effect) {
        for flip in &effect.flips {
            self.flip(floor_id, flip.clone());
        }
    }

    /// Adds an event to the sums of its hour.
    pub(super) fn count_event(&mut self, event: &Event) {
        let at = event.timestamp.as_microsecond();
        let column = column(event.vehicle_type, event.direction);
        self.hour(at, event.floor_id, &event.camera_id)[column] += 1;
        if event.at_limit.is_some() {
            let camera_id = event.camera_id.clone();
            let flip = Flip { event_id: event.id, camera_id, at, at_limit: true };
            self.flip(event.floor_id, flip);
        }
    }

    /// An event is now at the limit, or no longer.
    fn flip(&mut self, floor_id: i64, flip: Flip) {
        let sum = self.hour(flip.at, floor_id, &flip.camera_id);
        sum[AT_LIMIT] += if flip.at_limit { 1 } else { -1 };
        self.flips.insert(flip.event_id, (floor_id, flip));
    }

    fn hour(&mut self, at: i64, floor_id: i64, camera_id: &str) -> &mut HourSum {
        self.hours.entry((hour_of(at), floor_id, camera_id.to_owned())).or_default()
    }

    /// The rows to store.
    pub(crate) fn into_writes(self) -> Writes {
        let mut writes =
            Writes { events: self.events, adjustments: self.adjustments, ..Writes::default() };
        (writes.places, writes.pulled) = (self.places, self.pulled);
        (writes.removed, writes.restored) = (self.removed, self.restored);
        writes.no_longer = self.no_longer;
        for (id, open) in self.floors {
            writes.erased.extend(open.history.erased().map(|erased| (id, *erased)));
            writes.stretches.extend(open.history.changed().map(|node| (id, *node)));
            if self.settings.contains(&id) {
                writes.settings.push(open.floor.clone());
            }
            if open.changed {
                writes.floors.push(open.floor);
            }
        }
        writes.hours.extend(self.hours);
        writes.hours.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (floor_id, flip) in self.flips.into_values() {
            if flip.at_limit {
                writes.at_limit.push((floor_id, flip));
            } else {
                writes.no_longer.push(flip.event_id);
            }
        }
        writes
    }
}
