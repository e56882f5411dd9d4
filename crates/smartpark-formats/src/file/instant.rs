//! Times as files write them.

use std::borrow::Cow;

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::strtime::BrokenDownTime,
    tz::{AmbiguousOffset, TimeZone},
};
use smartpark_core::intake::parse_instant;

use crate::input::{Decimal, since_1970, whole_micros};

/// The least number that is seconds since 1970: 1973. Below are the day numbers of spreadsheets.
const LEAST_SECONDS: i128 = 100_000_000;

const NOT_A_TIME: &str = "is not a time that can be read; --time-format tells how it is written, \
    such as \"%m/%d/%Y %I:%M:%S %p\"";
const NO_ZONE: &str = "must carry an offset such as Z or +01:00; for local times --time-zone \
    names the zone, such as Europe/Berlin";
const SMALL_NUMBER: &str = "is a number too small for seconds since 1970; if a spreadsheet wrote \
    it, give the column the format of a date with its time";

/// How the times of a file are read.
#[derive(Clone, Debug, Default)]
pub struct LocalTimes {
    zone: Option<(TimeZone, String)>,
    format: Option<String>,
}

impl LocalTimes {
    /// Times without an offset are of this zone: a name such as `Europe/Berlin`, or an offset such
    /// as `+01:00`. `format` tells how times are written, in the signs of `strptime`.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn new(zone: Option<&str>, format: Option<&str>) -> Result<Self, String> {
        let zone = zone.map(|name| {
            smartpark_core::zone::parse(name)
                .map_err(str::to_owned)
                .map(|zone| (zone, name.to_owned()))
        });
        Ok(Self { zone: zone.transpose()?, format: format.map(str::to_owned) })
    }

    /// The instant that a text names, cut to whole microseconds.
    ///
    /// # Errors
    /// What is wrong, for a person; never echoes the text.
    pub fn read(&self, text: &str) -> Result<Timestamp, Cow<'static, str>> {
        let text = text.trim();
        if let Some(format) = &self.format {
            return self.formatted(format, text);
        }
        match parse_instant(text) {
            Ok(instant) => return Ok(instant),
            Err(told) if is_strict(text) => return Err(told.into()),
            Err(_) => {}
        }
        if let Some(number) = Decimal::parse(text) {
            let is_late = number.scaled(0).is_some_and(|whole| whole.abs() >= LEAST_SECONDS);
            return match since_1970(number) {
                Some(instant) if is_late => Ok(instant),
                _ => Err(SMALL_NUMBER.into()),
            };
        }
        let (local, offset) = canonical(text).ok_or(NOT_A_TIME)?;
        if offset.is_empty() {
            let local: DateTime = local.parse().map_err(|_| NOT_A_TIME)?;
            return self.local(local);
        }
        parse_instant(&format!("{local}{offset}")).map_err(Cow::Borrowed)
    }

    fn formatted(&self, format: &str, text: &str) -> Result<Timestamp, Cow<'static, str>> {
        let other = || Cow::Borrowed("is not written as --time-format says");
        let read = BrokenDownTime::parse(format, text).map_err(|_| other())?;
        if let Ok(instant) = read.to_timestamp() {
            return whole_micros(instant).ok_or_else(other);
        }
        self.local(read.to_datetime().map_err(|_| other())?)
    }

    /// The instant of a local time. The hour that the change of the clock doubles, and the hour
    /// that it leaves out, are named instead of guessed.
    fn local(&self, local: DateTime) -> Result<Timestamp, Cow<'static, str>> {
        let (zone, name) = self.zone.as_ref().ok_or(NO_ZONE)?;
        let at = zone.to_ambiguous_timestamp(local);
        match at.offset() {
            AmbiguousOffset::Gap { .. } => {
                let date = local.date();
                return Err(format!(
                    "lies in the hour that {name} leaves out on {date}, when the clock goes \
                     forward"
                )
                .into());
            }
            AmbiguousOffset::Fold { .. } => {
                let date = local.date();
                return Err(format!(
                    "lies in the hour that happens twice in {name} on {date}, when the clock goes \
                     back: only an offset such as +01:00 tells which"
                )
                .into());
            }
            AmbiguousOffset::Unambiguous { .. } => {}
        }
        let instant = at.unambiguous().ok().and_then(whole_micros);
        instant.ok_or(Cow::Borrowed(NOT_A_TIME))
    }
}

/// Whether a text has the form of RFC 3339, so that what is said of it by that rule helps.
fn is_strict(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && matches!(bytes[10], b'T' | b't')
        && text.ends_with(['Z', 'z'])
        && bytes[16] == b':'
}

/// A time in the form of RFC 3339 without its offset, and the offset in that form, or nothing.
fn canonical(text: &str) -> Option<(String, String)> {
    let (date, rest) = date(text)?;
    let rest = rest.strip_prefix(['T', 't', ' ', ',']).map(str::trim_start)?;
    let length = rest.bytes().take_while(|b| b.is_ascii_digit() || b":.,".contains(b)).count();
    let (time, offset) = rest.split_at(length);
    Some((format!("{date}T{}", time_of_day(time)?), offset_of(offset.trim())?))
}

/// The date that a text begins with, as `2026-11-20`, and what follows it.
fn date(text: &str) -> Option<(String, &str)> {
    let length = text.bytes().take_while(|b| b.is_ascii_digit() || b"-/.".contains(b)).count();
    let (date, rest) = text.split_at(length);
    let sign = date.chars().find(|c| !c.is_ascii_digit())?;
    let parts: Vec<&str> = date.split(sign).collect();
    let [one, two, three] = parts.as_slice() else { return None };
    let (year, month, day) = match (one.len(), sign, three.len()) {
        (4, '-' | '/', 1..=2) => (one, two, three),
        (1..=2, '.', 4) => (three, two, one),
        _ => return None,
    };
    let is_whole = [year, month, day].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    (is_whole && (1..=2).contains(&month.len()))
        .then(|| (format!("{year}-{month:0>2}-{day:0>2}"), rest))
}

/// `8:01`, `08:01:02`, `08:01:02,5` as `08:01:02.5`.
fn time_of_day(text: &str) -> Option<String> {
    let text = text.replace(',', ".");
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, *second),
        _ => return None,
    };
    ((1..=2).contains(&hour.len()) && minute.len() == 2)
        .then(|| format!("{hour:0>2}:{minute}:{second}"))
}

/// `Z`, `UTC`, `+01:00`, `+0100` and `+01` as RFC 3339 writes them; nothing for nothing.
fn offset_of(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    if ["z", "utc", "gmt"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some("Z".to_owned());
    }
    let digits: String = text.get(1..)?.replace(':', "");
    let is_number = text.starts_with(['+', '-']) && digits.bytes().all(|b| b.is_ascii_digit());
    let sign = &text[..1];
    match digits.len() {
        2 if is_number => Some(format!("{sign}{digits}:00")),
        4 if is_number => Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])),
        _ => None,
    }
}
