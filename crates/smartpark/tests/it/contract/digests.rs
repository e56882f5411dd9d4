//! Which events of a camera are stored: whoever follows the digests sends what is missing and
//! nothing but whole slices, whatever is stored already.

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use smartpark::{
    Direction, Error, EventDigest, EventDigests, Floor, NewEvent, VehicleType,
    limits::MAX_PAGE_ROWS,
};

use super::world::{World, after, entry, exit, on_every_engine};

/// The window that all events of these tests lie in.
const SECONDS: i64 = 40_000;
const STEP: u32 = 600;

/// Events as a box keeps them: some in one instant, two of one track, at both ends of slices.
fn kept(floors: &[Floor], seen: &[(usize, u8, bool, i64)]) -> Vec<NewEvent> {
    let event = |&(floor, track, is_entry, ago): &(usize, u8, bool, i64)| {
        let direction = if is_entry { Direction::Entry } else { Direction::Exit };
        let (floor, track) = (floors[floor].id, format!("t{track}"));
        NewEvent::new("cam_001", floor, track, VehicleType::Car, direction).at(after(-ago))
    };
    let mut keys = BTreeSet::new();
    let key = |event: &NewEvent| (event.track_id.clone(), event.direction, event.timestamp);
    seen.iter().map(event).filter(|event| keys.insert(key(event))).collect()
}

/// Which slice an event lies in.
fn slice(event: &NewEvent) -> usize {
    let since = event.timestamp.unwrap().duration_since(after(-SECONDS));
    usize::try_from(since.as_secs() / i64::from(STEP)).unwrap()
}

/// What the box has in each slice.
fn own(events: &[NewEvent], slices: usize) -> Vec<(u64, EventDigest)> {
    let mut own = vec![(0, EventDigest::default()); slices];
    for event in events {
        let (number, digest) = &mut own[slice(event)];
        *number += 1;
        let at = event.timestamp.unwrap();
        digest.add(&event.camera_id, &event.track_id, event.direction, at);
    }
    own
}

async fn stored(world: &World) -> EventDigests {
    let window = (after(-SECONDS), after(1));
    world.park.events().get_event_digests("cam_001", window.0, window.1, STEP).await.unwrap()
}

/// Records events that must be accepted; returns how many of them were not there.
async fn send(world: &World, events: Vec<NewEvent>) -> usize {
    let results = world.park.events().record_events(events).await.unwrap();
    results.into_iter().filter(|result| !result.as_ref().unwrap().duplicate).count()
}

on_every_engine! {
    async fn whatever_is_stored_the_digests_lead_to_what_is_missing(world) {
        let mut runner = TestRunner::deterministic();
        let ago = prop_oneof![0..5_i64, 595..605_i64, 0..SECONDS];
        let seen = (0..2_usize, 0..9_u8, any::<bool>(), ago);
        let strategy = prop::collection::vec((seen, 0..4_u8), 1..80);
        for case in 0..40 {
            let floors = [world.floor("Ground", 5).await, world.floor("First", 5).await];
            let (seen, there): (Vec<_>, Vec<u8>) =
                strategy.new_tree(&mut runner).unwrap().current().into_iter().unzip();
            // Of another camera, at the same times: no concern of the box.
            let events = kept(&floors, &seen);
            let mut other = events.clone();
            other.iter_mut().for_each(|event| event.camera_id = "cam_002".into());
            send(&world, other).await;
            // A part is stored: nothing in the first case, all in the second.
            let is_there = |place: usize| match case {
                0 => false,
                1 => true,
                _ => there[place] > 0,
            };
            let known: Vec<NewEvent> = (0..events.len())
                .filter(|place| is_there(*place))
                .map(|place| events[place].clone())
                .collect();
            let missing = events.len() - send(&world, known).await;
            let before = stored(&world).await;
            let own = own(&events, before.slices.len());
            let differs: Vec<bool> = own.iter().zip(&before.slices)
                .map(|(own, slice)| *own != (slice.events, slice.digest)).collect();
            let again = events.iter().filter(|event| differs[slice(event)]).cloned();
            let again: Vec<NewEvent> = again.collect();
            assert_eq!(again.is_empty(), missing == 0, "case {case}: {seen:?}");
            assert_eq!(send(&world, again).await, missing, "case {case}: {seen:?}");
            let after: Vec<_> = stored(&world).await.slices.iter()
                .map(|slice| (slice.events, slice.digest)).collect();
            assert_eq!(after, own, "case {case}: {seen:?}");
            world.park.seed().reset_database_seed().await.unwrap();
        }
    }

    async fn more_events_than_a_page_holds_are_told_whole(world) {
        let floor = world.floor("Ground", 5).await;
        let ago = 1..=i64::from(MAX_PAGE_ROWS) + 10;
        let events: Vec<NewEvent> =
            ago.map(|ago| entry(&floor, &format!("t{ago}"), -ago)).collect();
        assert_eq!(send(&world, events.clone()).await, events.len());
        let slices = stored(&world).await.slices;
        let told: Vec<_> = slices.iter().map(|slice| (slice.events, slice.digest)).collect();
        assert_eq!(told, own(&events, slices.len()));
    }

    async fn a_slice_holds_its_beginning_and_not_its_end(world) {
        let floor = world.floor("Ground", 5).await;
        for (track, at) in [("a", -600), ("b", -1), ("c", 0), ("d", 1)] {
            world.record(entry(&floor, track, at)).await;
        }
        let events = world.park.events();
        let told = events.get_event_digests("cam_001", after(-600), after(1), 300).await.unwrap();
        let slices: Vec<_> =
            told.slices.iter().map(|slice| (slice.start, slice.events)).collect();
        assert_eq!(slices, [(after(-600), 1), (after(-300), 1), (after(0), 1)]);
        assert_eq!(told.slices[0].digest, {
            let mut digest = EventDigest::default();
            digest.add("cam_001", "a", Direction::Entry, after(-600));
            digest
        });
        let nobody = events.get_event_digests("cam_9", after(-600), after(1), 300).await.unwrap();
        assert!(nobody.slices.iter().all(|it| (it.events, it.digest) == Default::default()));
        let refused = events.get_event_digests("", after(0), after(-1), 300).await;
        let Err(Error::Invalid(faults)) = refused else { panic!("{refused:?}") };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(fields, ["camera_id", "end"]);
    }

    async fn what_is_before_the_horizon_is_not_asked_for(world) {
        const DAY: i64 = 86_400;
        let floor = world.floor("Ground", 5).await;
        for (track, at) in [("a", -3 * DAY), ("b", -DAY + 10)] {
            world.record(exit(&floor, track, at)).await;
        }
        world.park.events().cleanup_old_events(1).await.unwrap();
        let window = (after(-4 * DAY), after(0));
        let told = world.park.events().get_event_digests("cam_001", window.0, window.1, 86_400);
        let told = told.await.unwrap();
        assert_eq!(told.horizon, Some(after(-DAY)));
        let numbers: Vec<u64> = told.slices.iter().map(|slice| slice.events).collect();
        assert_eq!(numbers, [0, 0, 0, 1]);
    }
}
