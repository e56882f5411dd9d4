//! Withdrawing facts, and having withdrawn ones count again.

use std::collections::BTreeMap;

use crate::{
    Error, Event, Result, WithdrawalEffect, WithdrawalFloor,
    count::{Fact, Source},
    decide::{Adjustment, AdjustmentKind, Draft, Lack, floors::Wanted},
};

/// A fact that is withdrawn, or counts again, as the database has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WithdrawnFact {
    /// An event with its place in history.
    Event {
        /// The event as it was recorded and answered.
        event: Event,
        /// Its place.
        place: i64,
    },
    /// A recount, or a vehicle that was counted by hand.
    Change(Adjustment),
}

impl WithdrawnFact {
    /// The floor that it belongs to.
    pub(crate) fn floor_id(&self) -> i64 {
        match self {
            Self::Event { event, .. } => event.floor_id,
            Self::Change(change) => change.floor_id,
        }
    }

    /// Its place in history.
    pub(crate) fn place(&self) -> i64 {
        match self {
            Self::Event { place, .. } => *place,
            Self::Change(change) => change.place,
        }
    }

    /// How far recording it moved the count.
    pub(crate) fn delta(&self) -> i64 {
        match self {
            Self::Event { event, .. } => event.count_delta,
            Self::Change(change) => change.delta,
        }
    }

    /// Whether it is an event, and its id: no two facts have the same.
    pub(crate) fn key(&self) -> (bool, i64) {
        match self {
            Self::Event { event, .. } => (true, event.id),
            Self::Change(change) => (false, change.id),
        }
    }

    /// The fact in the history of its floor.
    pub(super) fn fact(&self) -> Fact {
        match self {
            Self::Event { event, place } => Fact {
                at: *place,
                source: Source::Event {
                    camera_id: event.camera_id.clone(),
                    track_id: event.track_id.clone(),
                    direction: event.direction,
                    timestamp: event.timestamp.as_microsecond(),
                },
                act: event.direction.into(),
                id: event.id,
            },
            Self::Change(change) => Fact {
                at: change.place,
                source: Source::Adjustment(change.id),
                act: change.kind.act(change.current_vehicles, change.total_slots),
                id: 0,
            },
        }
    }
}

/// A fact that a withdrawal names.
#[derive(Clone, Debug)]
pub(crate) struct SelectedFact {
    /// The fact.
    pub(crate) fact: WithdrawnFact,
    /// Whether it is an event that is at the limit, as history is known now.
    pub(crate) is_at_limit: bool,
}

/// The facts that a withdrawal names, as the engine has loaded them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    /// The facts that can be withdrawn, or can count again.
    pub(crate) facts: Vec<SelectedFact>,
    /// How many others are named.
    pub(crate) left: u64,
    /// Whether they count again.
    pub(crate) restores: bool,
}

impl Selected {
    /// Leaves out what lies before the horizon, where history is one number; and orders the rest,
    /// newest first: so each step has little history behind it.
    pub(crate) fn within(mut self, horizon: Option<i64>) -> Self {
        let named = self.facts.len();
        let horizon = horizon.unwrap_or(i64::MIN);
        self.facts.retain(|selected| selected.fact.place() >= horizon);
        self.left += (named - self.facts.len()) as u64;
        self.facts.sort_by_key(|selected| {
            let fact = &selected.fact;
            std::cmp::Reverse((fact.place(), fact.key()))
        });
        self
    }

    /// Refuses a withdrawal that would change nothing.
    pub(crate) fn require_some(&self) -> Result<()> {
        if self.facts.is_empty() { Err(Error::NothingToWithdraw) } else { Ok(()) }
    }

    /// The floors of the facts.
    pub(crate) fn floors(&self) -> Vec<i64> {
        let mut floors: Vec<i64> = self.facts.iter().map(|it| it.fact.floor_id()).collect();
        floors.sort_unstable();
        floors.dedup();
        floors
    }
}

/// Refuses a change that cannot be withdrawn.
pub(crate) fn may_withdraw(change: &Adjustment) -> Result<()> {
    use AdjustmentKind::{Entry, Exit, Recount};
    if matches!(change.kind, Recount | Entry | Exit) {
        return Ok(());
    }
    let detail = "must be recounts or vehicles counted by hand; slots, openings and closings are \
                  changed back by another change";
    Err(Error::invalid("changes", detail))
}

/// A withdrawal that is being decided. It goes on where it stopped when something was missing.
#[derive(Debug)]
pub(crate) struct Withdrawing<'s> {
    selected: &'s Selected,
    reason: &'s str,
    author: Option<&'s str>,
    /// How many facts are done.
    done: usize,
    /// How far the counts of floors moved.
    deltas: BTreeMap<i64, i64>,
    /// How many floors have their note.
    noted: usize,
}

impl<'s> Withdrawing<'s> {
    /// Begins.
    pub(crate) fn new(selected: &'s Selected, reason: &'s str, author: Option<&'s str>) -> Self {
        Self { selected, reason, author, done: 0, deltas: BTreeMap::new(), noted: 0 }
    }

    /// Takes the facts out of the histories of their floors, or puts them back.
    pub(crate) fn decide(&mut self, draft: &mut Draft) -> Result<Result<WithdrawalEffect>, Lack> {
        while let Some(selected) = self.selected.facts.get(self.done) {
            let restores = self.selected.restores;
            let moved =
                if restores { draft.restore(selected)? } else { draft.withdraw(selected)? };
            match moved {
                Ok(delta) => *self.deltas.entry(selected.fact.floor_id()).or_default() += delta,
                Err(error) => return Ok(Err(error)),
            }
            self.done += 1;
        }
        Ok(self.effect(draft))
    }

    /// The same, and leaves a note on each floor.
    pub(crate) fn decide_and_note(
        &mut self,
        draft: &mut Draft,
    ) -> Result<Result<WithdrawalEffect>, Lack> {
        let effect = self.decide(draft)?;
        let kind = match self.selected.restores {
            true => AdjustmentKind::Restored,
            false => AdjustmentKind::Withdrawn,
        };
        for (floor_id, delta) in self.deltas.iter().skip(self.noted) {
            let reason = Some(self.reason.to_owned());
            let author = self.author.map(str::to_owned);
            if let Err(error) =
                draft.note(*floor_id, Wanted { kind, value: 0, reason, author }, *delta)?
            {
                return Ok(Err(error));
            }
            self.noted += 1;
        }
        Ok(effect)
    }

    fn effect(&self, draft: &Draft) -> Result<WithdrawalEffect> {
        let events = self.selected.facts.iter().filter(|it| it.fact.key().0).count() as u64;
        let changes = self.selected.facts.len() as u64 - events;
        let floors = self.deltas.iter().map(|(floor_id, count_delta)| {
            let vehicles = draft.floor(*floor_id)?.current_vehicles;
            Ok(WithdrawalFloor { floor_id: *floor_id, count_delta: *count_delta, vehicles })
        });
        let floors = floors.collect::<Result<_>>()?;
        Ok(WithdrawalEffect { events, changes, left: self.selected.left, floors })
    }
}
