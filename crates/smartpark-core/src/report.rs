//! The figures of a report: what happened on a floor or a site in a month, a week or a day.
//!
//! Everything is computed from the steps of a history, one minute each: so the figures are exact as
//! history is known, but for *full*, which counts whole minutes.

mod whole;

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, ISOWeekDate, Weekday},
    tz::TimeZone,
};
use serde::Serialize;

use crate::count::Step;
pub use whole::{FloorReport, PeriodBefore, Report, ReportDrift, ReportRecount};

/// How long a step of the history is that reports are made of, in microseconds.
pub const STEP_MICROS: i64 = 60_000_000;

/// Least number of cars out for a mean stay to be told.
const LEAST_EXITS: u64 = 20;

/// The figures of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    /// Cars in.
    pub entries: u64,
    /// Cars out.
    pub exits: u64,
    /// Mean number of vehicles, over time.
    pub mean: f64,
    /// Most vehicles at once.
    pub highest: i64,
    /// Slots at the end.
    pub slots: i64,
    /// Whole minutes in which no slot was free.
    pub full_minutes: u64,
    /// Cars that came in during those minutes.
    pub entries_while_full: u64,
    /// Mean stay in minutes, by Little's law: the mean number of vehicles divided by the rate of
    /// cars in and out. None with fewer than 20 cars out, or for less than a day.
    pub mean_stay_minutes: Option<f64>,
}

/// The figures of a day of the site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayFigures {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How full it was by weekday (from Monday) and hour of the day: the mean share of the slots that
/// was taken, 0 to 1. None for hours that the window does not hold.
pub type Heat = [[Option<f64>; 24]; 7];

/// The figures of steps that follow one another until `end` (microseconds since 1970 UTC).
#[must_use]
pub fn figures(steps: &[Step], end: i64) -> Figures {
    let mut sums = Figures::default();
    let (mut area, mut length) = (0.0, 0.0);
    for (step, width) in with_widths(steps, end) {
        sums.entries += step.entries;
        sums.exits += step.exits;
        sums.highest = sums.highest.max(step.max);
        sums.slots = step.slots;
        if is_full(step) {
            sums.full_minutes += u64::from(width >= STEP_MICROS);
            sums.entries_while_full += step.entries;
        }
        area += step.mean * width as f64;
        length += width as f64;
    }
    if length > 0.0 {
        sums.mean = area / length;
    }
    let day = SignedDuration::from_hours(23).as_micros() as f64;
    if sums.exits >= LEAST_EXITS && length >= day {
        let cars = (sums.entries + sums.exits) as f64 / 2.0;
        sums.mean_stay_minutes = Some(area / cars / STEP_MICROS as f64);
    }
    sums
}

/// Whether no slot was free in all of a step.
fn is_full(step: &Step) -> bool {
    step.slots > 0 && step.min >= step.slots
}

/// Steps with their lengths in microseconds.
fn with_widths(steps: &[Step], end: i64) -> impl Iterator<Item = (&Step, i64)> {
    let next = steps.iter().skip(1).map(|step| step.start).chain([end]);
    steps.iter().zip(next).map(|(step, next)| (step, next - step.start))
}

/// The days of a window in a time zone, each with its figures.
#[must_use]
pub fn days(steps: &[Step], end: i64, zone: &TimeZone) -> Vec<DayFigures> {
    let mut days = Vec::new();
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let date = local(first.start, zone).0;
        let length = rest.iter().take_while(|step| local(step.start, zone).0 == date).count();
        let (day, later) = rest.split_at(length);
        let until = later.first().map_or(end, |step| step.start);
        days.push(DayFigures { date, figures: figures(day, until) });
        rest = later;
    }
    days
}

/// How full it was, by weekday and hour of a time zone.
#[must_use]
pub fn heat(steps: &[Step], end: i64, zone: &TimeZone) -> Heat {
    let mut sums = [[(0.0, 0.0); 24]; 7];
    for (step, width) in with_widths(steps, end) {
        let (date, hour) = local(step.start, zone);
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let (taken, slots) = &mut sums[weekday][hour];
        *taken += step.mean * width as f64;
        *slots += step.slots as f64 * width as f64;
    }
    sums.map(|day| day.map(|(taken, slots)| (slots > 0.0).then(|| taken / slots)))
}

/// The local day and hour of an instant.
fn local(micros: i64, zone: &TimeZone) -> (Date, usize) {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
    let local = zone.to_datetime(at);
    (local.date(), usize::from(local.hour().unsigned_abs()))
}

/// A stretch of whole days that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPeriod {
    /// How it is written: `2026-11`, `2026-W48`, `2026-11-30`, or `2026-11-01/2026-11-15` (both
    /// days belong to it).
    pub name: String,
    /// Its first day.
    pub first: Date,
    /// The first day after it.
    pub after: Date,
}

impl ReportPeriod {
    /// Reads `2026-11`, `2026-W48`, `2026-11-30` or `2026-11-01/2026-11-15`.
    ///
    /// ```
    /// use smartpark_core::report::ReportPeriod;
    /// let week = ReportPeriod::parse("2026-W48").unwrap();
    /// assert_eq!(week.first.to_string(), "2026-11-23");
    /// assert_eq!(week.before().unwrap().name, "2026-W47");
    /// assert!(ReportPeriod::parse("2026-13").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('/') {
            let (first, last) = (day(first)?, day(last)?);
            let after = last.tomorrow().ok()?;
            return (first < after).then(|| Self { name: text.to_owned(), first, after });
        }
        if let Some((year, week)) = text.split_once("-W") {
            let is_plain = (year.len(), week.len()) == (4, 2)
                && text.bytes().all(|byte| byte.is_ascii_digit() || b"-W".contains(&byte));
            let monday = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday);
            let first = monday.ok().filter(|_| is_plain)?.date();
            return Self::week(first);
        }
        match text.len() {
            7 => Self::month(day(&format!("{text}-01"))?),
            10 => Self::range(day(text)?, day(text)?),
            _ => None,
        }
    }

    /// From a first to a last day.
    #[must_use]
    pub fn range(first: Date, last: Date) -> Option<Self> {
        let name = if first == last { first.to_string() } else { format!("{first}/{last}") };
        let after = last.tomorrow().ok()?;
        (first < after).then_some(Self { name, first, after })
    }

    /// The month of a day.
    #[must_use]
    pub fn month(day: Date) -> Option<Self> {
        let first = day.first_of_month();
        let after = first.last_of_month().tomorrow().ok()?;
        Some(Self { name: first.strftime("%Y-%m").to_string(), first, after })
    }

    /// The week that begins on a Monday.
    fn week(first: Date) -> Option<Self> {
        let week = first.iso_week_date();
        let mut after = first;
        for _ in 0..7 {
            after = after.tomorrow().ok()?;
        }
        let name = format!("{:04}-W{:02}", week.year(), week.week());
        Some(Self { name, first, after })
    }

    /// The period before it, of the same kind.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let last = self.first.yesterday().ok()?;
        match self.name.len() {
            7 => Self::month(last),
            8 => Self::week(self.first.checked_sub(Span::new().days(7)).ok()?),
            _ => {
                let length = self.after.duration_since(self.first);
                let days = Span::new().days(length.as_hours() / 24);
                Self::range(self.first.checked_sub(days).ok()?, last)
            }
        }
    }

    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.after.duration_since(self.first).as_hours() / 24
    }

    /// Its first instant in a time zone, and the first after it.
    #[must_use]
    pub fn window(&self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let first = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
        Some((first(self.first)?, first(self.after)?))
    }
}

/// A day that is written as `2026-11-20`.
fn day(text: &str) -> Option<Date> {
    let is_plain = |byte: u8| byte == b'-' || byte.is_ascii_digit();
    let is_plain = text.len() == 10 && text.bytes().all(is_plain);
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(minute: i64, count: i64, slots: i64, entries: u64) -> Step {
        Step {
            start: minute * STEP_MICROS,
            min: count,
            max: count,
            mean: count as f64,
            closing: count,
            slots,
            entries,
            exits: 0,
        }
    }

    #[test]
    fn figures_are_the_sums_of_the_minutes() {
        let steps = [step(0, 1, 2, 1), step(1, 2, 2, 1), step(2, 2, 2, 3), step(3, 0, 0, 0)];
        let told = figures(&steps, 4 * STEP_MICROS);
        assert_eq!((told.entries, told.highest, told.slots), (5, 2, 0));
        assert_eq!((told.full_minutes, told.entries_while_full), (2, 4));
        assert!((told.mean - 1.25).abs() < 1e-9 && told.mean_stay_minutes.is_none());
        // Of a minute that has only begun nothing is said.
        let told = figures(&steps[..2], STEP_MICROS + STEP_MICROS / 2);
        assert_eq!(told.full_minutes, 0);
        assert_eq!(figures(&[], 0), Figures::default());
    }

    #[test]
    fn the_mean_stay_is_the_mean_count_by_the_rate() {
        // Ten cars an hour in and out, and 20 there: each stays two hours.
        let steps: Vec<Step> =
            (0..24).map(|hour| Step { exits: 10, ..step(hour * 60, 20, 50, 10) }).collect();
        let told = figures(&steps, 24 * 60 * STEP_MICROS);
        assert!((told.mean_stay_minutes.unwrap() - 120.0).abs() < 1e-9);
    }

    #[test]
    fn days_and_hours_are_those_of_the_zone() {
        let zone = crate::zone::parse("Europe/Berlin").unwrap();
        // From midnight before the clock goes back: 25 hours, 24 hours, one hour.
        let start: Timestamp = "2026-10-24T22:00:00Z".parse().unwrap();
        let first = start.as_microsecond() / STEP_MICROS;
        let steps: Vec<Step> = (0..50 * 60).map(|minute| step(first + minute, 1, 2, 1)).collect();
        let end = (first + 50 * 60) * STEP_MICROS;
        let days = days(&steps, end, &zone);
        let told: Vec<_> =
            days.iter().map(|day| (day.date.to_string(), day.figures.entries)).collect();
        let expected = [("2026-10-25", 1_500), ("2026-10-26", 1_440), ("2026-10-27", 60)];
        assert_eq!(told, expected.map(|(day, entries)| (day.to_owned(), entries)));
        let heat = heat(&steps, end, &zone);
        assert_eq!(
            (heat[6][23], heat[0][0], heat[1][0], heat[1][1]),
            (Some(0.5), Some(0.5), Some(0.5), None)
        );
    }

    #[test]
    fn periods_are_read_and_have_one_before() {
        let table = [
            ("2026-11", "2026-11-01", "2026-12-01", "2026-10"),
            ("2026-01", "2026-01-01", "2026-02-01", "2025-12"),
            ("2026-W01", "2025-12-29", "2026-01-05", "2025-W52"),
            ("2026-W53", "2026-12-28", "2027-01-04", "2026-W52"),
            ("2026-03-01", "2026-03-01", "2026-03-02", "2026-02-28"),
            ("2026-11-03/2026-11-05", "2026-11-03", "2026-11-06", "2026-10-31/2026-11-02"),
        ];
        for (name, first, after, before) in table {
            let period = ReportPeriod::parse(name).unwrap();
            let days = (period.first.to_string(), period.after.to_string());
            assert_eq!(days, (first.to_owned(), after.to_owned()), "{name}");
            assert_eq!((period.before().unwrap().name, period.name), (before.into(), name.into()));
        }
        let unfit = ["", "2026", "2026-13", "2026-W54", "2026-02-30", "2026-W1", "26-11-01"];
        let ranges = ["2026-11-05/2026-11-03", "2026-11-05/", "+026-11", "+026-W11"];
        for text in unfit.into_iter().chain(ranges) {
            assert_eq!(ReportPeriod::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_days_add_up_to_the_whole(
            counts in prop::collection::vec((0_i64..5, 0_u64..3), 1..400)
        ) {
            let step = |(at, (count, entries)): (i64, &(i64, u64))| {
                step(at * 30, *count, 4, *entries)
            };
            let steps: Vec<Step> = (0..).zip(&counts).map(step).collect();
            let end = steps.last().unwrap().start + 30 * STEP_MICROS;
            let zone = crate::zone::parse("-03:30").unwrap();
            let (whole, days) = (figures(&steps, end), days(&steps, end, &zone));
            let days: Vec<Figures> = days.iter().map(|day| day.figures).collect();
            let sum = |of: fn(&Figures) -> u64| days.iter().map(of).sum::<u64>();
            prop_assert_eq!(sum(|it| it.entries), whole.entries);
            prop_assert_eq!(sum(|it| it.full_minutes), whole.full_minutes);
            prop_assert_eq!(days.iter().map(|day| day.highest).max().unwrap(), whole.highest);
        }
    }
}
