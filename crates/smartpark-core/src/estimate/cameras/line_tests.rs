//! From traffic to lines, and where nights end.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use proptest::prelude::*;

use super::{Line, SaidLine, Traffic, lines, nights};

fn seen(camera_id: &str, floor_id: i64, day: usize, crossings: (u32, u32)) -> Traffic {
    let (entries, exits) = crossings;
    Traffic { camera_id: camera_id.to_owned(), floor_id, day, entries, exits }
}

fn told(lines: &[Line]) -> Vec<(&str, Option<i64>, i64, Vec<u32>)> {
    let of = |line: &Line| [line.entries.clone(), line.exits.clone()].concat();
    lines.iter().map(|line| (line.camera_id.as_str(), line.from, line.to, of(line))).collect()
}

#[test]
fn a_camera_that_sends_each_crossing_on_two_floors_watches_a_ramp() {
    let traffic = [
        seen("gate", 1, 0, (9, 8)),
        seen("gate", 1, 1, (7, 7)),
        seen("ramp", 2, 0, (5, 3)),
        seen("ramp", 1, 0, (3, 5)),
    ];
    let found = lines(2, &traffic, &[]);
    let gate = ("gate", None, 1, vec![9, 7, 8, 7]);
    assert_eq!(told(&found), [gate.clone(), ("ramp", Some(1), 2, vec![5, 0, 3, 0])]);
    // A person knows better which floor its entries come from.
    let said = SaidLine { camera_id: "ramp".to_owned(), from: Some(2), to: 1 };
    let found = lines(2, &traffic, &[said]);
    assert_eq!(told(&found), [gate, ("ramp", Some(2), 1, vec![3, 0, 5, 0])]);
}

#[test]
fn a_camera_with_two_lines_of_its_own_watches_no_ramp() {
    let traffic = [seen("wide", 1, 0, (30, 28)), seen("wide", 2, 0, (11, 12))];
    let found = lines(1, &traffic, &[]);
    assert_eq!(told(&found), [("wide", None, 1, vec![30, 28]), ("wide", None, 2, vec![11, 12])]);
}

#[test]
fn a_ramp_that_is_said_counts_even_if_its_crossings_stand_on_one_floor() {
    let said = SaidLine { camera_id: "ramp".to_owned(), from: Some(1), to: 2 };
    let found = lines(1, &[seen("ramp", 2, 0, (4, 6))], &[said]);
    assert_eq!(told(&found), [("ramp", Some(1), 2, vec![4, 6])]);
}

#[test]
fn nights_end_at_the_quiet_hour_whatever_the_clock_does() {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
    // Clocks go forward on 29 March 2026: 05:00 is 04:00 UTC before, and 03:00 after.
    let ends = nights(&zone, &[], at("2026-03-30T02:30:00Z"), 2);
    let told = ["2026-03-27T04:00:00Z", "2026-03-28T04:00:00Z", "2026-03-29T03:00:00Z"];
    assert_eq!(ends, told.map(at));
    // Known traffic: nobody comes from 01:00 to 04:00 local time.
    let begin = at("2026-01-10T00:00:00Z").as_second();
    let hours: Vec<(Timestamp, u64)> = (0..40 * 24)
        .map(|hour| Timestamp::from_second(begin + hour * 3_600).expect("an instant"))
        .map(|at| (at, u64::from(!(1..4).contains(&zone.to_datetime(at).hour()))))
        .collect();
    let ends = nights(&zone, &hours, at("2026-02-19T12:00:00Z"), 28);
    let end = zone.to_datetime(*ends.last().expect("a night"));
    assert_eq!((ends.len(), end), (29, date(2026, 2, 19).at(3, 0, 0, 0)));
}

#[test]
fn half_hours_of_a_zone_are_cut_to_hours_of_utc() {
    let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
    let ends = nights(&zone, &[], "2026-02-12T12:00:00Z".parse().expect("an instant"), 1);
    assert!(ends.iter().all(|end| end.as_second() % 3_600 == 0), "{ends:?}");
}

proptest! {
    #[test]
    fn the_order_of_traffic_changes_no_line(
        order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let traffic: Vec<Traffic> = (0..8_u32)
            .map(|n| seen(["a", "b"][n as usize % 2], i64::from(n / 4), n as usize % 3, (n, 7 - n)))
            .collect();
        let shuffled: Vec<Traffic> = order.iter().map(|place| traffic[*place].clone()).collect();
        prop_assert_eq!(lines(3, &traffic, &[]), lines(3, &shuffled, &[]));
    }
}
