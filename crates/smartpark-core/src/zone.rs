//! Time zones by name, and the days, weeks and months of a zone.
//!
//! The rules are in the program, so that every server of one database divides time into the same
//! days, also on a machine without a time zone database.

use std::str::FromStr;

use jiff::{
    Span, Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};

use crate::{UnknownWord, intake::parse_bound};

const NOT_A_ZONE: &str = "must be a time zone such as Europe/Berlin, or an offset such as +01:00";

/// The zone with this name of the IANA database, or with this offset from UTC.
///
/// ```
/// use smartpark_core::zone;
/// assert!(zone::parse("Europe/Berlin").is_ok() && zone::parse("-03:30").is_ok());
/// assert!(zone::parse("Berlin").is_err());
/// ```
///
/// # Errors
/// What is expected instead.
pub fn parse(text: &str) -> Result<TimeZone, &'static str> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("utc") || text == "Z" {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(text).map_err(|_| NOT_A_ZONE)
}

/// The offset that `+01:00` and the like name.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let number = |digits: &str, below: i32| {
        let is_number = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        let number: i32 = digits.parse().ok().filter(|_| is_number)?;
        (number < below).then_some(number)
    };
    let minutes = number(hours, 24)? * 60 + number(minutes, 60)?;
    Offset::from_seconds(sign * minutes * 60).ok()
}

/// A part of the calendar of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum CalendarStep {
    /// From midnight to midnight: 23 or 25 hours if the clock changes.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

impl FromStr for CalendarStep {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "day" => Ok(Self::Day),
            "week" => Ok(Self::Week),
            "month" => Ok(Self::Month),
            _ => Err(UnknownWord { expected: "day, week, month" }),
        }
    }
}

impl CalendarStep {
    /// Its usual length in seconds; of a month the longest.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Day => 86_400,
            Self::Week => 604_800,
            Self::Month => 2_678_400,
        }
    }

    const fn span(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 0,
        }
    }

    /// The first day of the part in which `date` lies.
    fn first(self, date: Date) -> Date {
        match self {
            Self::Day => date,
            Self::Week => {
                let since = date.weekday().since(Weekday::Monday);
                date.checked_sub(i64::from(since).days()).unwrap_or(date)
            }
            Self::Month => date.first_of_month(),
        }
    }

    /// The first day of the next part.
    fn next(self, first: Date) -> Option<Date> {
        let span: Span = match self {
            Self::Month => 1.month(),
            days => days.span().days(),
        };
        first.checked_add(span).ok()
    }
}

/// Where the parts of the calendar begin that meet the window: `start` itself, then each beginning
/// after it and before `end`. At most `most` of them; `None` if there are more.
///
/// ```
/// use smartpark_core::zone::{CalendarStep, beginnings, parse};
/// let berlin = parse("Europe/Berlin").unwrap();
/// let (start, end) = ("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z");
/// let (start, end) = (start.parse().unwrap(), end.parse().unwrap());
/// let days = beginnings(&berlin, (start, end), CalendarStep::Day, 10).unwrap();
/// let hours = |day: &[jiff::Timestamp]| day[1].duration_since(day[0]).as_hours();
/// assert_eq!(days.windows(2).map(hours).collect::<Vec<_>>(), [24, 25]);
/// ```
#[must_use]
pub fn beginnings(
    zone: &TimeZone,
    (start, end): (Timestamp, Timestamp),
    step: CalendarStep,
    most: usize,
) -> Option<Vec<Timestamp>> {
    let mut found = Vec::new();
    if start < end {
        found.push(start);
    }
    let mut first = step.first(zone.to_datetime(start).date());
    while let Some(next) = step.next(first) {
        let Some(at) = first_instant(zone, next).filter(|at| *at < end) else { break };
        if at > start {
            if found.len() == most {
                return None;
            }
            found.push(at);
        }
        first = next;
    }
    Some(found)
}

/// The first instant of a day.
fn first_instant(zone: &TimeZone, date: Date) -> Option<Timestamp> {
    zone.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// The first instant of a period of this zone, and the first after it: `today`, `yesterday`, a day
/// such as `2026-11-20`, a month such as `2026-11`. `None` for any other text.
#[must_use]
pub fn period(text: &str, zone: &TimeZone, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let today = || zone.to_datetime(now).date();
    let (first, step) = match text {
        "today" => (today(), CalendarStep::Day),
        "yesterday" => (today().yesterday().ok()?, CalendarStep::Day),
        text => match text.len() {
            10 => (date(text)?, CalendarStep::Day),
            7 => (date(&format!("{text}-01"))?, CalendarStep::Month),
            _ => return None,
        },
    };
    Some((first_instant(zone, first)?, first_instant(zone, step.next(first)?)?))
}

/// A day that is written as `2026-11-20`.
fn date(text: &str) -> Option<Date> {
    let is_plain = text.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    text.parse().ok().filter(|_| is_plain)
}

/// The bound of a window: an instant with its offset, or the first instant of a [`period`].
///
/// # Errors
/// What is wrong, for a person.
pub fn bound(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, &'static str> {
    match period(text, zone, now) {
        Some((first, _)) => Ok(first),
        None => parse_bound(text),
    }
}

/// An instant as it is written for people of this zone: with the offset, or `Z` in UTC.
#[must_use]
pub fn written(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    let is_whole = offset.seconds() % 60 == 0;
    if offset == Offset::UTC || !is_whole {
        return at.to_string();
    }
    at.display_with_offset(offset).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The lengths of the parts in hours.
    fn hours(zone: &str, start: &str, end: &str, step: CalendarStep) -> Vec<i64> {
        let (zone, start, end) = (parse(zone).unwrap(), at(start), at(end));
        let mut bounds = beginnings(&zone, (start, end), step, 1_000).unwrap();
        bounds.push(end);
        let hours = |pair: &[Timestamp]| {
            let length: SignedDuration = pair[1].duration_since(pair[0]);
            length.as_secs() / 3_600
        };
        bounds.windows(2).map(hours).collect()
    }

    #[test]
    fn days_weeks_and_months_follow_the_clock_of_the_zone() {
        use CalendarStep::{Day, Month, Week};
        let berlin = "Europe/Berlin";
        let days = hours(berlin, "2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", Day);
        assert_eq!(days, [24, 25, 24]);
        let days = hours(berlin, "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", Day);
        assert_eq!(days, [24, 23, 24]);
        // It begins and ends within a day.
        let days = hours(berlin, "2026-11-20T20:00:00Z", "2026-11-22T00:00:00Z", Day);
        assert_eq!(days, [3, 24, 1]);
        let weeks = hours(berlin, "2026-10-18T22:00:00Z", "2026-11-01T23:00:00Z", Week);
        assert_eq!(weeks, [169, 168]);
        let months = hours(berlin, "2026-09-30T22:00:00Z", "2026-12-31T23:00:00Z", Month);
        assert_eq!(months, [745, 720, 744]);
        // Where the clock changes at midnight, and by half an hour.
        let days = hours("America/Havana", "2026-03-07T05:00:00Z", "2026-03-09T04:00:00Z", Day);
        assert_eq!(days, [24, 23]);
        let lord_howe = parse("Australia/Lord_Howe").unwrap();
        let window = (at("2026-04-03T13:00:00Z"), at("2026-04-06T13:30:00Z"));
        let days = beginnings(&lord_howe, window, Day, 9).unwrap();
        assert_eq!(days.last(), Some(&at("2026-04-05T13:30:00Z")));
        assert!(hours("UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Day).is_empty());
        let year = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        assert_eq!(beginnings(&TimeZone::UTC, year, Day, 364), None);
        assert_eq!(beginnings(&TimeZone::UTC, year, Day, 365).unwrap().len(), 365);
    }

    #[test]
    fn periods_are_named_in_the_words_of_the_zone() {
        let berlin = parse("Europe/Berlin").unwrap();
        // There it is the next day already.
        let now = at("2026-10-24T22:30:00Z");
        let table = [
            ("today", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ("yesterday", "2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z"),
            ("2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
        ];
        for (text, start, end) in table {
            assert_eq!(period(text, &berlin, now), Some((at(start), at(end))), "{text}");
            assert_eq!(bound(text, &berlin, now), Ok(at(start)), "{text}");
        }
        for text in ["", "tomorrow", "2026-13", "2026-02-30", "26-02-03", "2026/11/20", "+026-1-01"]
        {
            assert_eq!(period(text, &berlin, now), None, "{text}");
            assert!(bound(text, &berlin, now).is_err(), "{text}");
        }
        assert_eq!(bound("2026-02-12T10:00:00Z", &berlin, now), Ok(at("2026-02-12T10:00:00Z")));
    }

    #[test]
    fn instants_are_written_with_the_offset() {
        let at = at("2026-07-01T06:00:00.5Z");
        assert_eq!(written(at, &parse("Europe/Berlin").unwrap()), "2026-07-01T08:00:00.5+02:00");
        assert_eq!(written(at, &TimeZone::UTC), "2026-07-01T06:00:00.5Z");
    }

    #[test]
    fn zones_are_named_or_offsets() {
        for text in ["Europe/Berlin", "UTC", "utc", "Z", "+05:30", "-03:30"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["", "Berlin", "+5", "+0530", "+24:00", "01:00", "Europe/../Berlin"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
