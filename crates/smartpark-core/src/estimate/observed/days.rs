//! The days of a floor, as the estimates take them.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    DAY, HOUR, MOST_CAMERAS, QUARTER,
    blind::blind,
    observer::{Day, Observer, SeenHour},
};
use crate::{
    count::Walk,
    estimate::{
        drift::{Floor, Hour, UsualNight},
        forecast::{Reading, Series},
    },
};

/// The days of one floor that have facts.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    days: BTreeMap<i64, Day>,
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

impl Observed {
    /// Puts other days in the place of all from the instant `from` on. Returns the first instant
    /// of the first day that is another now.
    pub fn replace_from(&mut self, from: i64, days: Vec<Day>) -> Option<i64> {
        let before: Vec<Day> = self.days.split_off(&from).into_values().collect();
        let same = before.iter().zip(&days).take_while(|(before, now)| before == now).count();
        let start = |list: &[Day]| list.get(same).map(|day| day.start);
        let first = start(&before).into_iter().chain(start(&days)).min();
        self.days.extend(days.into_iter().map(|day| (day.start, day)));
        first
    }

    /// Lets go of days that begin before an instant.
    pub fn forget_before(&mut self, at: i64) {
        self.days = self.days.split_off(&at);
    }

    /// How many days are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The first instant of the first day.
    #[must_use]
    pub fn begin(&self) -> Option<i64> {
        self.days.first_key_value().map(|(start, _)| *start)
    }

    /// The first hour of the first day that has a fact.
    fn first_hour(&self) -> Option<i64> {
        let (start, day) = self.days.first_key_value()?;
        let empty = |hour: &&SeenHour| hour.pieces.is_empty();
        let hours = i64::try_from(day.hours.iter().take_while(empty).count()).ok()?;
        Some(start + hours * HOUR)
    }

    /// The hours from the later of `begin` and the first fact on, up to the hour of `until`, for a
    /// floor that stands like `now` if it has no fact before. Both are microseconds.
    #[must_use]
    pub fn hours(
        &self,
        zone: TimeZone,
        begin: i64,
        until: i64,
        usual_night: Option<UsualNight>,
        now: Walk,
    ) -> Floor {
        let past = until.div_euclid(HOUR) * HOUR;
        let begin = self.first_hour().unwrap_or(past).max(begin).min(past);
        let mut names = Names::default();
        let mut floor = Floor {
            zone,
            begin: timestamp(begin),
            slots: now.slots,
            hours: Vec::new(),
            usual_night,
        };
        let mut start = begin.div_euclid(DAY) * DAY;
        let mut walk = self.days.range(..start).next_back().map(|(_, day)| day.end);
        while start < past {
            let still;
            let day = if let Some(day) = self.days.get(&start) {
                day
            } else {
                still = Day::empty(start, walk.unwrap_or(now));
                &still
            };
            walk = Some(day.end);
            if floor.hours.is_empty() {
                floor.slots = slots_at(day, begin);
            }
            for (hour, at) in day.hours.iter().zip((start..).step_by(3_600_000_000)) {
                // Earlier hours count for the order of cameras only from `begin` on.
                if (begin..past).contains(&at) {
                    floor.hours.push(names.hour(day, hour));
                }
            }
            start += DAY;
        }
        for hour in &mut floor.hours {
            hour.cameras.resize(names.all.len(), (0, 0));
        }
        floor
    }

    /// The part of an hour that an observer has folded.
    #[must_use]
    pub fn part(observer: Observer) -> (Hour, Walk) {
        let (days, walk) = observer.finish();
        let mut part = Hour { count: walk.count, ..Hour::default() };
        for hour in days.iter().flat_map(|day| &day.hours) {
            part.pieces.extend_from_slice(&hour.pieces);
            part.at_limit_full += hour.at_limit_full;
            part.at_limit_empty += hour.at_limit_empty;
        }
        (part, walk)
    }

    /// The floor just before each quarter of an hour begins, from its first fact on up to `until`
    /// (microseconds). `None` while its cameras were probably blind; but not on the day of
    /// `until`: whether a camera is blind shows later.
    #[must_use]
    pub fn readings(&self, until: i64) -> Vec<(i64, Option<Walk>)> {
        self.readings_from(i64::MIN, until)
    }

    /// The readings of the days that begin at `from` or later.
    #[must_use]
    pub fn readings_from(&self, from: i64, until: i64) -> Vec<(i64, Option<Walk>)> {
        let today = until.div_euclid(DAY) * DAY;
        let Some((first, fact)) = self.begin().zip(self.first_hour()) else { return Vec::new() };
        let first = first.max(from);
        let blind = if first < today { blind(&self.days, today) } else { Vec::new() };
        let mut walk = self.days.range(..first).next_back().map(|(_, day)| day.end);
        let (mut next, mut readings) = (0, Vec::new());
        for start in (first..=today).step_by(86_400_000_000) {
            let still;
            let day = match (self.days.get(&start), walk) {
                (Some(day), _) => day,
                (None, Some(walk)) => {
                    still = Day::empty(start, walk);
                    &still
                }
                (None, None) => break,
            };
            walk = Some(day.end);
            for (opening, at) in day.openings.iter().zip((start..).step_by(900_000_000)) {
                if at <= fact || at > until {
                    continue;
                }
                while blind.get(next).is_some_and(|period| period.1 <= at) {
                    next += 1;
                }
                let unseen = blind.get(next).is_some_and(|period| period.0 <= at);
                let seen = Walk { count: i64::from(opening.0), slots: i64::from(opening.1) };
                readings.push((at, (!unseen).then_some(seen)));
            }
        }
        readings
    }

    /// How full the floor was at each quarter of an hour.
    #[must_use]
    pub fn series(&self, zone: &TimeZone, until: i64) -> Series {
        let mut site = Site::default();
        site.add(self.readings(until));
        site.series(zone, until)
    }
}

/// Floors together, quarter by quarter of an hour.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The sum of the floors that existed; `None` if one of them was blind.
    sums: BTreeMap<i64, Option<Walk>>,
}

impl Site {
    /// Adds the [`Observed::readings`] of a floor.
    pub fn add(&mut self, readings: Vec<(i64, Option<Walk>)>) {
        if self.sums.is_empty() {
            self.sums = readings.into_iter().collect();
            return;
        }
        for (at, seen) in readings {
            let sum = self.sums.entry(at).or_insert(Some(Walk { count: 0, slots: 0 }));
            *sum = sum.zip(seen).map(|(sum, seen)| Walk {
                count: sum.count + seen.count,
                slots: sum.slots + seen.slots,
            });
        }
    }

    /// The sum of the floors at each quarter of an hour, in their order.
    #[must_use]
    pub fn readings(&self) -> Vec<(i64, Option<Walk>)> {
        self.sums.iter().map(|(at, seen)| (*at, *seen)).collect()
    }

    /// How full the floors together were.
    #[must_use]
    pub fn series(&self, zone: &TimeZone, until: i64) -> Series {
        let first = self.sums.first_key_value().map_or(until, |(at, _)| *at);
        let mut series = Series::new(zone.clone(), zone.to_datetime(timestamp(first)).date());
        for (at, seen) in &self.sums {
            if let Some(Walk { count, slots }) = *seen {
                series.set(Reading { at: timestamp(*at), vehicles: count, slots });
            }
        }
        series
    }
}

/// The slots just before an hour of a day begins.
fn slots_at(day: &Day, at: i64) -> i64 {
    let quarter = usize::try_from((at - day.start) / QUARTER).unwrap_or(0);
    day.openings.get(quarter).map_or(day.begin.slots, |opening| i64::from(opening.1))
}

/// The cameras of a floor in the order of their first events: later ones never move earlier ones.
#[derive(Default)]
struct Names {
    all: Vec<String>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.all.iter().position(|known| known == name) {
            return place;
        }
        if self.all.len() < MOST_CAMERAS {
            self.all.push(name.to_owned());
        }
        self.all.len() - 1
    }

    fn hour(&mut self, day: &Day, seen: &SeenHour) -> Hour {
        let mut cameras: Vec<(u32, u32)> = Vec::new();
        for (place, entries, exits) in &seen.cameras {
            let Some(name) = day.cameras.get(*place) else { continue };
            let place = self.place(name);
            if cameras.len() <= place {
                cameras.resize(place + 1, (0, 0));
            }
            let sum = cameras[place];
            cameras[place] = (sum.0 + entries, sum.1 + exits);
        }
        Hour {
            pieces: seen.pieces.clone(),
            cameras,
            count: seen.count,
            at_limit_full: seen.at_limit_full,
            at_limit_empty: seen.at_limit_empty,
        }
    }
}
