//! Instants as people and cameras write them: RFC 3339, strictly.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::Offset,
};

/// What is said of a text that is no RFC 3339 date-time.
const NOT_AN_INSTANT: &str =
    "must be an existing RFC 3339 date-time with seconds, such as 2026-02-12T10:30:45Z";
/// What is said of a date-time without an offset.
const NO_OFFSET: &str = "must carry an offset such as Z or +01:00: local time is ambiguous";
/// What is said of an instant that could not be written as RFC 3339 in UTC.
const OUT_OF_RANGE: &str = "must lie in the years 0000 to 9999";

/// What is said of an instant of the last hours of the year 9999.
const TOO_LATE: &str = "lies too far in the future: the last instant is 9999-12-30T22:00:00Z";

/// Seconds of a day before its last one, where a leap second may follow.
const LAST_SECOND: i64 = 86_399;

/// The instant that `text` names, cut to whole microseconds.
///
/// Accepts exactly RFC 3339: `T` and `Z` in either case, seconds, any number of fraction digits,
/// any offset. A leap second counts as the last microsecond before the next minute.
///
/// # Errors
/// What is wrong, for a person; never echoes the text.
pub fn parse_instant(text: &str) -> Result<Timestamp, &'static str> {
    parse(text)?.ok_or(TOO_LATE)
}

/// The same for a bound of a window of time. A [`Timestamp`] cannot say the last 26 hours of the
/// year 9999: here they all mean the last instant that it can say, after which nothing is stored.
///
/// # Errors
/// As [`parse_instant`].
pub fn parse_bound(text: &str) -> Result<Timestamp, &'static str> {
    Ok(parse(text)?.unwrap_or(LAST_INSTANT))
}

/// The last microsecond that a [`Timestamp`] can say.
const LAST_INSTANT: Timestamp = Timestamp::constant(253_402_207_200, 999_999_000);

/// The instant that `text` names; none in the last hours of the year 9999.
fn parse(text: &str) -> Result<Option<Timestamp>, &'static str> {
    let mut rest = Reader(text.as_bytes());
    let date = rest.date().ok_or(NOT_AN_INSTANT)?;
    let (time, is_leap) = rest.time().ok_or(NOT_AN_INSTANT)?;
    if rest.0.is_empty() {
        return Err(NO_OFFSET);
    }
    let offset = rest.offset().ok_or(NOT_AN_INSTANT)?;
    let local = date.to_datetime(time);
    let Ok(instant) = offset.to_timestamp(local) else {
        let to_utc = SignedDuration::from_secs(i64::from(offset.seconds()));
        let utc = local.checked_sub(to_utc).map_err(|_| OUT_OF_RANGE)?;
        let ends_a_day = (utc.hour(), utc.minute(), utc.second()) == (23, 59, 59);
        return if is_leap && !ends_a_day { Err(NOT_AN_INSTANT) } else { Ok(None) };
    };
    if Offset::UTC.to_datetime(instant).year() < 0 {
        return Err(OUT_OF_RANGE);
    }
    // Not `as_second`: before 1970 that rounds up.
    let second = instant.as_microsecond().div_euclid(1_000_000);
    if is_leap && second.rem_euclid(LAST_SECOND + 1) != LAST_SECOND {
        return Err(NOT_AN_INSTANT);
    }
    Ok(Some(instant))
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn date(&mut self) -> Option<Date> {
        let year = self.digits(4)?;
        self.one_of(b"-")?;
        let month = self.digits(2)?;
        self.one_of(b"-")?;
        let day = self.digits(2)?;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(i16::try_from(year).ok()?, month, day).ok()
    }

    /// The time of day, and whether it is a leap second.
    fn time(&mut self) -> Option<(Time, bool)> {
        self.one_of(b"Tt")?;
        let hour = i8::try_from(self.digits(2)?).ok()?;
        self.one_of(b":")?;
        let minute = i8::try_from(self.digits(2)?).ok()?;
        self.one_of(b":")?;
        let second = i8::try_from(self.digits(2)?).ok()?;
        let micros = self.micros()?;
        let is_leap = second == 60;
        let (second, micros) = if is_leap { (59, 999_999) } else { (second, micros) };
        let time = Time::new(hour, minute, second, micros * 1_000).ok()?;
        Some((time, is_leap))
    }

    /// The fraction of a second, if there is one, cut to microseconds.
    fn micros(&mut self) -> Option<i32> {
        if self.one_of(b".").is_none() {
            return Some(0);
        }
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let (fraction, rest) = self.0.split_at(length);
        self.0 = rest;
        let padded = fraction.iter().chain(std::iter::repeat(&b'0'));
        Some(padded.take(6).fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }

    fn offset(&mut self) -> Option<Offset> {
        let offset = match self.one_of(b"Zz+-")? {
            b'+' => self.hours_and_minutes()?,
            b'-' => -self.hours_and_minutes()?,
            _ => 0,
        };
        if self.0.is_empty() { Offset::from_seconds(offset).ok() } else { None }
    }

    /// `hh:mm` in seconds.
    fn hours_and_minutes(&mut self) -> Option<i32> {
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.one_of(b":")?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        Some((hours * 60 + minutes) * 60)
    }

    /// A number of exactly `length` digits.
    fn digits(&mut self, length: usize) -> Option<i32> {
        let (number, rest) = self.0.split_at_checked(length)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(number.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }

    /// The next byte, where it is one of these.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }
}
