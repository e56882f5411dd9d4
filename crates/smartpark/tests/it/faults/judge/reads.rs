//! What readers saw while the load went on.

use std::{cmp::Reverse, collections::HashSet};

use smartpark::Direction;

use super::Evidence;
use crate::faults::{
    facts::FIELD,
    journal::{Finding, FloorSeen, Moment, Seen, Told, finding},
};

/// The floors in a read.
fn floors(seen: &Seen) -> &[FloorSeen] {
    match seen {
        Seen::Floors(floors) | Seen::Recommended(_, floors) => floors,
        Seen::Walk(_) | Seen::Event(..) => &[],
    }
}

pub(super) fn i7_counts_are_within_slots(it: &Evidence<'_>) -> Vec<Finding> {
    let read = it.journal.reads.iter().flat_map(|read| floors(&read.seen));
    let all = read.chain(&it.raw.floors);
    let wrong = all.filter(|floor| floor.count < 0 || floor.count > floor.slots);
    wrong.map(|floor| finding("I7", format!("{floor:?}"))).collect()
}

fn accepted_before(told: &Told, moment: Moment) -> bool {
    told.accepted.is_some_and(|accepted| accepted < moment)
}

pub(super) fn i11_reads_see_what_was_answered(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for read in &it.journal.reads {
        if let Seen::Event(place, false) = read.seen {
            let told = format!("answered, but not there: {:?}", it.facts.cars[place]);
            findings.push(finding("I11", told));
        }
    }
    findings
}

/// On the floor that is kept away from its limits every event moves the count by one.
pub(super) fn i12_reads_lie_between(it: &Evidence<'_>) -> Vec<Finding> {
    let of = |direction| {
        let cars = it.facts.cars.iter().zip(&it.journal.told);
        let cars = cars.filter(move |(car, _)| car.floor_id == FIELD && car.direction == direction);
        let (mut sent, mut accepted) = (Vec::new(), Vec::new());
        for (_, told) in cars {
            sent.extend(told.sent);
            accepted.extend(told.accepted);
        }
        sent.sort_unstable();
        accepted.sort_unstable();
        (sent, accepted)
    };
    let before = |moments: &[Moment], moment| {
        i64::try_from(moments.partition_point(|it| *it < moment)).unwrap()
    };
    let (came, left) = (of(Direction::Entry), of(Direction::Exit));
    let mut findings = Vec::new();
    for read in &it.journal.reads {
        let least = before(&came.1, read.begun) - before(&left.0, read.ended);
        let most = before(&came.0, read.ended) - before(&left.1, read.begun);
        for floor in floors(&read.seen).iter().filter(|floor| floor.id == FIELD) {
            if floor.count < least || floor.count > most {
                let told = format!("{} is not between {least} and {most}", floor.count);
                findings.push(finding("I12", told));
            }
        }
    }
    findings
}

pub(super) fn i14_pages_hold_all_once(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let cars: Vec<String> = it.facts.cars.iter().map(name).collect();
    for read in &it.journal.reads {
        let Seen::Walk(events) = &read.seen else { continue };
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for (id, name) in events {
            if !ids.insert(id) || !names.insert(name) {
                findings.push(finding("I14", format!("{id} {name} is on the pages twice")));
            }
        }
        let answered = (it.facts.old..cars.len())
            .filter(|place| accepted_before(&it.journal.told[*place], read.begun));
        let missing: Vec<_> = answered.filter(|place| !names.contains(&cars[*place])).collect();
        if let Some(place) = missing.first() {
            let told = format!("{} events are on no page: {} …", missing.len(), cars[*place]);
            findings.push(finding("I14", told));
        }
    }
    findings
}

/// A car as the pages name it.
fn name(car: &crate::servers::cars::Car) -> String {
    format!("{} {} {}", car.camera_id, car.track_id, car.direction.as_str())
}

pub(super) fn i15_the_best_is_recommended(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for read in &it.journal.reads {
        let Seen::Recommended(told, floors) = &read.seen else { continue };
        let free = |floor: &&FloorSeen| floor.slots - floor.count;
        let active = floors.iter().filter(|floor| floor.active && free(floor) > 0);
        let best = active.max_by_key(|floor| (free(floor), Reverse(floor.id)));
        if *told != best.map(|floor| floor.id) || floors.iter().any(|floor| !floor.active) {
            findings.push(finding("I15", format!("{told:?} is recommended of {floors:?}")));
        }
    }
    findings
}
