//! A local day beside the same weekday of the last weeks: is what happens today usual?
//!
//! Each quarter of an hour of the day stands beside the counts of up to [`WEEKS`] earlier days of
//! the same weekday. The band is the middle of them: if there are four or more, the lowest and the
//! highest are left out, so that one holiday does not bend it.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::calendar::{Calendar, DAY};
use crate::count::Walk;

/// Earlier weeks that are looked at.
pub const WEEKS: i64 = 6;
/// Earlier days that a band needs.
const LEAST_DAYS: usize = 2;
/// From so many days on the lowest and the highest are left out.
const TRIMMED_DAYS: usize = 4;
/// A stretch of so many full quarters is told as usually full.
const FULL_QUARTERS: usize = 2;

/// A local day of a floor or a site.
#[derive(Clone, Debug, PartialEq)]
pub struct UsualDay {
    /// The local date.
    pub date: Date,
    /// The first instant of the day.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// Earlier days of the same weekday that the band rests on.
    pub days: usize,
    /// The longest stretch that is full on at least half of the earlier days, on this day.
    pub usually_full: Option<(Timestamp, Timestamp)>,
    /// Since which quarter it is full now.
    pub full_since: Option<Timestamp>,
    /// The quarters of an hour of the day, in their order.
    pub steps: Vec<UsualStep>,
}

/// The beginning of a quarter of an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualStep {
    /// The instant.
    pub at: Timestamp,
    /// The vehicles at that instant; `None` if it is still to come or nobody saw it.
    pub vehicles: Option<i64>,
    /// What is usual then; `None` without enough earlier days.
    pub usual: Option<Band>,
}

/// The middle of the earlier days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Its lower edge, in vehicles.
    pub low: i64,
    /// The median, in vehicles.
    pub middle: i64,
    /// Its upper edge, in vehicles.
    pub high: i64,
}

/// The local day that holds `now`, from readings at quarters of an hour in their order, in
/// microseconds: [`Observed::readings`](super::observed::Observed::readings).
#[must_use]
pub fn usual_day(readings: &[(i64, Option<Walk>)], zone: &TimeZone, now: Timestamp) -> UsualDay {
    let date = zone.to_datetime(now).date();
    let earlier: Vec<Earlier<'_>> =
        (1..=WEEKS).filter_map(|week| Earlier::new(readings, zone, date, week)).collect();
    let calendar = Calendar::new(zone.clone(), date);
    let mut steps = Vec::new();
    let mut is_full = Vec::new();
    for quarter in 0..DAY {
        let Some(at) = calendar.instant(quarter) else { continue };
        let seen = if at <= now { reading(readings, at) } else { None };
        let mut walks: Vec<Walk> =
            earlier.iter().filter_map(|day| reading(readings, day.instant(quarter)?)).collect();
        let full = walks.iter().filter(|walk| walk.slots > 0 && walk.count >= walk.slots).count();
        is_full.push(walks.len() >= LEAST_DAYS && 2 * full >= walks.len());
        let usual = band(&mut walks);
        steps.push(UsualStep { at, vehicles: seen.map(|walk| walk.count), usual });
    }
    let midnight = |day: i64| calendar.instant(day * DAY).unwrap_or(now);
    let end = midnight(1);
    UsualDay {
        date,
        start: midnight(0),
        end,
        days: earlier.len(),
        usually_full: longest(&is_full, &steps, end),
        full_since: full_since(readings, now),
        steps,
    }
}

/// An earlier day of the same weekday.
struct Earlier<'a> {
    calendar: Calendar,
    readings: &'a [(i64, Option<Walk>)],
}

impl<'a> Earlier<'a> {
    /// The day so many weeks before `date`, if anything was seen on it.
    fn new(
        readings: &'a [(i64, Option<Walk>)],
        zone: &TimeZone,
        date: Date,
        weeks: i64,
    ) -> Option<Self> {
        let first = date.checked_sub((7 * weeks).days()).ok()?;
        let day = Self { calendar: Calendar::new(zone.clone(), first), readings };
        let is_seen =
            |quarter| day.instant(quarter).is_some_and(|at| reading(day.readings, at).is_some());
        (0..DAY).any(is_seen).then_some(day)
    }

    fn instant(&self, quarter: i64) -> Option<Timestamp> {
        self.calendar.instant(quarter)
    }
}

/// What was read at an instant.
fn reading(readings: &[(i64, Option<Walk>)], at: Timestamp) -> Option<Walk> {
    let micros = at.as_microsecond();
    let place = readings.binary_search_by_key(&micros, |(at, _)| *at).ok()?;
    readings.get(place)?.1
}

fn band(walks: &mut [Walk]) -> Option<Band> {
    if walks.len() < LEAST_DAYS {
        return None;
    }
    walks.sort_by_key(|walk| walk.count);
    let trim = usize::from(walks.len() >= TRIMMED_DAYS);
    let count = |place: usize| walks.get(place).map(|walk| walk.count);
    Some(Band {
        low: count(trim)?,
        middle: count(walks.len() / 2)?,
        high: count(walks.len() - 1 - trim)?,
    })
}

/// The longest run of full quarters, the first of equally long ones.
fn longest(
    is_full: &[bool],
    steps: &[UsualStep],
    end: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let mut best = 0..0;
    let mut begin = 0;
    for (place, full) in is_full.iter().enumerate() {
        if !full {
            begin = place + 1;
        } else if place + 1 - begin > best.len() {
            best = begin..place + 1;
        }
    }
    if best.len() < FULL_QUARTERS {
        return None;
    }
    let until = steps.get(best.end).map_or(end, |step| step.at);
    Some((steps.get(best.start)?.at, until))
}

/// The first of the last readings that are all full.
fn full_since(readings: &[(i64, Option<Walk>)], now: Timestamp) -> Option<Timestamp> {
    let until = now.as_microsecond();
    let past = readings.iter().rev().skip_while(|(at, _)| *at > until);
    let full = |seen: &Option<Walk>| seen.is_some_and(|it| it.slots > 0 && it.count >= it.slots);
    let run = past.take_while(|(_, seen)| full(seen)).last();
    run.and_then(|(at, _)| Timestamp::from_microsecond(*at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: i64 = 900_000_000;
    const SLOTS: i64 = 10;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Readings of `count` at every quarter from one instant until before another.
    fn readings(
        (from, until): (&str, &str),
        count: impl Fn(Timestamp) -> i64,
    ) -> Vec<(i64, Option<Walk>)> {
        let (from, until) = (at(from).as_microsecond(), at(until).as_microsecond());
        let read = |micros| {
            let count = count(Timestamp::from_microsecond(micros).unwrap());
            (micros, Some(Walk { count, slots: SLOTS }))
        };
        (from..until).step_by(QUARTER as usize).map(read).collect()
    }

    /// Full from 08:00 until 15:00 by the clock of Berlin, on weekdays.
    fn office(when: Timestamp) -> i64 {
        let local = zone().to_datetime(when);
        let is_working_day = local.weekday().to_monday_zero_offset() < 5;
        if is_working_day && (8..15).contains(&local.hour()) { SLOTS } else { 1 }
    }

    fn step(day: &UsualDay, instant: &str) -> UsualStep {
        *day.steps.iter().find(|step| step.at == at(instant)).unwrap()
    }

    #[test]
    fn a_day_stands_beside_its_weekday_by_the_local_clock_over_a_change_of_it() {
        // Summer time ended on 25 October 2026: 08:00 is another instant of UTC since then.
        let span = ("2026-10-01T00:00:00Z", "2026-11-03T09:10:00Z");
        let now = at("2026-11-03T09:10:00Z");
        let day = usual_day(&readings(span, office), &zone(), now);
        assert_eq!(day.date, "2026-11-03".parse().unwrap());
        assert_eq!((day.start, day.end), (at("2026-11-02T23:00:00Z"), at("2026-11-03T23:00:00Z")));
        assert_eq!((day.days, day.steps.len()), (4, 96));
        let full = (at("2026-11-03T07:00:00Z"), at("2026-11-03T14:00:00Z"));
        assert_eq!(day.usually_full, Some(full));
        assert_eq!(day.full_since, Some(full.0));
        let morning = step(&day, "2026-11-03T07:00:00Z");
        assert_eq!(morning.usual, Some(Band { low: 10, middle: 10, high: 10 }));
        assert_eq!(morning.vehicles, Some(10));
        assert_eq!(step(&day, "2026-11-03T09:15:00Z").vehicles, None);
    }

    #[test]
    fn the_days_on_which_the_clock_changes_have_the_quarters_that_exist() {
        let spring = usual_day(&[], &zone(), at("2026-03-29T10:00:00Z"));
        assert_eq!(spring.steps.len(), 92);
        let autumn = usual_day(&[], &zone(), at("2026-10-25T10:00:00Z"));
        assert_eq!((autumn.steps.len(), autumn.days), (96, 0));
        assert!(autumn.steps.is_sorted_by_key(|step| step.at));
    }

    #[test]
    fn one_day_is_no_band_and_one_holiday_does_not_bend_it() {
        let now = at("2026-11-17T09:00:00Z");
        let one = usual_day(
            &readings(("2026-11-10T00:00:00Z", "2026-11-17T09:00:00Z"), office),
            &zone(),
            now,
        );
        assert_eq!((one.days, one.usually_full), (1, None));
        assert_eq!(step(&one, "2026-11-17T12:00:00Z").usual, None);
        let holiday = at("2026-11-10T10:00:00Z");
        let with_holiday = readings(("2026-10-06T00:00:00Z", "2026-11-17T09:00:00Z"), |when| {
            let is_away = when.duration_since(holiday).as_hours().abs() < 10;
            if is_away { 0 } else { office(when) }
        });
        let day = usual_day(&with_holiday, &zone(), now);
        assert_eq!(day.days, 6);
        let noon = step(&day, "2026-11-17T11:00:00Z");
        assert_eq!(noon.usual, Some(Band { low: 10, middle: 10, high: 10 }));
    }

    #[test]
    fn what_nobody_saw_is_left_out() {
        let mut seen = readings(("2026-11-01T00:00:00Z", "2026-11-17T09:00:00Z"), office);
        for (_, walk) in &mut seen {
            *walk = None;
        }
        let day = usual_day(&seen, &zone(), at("2026-11-17T09:00:00Z"));
        assert_eq!((day.days, day.full_since), (0, None));
        assert!(day.steps.iter().all(|step| step.vehicles.is_none() && step.usual.is_none()));
    }
}
