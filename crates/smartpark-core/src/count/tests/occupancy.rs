//! Occupancy over time, held up against counting from scratch for every step.

use proptest::{collection::vec, prelude::*};

use super::cases;
use crate::count::{Act, Instants, Moment, Occupancy, Step, Walk, Walker};

/// A count that holds from an instant on, and the slots.
type Held = (i64, i64, i64);

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Entry),
        4 => Just(Act::Exit),
        1 => (0..7_i64).prop_map(Act::Recount),
        1 => (0..7_i64).prop_map(Act::Capacity),
    ]
}

/// Facts of the floors 1 to 3 in the window from 0 to 1000, in their order; one floor is not
/// walked along.
fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let moment = (1..4_i64, 0..1_000_i64, act(), any::<bool>());
    let moment =
        moment.prop_map(|(floor_id, at, act, is_event)| Moment { floor_id, at, act, is_event });
    vec(moment, 0..60).prop_map(|mut moments| {
        moments.sort_by_key(|moment| moment.at);
        moments
    })
}

/// What a fact makes of a floor, spelled out.
fn step(count: &mut i64, slots: &mut i64, act: Act) {
    match act {
        Act::Entry => *count = (*count + 1).min(*slots),
        Act::Exit => *count = (*count - 1).max(0),
        Act::Recount(n) | Act::Base(n) => *count = n.min(*slots),
        Act::Capacity(n) => (*count, *slots) = ((*count).min(n), n),
        Act::Cars { entries, exits } => {
            *count = (*count + i64::from(entries) - i64::from(exits)).max(0).min(*slots);
        }
        Act::Nothing => {}
    }
}

/// What holds from when on, both floors together.
fn held(floors: &[(i64, Walk)], moments: &[Moment]) -> Vec<Held> {
    let mut floors = floors.to_vec();
    let sum = |floors: &[(i64, Walk)]| {
        floors.iter().fold((0, 0), |(c, s), (_, walk)| (c + walk.count, s + walk.slots))
    };
    let (count, slots) = sum(&floors);
    let mut held = vec![(i64::MIN, count, slots)];
    for moment in moments {
        for (_, walk) in floors.iter_mut().filter(|(id, _)| *id == moment.floor_id) {
            step(&mut walk.count, &mut walk.slots, moment.act);
        }
        let (count, slots) = sum(&floors);
        held.push((moment.at, count, slots));
    }
    held
}

/// The step from `start` until `end`, microsecond by microsecond.
fn naive(held: &[Held], moments: &[Moment], start: i64, end: i64) -> Step {
    let before = |at: i64| held.iter().rev().find(|h| h.0 < at).unwrap();
    let at = |at: i64| held.iter().rev().find(|h| h.0 <= at).unwrap();
    let within = held.iter().filter(|h| (start..end).contains(&h.0));
    let counts: Vec<i64> = std::iter::once(before(start)).chain(within).map(|h| h.1).collect();
    let sum: i64 = (start..end).map(|instant| at(instant).1).sum();
    let seen = |act: Act| {
        let seen = moments.iter().filter(|moment| {
            let known = moment.floor_id < 3 && moment.is_event;
            known && moment.act == act && (start..end).contains(&moment.at)
        });
        seen.count() as u64
    };
    Step {
        start,
        min: *counts.iter().min().unwrap(),
        max: *counts.iter().max().unwrap(),
        mean: sum as f64 / (end - start) as f64,
        closing: before(end).1,
        slots: before(end).2,
        entries: seen(Act::Entry),
        exits: seen(Act::Exit),
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_step_is_what_counting_from_scratch_gives(
        moments in moments(),
        counts in (0..4_i64, 0..4_i64),
        width in prop_oneof![1..40_i64, 100..1_500_i64],
    ) {
        let walk = |count| Walk { count, slots: 4 };
        let floors = vec![(1, walk(counts.0)), (2, walk(counts.1))];
        let held = held(&floors, &moments);
        let mut occupancy = Occupancy::begin(floors, (0, 1_000), width);
        moments.iter().for_each(|moment| occupancy.take(*moment));
        let starts = (0..1_000).step_by(width as usize);
        let expected: Vec<Step> =
            starts.map(|at| naive(&held, &moments, at, (at + width).min(1_000))).collect();
        prop_assert_eq!(occupancy.finish(), expected);
    }
}

#[test]
fn an_empty_window_has_no_step() {
    let floors = vec![(1, Walk { count: 1, slots: 2 })];
    assert_eq!(Occupancy::begin(floors, (7, 7), 5).finish(), []);
}

/// Keeps what it is given.
#[derive(Default)]
struct Kept(Vec<Moment>);

impl Walker for Kept {
    fn take(&mut self, moment: Moment) {
        self.0.push(moment);
    }
}

#[test]
fn events_of_one_floor_at_one_place_come_together_and_adjustments_alone() {
    let moment = |floor_id, at, act, is_event| Moment { floor_id, at, act, is_event };
    let mut kept = Kept::default();
    let mut instants = Instants::of(&mut kept);
    for given in [
        moment(1, 5, Act::Entry, true),
        moment(1, 5, Act::Exit, true),
        moment(1, 5, Act::Entry, true),
        moment(2, 5, Act::Exit, true),
        moment(1, 5, Act::Entry, false),
        moment(1, 6, Act::Recount(3), false),
        moment(1, 6, Act::Recount(4), false),
        moment(1, 7, Act::Exit, true),
        moment(1, 8, Act::Exit, true),
    ] {
        instants.take(given);
    }
    instants.finish();
    let expected = [
        moment(1, 5, Act::Cars { entries: 2, exits: 1 }, true),
        moment(2, 5, Act::Exit, true),
        moment(1, 5, Act::Entry, false),
        moment(1, 6, Act::Recount(3), false),
        moment(1, 6, Act::Recount(4), false),
        moment(1, 7, Act::Exit, true),
        moment(1, 8, Act::Exit, true),
    ];
    assert_eq!(kept.0, expected);
}
