//! Time zones by name. The rules are in the program, so that every server of one database divides
//! time into the same days, also on a machine without a time zone database.

use jiff::tz::{Offset, TimeZone};

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
