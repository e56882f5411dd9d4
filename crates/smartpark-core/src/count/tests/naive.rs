//! What is right: all facts in their order, folded one by one. It shares no code with the fold
//! that it judges: the order is spelled out, the rules are written as in the contract.

use std::{cmp::Ordering, collections::BTreeSet};

use crate::{
    count::{Act, Fact, Source},
    model::AtLimit,
};

/// What a history leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) count: i64,
    pub(super) slots: i64,
    /// The ids of the events that found the floor at its limit.
    pub(super) at_limit: BTreeSet<i64>,
}

/// What `facts` (in their order) lead to on an empty floor that begins with `slots` slots.
pub(super) fn outcome<'a>(slots: i64, facts: impl IntoIterator<Item = &'a Fact>) -> Outcome {
    let mut now = Outcome { slots, ..Outcome::default() };
    let facts: Vec<&Fact> = facts.into_iter().collect();
    let mut next = 0;
    while let Some(fact) = facts.get(next) {
        let is_together = |other: &&&Fact| other.at == fact.at && other.is_event();
        let together = facts[next..].iter().take_while(is_together).count();
        if together > 0 {
            now.cars(&facts[next..next + together]);
            next += together;
            continue;
        }
        next += 1;
        match fact.act {
            Act::Recount(n) => now.count = n.min(now.slots),
            Act::Capacity(slots) => {
                now.slots = slots;
                now.count = now.count.min(slots);
            }
            other => panic!("{other:?} is no adjustment"),
        }
    }
    now
}

impl Outcome {
    /// All cars of one instant: what does not fit is cut off, last cars first.
    fn cars(&mut self, cars: &[&Fact]) {
        let entries: Vec<i64> =
            cars.iter().filter(|car| car.act == Act::Entry).map(|car| car.id).collect();
        let exits: Vec<i64> =
            cars.iter().filter(|car| car.act == Act::Exit).map(|car| car.id).collect();
        self.count += entries.len() as i64 - exits.len() as i64;
        for id in entries.iter().rev().take((self.count - self.slots).max(0) as usize) {
            self.at_limit.insert(*id);
        }
        for id in exits.iter().rev().take((-self.count).max(0) as usize) {
            self.at_limit.insert(*id);
        }
        self.count = self.count.min(self.slots).max(0);
    }
}

/// The order of history, as the contract has it.
pub(super) fn order(one: &Fact, other: &Fact) -> Ordering {
    key(one).cmp(&key(other))
}

fn key(fact: &Fact) -> (i64, u8, &str, &str, &str, i64) {
    let at = fact.at;
    match &fact.source {
        Source::Base => (at, 0, "", "", "", 0),
        Source::Event { camera_id, track_id, direction, timestamp } => {
            (at, 1, camera_id, track_id, direction.as_str(), *timestamp)
        }
        Source::Adjustment(id) => (at, 2, "", "", "", *id),
    }
}

/// The limit at which an event of this kind finds a floor.
pub(super) fn limit_of(act: Act) -> AtLimit {
    match act {
        Act::Entry => AtLimit::Full,
        _ => AtLimit::Empty,
    }
}
