//! What is stored, beside what was told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use smartpark::Direction;

use super::{Evidence, key};
use crate::faults::journal::{Finding, finding};

pub(super) fn i1_accepted_is_stored(it: &Evidence<'_>) -> Vec<Finding> {
    let stored: HashSet<_> = it.history.iter().map(|(car, _)| key(car)).collect();
    let accepted = it.journal.told.iter().zip(&it.facts.cars);
    let accepted = accepted.filter(|(told, _)| told.accepted.is_some());
    let lost = accepted.filter(|(_, car)| !stored.contains(&key(car)));
    lost.map(|(_, car)| finding("I1", format!("acknowledged and lost: {car:?}"))).collect()
}

/// A server that is told to stop answers what it has taken: whatever it had stored by its end, it
/// has answered.
pub(super) fn stop_answers_what_was_stored(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in &it.raw.events {
        let stop = it.journal.stops.iter().find(|stop| row.id <= stop.last_id);
        let told = it.places.get(&key(&row.car)).map(|place| &it.journal.told[*place]);
        if let (Some(stop), Some(told)) = (stop, told)
            && told.answered_by.is_none_or(|server| server > stop.server)
        {
            let found = format!("server {} stored, and did not answer: {:?}", stop.server, row.car);
            findings.push(finding("stop", found));
        }
    }
    findings
}

pub(super) fn i2_stored_was_sent(it: &Evidence<'_>) -> Vec<Finding> {
    let rows = it.raw.events.iter();
    let strange = rows.filter(|row| {
        let place = it.places.get(&key(&row.car));
        let told = place.map(|place| &it.journal.told[*place]);
        told.is_none_or(|told| told.accepted.is_none() && told.unknown == 0)
    });
    strange.map(|row| finding("I2", format!("stored, not accepted: {:?}", row.car))).collect()
}

pub(super) fn i3_keys_are_distinct(it: &Evidence<'_>) -> Vec<Finding> {
    let (mut keys, mut ids) = (HashSet::new(), HashSet::new());
    let rows = it.raw.events.iter();
    let twice = rows.filter(|row| !keys.insert(key(&row.car)) | !ids.insert(row.id));
    let twice = twice.map(|row| finding("I3", format!("twice: {} {:?}", row.id, row.car)));
    let faults = it.raw.faults.iter().map(|fault| finding("I3", fault.as_str()));
    twice.chain(faults).collect()
}

pub(super) fn i4_rows_are_what_was_sent(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in &it.raw.events {
        let sent = it.places.get(&key(&row.car)).map(|place| &it.facts.cars[*place]);
        if let Some(sent) = sent.filter(|sent| **sent != row.car) {
            findings.push(finding("I4", format!("sent {sent:?}, stored {:?}", row.car)));
        }
    }
    findings
}

pub(super) fn i5_one_key_one_outcome(it: &Evidence<'_>) -> Vec<Finding> {
    let rows = it.raw.events.iter();
    let rows: HashMap<_, _> = rows.map(|row| (key(&row.car), (row.id, row.count_delta))).collect();
    let mut findings = Vec::new();
    for (told, car) in it.journal.told.iter().zip(&it.facts.cars) {
        let outcomes = told.answers.iter().map(|answer| (answer.id, answer.count_delta));
        let outcomes: BTreeSet<_> = outcomes.chain(rows.get(&key(car)).copied()).collect();
        let created = told.answers.iter().filter(|answer| answer.status == 201).count();
        if outcomes.len() > 1 || created > 1 {
            let told = format!("{car:?}: created {created} times, outcomes {outcomes:?}");
            findings.push(finding("I5", told));
        }
    }
    let accepted = it.journal.told.iter().filter(|told| told.accepted.is_some());
    let (all, unknown) = accepted
        .fold((0, 0), |(all, unknown), told| (all + 1, unknown + u64::from(told.unknown > 0)));
    let (first, last) = (it.facts.old as u64, it.journal.recorded);
    if last > all || last + unknown < all {
        let told = format!("{last} of {all} told to be recorded, {unknown} unknown, {first} old");
        findings.push(finding("I5", told));
    }
    findings
}

pub(super) fn i6_counts_are_sums(it: &Evidence<'_>) -> Vec<Finding> {
    let mut sums: BTreeMap<i64, i64> = it.raw.removed.clone();
    for row in &it.raw.events {
        *sums.entry(row.car.floor_id).or_default() += row.count_delta;
    }
    for adjustment in &it.raw.adjustments {
        *sums.entry(adjustment.floor_id).or_default() += adjustment.delta;
    }
    let floors = it.raw.floors.iter();
    let wrong = floors.filter(|floor| sums.get(&floor.id).copied().unwrap_or(0) != floor.count);
    wrong.map(|floor| finding("I6", format!("{floor:?}, the sums are {sums:?}"))).collect()
}

pub(super) fn i8_deltas_fit_directions(it: &Evidence<'_>) -> Vec<Finding> {
    let fits = |direction, delta| match direction {
        Direction::Entry => delta == 0 || delta == 1,
        Direction::Exit => delta == 0 || delta == -1,
    };
    let stored = it.raw.events.iter().map(|row| (&row.car, row.count_delta));
    let told = it.journal.told.iter().zip(&it.facts.cars);
    let told =
        told.flat_map(|(told, car)| told.answers.iter().map(move |it| (car, it.count_delta)));
    let wrong = stored.chain(told).filter(|(car, delta)| !fits(car.direction, *delta));
    wrong.map(|(car, delta)| finding("I8", format!("{delta} for {car:?}"))).collect()
}

pub(super) fn i9_counts_are_the_fold(it: &Evidence<'_>) -> Vec<Finding> {
    let floors = it.raw.floors.iter();
    let wrong = floors.filter(|floor| it.fold.counts.get(&floor.id) != Some(&floor.count));
    let told = |id| format!("the fold says {:?}", it.fold.counts.get(id));
    wrong.map(|floor| finding("I9", format!("{floor:?}, {}", told(&floor.id)))).collect()
}

/// The sums of hours and the events at the limit are those of the events that are there.
pub(super) fn i10_effects_have_events(it: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if i64::try_from(it.history.len()).unwrap() != it.raw.summed {
        let told = format!("{} events, {} in the hours", it.history.len(), it.raw.summed);
        findings.push(finding("I10", told));
    }
    let places = it.fold.at_limit.iter();
    let folded: BTreeSet<i64> = places.filter_map(|place| it.history[*place].1).collect();
    let stored: BTreeSet<i64> = it.raw.at_limit.iter().copied().collect();
    if folded != stored {
        let some: Vec<_> = folded.symmetric_difference(&stored).take(5).collect();
        findings.push(finding("I10", format!("events at the limit differ, first in {some:?}")));
    }
    findings
}
