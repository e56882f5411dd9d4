//! Laws of the fold over readings, against a naive one.

use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    Counted, count_interval, count_reading,
    step::{Point, step},
};
use crate::{
    Direction, VehicleType,
    config::{Camera, Connections, CounterRules},
    input::{CounterName, Finding, IntervalReading, Reading, Reason},
};

fn camera(rules: &str) -> Camera {
    let text =
        format!("[[camera]]\nid = 'c'\nfloor = 'L'\n[camera.counter]\nentry = '/n'\n{rules}");
    Connections::parse(&text, &[]).unwrap().cameras.remove(0)
}

/// A camera without further rules.
fn plain() -> &'static Camera {
    static PLAIN: LazyLock<Camera> = LazyLock::new(|| camera(""));
    &PLAIN
}

fn counter() -> CounterName {
    let (direction, vehicle_type) = (Direction::Entry, VehicleType::Car);
    CounterName { name: "c/n".to_owned(), direction, vehicle_type }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_112_000 + second).unwrap()
}

fn reading(epoch: u8, second: i64, value: u64) -> Reading {
    let epoch = if epoch == 0 { String::new() } else { format!("2026-12-0{epoch}T00:00:00Z") };
    let (time, is_timed, is_retained) = (at(second), true, false);
    Reading { counter: counter(), epoch, time, is_timed, is_retained, value }
}

/// Feeds readings one after the other; gives the track and time of each unit, and the reasons.
#[derive(Default)]
struct Told {
    units: Vec<(String, Timestamp)>,
    reasons: Vec<Reason>,
    state: Option<Vec<u8>>,
}

impl Told {
    fn add(&mut self, counted: Counted) {
        for finding in counted.findings {
            match finding {
                Finding::Crossing(unit) => self.units.push((unit.track_id, unit.timestamp)),
                Finding::NotCounted(refusal) => self.reasons.push(refusal.reason),
                other => panic!("{other:?}"),
            }
        }
        self.state = counted.state.or(self.state.take());
    }
}

fn count_all(camera: &Camera, readings: &[Reading]) -> Told {
    let mut told = Told::default();
    for reading in readings {
        let counted = count_reading(camera, reading, told.state.as_deref());
        told.add(counted);
    }
    told
}

/// The sum of all steps, by the definition.
fn naive(readings: &[Reading], rules: &CounterRules) -> u64 {
    let mut points: Vec<(&str, i64, u64)> = readings
        .iter()
        .map(|reading| (reading.epoch.as_str(), reading.time.as_microsecond(), reading.value))
        .collect();
    points.sort_unstable();
    points.dedup();
    let steps = points.windows(2).map(|pair| {
        let [from, to] =
            [pair[0], pair[1]].map(|(epoch, micros, value)| Point { epoch, micros, value });
        step(from, to, rules)
    });
    steps.sum()
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let one = (0_u8..3, 0_i64..40, 0_u64..30)
        .prop_map(|(epoch, second, value)| reading(epoch, second * 7, value));
    prop::collection::vec(one, 1..40)
}

proptest! {
    /// Without `wraps_at` units are only ever added, and their number is the sum of all steps,
    /// whatever the order in which the readings come and however often.
    #[test]
    fn any_order_and_any_repeats_give_the_sum_of_all_steps(
        (sorted, order) in readings().prop_flat_map(|sorted| {
            let twice: Vec<Reading> = sorted.iter().chain(&sorted).cloned().collect();
            (Just(sorted), Just(twice).prop_shuffle())
        })
    ) {
        let camera = plain();
        let told = count_all(camera, &order);
        let wanted = naive(&sorted, &camera.input.rules());
        prop_assert_eq!(told.units.len() as u64, wanted);
        let mut tracks = told.units.clone();
        tracks.sort();
        tracks.dedup();
        prop_assert_eq!(tracks.len(), told.units.len(), "two units have one key");
        prop_assert!(!told.reasons.contains(&Reason::Implausible));
    }

    /// A state of any bytes is read or left; nothing panics, and what is written can be read.
    #[test]
    fn states_of_any_bytes_do_no_harm(
        state in prop::collection::vec(any::<u8>(), 0..80),
        value in 0_u64..5_000,
    ) {
        let camera = camera("wraps_at = 65536\nmax_per_minute = 60");
        let mut told = Told { state: Some(state.clone()), ..Told::default() };
        told.add(count_reading(&camera, &reading(0, 10, value), Some(&state)));
        let interval = IntervalReading { counter: counter(), start: at(0), end: at(60), value };
        told.add(count_interval(&camera, &interval, Some(&state)));
    }

    /// A counter that rolls over and loses no reading is counted exactly.
    #[test]
    fn a_number_that_rolls_over_goes_on(steps in prop::collection::vec(0_u64..100, 1..60)) {
        let camera = camera("wraps_at = 256");
        let mut total = 200;
        let mut all = vec![reading(0, 0, total)];
        for (number, step) in (1_i64..).zip(&steps) {
            total += step;
            all.push(reading(0, number * 60, total % 256));
        }
        let told = count_all(&camera, &all);
        prop_assert_eq!(told.units.len() as u64, steps.iter().sum::<u64>());
    }
}

#[test]
fn a_step_is_what_passed_between_two_readings() {
    let rules = CounterRules { wraps_at: Some(100), max_per_minute: Some(20), ..plain_rules() };
    let table = [
        (("", 10), ("", 12), 2, "it grew"),
        (("a", 10), ("b", 12), 12, "another epoch began at 0"),
        (("a", 10), ("b", 3), 3, "also if it fell"),
        (("", 95), ("", 3), 8, "it rolled over"),
        (("", 95), ("", 60), 60, "it fell by less than half: it was reset"),
        (("", 60), ("", 5), 5, "it fell by more than half, but 45 in a minute is no traffic"),
        (("", 200), ("", 3), 3, "it was above the end: it was reset"),
    ];
    for ((epoch, value), (later, next), wanted, why) in table {
        let from = Point { epoch, micros: 0, value };
        let to = Point { epoch: later, micros: 60_000_000, value: next };
        assert_eq!(step(from, to, &rules), wanted, "{why}");
    }
    let unbounded = CounterRules { wraps_at: None, ..rules };
    let point = |value| Point { epoch: "", micros: 0, value };
    assert_eq!(step(point(95), point(3), &unbounded), 3, "without wraps_at it was reset");
}

fn plain_rules() -> CounterRules {
    plain().input.rules()
}

#[test]
fn a_late_reading_adds_what_nothing_else_can_show() {
    let camera = camera("");
    // 10, then 2 after a reset; the top before the reset (15) comes late.
    let told = count_all(&camera, &[reading(0, 0, 10), reading(0, 120, 2), reading(0, 60, 15)]);
    let tracks: Vec<&str> = told.units.iter().map(|(track, _)| track.as_str()).collect();
    let early = at(60).as_microsecond();
    let late = at(120).as_microsecond();
    assert_eq!(tracks.len(), 7);
    assert_eq!(tracks[..2], [format!("c/n@{late}#1"), format!("c/n@{late}#2")]);
    assert_eq!(tracks[2], format!("c/n@{early}#1"));
}

#[test]
fn a_fall_after_an_unclean_stop_is_refused_and_the_next_reading_goes_on() {
    let camera = camera("max_per_minute = 60");
    let told = count_all(&camera, &[reading(0, 0, 101), reading(0, 60, 100), reading(0, 120, 103)]);
    assert_eq!((told.units.len(), told.reasons), (2, vec![Reason::Implausible]));
}

#[test]
fn a_device_that_goes_on_from_a_refused_reading_has_a_new_baseline() {
    let camera = camera("max_per_minute = 60");
    let jump =
        [reading(0, 0, 10), reading(0, 60, 5_000), reading(0, 120, 5_004), reading(0, 180, 5_005)];
    let told = count_all(&camera, &jump);
    assert_eq!((told.units.len(), told.reasons), (5, vec![Reason::Implausible]));
    // A late reading before the jump still counts what it shows.
    let told = count_all(&camera, &[&jump[..], &[reading(0, 30, 12)]].concat());
    assert_eq!(told.units.len(), 7);
}

#[test]
fn the_first_reading_counts_only_if_the_configuration_says_so() {
    assert_eq!(count_all(&camera(""), &[reading(0, 0, 7)]).units.len(), 0);
    let zero = camera("first = 'zero'");
    assert_eq!(count_all(&zero, &[reading(0, 0, 7)]).units.len(), 7);
    assert_eq!(count_all(&zero, &[reading(0, 60, 7), reading(0, 0, 3)]).units.len(), 7);
}

#[test]
fn readings_without_a_time_keep_their_order_when_the_clock_goes_back() {
    let camera = camera("");
    let untimed = |second, value| Reading { is_timed: false, ..reading(0, second, value) };
    let told = count_all(&camera, &[untimed(100, 41), untimed(40, 42), untimed(50, 42)]);
    assert_eq!((told.units.len(), told.reasons), (1, vec![Reason::Repeat]));
}

#[test]
fn a_state_stays_small_and_refuses_what_is_older_than_it() {
    let camera = camera("");
    let all: Vec<Reading> = (1..3_000).map(|n| reading(0, n * 61, n.unsigned_abs() * 3)).collect();
    let mut told = Told::default();
    for reading in &all {
        let counted = count_reading(&camera, reading, told.state.as_deref());
        told.add(counted);
        assert!(told.state.as_ref().unwrap().len() <= crate::limits::MAX_STATE_BYTES);
    }
    assert_eq!(told.units.len(), 2_998 * 3);
    let counted = count_reading(&camera, &reading(0, 30, 4), told.state.as_deref());
    told.add(counted);
    assert_eq!((told.units.len(), told.reasons), (2_998 * 3, vec![Reason::Repeat]));
    // A quiet night takes no room.
    let quiet: Vec<Reading> = (0..5_000).map(|second| reading(0, second, 9)).collect();
    assert!(count_all(&camera, &quiet).state.unwrap().len() < 40);
}

#[test]
fn a_pair_of_devices_is_dated_at_the_end_of_a_period() {
    let camera = camera("period = '1min'");
    let told = count_all(&camera, &[reading(0, 0, 1), reading(0, 1, 2), reading(0, 60, 3)]);
    let times: Vec<Timestamp> = told.units.iter().map(|(_, time)| *time).collect();
    assert_eq!(times, [at(60), at(60)]);
}

#[test]
fn intervals_count_once_and_what_contradicts_is_shown() {
    let camera = camera("kind = 'interval'\nstart = '/s'\ntime = '/t'");
    let interval = |start, end, value| IntervalReading {
        counter: counter(),
        start: at(start),
        end: at(end),
        value,
    };
    let mut told = Told::default();
    let mut say = |interval: IntervalReading| {
        let counted = count_interval(&camera, &interval, told.state.as_deref());
        let before = told.units.len();
        told.reasons.clear();
        told.add(counted);
        (told.units.len() - before, told.reasons.first().copied())
    };
    assert_eq!(say(interval(0, 60, 3)), (3, None));
    assert_eq!(say(interval(0, 60, 3)), (0, Some(Reason::Repeat)));
    assert_eq!(say(interval(0, 60, 4)), (0, Some(Reason::Implausible)));
    assert_eq!(say(interval(30, 90, 1)), (0, Some(Reason::Implausible)));
    assert_eq!(say(interval(120, 180, 0)), (0, Some(Reason::Gap)));
    assert_eq!(say(interval(180, 240, 0)), (0, None));
    assert_eq!(say(interval(120, 180, 0)), (0, Some(Reason::Repeat)));
    assert_eq!(say(interval(120, 180, 2)), (0, Some(Reason::Implausible)));
    assert_eq!(say(interval(60, 120, 2)), (2, None));
    assert_eq!(say(interval(300, 300, 1)), (0, Some(Reason::Implausible)));
}

#[test]
fn a_retained_reading_without_a_time_is_no_reset() {
    let camera = camera("max_per_minute = 1000");
    let live = |value| Reading { is_timed: false, ..reading(0, 9, value) };
    let retained = |value| Reading { is_retained: true, ..live(value) };
    let mut state = None;
    let mut counted = |reading: Reading| {
        let counted = count_reading(&camera, &reading, state.as_deref());
        state = counted.state.or(state.take());
        counted.findings.iter().filter(|it| matches!(it, Finding::Crossing(_))).count()
    };
    assert_eq!(counted(retained(100)), 0, "the starting point");
    assert_eq!(counted(live(104)), 4);
    assert_eq!(counted(retained(100)), 0, "told again after a new connection");
    assert_eq!(counted(retained(105)), 1, "it came while we were away");
    assert_eq!(counted(live(2)), 2, "a reset");
}
