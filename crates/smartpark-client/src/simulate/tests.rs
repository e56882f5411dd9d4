use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use smartpark_core::Direction;

use super::*;

const SLOTS: [u32; 3] = [50, 45, 40];

fn day(seed: u64, faults: Faults) -> Day {
    let floors = (1..).zip(SLOTS).map(|(id, slots)| SimulatedFloor { id, slots }).collect();
    let start = "2026-02-12T00:00:00Z".parse().unwrap();
    Day { faults, ..Day::new(seed, start, floors) }
}

/// The count of each floor by the events in order of time: entries and exits of one instant
/// together. Fails if a floor overflows or runs empty on the way.
fn fold(events: &[NewEvent]) -> Vec<i64> {
    let mut by_time: BTreeMap<(Timestamp, i64), i64> = BTreeMap::new();
    for event in events {
        let change = if event.direction == Direction::Entry { 1 } else { -1 };
        *by_time.entry((event.timestamp.unwrap(), event.floor_id)).or_default() += change;
    }
    let mut counts = vec![0; SLOTS.len()];
    for ((_, floor), change) in by_time {
        let place = usize::try_from(floor - 1).unwrap();
        counts[place] += change;
        assert!((0..=i64::from(SLOTS[place])).contains(&counts[place]), "floor {floor}");
    }
    counts
}

#[test]
fn the_same_seed_is_the_same_day_and_another_seed_another() {
    let faults = Faults { missed: 10, doubled: 10, late: 10, ..Faults::default() };
    let once = day(7, faults.clone()).simulate();
    assert_eq!(day(7, faults.clone()).simulate(), once);
    assert_ne!(day(8, faults).simulate().reports, once.reports);
}

#[test]
fn a_day_looks_like_one() {
    let simulated = day(1, Faults::default()).simulate();
    let entries = simulated.reports.iter().filter(|report| {
        report.event.camera_id == "gate" && report.event.direction == Direction::Entry
    });
    let mut hours = [0; 24];
    for report in entries {
        let hour = report.event.timestamp.unwrap().as_second() / 3_600 % 24;
        hours[usize::try_from(hour).unwrap()] += 1;
    }
    let night: i32 = hours[..5].iter().sum();
    assert!(hours[8] > 15 && night < 10, "{hours:?}");
    let ramps = simulated.reports.iter().filter(|report| report.event.camera_id == "ramp-2");
    assert!(ramps.count() > 20, "the third floor is used");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn a_day_without_faults_counts_right(seed: u64) {
        let simulated = day(seed, Faults::default()).simulate();
        let events: Vec<_> = simulated.reports.iter().map(|report| report.event.clone()).collect();
        let parked: Vec<i64> = simulated.parked.iter().map(|cars| i64::from(*cars)).collect();
        prop_assert_eq!(fold(&events), parked);
        prop_assert_eq!(simulated.faults, FaultCounts::default());
        let keys: BTreeSet<_> = events.iter().map(key).collect();
        prop_assert_eq!(keys.len(), events.len(), "no key twice");
    }

    #[test]
    fn faults_are_those_that_were_ordered(seed: u64) {
        let clean = day(seed, Faults::default()).simulate();
        let clock = WrongClock { camera_id: "gate".into(), ahead: SignedDuration::from_hours(-1) };
        let delay = Duration::from_secs(3_600);
        let faults = Faults { missed: 50, doubled: 50, late: 50, delay, clocks: vec![clock] };
        let simulated = day(seed, faults).simulate();
        let FaultCounts { missed, doubled, late } = simulated.faults;
        prop_assert!(missed > 0 && doubled > 0 && late > 0);
        let expected = clean.reports.len() - missed as usize + doubled as usize;
        prop_assert_eq!(simulated.reports.len(), expected);
        let keys: BTreeSet<_> = simulated.reports.iter().map(|r| key(&r.event)).collect();
        prop_assert_eq!(keys.len() + doubled as usize, simulated.reports.len());
        prop_assert_eq!(simulated.parked, clean.parked, "what truly happened is the same");
        for report in &simulated.reports {
            let age = report.sent_at.duration_since(report.event.timestamp.unwrap());
            let is_off = report.event.camera_id == "gate";
            let least = SignedDuration::from_hours(i64::from(is_off));
            prop_assert!(age > least && age <= least + SignedDuration::from_secs(3_661), "{age}");
        }
    }
}

fn key(event: &NewEvent) -> (String, String, Direction, Timestamp) {
    let at = event.timestamp.unwrap();
    (event.camera_id.clone(), event.track_id.clone(), event.direction, at)
}
