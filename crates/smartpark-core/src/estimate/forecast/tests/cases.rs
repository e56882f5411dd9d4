//! The cases in which a forecast could mislead.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::estimate::{
    calendar::{DAY, WEEK},
    forecast::{Blind, Step, Window, rank},
};

/// Full from 08:00 to 18:00 local time on weekdays, else a tenth.
fn office(quarter: i64) -> i64 {
    let weekend = quarter.div_euclid(DAY) % 7 >= 5;
    if !weekend && (32..72).contains(&(quarter % DAY)) { 90 } else { 10 }
}

fn office_series(days: i64) -> Series {
    office_series_from(FIRST, days)
}

fn office_series_from(first: Date, days: i64) -> Series {
    series_from(zone(), first, days * DAY, |quarter| Some((office(quarter), 100)))
}

/// The clock goes forward in the night to the first Sunday, and back in the night to the second.
const CHANGES: [Date; 2] = [date(2026, 3, 29), date(2026, 10, 25)];

/// The Monday almost five weeks before a Sunday.
fn begin(sunday: Date) -> Date {
    sunday.saturating_sub(jiff::Span::new().days(34))
}

#[test]
fn a_forecast_follows_the_local_clock_over_both_changes() {
    for sunday in CHANGES {
        let days = Series::new(zone(), begin(sunday)).calendar().day(sunday);
        let series = office_series_from(begin(sunday), days);
        let saturday_noon = days * DAY - 48;
        let monday = series.calendar().instant((days + 1) * DAY + 31).expect("07:45");
        let now = Reading { at: at(&series, saturday_noon), vehicles: 10, slots: 100 };
        let times = [monday, monday + SignedDuration::from_mins(15)];
        let midnight = series.calendar().local(saturday_noon).date();
        let told = trained(&series, midnight).forecast(&series, now, &times);
        let [before, after] = told.steps.as_slice() else { panic!("two steps") };
        assert!(before.vehicles < 30.0, "07:45 on Monday: {before:?}");
        assert!(after.vehicles > 70.0, "08:00 on Monday: {after:?}");
    }
}

#[test]
fn every_quarter_around_a_change_of_the_clock_gets_a_sound_answer() {
    for sunday in CHANGES {
        let days = Series::new(zone(), begin(sunday)).calendar().day(sunday);
        let series = office_series_from(begin(sunday), days + 1);
        let begin = at(&series, days * DAY);
        let model = trained(&series, sunday);
        for quarter in 0..24 {
            let now = begin + SignedDuration::from_mins(15 * quarter);
            let reading = Reading { at: now, vehicles: 10, slots: 100 };
            let length = SignedDuration::from_hours(4);
            let window = Window { now, length, step: SignedDuration::from_mins(15) };
            let told = model.forecast(&series, reading, &window.times());
            assert_eq!(told.steps.len(), 16);
            for step in told.steps {
                assert!((0.0..=30.0).contains(&step.vehicles), "at {now}: {step:?}");
            }
        }
    }
}

#[test]
fn of_a_repeated_hour_the_later_instant_counts() {
    let mut series = Series::new(zone(), date(2026, 10, 25));
    let early: Timestamp = "2026-10-25T00:15:00Z".parse().expect("02:15 CEST");
    let late: Timestamp = "2026-10-25T01:15:00Z".parse().expect("02:15 CET");
    series.set(Reading { at: late, vehicles: 7, slots: 10 });
    series.set(Reading { at: early, vehicles: 3, slots: 10 });
    assert_eq!(series.calendar().quarter(early), 9);
    assert_eq!(series.calendar().quarter(late), 9);
    assert!((series.rate(9) - 0.7).abs() < 1e-12);
    // In spring 02:15 does not exist.
    assert_eq!(Series::new(zone(), date(2026, 3, 29)).calendar().instant(9), None);
}

#[test]
fn one_holiday_does_not_bend_what_is_usual() {
    let holiday = 36 * DAY..37 * DAY;
    let series = series_of(zone(), 50 * DAY, |quarter| {
        Some((if holiday.contains(&quarter) { 0 } else { office(quarter) }, 100))
    });
    let told = |day: i64| ask(&series, day * DAY + 40, (90, 100), &[1440]).steps[0].vehicles;
    // A plain mean of the weeks before would say 71 and 75.
    assert!(told(42) > 76.0, "a week after the holiday: {}", told(42));
    assert!(told(49) > 79.0, "two weeks after the holiday: {}", told(49));
}

#[test]
fn a_floor_without_slots_is_not_forecast_and_one_slot_is() {
    let none = series_of(zone(), 30 * DAY, |_| Some((0, 0)));
    let told = ask(&none, 29 * DAY, (0, 0), &[15, 1440]);
    assert!(!told.ready);
    for step in told.steps {
        assert_eq!((step.low, step.high, step.available_low, step.p_free), (0, 0, 0, None));
    }
    let day = |quarter: i64| i64::from((32..72).contains(&(quarter % DAY)));
    let one = series_of(zone(), 30 * DAY, |quarter| Some((day(quarter), 1)));
    let told = ask(&one, 29 * DAY + 20, (0, 1), &[60, 6 * 60]);
    let [night, noon] = told.steps.as_slice() else { panic!("two steps") };
    assert!(told.ready);
    assert!(night.low == 0 && night.high <= 1, "{night:?}");
    assert!(night.p_free > Some(0.95), "{night:?}");
    assert!(noon.vehicles > 0.8 && noon.p_free < Some(0.05), "{noon:?}");
    assert_eq!(told.will_be_full_at, Some(noon.at));
}

#[test]
fn a_new_floor_says_that_it_is_not_ready_for_14_days() {
    for (days, ready) in [(1, false), (13, false), (14, true)] {
        let told = ask(&office_series(days), days * DAY, (10, 100), &[30]);
        assert_eq!((told.ready, told.history_days), (ready, days));
        if !ready {
            let step = told.steps[0];
            assert_eq!((step.low, step.high, step.available_low), (0, 100, 0));
            assert!((step.vehicles - 10.0).abs() < 1e-9);
        }
    }
}

#[test]
fn an_outage_is_no_empty_floor() {
    let days = 35;
    let levels: Vec<Reading> = (0..days * DAY)
        .map(|quarter| {
            let calendar = Series::new(TimeZone::UTC, FIRST);
            // The camera is blind on the day a week ago: it reports nothing.
            let blind = (28 * DAY..29 * DAY).contains(&quarter);
            let vehicles = if blind { 0 } else { office(quarter) };
            Reading { at: at(&calendar, quarter), vehicles, slots: 100 }
        })
        .collect();
    let blind = Blind { from: levels[28 * 96].at, until: levels[29 * 96].at };
    let until = levels[levels.len() - 1].at;
    let seen = Series::from_levels(TimeZone::UTC, &levels, &[blind], until);
    let unseen = Series::from_levels(TimeZone::UTC, &levels, &[], until);
    assert!(seen.rate(28 * DAY + 40).is_nan());
    assert!((unseen.rate(28 * DAY + 40)).abs() < 1e-12);
    let error = |series: &Series| {
        let told = ask(series, 34 * DAY + 40, (10, 100), &[1440]);
        (told.steps[0].vehicles - 90.0).abs()
    };
    assert!(error(&seen) < 5.0, "{}", error(&seen));
    assert!(error(&seen) < error(&unseen));
}

#[test]
fn a_change_of_slots_keeps_the_occupancy_rate() {
    // Half of the slots are taken away after four weeks; the demand follows.
    let series = series_of(zone(), 35 * DAY, |quarter| {
        let small = quarter >= 28 * DAY;
        let vehicles = office(quarter);
        Some(if small { (vehicles / 2, 50) } else { (vehicles, 100) })
    });
    let told = ask(&series, 34 * DAY + 40, (5, 50), &[1440]).steps[0];
    assert!((told.vehicles - 45.0).abs() < 3.0, "{told:?}");
    assert!(told.high <= 50 && told.low >= 0);
}

#[test]
fn intervals_hold_what_they_promise() {
    let noise = |quarter: i64| (quarter * 7919 % 1009) % 21 - 10;
    let series = series_of(zone(), 70 * DAY, |quarter| {
        Some(((office(quarter) + noise(quarter)).clamp(0, 100), 100))
    });
    let told = ask(&series, 69 * DAY + 40, (90, 100), &[60]);
    for past in told.past_error {
        assert!((0.9..=0.99).contains(&past.inside), "{past:?}");
        assert!(past.vehicles <= past.root_mean_square, "{past:?}");
    }
}

#[test]
fn the_times_of_a_window_are_quarters_after_now() {
    let now: Timestamp = "2026-02-12T10:30:00Z".parse().expect("a time");
    let length = SignedDuration::from_hours(1);
    let window = Window { now, length, step: SignedDuration::from_mins(30) };
    let times: Vec<String> = window.times().iter().map(ToString::to_string).collect();
    assert_eq!(times, ["2026-02-12T10:45:00Z", "2026-02-12T11:15:00Z"]);
}

#[test]
fn a_driver_is_sent_where_a_slot_stays_free() {
    let step = |low: i64, available: f64| Step {
        at: Timestamp::UNIX_EPOCH,
        vehicles: 0.0,
        low: 0,
        high: 0,
        available,
        available_low: low,
        p_free: None,
    };
    let floors = [(4, step(3, 9.0), true), (2, step(5, 6.0), true), (1, step(5, 6.0), true)];
    assert_eq!(rank(&floors).first(), Some(&1));
    assert!(rank(&[(7, step(9, 9.0), false)]).is_empty());
}

#[test]
fn steps_between_the_learned_horizons_lie_between_them() {
    let series = office_series(40);
    let told = ask(&series, 39 * DAY + 20, (30, 100), &[120, 150, 180, 210, 240]);
    let halves: Vec<i64> = told.steps.iter().map(|step| step.high - step.low).collect();
    assert!(halves.windows(2).all(|pair| pair[1] >= pair[0] - 60), "{halves:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn the_order_of_readings_and_of_floors_changes_nothing(
        order in Just((0..16 * DAY).collect::<Vec<i64>>()).prop_shuffle(),
    ) {
        let sorted = office_series(16);
        let mut shuffled = Series::new(zone(), FIRST);
        for quarter in order.iter().chain(order.iter().take(99)) {
            let at = at(&sorted, *quarter);
            shuffled.set(Reading { at, vehicles: office(*quarter), slots: 100 });
        }
        prop_assert_eq!(
            format!("{:?}", &sorted),
            format!("{:?}", &shuffled)
        );
        let other = series_of(zone(), 15 * DAY, |quarter| Some((office(quarter) / 2, 50)));
        let [a, b] = [(3, &sorted), (8, &other)]
            .map(|(floor_id, series)| FloorSeries { floor_id, series });
        let midnight = sorted.calendar().local(16 * DAY).date();
        let mut models = train(&[b, a], midnight, HISTORY_WEEKS);
        models.reverse();
        prop_assert_eq!(train(&[a, b], midnight, HISTORY_WEEKS), models);
    }

    #[test]
    fn any_history_gives_bounds_in_order(
        stands in prop::collection::vec(prop::option::of((0_i64..6, 0_i64..4)), 15..20),
        slots in 0_i64..5,
        vehicles in 0_i64..5,
    ) {
        let days = stands.len() as i64;
        let series = series_of(zone(), days * DAY, |q| stands[(q * 7 / DAY % days) as usize]);
        let quarter = days * DAY;
        let minutes: Vec<i64> = (1..60).map(|step| step * 165).collect();
        let told = ask(&series, quarter, (vehicles.min(slots), slots), &minutes);
        prop_assert!(quarter - WEEK > 0);
        for step in told.steps {
            prop_assert!(step.low as f64 <= step.vehicles + 1e-3, "{:?}", step);
            prop_assert!(step.vehicles <= step.high as f64 + 1e-3, "{:?}", step);
            prop_assert!(step.low >= 0 && step.available_low >= 0);
            prop_assert!(step.p_free.is_none_or(|p| (0.0..=1.0).contains(&p)));
        }
    }
}
