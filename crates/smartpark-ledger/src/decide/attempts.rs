//! Recording a group in several attempts, each of which may leave batches out: what a database that
//! many servers share needs beside [`Group::decide`].

use std::collections::{BTreeMap, HashMap};

use crate::{
    Event,
    decide::{Group, Row},
};

impl Group {
    /// The instants of the events.
    pub(crate) fn instants(&self) -> impl Iterator<Item = i64> {
        self.rows.iter().map(|row| row.at)
    }

    /// The floors of the group, each with the instant of its first event: the stretches that hold
    /// it are mostly all that events on time ask for.
    pub(crate) fn first_instants(&self) -> BTreeMap<i64, i64> {
        self.rows.iter().rev().map(|row| (row.event.floor_id, self.place(row))).collect()
    }

    /// About where a row will stand in history: not after now.
    fn place(&self, row: &Row) -> i64 {
        row.at.min(self.now)
    }

    /// Begins a new attempt at this time: no row is judged, no batch is left out. Returns the time
    /// of the attempt.
    pub(crate) fn begin_attempt(&mut self, now: i64) -> i64 {
        (self.next, self.exit_went_first) = (0, false);
        self.apart.clear();
        self.states.begin_attempt();
        self.attempted = now.max(self.attempted.saturating_add(1));
        self.attempted
    }

    /// Leaves the batches of some rows out of the attempt under way.
    pub(crate) fn set_apart(&mut self, is_apart: impl Fn(&Row) -> bool) {
        for row in self.rows.iter().filter(|row| is_apart(row)) {
            self.apart.resize(self.answers.len(), false);
            self.apart[row.place.0] = true;
        }
    }

    /// The floors of the rows that are new, each with the instants of its rows in their order, and
    /// whether another row of the same instant stands before. Engines read ahead by it.
    pub(crate) fn news_by_floor(
        &self,
        twins: &HashMap<usize, Event>,
    ) -> BTreeMap<i64, Vec<(i64, bool)>> {
        let mut floors: BTreeMap<i64, Vec<(i64, bool)>> = BTreeMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            if self.is_apart(row) || twins.contains_key(&place) {
                continue;
            }
            let of_floor = floors.entry(row.event.floor_id).or_default();
            let at = self.place(row);
            let is_tie = of_floor.last().is_some_and(|(before, _)| *before == at);
            of_floor.push((at, is_tie));
        }
        floors
    }

    /// Moves the batches into another group that are marked, one mark a batch.
    pub(crate) fn split(&mut self, marks: &[bool]) -> Self {
        // Where each batch goes: its place among those that go to the same group.
        let (mut places, mut next) = (Vec::with_capacity(marks.len()), [0, 0]);
        for mark in marks {
            places.push(next[usize::from(*mark)]);
            next[usize::from(*mark)] += 1;
        }
        let states = self.states.split(marks);
        let (rows, answers, apart) = (Vec::new(), Vec::new(), Vec::new());
        let mut split = Self { rows, answers, apart, states, ..*self };
        split.rows = self.rows.extract_if(.., |row| marks[row.place.0]).collect();
        for row in self.rows.iter_mut().chain(&mut split.rows) {
            row.place.0 = places[row.place.0];
        }
        let mut marks = marks.iter().copied();
        split.answers = self.answers.extract_if(.., |_| marks.next().unwrap_or(false)).collect();
        split
    }
}
