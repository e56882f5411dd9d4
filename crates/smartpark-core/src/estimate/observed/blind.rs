//! Hours in which all cameras of a floor were probably blind.

use std::collections::BTreeMap;

use super::{HOUR, observer::Day};

/// Weeks that an hour is compared with.
const WEEKS: usize = 4;
/// In so many of them there must have been an event: one week is no habit.
const HABIT: usize = 2;
/// Silence is believed from so many expected events on. Of eight that come independently none
/// comes in one of three thousand cases.
const EXPECTED: f64 = 8.0;
/// Hours in a week.
const WEEK: usize = 168;

/// The periods before the day `today` without any event, in which the same hours of the four weeks
/// before led one to expect eight or more: first instant, and first after it. A holiday looks the
/// same; it is left out as well, for it is not usual either.
pub(super) fn blind(days: &BTreeMap<i64, Day>, today: i64) -> Vec<(i64, i64)> {
    let Some((first, _)) = days.first_key_value() else { return Vec::new() };
    let hours = usize::try_from((today - first).max(0) / HOUR).unwrap_or(0);
    let mut events = vec![0_u32; hours];
    for (start, day) in days.range(..today) {
        let place = usize::try_from((start - first) / HOUR).unwrap_or(usize::MAX);
        for (hour, seen) in day.hours.iter().enumerate() {
            if let Some(sum) = events.get_mut(place.saturating_add(hour)) {
                *sum = seen.cameras.iter().map(|(_, entries, exits)| entries + exits).sum();
            }
        }
    }
    let instant = |place: usize| first + i64::try_from(place).unwrap_or(0) * HOUR;
    let mut periods = Vec::new();
    let mut from = 0;
    while from < hours {
        if events[from] > 0 {
            from += 1;
            continue;
        }
        let past = (from..hours).find(|place| events[*place] > 0).unwrap_or(hours);
        let due: f64 = (from..past).map(|place| expected(&events, place)).sum();
        if due >= EXPECTED {
            periods.push((instant(from), instant(past)));
        }
        from = past;
    }
    periods
}

/// The mean of the events at this hour in the weeks before.
fn expected(events: &[u32], place: usize) -> f64 {
    let weeks = (1..=WEEKS).filter_map(|week| place.checked_sub(week * WEEK));
    let seen: Vec<u32> = weeks.map(|past| events[past]).collect();
    if seen.iter().filter(|events| **events > 0).count() < HABIT {
        return 0.0;
    }
    seen.iter().map(|events| f64::from(*events)).sum::<f64>() / seen.len() as f64
}
