//! The same facts give the same counts, statistics and history, in whatever order and however
//! often they arrive: against a naive fold of the whole history.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use smartpark::{Direction, NewEvent, VehicleType};

use super::world::{after, on_every_engine};

const SLOTS: i64 = 3;

/// A fact: camera, track, entry or exit, seconds before now.
type Seen = (u8, u8, bool, u32);

fn events(seen: &[Seen], floor_id: i64) -> Vec<NewEvent> {
    let event = |&(camera, track, is_entry, ago): &Seen| {
        let direction = if is_entry { Direction::Entry } else { Direction::Exit };
        let (camera, track) = (format!("cam_{camera}"), format!("t{track}"));
        NewEvent::new(camera, floor_id, track, VehicleType::Car, direction)
            .at(after(-i64::from(ago)))
    };
    seen.iter().map(event).collect()
}

/// The count, and how many events were at the limit, by the words of the contract.
fn naive(seen: &[Seen]) -> (i64, u64) {
    let facts: BTreeSet<_> = seen
        .iter()
        .map(|&(camera, track, is_entry, ago)| {
            (-i64::from(ago), format!("cam_{camera}"), format!("t{track}"), !is_entry)
        })
        .collect();
    // All of one second act together.
    let mut seconds: BTreeMap<i64, i64> = BTreeMap::new();
    for (at, _, _, is_exit) in facts {
        *seconds.entry(at).or_default() += if is_exit { -1 } else { 1 };
    }
    seconds.values().fold((0, 0), |(count, at_limit), net| {
        let after = (count + net).min(SLOTS).max(0);
        (after, at_limit + (count + net - after).unsigned_abs())
    })
}

fn history() -> impl Strategy<Value = (Vec<Seen>, Vec<usize>)> {
    // Seconds in clusters: the same second, minutes, hours, days.
    let ago = prop_oneof![0..5_u32, 0..200_u32, 3_000..8_000_u32, 80_000..400_000_u32];
    let seen = (0..2_u8, 0..3_u8, any::<bool>(), ago);
    prop::collection::vec(seen, 1..60).prop_flat_map(|seen| {
        let order = prop::collection::vec(0..seen.len(), seen.len()..2 * seen.len() + 1);
        (Just(seen), order)
    })
}

on_every_engine! {
    async fn any_order_and_repetition_gives_the_naive_count(world) {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(60));
        let strategy = history();
        for case in 0..60 {
            let (seen, order) = strategy.new_tree(&mut runner).unwrap().current();
            let floor = world.floor(&format!("floor {case}"), SLOTS).await;
            let all = events(&seen, floor.id);
            // First some in any order and repeated, in batches, then all that is left.
            for batch in order.chunks(7) {
                let batch = batch.iter().map(|&place| all[place].clone()).collect();
                for result in world.park.events().record_events(batch).await.unwrap() {
                    result.unwrap();
                }
            }
            for event in all.iter().rev().cloned() {
                world.record(event).await;
            }
            //
            let (count, at_limit) = naive(&seen);
            assert_eq!(world.count(&floor).await, count, "{seen:?}");
            let stats = world.park.events()
                .get_event_statistics_between(after(-500_000), after(1), Some(floor.id)).await;
            let stats = stats.unwrap();
            assert_eq!(stats.at_limit, at_limit, "{seen:?}");
            let keys: BTreeSet<_> = seen.iter().collect();
            assert_eq!(stats.total_events, keys.len() as u64);
            world.assert_clean().await;
            world.park.seed().reset_database_seed().await.unwrap();
        }
    }
}
