//! What is kept of one floor between questions, and how it is brought up to date.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Floor, Result, SmartPark,
    count::Walk,
    estimate::{
        drift::{self, Hour, State, States},
        forecast::{Reading, Series},
        observed::Observed,
    },
    limits::MAX_DRIFT_STATES,
    store::observation::{Ask, Known},
};

/// A day of UTC in microseconds.
const DAY: i64 = 86_400_000_000;
/// The first day that is looked at moves on every so many days, so that what is kept can be used
/// for weeks, and every answer depends on facts and time alone.
const BLOCK: i64 = 28 * DAY;
/// Forecasts look back 19 weeks; a local day may begin a day of UTC earlier.
const FORECAST: i64 = 140 * DAY;
/// An estimate of drift begins 92 to 120 days ago.
const DRIFT: i64 = 92 * DAY;

/// A floor's folded days, and what was computed from them.
#[derive(Debug, Default)]
pub(super) struct FloorMemory {
    from: i64,
    known: Known,
    observed: Observed,
    series: Option<KeptSeries>,
    states: Option<(drift::Floor, States)>,
}

/// A series that is up to date but for its last day of UTC.
#[derive(Debug)]
struct KeptSeries {
    zone: TimeZone,
    /// The first instant of its last day of UTC.
    today: i64,
    until: i64,
    series: Series,
}

/// A floor at an instant.
#[derive(Clone, Debug)]
pub(super) struct Stand {
    pub(super) floor: Floor,
    pub(super) at: Timestamp,
    /// Count and slots at that instant.
    pub(super) now: Walk,
    /// The facts of the hour of that instant before it.
    pub(super) part: Hour,
}

impl FloorMemory {
    /// Reads what changed since the last question, as far as it matters at `at`.
    pub(super) async fn observe(
        &mut self,
        park: &SmartPark,
        floor_id: i64,
        at: Timestamp,
    ) -> Result<Stand> {
        let micros = at.as_microsecond();
        let from = micros.div_euclid(BLOCK) * BLOCK - FORECAST;
        if from < self.from || self.from == 0 {
            *self = Self::default();
        } else if from > self.from {
            self.known.marks.retain(|mark| mark.span.start >= from);
            self.observed.forget_before(from);
            self.series = None;
        }
        self.from = from;
        let ask = Ask { floor_id, from, at: micros, known: self.known.clone() };
        let found = park.engine.observe(ask).await.inspect_err(|_| *self = Self::default())?;
        if let Some((first, days)) = found.changed
            && let Some(first) = self.observed.replace_from(first, days)
        {
            self.forget_from(first);
        }
        self.known = found.known;
        Ok(Stand { floor: found.floor, at, now: found.now, part: found.part })
    }

    /// Drops what was computed from days that changed.
    fn forget_from(&mut self, first: i64) {
        self.series.take_if(|kept| first < kept.today);
        let first = Timestamp::from_microsecond(first).unwrap_or(Timestamp::MIN);
        if let Some((_, states)) = &mut self.states {
            states.forget_from(0, first);
        }
    }

    /// How full the floor was until an instant.
    pub(super) fn series(&mut self, zone: &TimeZone, at: Timestamp) -> &Series {
        let until = at.as_microsecond();
        let today = until.div_euclid(DAY) * DAY;
        let is_older = self.observed.begin().is_some_and(|first| first < today);
        let kept = self.series.take().filter(|kept| {
            is_older && kept.zone == *zone && kept.today == today && kept.until <= until
        });
        let kept = match kept {
            Some(mut kept) => {
                for (at, seen) in self.observed.readings_from(today, until) {
                    let at = Timestamp::from_microsecond(at);
                    if let (Ok(at), Some(Walk { count, slots })) = (at, seen) {
                        kept.series.set(Reading { at, vehicles: count, slots });
                    }
                }
                KeptSeries { until, ..kept }
            }
            None => {
                let series = self.observed.series(zone, until);
                KeptSeries { zone: zone.clone(), today, until, series }
            }
        };
        &self.series.insert(kept).series
    }

    /// The floor at each quarter of an hour until an instant.
    pub(super) fn readings(&self, at: Timestamp) -> Vec<(i64, Option<Walk>)> {
        self.observed.readings(at.as_microsecond())
    }

    /// The hours of the floor up to an instant, and the state at the end of the last whole one.
    pub(super) fn state(&mut self, zone: &TimeZone, stand: &Stand) -> (drift::Floor, State) {
        let floor = self.hours(zone, stand);
        let hours = floor.hours.len();
        let states = self.states_for(&floor);
        let state = states.state(0, &floor, hours);
        (floor, state)
    }

    /// The hours of the floor up to an instant.
    pub(super) fn hours(&self, zone: &TimeZone, stand: &Stand) -> drift::Floor {
        let micros = stand.at.as_microsecond();
        let begin = micros.div_euclid(BLOCK) * BLOCK - DRIFT;
        self.observed.hours(zone.clone(), begin, micros, None, stand.now)
    }

    /// The states that belong to a floor that begins like this.
    fn states_for(&mut self, floor: &drift::Floor) -> &mut States {
        let head = drift::Floor { hours: Vec::new(), ..floor.clone() };
        let kept = self.states.take().filter(|(known, _)| *known == head);
        &mut self.states.insert(kept.unwrap_or((head, States::new(MAX_DRIFT_STATES)))).1
    }
}
