use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::{
    count::{Act, Clamp, Level, Span, Walk},
    estimate::drift::Piece,
};

/// Noon of some day of UTC.
const NOON: i64 = 1_770_897_600_000_000;
const MINUTE: i64 = 60_000_000;

fn observed(slots: i64, facts: &[(i64, Act, Option<&str>)]) -> Observed {
    let mut observer = Observer::begin(Walk { count: 0, slots });
    for (at, act, camera) in facts {
        observer.take(*at, *act, *camera);
    }
    let mut observed = Observed::default();
    observed.replace_from(i64::MIN, observer.finish().0);
    observed
}

#[test]
fn hours_hold_facts_as_the_ledger_counts_them() {
    let (a, b) = (Some("cam_a"), Some("cam_b"));
    let facts = [
        (NOON + MINUTE, Act::Entry, b),
        (NOON + 2 * MINUTE, Act::Entry, a),
        (NOON + 3 * MINUTE, Act::Entry, a),
        (NOON + 4 * MINUTE, Act::Recount(0), None),
        (NOON + 5 * MINUTE, Act::Exit, b),
        (NOON + HOUR, Act::Capacity(9), None),
        (NOON + DAY, Act::Entry, None),
    ];
    let until = NOON + DAY + HOUR + MINUTE;
    let observed = observed(2, &facts);
    let floor = observed.hours(TimeZone::UTC, 0, until, None, Walk { count: 7, slots: 7 });
    assert_eq!(floor.begin.as_microsecond(), NOON);
    assert_eq!((floor.slots, floor.hours.len()), (2, 25));
    let first = &floor.hours[0];
    assert_eq!((first.count, first.at_limit_full, first.at_limit_empty), (0, 1, 1));
    assert_eq!(first.cameras, [(1, 1), (2, 0)]);
    assert!(matches!(first.pieces[1], Piece::Recount { before: 2, found: 0, .. }));
    assert_eq!(floor.hours[1].pieces, [Piece::Slots(9)]);
    // A person counted this car in: no camera saw it.
    assert_eq!((floor.hours[24].count, &floor.hours[24].cameras), (1, &vec![(0, 0), (0, 0)]));
}

#[test]
fn quarters_open_with_the_level_before_them() {
    let facts = [
        (NOON + MINUTE, Act::Entry, Some("cam")),
        (NOON + 15 * MINUTE, Act::Entry, Some("cam")),
        (NOON + 16 * MINUTE, Act::Exit, Some("cam")),
    ];
    let readings = observed(5, &facts).readings(NOON + 45 * MINUTE);
    let told: Vec<(i64, i64)> = readings
        .iter()
        .map(|(at, seen)| ((at - NOON) / MINUTE, seen.expect("known").count))
        .collect();
    // At 12:15 the second car is not there yet; before the first fact nothing is known.
    assert_eq!(told, [(15, 1), (30, 1), (45, 1)]);
}

#[test]
fn a_silent_day_after_busy_weeks_is_not_known() {
    let mut facts = Vec::new();
    for day in 0..30 {
        if day == 29 {
            continue;
        }
        for car in 0..12 {
            facts.push((NOON + day * DAY + car * 10 * MINUTE, Act::Entry, Some("cam")));
        }
    }
    facts.push((NOON + 30 * DAY, Act::Entry, Some("cam")));
    let observed = observed(1_000, &facts);
    let readings = observed.readings(NOON + 30 * DAY);
    let known =
        |at: i64| readings.iter().find(|(found, _)| *found == at).map(|(_, seen)| seen.is_some());
    assert_eq!(known(NOON + 28 * DAY), Some(true));
    assert_eq!(known(NOON + 29 * DAY + HOUR), Some(false));
    // The night before is silent as well, as it always is; it belongs to the same silence.
    assert_eq!(known(NOON + 30 * DAY), Some(true));
    // On that day itself nobody can tell yet.
    let then = observed.readings(NOON + 29 * DAY + HOUR);
    assert!(then.last().expect("some").1.is_some());
}

#[test]
fn the_first_changed_day_is_found() {
    let day = |number: i64, facts: u32| NodeRow {
        span: Span { level: Level::DAY, start: number * DAY },
        facts,
        divided: false,
        clamp: Clamp::IDENTITY,
        opening: 0,
    };
    let known = [day(1, 3), day(2, 3), day(4, 3)];
    let table = [
        (vec![day(1, 3), day(2, 3), day(4, 3)], None),
        (vec![day(1, 3), day(2, 4), day(4, 3)], Some(2)),
        (vec![day(1, 3), day(2, 3), day(3, 1), day(4, 3)], Some(3)),
        (vec![day(1, 3), day(2, 3)], Some(4)),
        (vec![day(1, 3), day(2, 3), day(4, 3), day(9, 1)], Some(9)),
        (vec![], Some(1)),
    ];
    for (found, first) in table {
        assert_eq!(first_change(&known, &found), first.map(|day: i64| day * DAY));
    }
}

#[test]
fn floors_together_are_known_only_while_all_are() {
    let walk = |count, slots| Some(Walk { count, slots });
    let mut site = Site::default();
    site.add(vec![(0, walk(1, 2)), (QUARTER, walk(2, 2)), (2 * QUARTER, None)]);
    site.add(vec![(QUARTER, walk(1, 2)), (2 * QUARTER, walk(1, 2))]);
    let series = site.series(&TimeZone::UTC, 2 * QUARTER);
    let rate = |quarter: i64| {
        let at = Timestamp::from_microsecond(quarter * QUARTER).expect("an instant");
        series.known_rate(at)
    };
    assert_eq!((rate(0), rate(1), rate(2)), (Some(0.5), Some(0.75), None));
}

#[test]
fn a_floor_without_facts_has_no_hours_and_no_readings() {
    let nothing = Observed::default();
    let floor = nothing.hours(TimeZone::UTC, 0, NOON, None, Walk { count: 3, slots: 8 });
    assert_eq!((floor.hours.len(), floor.slots), (0, 8));
    assert_eq!(floor.begin.as_microsecond(), NOON);
    assert!(nothing.readings(NOON).is_empty());
}
