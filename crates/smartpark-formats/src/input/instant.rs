//! Times as devices write them.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::decimal::Decimal;

/// Numbers below this are seconds since 1970.
const MILLIS_FROM: i128 = 100_000_000_000;
/// Numbers below this (and not seconds) are milliseconds, the others microseconds.
const MICROS_FROM: i128 = 100_000_000_000_000;
/// Digits of a fraction that are read; a device that writes more means nothing by them.
const FRACTION_DIGITS: usize = 9;

/// The instant that a device wrote, cut to whole microseconds: RFC 3339, a local time of `zone`,
/// or seconds, milliseconds or microseconds since 1970. `None` for anything else.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    match Decimal::parse(text) {
        Some(number) => since_1970(number),
        None => written(text, zone).and_then(whole_micros),
    }
}

/// `at`, cut downwards to whole microseconds.
pub(crate) fn whole_micros(at: Timestamp) -> Option<Timestamp> {
    let micros = at.as_nanosecond().div_euclid(1_000);
    Timestamp::from_microsecond(i64::try_from(micros).ok()?).ok()
}

/// The instant of seconds, milliseconds or microseconds since 1970.
pub(crate) fn since_1970(number: Decimal) -> Option<Timestamp> {
    let whole = number.scaled(0)?.abs();
    let power = match whole {
        _ if whole < MILLIS_FROM => 6,
        _ if whole < MICROS_FROM => 3,
        _ => 0,
    };
    let micros = i64::try_from(number.scaled(power)?).ok()?;
    Timestamp::from_microsecond(micros).ok()
}

fn written(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if !text.contains(':') {
        return None;
    }
    let text = short_fraction(text);
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let local = text.parse::<civil::DateTime>().ok()?;
    zone.to_timestamp(local).ok()
}

/// The text with at most [`FRACTION_DIGITS`] digits behind the point.
fn short_fraction(text: &str) -> String {
    let Some((before, after)) = text.split_once('.') else { return text.to_owned() };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let kept = digits.min(FRACTION_DIGITS);
    format!("{before}.{}{}", &after[..kept], &after[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_read() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let table = [
            ("1796112001", "2026-12-01T08:00:01Z"),
            ("1796112001.204815", "2026-12-01T08:00:01.204815Z"),
            ("1796112001204", "2026-12-01T08:00:01.204Z"),
            ("1796112001204815", "2026-12-01T08:00:01.204815Z"),
            ("2026-12-01T08:00:00.123456789Z", "2026-12-01T08:00:00.123456Z"),
            ("2026-12-01T08:00:00.1234567890123Z", "2026-12-01T08:00:00.123456Z"),
            ("2026-12-01T09:00:00.5+01:00", "2026-12-01T08:00:00.5Z"),
            ("2026-12-01T09:00:00.528+0100", "2026-12-01T08:00:00.528Z"),
            ("2026-12-01T09:00:00", "2026-12-01T08:00:00Z"),
            ("2026-12-01 09:00:00", "2026-12-01T08:00:00Z"),
        ];
        for (text, wanted) in table {
            let wanted: Timestamp = wanted.parse().unwrap();
            assert_eq!(instant(text, &berlin), Some(wanted), "{text}");
        }
        for text in ["", "soon", "2026-12-01", "25:00", "2026-13-01T00:00:00Z", "1e30", "nan"] {
            assert_eq!(instant(text, &berlin), None, "{text:?}");
        }
    }
}
