//! Folds facts into days.

use std::collections::HashMap;

use super::{DAY, HOUR, HOURS, MOST_CAMERAS, QUARTER, QUARTERS};
use crate::{
    count::{Act, Walk},
    estimate::drift::{Piece, Stretch},
};
use jiff::Timestamp;

/// A floor's day of UTC.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug, Default)]
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

/// Takes the facts of one floor in their order.
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

    /// Takes the next fact: when (in microseconds), what, and which camera says so. An adjustment
    /// has no camera.
    pub fn take(&mut self, at: i64, act: Act, camera: Option<&str>) {
        let start = at.div_euclid(DAY) * DAY;
        let open = match self.open.take() {
            Some(open) if open.day.start == start => open,
            Some(earlier) => {
                self.days.push(earlier.close());
                Open::begin(start, self.walk)
            }
            None => Open::begin(start, self.walk),
        };
        let open = self.open.insert(open);
        open.take(at, act, camera);
        self.walk = open.day.end;
    }

    /// The days that have facts, and how the floor stands after them.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Day>, Walk) {
        self.days.extend(self.open.map(Open::close));
        (self.days, self.walk)
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
    /// The instant of the last car, the count before it, and entries minus exits of that instant.
    instant: Option<(i64, i64, i64)>,
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
        Self { day, places, hour, stretch, sum: 0, instant: None }
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
        self.advance(at);
        let before = self.day.end;
        match act {
            Act::Base(_) | Act::Cars { .. } | Act::Nothing => return,
            Act::Entry | Act::Exit => {
                self.event(act, camera, before);
                if camera.is_some() {
                    return self.count(at, act);
                }
            }
            Act::Recount(found) => {
                self.end_stretch();
                let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX);
                self.hour.pieces.push(Piece::Recount { at, before: before.count, found });
            }
            Act::Capacity(slots) => {
                self.end_stretch();
                self.hour.pieces.push(Piece::Slots(slots));
            }
        }
        self.instant = None;
        self.day.end.act(act);
    }

    /// Moves the count. All cars of one instant act together, so it begins with the count before
    /// the first of them.
    fn count(&mut self, at: i64, act: Act) {
        let change = if act == Act::Entry { 1 } else { -1 };
        let (begin, net) = match self.instant {
            Some((same, begin, net)) if same == at => (begin, net + change),
            _ => (self.day.end.count, change),
        };
        self.instant = Some((at, begin, net));
        self.day.end.count = (begin + net).clamp(0, self.day.end.slots);
    }

    fn event(&mut self, act: Act, camera: Option<&str>, before: Walk) {
        let is_entry = act == Act::Entry;
        if is_entry {
            self.stretch.entries += 1;
            self.sum += 1;
            self.hour.at_limit_full += u32::from(before.count >= before.slots);
        } else {
            self.stretch.exits += 1;
            self.sum -= 1;
            self.hour.at_limit_empty += u32::from(before.count <= 0);
        }
        self.stretch.low = self.stretch.low.min(self.sum);
        self.stretch.high = self.stretch.high.max(self.sum);
        if let Some(camera) = camera {
            let place = self.place(camera);
            let seen = self.hour.cameras.iter_mut().find(|seen| seen.0 == place);
            let (entry, exit) = (u32::from(is_entry), u32::from(!is_entry));
            match seen {
                Some(seen) => *seen = (place, seen.1 + entry, seen.2 + exit),
                None => self.hour.cameras.push((place, entry, exit)),
            }
        }
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
        self.advance(self.day.start + DAY);
        self.day
    }
}
