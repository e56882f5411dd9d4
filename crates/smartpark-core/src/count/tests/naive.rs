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
    for fact in facts {
        match fact.act {
            Act::Base(_) => panic!("a full history has no base"),
            Act::Entry if now.count == now.slots => _ = now.at_limit.insert(fact.id),
            Act::Entry => now.count += 1,
            Act::Exit if now.count == 0 => _ = now.at_limit.insert(fact.id),
            Act::Exit => now.count -= 1,
            Act::Recount(n) => now.count = n.min(now.slots),
            Act::Capacity(slots) => {
                now.slots = slots;
                now.count = now.count.min(slots);
            }
        }
    }
    now
}

/// The order of history, as the contract has it.
pub(super) fn order(one: &Fact, other: &Fact) -> Ordering {
    key(one).cmp(&key(other))
}

fn key(fact: &Fact) -> (i64, u8, &str, &str, &str, i64) {
    match &fact.source {
        Source::Base => (fact.at, 0, "", "", "", 0),
        Source::Event { camera_id, track_id, direction } => {
            (fact.at, 1, camera_id, track_id, direction.as_str(), 0)
        }
        Source::Adjustment(id) => (fact.at, 2, "", "", "", *id),
    }
}

/// The limit at which an event of this kind finds a floor.
pub(super) fn limit_of(act: Act) -> AtLimit {
    match act {
        Act::Entry => AtLimit::Full,
        _ => AtLimit::Empty,
    }
}
