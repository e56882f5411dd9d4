//! The counts, folded one fact after the other in event time, with nothing of the product's.

use std::collections::{BTreeMap, BTreeSet};

use smartpark::Direction;

use crate::{
    faults::raw::Adjustment,
    servers::cars::{Car, FLOORS, Fold},
};

/// What comes of the cars, which are in the order of history, and the recounts.
pub(super) fn fold(cars: &[Car], adjustments: &[Adjustment]) -> Fold {
    let mut counts: BTreeMap<i64, i64> = (1..).zip(FLOORS).map(|(id, _)| (id, 0)).collect();
    let mut at_limit = BTreeSet::new();
    let mut recounts: Vec<&Adjustment> = adjustments.iter().filter(|it| it.kind == 0).collect();
    recounts.sort_by_key(|recount| (recount.at, recount.id));
    let mut recounts = recounts.into_iter().peekable();
    for (place, car) in cars.iter().enumerate() {
        // A recount stands after the events of its own instant.
        let at = car.at.as_microsecond();
        while let Some(recount) = recounts.next_if(|recount| recount.at < at) {
            counts.insert(recount.floor_id, recount.count);
        }
        let slots = i64::from(FLOORS[usize::try_from(car.floor_id).unwrap() - 1].1);
        let count = counts.get_mut(&car.floor_id).unwrap();
        match car.direction {
            Direction::Entry if *count < slots => *count += 1,
            Direction::Exit if *count > 0 => *count -= 1,
            Direction::Entry | Direction::Exit => {
                at_limit.insert(place);
            }
        }
    }
    for recount in recounts {
        counts.insert(recount.floor_id, recount.count);
    }
    Fold { counts, at_limit }
}
