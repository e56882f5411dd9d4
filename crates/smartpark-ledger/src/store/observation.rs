//! What the engines read for the estimates, in one snapshot of the database.

use crate::{
    Floor,
    count::{NodeRow, Walk},
    estimate::{
        drift::Hour,
        observed::{Day, Observed, Observer, first_change},
    },
};

/// A question for a floor's facts.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The floor.
    pub(crate) floor_id: i64,
    /// The first instant of the first day of UTC that matters, in microseconds.
    pub(crate) from: i64,
    /// Now, or an earlier instant.
    pub(crate) at: i64,
    /// What the caller knows already.
    pub(crate) known: Known,
}

/// By which stored facts the caller made the days that it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// The retention horizon.
    pub(crate) horizon: Option<i64>,
    /// The day-level stretches from [`Ask::from`] on.
    pub(crate) marks: Vec<NodeRow>,
}

/// The answer.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    /// The floor as it is.
    pub(crate) floor: Floor,
    /// What the caller knows from now on.
    pub(crate) known: Known,
    /// The first instant from which days differ from those that the caller holds; then all days
    /// from there on. `None` if nothing changed.
    pub(crate) changed: Option<(i64, Vec<Day>)>,
    /// The facts of the hour of `at` before `at`.
    pub(crate) part: Hour,
    /// How the floor stood at `at`.
    pub(crate) now: Walk,
}

impl Ask {
    /// The stretch of time whose facts are to be read, given what is stored now; `None` if the
    /// caller holds all of it.
    pub(crate) fn changed(&self, found: &Known) -> Option<(i64, i64)> {
        let known: &[NodeRow] =
            if self.known.horizon == found.horizon { &self.known.marks } else { &[] };
        let first = first_change(known, &found.marks)?;
        let end = found.marks.last().map_or(first, |day| day.span.end());
        Some((found.horizon.unwrap_or(i64::MIN).max(first), end.max(first)))
    }

    /// The part of the hour of `at`, before `at`.
    pub(crate) fn hour(&self, horizon: Option<i64>) -> (i64, i64) {
        const HOUR: i64 = 3_600_000_000;
        let first = self.at.div_euclid(HOUR) * HOUR;
        (horizon.unwrap_or(i64::MIN).max(first).min(self.at), self.at)
    }

    /// Puts the answer together.
    pub(crate) fn answer(
        &self,
        floor: Floor,
        known: Known,
        days: Option<Observer>,
        hour: Observer,
    ) -> Observation {
        let earlier: &[NodeRow] =
            if self.known.horizon == known.horizon { &self.known.marks } else { &[] };
        let first = first_change(earlier, &known.marks);
        let changed = first.map(|first| (first, days.map_or_else(Vec::new, |it| it.finish().0)));
        let (part, now) = Observed::part(hour);
        Observation { floor, known, changed, part, now }
    }
}
