//! Changing a floor, recounting it, adjusting its count.

use jiff::Timestamp;

use crate::{
    Direction, Error, Floor, FloorChange, Result,
    count::{Fact, Source},
    decide::{Adjustment, AdjustmentKind, Draft, Lack, draft::Decided, floor::moved},
};

/// An adjustment that is to be made.
pub(super) struct Wanted {
    pub(super) kind: AdjustmentKind,
    /// The count of a recount, the slots of a change of capacity.
    pub(super) value: i64,
    pub(super) reason: Option<String>,
    pub(super) author: Option<String>,
}

/// A recount that a person dated, and what the engine found about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dated {
    /// When the vehicles were counted.
    pub(crate) at: i64,
    /// The slots that the floor had then.
    pub(crate) slots: i64,
    /// The number that was recorded for the same instant before.
    pub(crate) found: Option<i64>,
}

/// Where an adjustment stands.
struct Stand {
    /// Its instant and place.
    at: i64,
    /// What was done for it already moved the count so far.
    delta: i64,
    /// The slots at its instant, if a person named that.
    dated_slots: Option<i64>,
}

impl Stand {
    /// It is made at this instant; what was done for it already moved the count so far.
    fn now(at: i64, delta: i64) -> Self {
        Self { at, delta, dated_slots: None }
    }
}

impl Draft {
    /// Changes a floor's name, description, activity and slots.
    pub(crate) fn change_floor(&mut self, id: i64, change: &FloorChange) -> Decided<Floor> {
        let before = match self.floor(id) {
            Ok(floor) => floor.clone(),
            Err(error) => return Ok(Err(error)),
        };
        if let Some(slots) = change.total_slots.filter(|slots| *slots != before.total_slots) {
            let lowered = slots < before.current_vehicles;
            if lowered && !change.force {
                let current_vehicles = before.current_vehicles;
                return Ok(Err(Error::SlotsBelowCount { current_vehicles }));
            }
            let reason = lowered.then(|| "capacity lowered by force".to_owned());
            let (kind, author) = (AdjustmentKind::Capacity, change.author.clone());
            if let Err(error) = self.adjust(id, Wanted { kind, value: slots, reason, author })? {
                return Ok(Err(error));
            }
        }
        let opens = change.is_active.filter(|is| *is != before.is_active);
        let kind = match opens {
            Some(true) => AdjustmentKind::Opened,
            _ => AdjustmentKind::Closed,
        };
        if opens.is_some() && !self.is_decided(id, kind) {
            let author = change.author.clone();
            let wanted = Wanted { kind, value: 0, reason: None, author };
            if let Err(error) = self.adjust(id, wanted)? {
                return Ok(Err(error));
            }
        }
        if let Some(name) = change.name.as_ref().filter(|name| **name != before.name) {
            let reason = Some(format!("{} became {name}", before.name));
            let author = change.author.clone();
            let wanted = Wanted { kind: AdjustmentKind::Renamed, value: 0, reason, author };
            if let Err(error) = self.note(id, wanted, 0)? {
                return Ok(Err(error));
            }
        }
        self.change_settings(id, change);
        Ok(self.floor(id).cloned())
    }

    /// Notes that a floor was added.
    pub(crate) fn note_added(&mut self, id: i64, author: Option<&str>) -> Decided<()> {
        let author = author.map(str::to_owned);
        let wanted = Wanted { kind: AdjustmentKind::Added, value: 0, reason: None, author };
        self.note(id, wanted, 0)
    }

    /// Whether an adjustment of this kind was decided before what was lacking was loaded.
    fn is_decided(&self, id: i64, kind: AdjustmentKind) -> bool {
        self.adjustments.iter().any(|new| (new.floor_id, new.kind) == (id, kind))
    }

    fn change_settings(&mut self, id: i64, change: &FloorChange) {
        let Some(open) = self.floors.get_mut(&id) else { return };
        let floor = &open.floor;
        let name = change.name.clone().unwrap_or_else(|| floor.name.clone());
        let description = change.description.clone().unwrap_or_else(|| floor.description.clone());
        let is_active = change.is_active.unwrap_or(floor.is_active);
        let after = (name, description, is_active);
        if (&after.0, &after.1, after.2) != (&floor.name, &floor.description, floor.is_active) {
            let updated_at = moved(floor, self.now);
            (open.floor.name, open.floor.description, open.floor.is_active) = after;
            open.floor.updated_at = updated_at;
            self.settings.push(id);
        }
    }

    /// Sets a floor's count to what a person counted.
    pub(crate) fn recount(
        &mut self,
        id: i64,
        count: i64,
        reason: &str,
        author: Option<&str>,
    ) -> Decided<Floor> {
        match self.floor(id) {
            Err(error) => return Ok(Err(error)),
            Ok(floor) if count > floor.total_slots => {
                let detail = "must be at most the floor's total_slots";
                return Ok(Err(Error::invalid("current_vehicles", detail)));
            }
            Ok(_) => {}
        }
        let (reason, author) = (Some(reason.to_owned()), author.map(str::to_owned));
        let wanted = Wanted { kind: AdjustmentKind::Recount, value: count, reason, author };
        Ok(self.adjust(id, wanted)?.and_then(|()| self.floor(id).cloned()))
    }

    /// Records what a person counted at an earlier instant. It takes its place in history; what
    /// came after it still counts. The same number for the same instant is a repeat.
    pub(crate) fn recount_at(
        &mut self,
        id: i64,
        count: i64,
        dated: Dated,
        reason: &str,
        author: Option<&str>,
    ) -> Decided<Floor> {
        let Dated { at, slots, found } = dated;
        if let Some(horizon) = self.horizon.filter(|horizon| at < *horizon) {
            let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
            return Ok(Err(Error::TooOld { horizon }));
        }
        match found {
            Some(found) if found == count => return Ok(self.floor(id).cloned()),
            Some(found) => return Ok(Err(Error::RecountDiffers { found })),
            None if count > slots => {
                let detail = format!("must be at most the {slots} slots that the floor had then");
                return Ok(Err(Error::invalid("current_vehicles", detail)));
            }
            None => {}
        }
        let (reason, author) = (Some(reason.to_owned()), author.map(str::to_owned));
        let wanted = Wanted { kind: AdjustmentKind::Recount, value: count, reason, author };
        let stand = Stand { at, delta: 0, dated_slots: Some(slots) };
        Ok(self.put(id, wanted, stand)?.and_then(|()| self.floor(id).cloned()))
    }

    /// Moves a floor's count by one vehicle, without an event.
    pub(crate) fn update_vehicle_count(&mut self, id: i64, way: Direction) -> Decided<Floor> {
        let reason = Some("update_vehicle_count".to_owned());
        let wanted = Wanted { kind: way.into(), value: 0, reason, author: None };
        Ok(self.adjust(id, wanted)?.and_then(|()| self.floor(id).cloned()))
    }

    /// Corrects a count that `check --repair` found wrong: it becomes `folded`, what the history
    /// says and what the engine has put into the draft, with a recount whose `delta` makes the sum
    /// of all that moved the count right again.
    pub(crate) fn correct(&mut self, id: i64, folded: i64, delta: i64) -> Decided<()> {
        let reason = Some("check --repair".to_owned());
        let kind = AdjustmentKind::Recount;
        let outcome = self.adjust(id, Wanted { kind, value: folded, reason, author: None })?;
        if let (Ok(()), Some(adjustment)) = (&outcome, self.adjustments.last_mut()) {
            adjustment.delta = delta;
        }
        if let Some(open) = self.floors.get_mut(&id) {
            open.changed = true;
        }
        Ok(outcome)
    }

    /// Notes what new rules of counting made of a floor's count, which the engine has put into the
    /// draft: they moved it by `delta`.
    pub(crate) fn note_rules(&mut self, id: i64, delta: i64) -> Decided<()> {
        let reason = Some("events of one instant act together".to_owned());
        let wanted = Wanted { kind: AdjustmentKind::Rules, value: 0, reason, author: None };
        self.note(id, wanted, delta)
    }

    /// Adds a fact that says nothing about the count. So it pulls nothing.
    pub(super) fn note(&mut self, id: i64, wanted: Wanted, delta: i64) -> Decided<()> {
        let at = self.place_of(self.now);
        self.put(id, wanted, Stand::now(at, delta))
    }

    /// Adds a fact that no event made, now. A person's word covers all that was recorded so far:
    /// what lies ahead of now, by whatever clock, is pulled to this instant, and stands before it.
    fn adjust(&mut self, floor_id: i64, wanted: Wanted) -> Decided<()> {
        if self.adjustment_id.is_none() {
            return Err(Lack::AdjustmentId);
        }
        let at = self.place_of(self.now);
        match self.pull(floor_id, at)? {
            Ok(delta) => self.put(floor_id, wanted, Stand::now(at, delta)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The next id of an adjustment, given the next one of those that are stored.
    pub(crate) fn next_adjustment(&self, stored: i64) -> i64 {
        self.adjustments.iter().map(|new| new.id + 1).fold(stored, i64::max)
    }

    /// Puts an adjustment where it stands.
    fn put(&mut self, floor_id: i64, wanted: Wanted, stand: Stand) -> Decided<()> {
        let Stand { at, delta, dated_slots } = stand;
        let id = self.adjustment_id.ok_or(Lack::AdjustmentId)?;
        let Wanted { kind, value, reason, author } = wanted;
        let fact = Fact { at, source: Source::Adjustment(id), act: kind.act(value, value), id: 0 };
        let effect = match self.record_fact(floor_id, &fact)? {
            Ok(effect) => effect,
            Err(error) => return Ok(Err(error)),
        };
        self.adjustment_id = None;
        let (current_vehicles, total_slots) = match self.floor(floor_id) {
            Ok(floor) => (floor.current_vehicles, floor.total_slots),
            Err(error) => return Ok(Err(error)),
        };
        self.adjustments.push(Adjustment {
            id,
            floor_id,
            kind,
            delta: delta + effect.delta,
            current_vehicles: if dated_slots.is_some() { value } else { current_vehicles },
            total_slots: dated_slots.unwrap_or(total_slots),
            reason,
            author,
            at,
            created_at: self.now,
            place: at,
            is_dated: dated_slots.is_some(),
        });
        Ok(Ok(()))
    }
}

/// Whether a floor may be removed, given whether it ever had an event.
pub(crate) fn may_remove(had_events: bool) -> Result<()> {
    if had_events { Err(Error::FloorHasEvents) } else { Ok(()) }
}
