//! Folds facts into days.

use std::collections::HashMap;

use super::{DAY, HOUR, HOURS, MOST_CAMERAS, QUARTER, QUARTERS};
use crate::{
    count::{Act, Walk},
    estimate::drift::{Piece, Stretch},
};
use jiff::Timestamp;

/// A floor's day of UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Its first instant, in microseconds since 1970 UTC.
    pub start: i64,
    /// How the floor stood before its first fact.
    pub(super) begin: Walk,
    /// How it stood after its last fact.
    pub(super) end: Walk,
    /// Vehicles and slots just before each quarter of an hour begins.
    pub(super) openings: Vec<(u32, u32)>,
    /// The facts of each hour.
    pub(super) hours: Vec<SeenHour>,
    /// The names of the cameras, in the order of their first events that day.
    pub(super) cameras: Vec<String>,
}

/// The facts of an hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SeenHour {
    pub(super) pieces: Vec<Piece>,
    /// Place in the names of the day, entries, exits.
    pub(super) cameras: Vec<(usize, u32, u32)>,
    /// The count at its end.
    pub(super) count: i64,
    pub(super) at_limit_full: u32,
    pub(super) at_limit_empty: u32,
}

impl Day {
    /// A day without facts.
    pub(super) fn empty(start: i64, walk: Walk) -> Self {
        Open::begin(start, walk).close()
    }

    /// How the floor stood after the day's last fact.
    #[must_use]
    pub fn end(&self) -> Walk {
        self.end
    }
}

/// Takes the facts of one floor in the order of their places. All events of one place act
/// together, as in the ledger; their order changes nothing but the order of new cameras.
#[derive(Debug)]
pub struct Observer {
    walk: Walk,
    days: Vec<Day>,
    open: Option<Open>,
}

impl Observer {
    /// Begins before the first fact, where the floor stands like this.
    #[must_use]
    pub fn begin(walk: Walk) -> Self {
        Self { walk, days: Vec::new(), open: None }
    }

    /// Takes the next fact: its place (in microseconds), what happened, and which camera says so.
    /// An adjustment has no camera.
    pub fn take(&mut self, at: i64, act: Act, camera: Option<&str>) {
        let start = at.div_euclid(DAY) * DAY;
        if let Some(earlier) = self.open.take_if(|open| open.day.start != start) {
            let day = earlier.close();
            self.walk = day.end;
            self.days.push(day);
        }
        let walk = self.walk;
        self.open.get_or_insert_with(|| Open::begin(start, walk)).take(at, act, camera);
    }

    /// The days that have facts, and how the floor stands after them.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Day>, Walk) {
        self.days.extend(self.open.map(Open::close));
        let walk = self.days.last().map_or(self.walk, |day| day.end);
        (self.days, walk)
    }
}

/// A day in the making.
#[derive(Debug)]
struct Open {
    day: Day,
    places: HashMap<String, usize>,
    hour: SeenHour,
    stretch: Stretch,
    /// Entries minus exits since the stretch began.
    sum: i64,
    /// The place of the last events, and how many vehicles came and went there.
    instant: (i64, u32, u32),
}

impl Open {
    fn begin(start: i64, walk: Walk) -> Self {
        let day = Day {
            start,
            begin: walk,
            end: walk,
            openings: Vec::with_capacity(QUARTERS),
            hours: Vec::with_capacity(HOURS),
            cameras: Vec::new(),
        };
        let (places, hour, stretch) = Default::default();
        Self { day, places, hour, stretch, sum: 0, instant: (start, 0, 0) }
    }

    /// Lets time pass: quarters that begin at or before `at` begin with what is known by then.
    fn advance(&mut self, at: i64) {
        let small = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
        let opening = (small(self.day.end.count), small(self.day.end.slots));
        let since = at - self.day.start;
        let past = |width: i64| usize::try_from(since / width).unwrap_or(0);
        let quarters = (past(QUARTER) + 1).min(QUARTERS);
        if self.day.openings.len() < quarters {
            self.day.openings.resize(quarters, opening);
        }
        while self.day.hours.len() < past(HOUR).min(HOURS) {
            self.end_stretch();
            let hour = std::mem::take(&mut self.hour);
            self.day.hours.push(SeenHour { count: self.day.end.count, ..hour });
        }
    }

    fn take(&mut self, at: i64, act: Act, camera: Option<&str>) {
        if self.instant.0 != at || camera.is_none() {
            self.end_instant();
        }
        self.advance(at);
        self.instant.0 = at;
        let before = self.day.end;
        match act {
            Act::Entry => self.event(1, 0, camera),
            Act::Exit => self.event(0, 1, camera),
            Act::Cars { entries, exits } => self.event(entries, exits, camera),
            Act::Recount(found) => {
                self.end_stretch();
                let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX);
                self.hour.pieces.push(Piece::Recount { at, before: before.count, found });
                self.day.end.act(act);
            }
            Act::Capacity(slots) => {
                self.end_stretch();
                self.hour.pieces.push(Piece::Slots(slots));
                self.day.end.act(act);
            }
            Act::Base(_) | Act::Nothing => {}
        }
        if camera.is_none() {
            self.end_instant();
        }
    }

    fn event(&mut self, entries: u32, exits: u32, camera: Option<&str>) {
        self.instant.1 += entries;
        self.instant.2 += exits;
        let Some(camera) = camera else { return };
        let place = self.place(camera);
        match self.hour.cameras.iter_mut().find(|seen| seen.0 == place) {
            Some(seen) => *seen = (place, seen.1 + entries, seen.2 + exits),
            None => self.hour.cameras.push((place, entries, exits)),
        }
    }

    /// Lets the events of a place act.
    fn end_instant(&mut self) {
        let (_, entries, exits) = self.instant;
        if (entries, exits) == (0, 0) {
            return;
        }
        self.instant = (self.instant.0, 0, 0);
        let before = self.day.end.count;
        let net = i64::from(entries) - i64::from(exits);
        self.day.end.act(Act::Cars { entries, exits });
        let cut = |beyond: i64| u32::try_from(beyond.max(0)).unwrap_or(u32::MAX);
        self.hour.at_limit_full += cut(before + net - self.day.end.count);
        self.hour.at_limit_empty += cut(self.day.end.count - before - net);
        self.stretch.entries += entries;
        self.stretch.exits += exits;
        self.sum += net;
        self.stretch.low = self.stretch.low.min(self.sum);
        self.stretch.high = self.stretch.high.max(self.sum);
    }

    fn place(&mut self, camera: &str) -> usize {
        if let Some(place) = self.places.get(camera) {
            return *place;
        }
        if self.day.cameras.len() == MOST_CAMERAS {
            return MOST_CAMERAS - 1;
        }
        self.places.insert(camera.to_owned(), self.day.cameras.len());
        self.day.cameras.push(camera.to_owned());
        self.day.cameras.len() - 1
    }

    /// Ends the stretch of events.
    fn end_stretch(&mut self) {
        let stretch = std::mem::take(&mut self.stretch);
        self.sum = 0;
        if stretch != Stretch::default() {
            self.hour.pieces.push(Piece::Stretch(stretch));
        }
    }

    fn close(mut self) -> Day {
        self.end_instant();
        self.advance(self.day.start + DAY);
        self.day
    }
}
