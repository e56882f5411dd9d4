//! The judgement: each invariant a function from what was told and what is there to its findings.
//! Counts are folded here from scratch, by the words of the contract.

mod process;
mod reads;
mod statistics;
mod stored;

use std::collections::HashMap;

use jiff::Timestamp;
use smartpark::Direction;

use super::{
    facts::Facts,
    journal::{Finding, Journal, Read},
    raw::{self, Raw},
    readers,
    trial::Trial,
};
use crate::{
    cli::{Server, client::Client},
    servers::cars::{Car, Fold, fold},
};

pub(super) use process::{Usage, ended};

/// What an event is known by.
type Key<'a> = (&'a str, &'a str, Direction, Timestamp);

fn key(car: &Car) -> Key<'_> {
    (&car.camera_id, &car.track_id, car.direction, car.at)
}

/// All that is judged.
struct Evidence<'a> {
    facts: &'a Facts,
    journal: &'a Journal,
    raw: &'a Raw,
    /// The places of the facts by their keys.
    places: HashMap<Key<'a>, usize>,
    /// What counts: what is stored and what was forgotten, in the order of history, with ids.
    history: &'a [(Car, Option<i64>)],
    /// What that comes to.
    fold: Fold,
}

/// The invariants that are judged by what is stored and what was read.
const JUDGES: [fn(&Evidence<'_>) -> Vec<Finding>; 15] = [
    stored::i1_accepted_is_stored,
    stored::i2_stored_was_sent,
    stored::i3_keys_are_distinct,
    stored::i4_rows_are_what_was_sent,
    stored::i5_one_key_one_outcome,
    stored::i6_counts_are_sums,
    stored::i8_deltas_fit_directions,
    stored::i9_counts_are_the_fold,
    stored::i10_effects_have_events,
    stored::stop_answers_what_was_stored,
    reads::i7_counts_are_within_slots,
    reads::i11_reads_see_what_was_answered,
    reads::i12_reads_lie_between,
    reads::i14_pages_hold_all_once,
    reads::i15_the_best_is_recommended,
];

/// Judges a run whose server still runs and has nothing more to do.
pub(super) fn all(
    trial: &Trial,
    server: &Server,
    (before, stored_before): (Usage, i64),
) -> Vec<Finding> {
    let client = Client::new(Some(&trial.load.key));
    read_once_more(trial, &client);
    let raw = raw::read(trial.folder.url());
    let facts = &trial.load.facts;
    let history = history(facts, &raw);
    let cars: Vec<Car> = history.iter().map(|(car, _)| car.clone()).collect();
    let mut findings = trial.load.with(|journal| {
        let places = facts.cars.iter().enumerate().map(|(place, car)| (key(car), place)).collect();
        let fold = fold(&cars, &raw.recounts());
        let journal = &*journal;
        let evidence = Evidence { facts, journal, raw: &raw, places, history: &history, fold };
        let mut findings = journal.findings.clone();
        findings.extend(JUDGES.iter().flat_map(|judge| judge(&evidence)));
        findings.extend(process::i16_horizon_stays(&evidence));
        findings.extend(statistics::i13_statistics_are_exact(
            trial,
            &client,
            &cars,
            &evidence.fold,
        ));
        findings
    });
    findings.extend(process::i17_metrics_agree(trial, &client, &raw, stored_before));
    findings.extend(process::i10_check_is_clean(trial));
    findings.extend(process::i19_nothing_grows(trial, server, before));
    findings
}

/// One read of each kind after everything, so that no run is judged without any.
fn read_once_more(trial: &Trial, client: &Client) {
    let load = &trial.load;
    let begun = load.with(|journal| journal.moment());
    let reads = [
        readers::see_floors(load, client),
        readers::see_recommended(load, client),
        readers::see_pages(load, client, 100),
    ];
    load.with(|journal| {
        let ended = journal.moment();
        for seen in reads.into_iter().flatten().flatten() {
            journal.reads.push(Read { begun, ended, seen });
        }
    });
}

/// What is stored, and what was acknowledged and lies before the horizon, in order.
fn history(facts: &Facts, raw: &Raw) -> Vec<(Car, Option<i64>)> {
    let stored: HashMap<Key<'_>, ()> = raw.events.iter().map(|row| (key(&row.car), ())).collect();
    let gone = |car: &&Car| {
        raw.horizon.is_some_and(|horizon| car.at.as_microsecond() < horizon)
            && !stored.contains_key(&key(car))
    };
    let forgotten = facts.cars[..facts.old].iter().filter(gone);
    let mut history: Vec<(Car, Option<i64>)> = forgotten.map(|car| (car.clone(), None)).collect();
    history.extend(raw.events.iter().map(|row| (row.car.clone(), Some(row.id))));
    history.sort();
    history
}
