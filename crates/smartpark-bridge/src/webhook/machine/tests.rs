use std::collections::BTreeMap;

use smartpark_ledger::{Change, ChangeKind};

use super::*;
use crate::webhook::schedule::Attempts;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + seconds).unwrap()
}

fn position(number: i64) -> Position {
    Position { change: number, offset: 0, lineage: 0 }
}

/// Recounts of one floor of two slots, one a second.
fn facts(counts: &[i64]) -> Vec<PlacedFact> {
    let mut before = 0;
    let fact = |(number, count): (i64, &i64)| {
        let count_delta = count - std::mem::replace(&mut before, *count);
        let change = Change {
            id: number,
            floor_id: 1,
            kind: ChangeKind::Recount,
            count_delta,
            vehicles: *count,
            slots: 2,
            reason: None,
            author: None,
            timestamp: at(number),
            created_at: at(number),
            is_dated: false,
        };
        (position(number), SiteFact::Change(change))
    };
    (1..).zip(counts).map(fact).collect()
}

fn begin() -> Record {
    Record {
        position: Position::START,
        floors: BTreeMap::from([(1, Standing::empty(2))]),
        known: Known::default(),
        attempts: Attempts::default(),
    }
}

fn wanted() -> Wanted {
    Wanted { kinds: vec!["floor.full".into(), "floor.free".into()], floors: None }
}

fn failed() -> Outcome {
    Outcome::Failed { why: "it answered 503".to_owned(), retry_after: None }
}

/// Runs a machine over the facts until it rests. `fails` says which attempts fail, `dies` after
/// which steps the server is killed and begins again from what was stored.
fn run(
    facts: &[PlacedFact],
    fails: impl Fn(u32) -> bool,
    dies: impl Fn(u32) -> bool,
) -> Vec<(String, &'static str)> {
    let (mut stored, mut got, mut now) = (begin(), Vec::new(), at(0));
    let mut machine = Machine::new(stored.clone(), wanted());
    let mut attempts = 0;
    for step in 0..10_000 {
        if dies(step) {
            machine = Machine::new(stored.clone(), wanted());
        }
        match machine.ask(now) {
            Ask::Facts(after) => {
                let rest = facts.iter().filter(|(position, _)| *position > after).cloned();
                machine.told_facts(&rest.take(3).collect::<Vec<_>>(), &[], now);
            }
            Ask::Send(message) => {
                attempts += 1;
                let outcome = if fails(attempts) { failed() } else { Outcome::Taken };
                // A receiver may take a message although its answer is lost.
                got.push((message.fact.clone(), message.kind));
                machine.told_outcome(outcome, now, 0.0);
            }
            Ask::Store => {
                stored = machine.record().clone();
                machine.told_stored();
            }
            Ask::Wait(until) if machine.message.is_some() => now = until,
            Ask::Wait(_) => return got,
            other => panic!("{other:?}"),
        }
    }
    panic!("the machine does not rest");
}

const COUNTS: [i64; 9] = [1, 2, 1, 2, 2, 0, 1, 2, 0];
const TOLD: [&str; 6] =
    ["floor.full", "floor.free", "floor.full", "floor.free", "floor.full", "floor.free"];

/// The messages without those that came before.
fn once(got: &[(String, &'static str)]) -> Vec<&'static str> {
    let is_new = |(place, message): &(usize, &(String, &str))| !got[..*place].contains(message);
    got.iter().enumerate().filter(is_new).map(|(_, (_, kind))| *kind).collect()
}

#[test]
fn what_is_overtaken_is_told_too_and_in_order() {
    let kinds: Vec<_> =
        run(&facts(&COUNTS), |_| false, |_| false).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, TOLD);
}

#[test]
fn a_receiver_that_fails_gets_the_same_message_until_it_takes_it() {
    let got = run(&facts(&COUNTS), |attempt| attempt % 3 != 0, |_| false);
    assert_eq!(got.len(), 3 * TOLD.len());
    assert!(got.chunks(3).all(|tries| tries.iter().all(|it| *it == tries[0])));
    assert_eq!(once(&got), TOLD);
}

#[test]
fn killed_at_any_step_nothing_is_lost_and_no_id_is_new() {
    for killed in 0..40 {
        for every in [1_000, 3, 4, 7] {
            let dies =
                |step: u32| step >= killed && (step - killed).is_multiple_of(every) && step < 200;
            let got = run(&facts(&COUNTS), |attempt| attempt == 2, dies);
            assert_eq!(once(&got), TOLD, "killed at {killed}, every {every}");
        }
    }
}

#[test]
fn a_receiver_that_stays_away_does_not_hold_up_what_comes_for_ever() {
    let got = run(&facts(&COUNTS), |attempt| attempt <= 10, |_| false);
    // The first is given up after ten attempts, and with it the two that are as old by then.
    assert_eq!(got.len(), 13);
    assert_eq!(once(&got), ["floor.full", "floor.free", "floor.full", "floor.free"]);
}

#[test]
fn only_what_is_wanted_is_told() {
    let mut machine = Machine::new(begin(), Wanted { floors: Some(vec![2]), ..wanted() });
    machine.told_facts(&facts(&COUNTS), &[], at(0));
    assert_eq!(machine.record().position, position(9));
    assert!(matches!(machine.ask(at(0)), Ask::Facts(_)));
    machine.told_facts(&[], &[], at(0));
    assert!(matches!(machine.ask(at(0)), Ask::Wait(_)));
    assert_eq!(machine.ask(at(60)), Ask::Store);
}
