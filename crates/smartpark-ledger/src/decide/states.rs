//! The states that adapters of devices keep: compared, and swapped together with the events of the
//! same message.
//!
//! A batch that changes states is recorded as a whole or not at all. It is refused if one of its
//! states is another than the batch expects, or if one of its events would be refused: a reading
//! must not count as taken if its vehicles were not.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    Error, Event, Recorded, Result, StateChange,
    decide::{Draft, Group},
};

/// What a state is known by: the camera and the adapter's own key.
pub(crate) type StateName = (String, String);

/// A state to store. Without bytes it is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateWrite {
    pub(crate) camera_id: String,
    pub(crate) key: String,
    pub(crate) state: Option<Vec<u8>>,
    /// In microseconds since 1970 UTC.
    pub(crate) keep_until: Option<i64>,
}

/// The changes of states of a group, batch by batch, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct GroupStates {
    /// Empty if no batch of the group changes a state.
    changes: Vec<Vec<StateChange>>,
    /// Why batches are refused, by batch; empty if none is.
    refused: HashMap<usize, Error>,
}

impl GroupStates {
    /// Forgets what an earlier attempt came to.
    #[cfg(feature = "postgres")]
    pub(super) fn begin_attempt(&mut self) {
        self.refused.clear();
    }

    /// Moves the batches into another group that are marked.
    #[cfg(feature = "postgres")]
    pub(super) fn split(&mut self, marks: &[bool]) -> Self {
        self.refused.clear();
        let mut marks = marks.iter().copied();
        let changes = self.changes.extract_if(.., |_| marks.next().unwrap_or(false)).collect();
        Self { changes, refused: HashMap::new() }
    }

    /// Whether a batch is refused.
    pub(super) fn is_refused(&self, batch: usize) -> bool {
        !self.refused.is_empty() && self.refused.contains_key(&batch)
    }

    /// The answers, with one error in place of those of a refused batch.
    pub(super) fn answers(
        mut self,
        mut answers: Vec<Vec<Result<Recorded>>>,
    ) -> Vec<Vec<Result<Recorded>>> {
        for (batch, error) in self.refused.drain() {
            if let Some(of_batch) = answers.get_mut(batch) {
                *of_batch = vec![Err(error)];
            }
        }
        answers
    }
}

impl Group {
    /// The same group, whose batches also change these states.
    pub(crate) fn with_states(mut self, changes: Vec<Vec<StateChange>>) -> Self {
        if changes.iter().any(|of_batch| !of_batch.is_empty()) {
            self.states.changes = changes;
        }
        self
    }

    /// The names of the states that the group changes, each once, in order.
    pub(crate) fn state_names(&self) -> Vec<StateName> {
        let all = self.states.changes.iter().flatten();
        let mut names: Vec<StateName> =
            all.map(|change| (change.camera_id.clone(), change.key.clone())).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Leaves the batches out of the attempt under way that change such a state.
    #[cfg(feature = "postgres")]
    pub(crate) fn set_apart_states(&mut self, is_apart: impl Fn(&StateChange) -> bool) {
        for (batch, changes) in self.states.changes.iter().enumerate() {
            if changes.iter().any(&is_apart) {
                self.apart.resize(self.answers.len(), false);
                self.apart[batch] = true;
            }
        }
    }

    /// Compares the states with those that are `stored`, before any row is judged, and returns what
    /// is to be stored. The draft holds all floors that the group names, as far as they exist;
    /// `twins` are those of [`Group::decide`].
    pub(crate) fn decide_states(
        &mut self,
        mut stored: HashMap<StateName, Vec<u8>>,
        draft: &Draft,
        twins: &HashMap<usize, Event>,
    ) -> Vec<StateWrite> {
        let changes = std::mem::take(&mut self.states.changes);
        let mut rows: HashMap<usize, Vec<usize>> = HashMap::new();
        if !changes.is_empty() {
            for (place, row) in self.rows.iter().enumerate() {
                rows.entry(row.place.0).or_default().push(place);
            }
        }
        let mut writes: Vec<StateWrite> = Vec::new();
        for (batch, of_batch) in changes.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            let rows = rows.get(&batch).map(Vec::as_slice).unwrap_or_default();
            let is_apart = self.apart.get(batch).is_some_and(|apart| *apart);
            if is_apart || self.is_committed(rows, twins) {
                continue;
            }
            match self.unfit_row(rows, draft).and_then(|()| swaps(of_batch, &stored)) {
                Ok(swaps) => {
                    for swap in swaps {
                        apply(&mut stored, &swap);
                        writes.push(swap);
                    }
                }
                Err(error) => {
                    self.states.refused.insert(batch, error);
                }
            }
        }
        self.states.changes = changes;
        latest(writes)
    }

    /// Whether an earlier attempt committed these rows, and only its answer was lost: then the
    /// states of their batch are stored already.
    fn is_committed(&self, rows: &[usize], twins: &HashMap<usize, Event>) -> bool {
        let is_own =
            |place: &usize| twins.get(place).is_some_and(|twin| self.rows[*place].recorded(twin));
        !rows.is_empty() && rows.iter().all(is_own)
    }

    /// The reason why one of these rows would be refused.
    fn unfit_row(&self, rows: &[usize], draft: &Draft) -> Result<()> {
        for row in rows.iter().map(|place| &self.rows[*place]) {
            if let Some(horizon) = draft.horizon.filter(|horizon| row.at < *horizon) {
                let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
                return Err(Error::TooOld { horizon });
            }
            if !draft.floors.contains_key(&row.event.floor_id) {
                return Err(Error::UnknownFloor);
            }
        }
        Ok(())
    }
}

/// What the changes of a batch store, if the states are as the batch expects. A state that is as
/// the batch would leave it proves nothing: two messages may lead to the same state.
fn swaps(changes: &[StateChange], stored: &HashMap<StateName, Vec<u8>>) -> Result<Vec<StateWrite>> {
    let mut swaps = Vec::with_capacity(changes.len());
    for change in changes {
        let StateChange { camera_id, key, expected, new, keep_until } = change;
        let now = stored.get(&(camera_id.clone(), key.clone()));
        if now != expected.as_ref() {
            return Err(Error::StateChanged);
        }
        swaps.push(StateWrite {
            camera_id: camera_id.clone(),
            key: key.clone(),
            state: new.clone(),
            keep_until: keep_until.map(Timestamp::as_microsecond),
        });
    }
    Ok(swaps)
}

fn apply(stored: &mut HashMap<StateName, Vec<u8>>, swap: &StateWrite) {
    let name = (swap.camera_id.clone(), swap.key.clone());
    match &swap.state {
        Some(state) => drop(stored.insert(name, state.clone())),
        None => drop(stored.remove(&name)),
    }
}

/// Of several writes of one state the last, in the order of their names: a statement for a set of
/// rows cannot write one twice, and transactions that write the same states meet at the first one.
fn latest(mut writes: Vec<StateWrite>) -> Vec<StateWrite> {
    writes.reverse();
    writes.sort_by(|a, b| (&a.camera_id, &a.key).cmp(&(&b.camera_id, &b.key)));
    writes
        .dedup_by(|later, first| (&later.camera_id, &later.key) == (&first.camera_id, &first.key));
    writes
}
