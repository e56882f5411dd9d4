//! RFC 3339 read by another way: by its shape, and by counting days.

use smartpark::Timestamp;

/// Days from 0000-01-01 until 1970-01-01.
const DAYS_UNTIL_1970: i64 = 719_528;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The microsecond since 1970 UTC that `text` names; `None` for what the contract does not take.
pub fn micros(text: &str) -> Option<i64> {
    all_micros(text).filter(|micros| *micros <= Timestamp::MAX.as_microsecond())
}

/// The same for a bound of a window: the last hours of the year 9999, which no [`Timestamp`] can
/// say, are its last microsecond.
pub fn bound(text: &str) -> Option<i64> {
    let end = (days_before(10_000) - DAYS_UNTIL_1970) * DAY * 1_000_000;
    let micros = all_micros(text).filter(|micros| *micros < end)?;
    Some(micros.min(Timestamp::MAX.as_microsecond()))
}

/// A bound of a window of requests at `now`: an instant, or the first instant of a period.
pub fn window_bound(text: &str, now: i64) -> Option<i64> {
    period(text, now).map(|(first, _)| first).or_else(|| bound(text))
}

/// The first microsecond of a day or month of UTC, and the first after it, for a request at `now`
/// (seconds since 1970 UTC).
pub fn period(text: &str, now: i64) -> Option<(i64, i64)> {
    let today = now.div_euclid(DAY);
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().expect("digits");
    let month_of = |year, month| {
        (1..=12).contains(&month).then(|| {
            days_before(year) + (1..month).map(|it| days_of(year, it)).sum::<i64>()
                - DAYS_UNTIL_1970
        })
    };
    let (first, days) = match text {
        "today" => (today, 1),
        "yesterday" => (today - 1, 1),
        _ if has_shape(text, "0000-00-00") => {
            let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
            let before = month_of(year, month)?;
            (1..=days_of(year, month)).contains(&day).then_some((before + day - 1, 1))?
        }
        _ if has_shape(text, "0000-00") => {
            let (year, month) = (number(0, 4), number(5, 7));
            (month_of(year, month)?, days_of(year, month))
        }
        _ => return None,
    };
    let (start, end) = (first * DAY * 1_000_000, (first + days) * DAY * 1_000_000);
    (end <= Timestamp::MAX.as_microsecond()).then_some((start, end))
}

fn all_micros(text: &str) -> Option<i64> {
    let head = text.get(..19).filter(|head| has_shape(head, "0000-00-00t00:00:00"))?;
    let number = |from: usize, to: usize| head[from..to].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let fits = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let tail = &text[19..];
    let (fraction, zone) = tail.split_at(tail.find(['Z', 'z', '+', '-'])?);
    let mut rest = sixth_places(fraction)?;
    let days = days_before(year) + (1..month).map(|it| days_of(year, it)).sum::<i64>() + day - 1;
    let local = (days - DAYS_UNTIL_1970) * DAY + hour * 3_600 + minute * 60 + second.min(59);
    let utc = local - offset(zone)?;
    if second == 60 {
        // A leap second is the last of a day of UTC; there is no number for it, so the one before.
        if utc.rem_euclid(DAY) != DAY - 1 {
            return None;
        }
        rest = 999_999;
    }
    let micros = utc * 1_000_000 + rest;
    let first = -DAYS_UNTIL_1970 * DAY * 1_000_000;
    (micros >= first).then_some(micros)
}

/// Whether a text has a digit for every 0, and else the same characters, whatever their case.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(&wanted),
        })
}

/// Millionths of a second, cut.
fn sixth_places(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| format!("{digits}000000")[..6].parse().expect("digits"))
}

/// Seconds that local time is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let zone = zone.strip_prefix(['+', '-']).filter(|zone| has_shape(zone, "00:00"))?;
    let (hours, minutes): (i64, i64) = (zone[..2].parse().ok()?, zone[3..].parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from year 0 until the first of a year.
fn days_before(year: i64) -> i64 {
    let leap = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    year * 365 + leap
}
