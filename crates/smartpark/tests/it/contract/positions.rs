//! Events in the order of their commits, from any position on, and where that is not known.

use smartpark::{Event, NewEvent, Options, Position, SmartPark};

use super::world::{World, entry, exit, on_every_engine};

/// All events after a position, read a few at a time, with the last position.
async fn read_on(world: &World, mut position: Position) -> (Vec<Event>, Position) {
    let mut events = Vec::new();
    loop {
        let told = world.park.events().get_events_after(position, 3).await.unwrap();
        let told = told.expect("the position is known");
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let Some((last, _)) = told.last() else { return (events, position) };
        position = *last;
        events.extend(told.into_iter().map(|(_, event)| event));
    }
}

/// The same, once the event with this id is told as the last one: other tests write to the same
/// PostgreSQL, and what has an older transaction may still come.
async fn read_until(world: &World, position: Position, last: i64) -> (Vec<Event>, Position) {
    let mut changes = world.park.changes();
    loop {
        let read = read_on(world, position).await;
        if read.0.last().is_some_and(|event| event.id == last) {
            return read;
        }
        changes.changed().await.unwrap();
    }
}

on_every_engine! {
    async fn events_are_told_in_the_order_of_their_commits_once_each(world) {
        let floor = world.floor("A", 50).await;
        let begin = world.park.events().get_position().await.unwrap();
        assert_eq!(read_on(&world, begin).await.0, []);
        // The later it is seen, the earlier it is recorded.
        let mut recorded = Vec::new();
        for (track, seconds) in [("a", -1), ("b", -50), ("c", -9_000)] {
            recorded.push(world.record(entry(&floor, track, seconds)).await.event);
        }
        let batch: Vec<NewEvent> =
            (0..5).map(|n| exit(&floor, "d", -100 - n)).chain([entry(&floor, "a", -1)]).collect();
        let rows = world.park.events().record_events(batch).await.unwrap();
        let rows = rows.into_iter().map(Result::unwrap).filter(|row| !row.duplicate);
        let mut batch: Vec<Event> = rows.map(|row| row.event).collect();
        batch.sort_by_key(|event| event.id);
        recorded.extend(batch);
        let newest = recorded.last().unwrap().id;
        let (told, last) = read_until(&world, begin, newest).await;
        assert_eq!(told, recorded);
        assert_eq!(read_on(&world, last).await.0, []);
        let now = world.park.events().get_position().await.unwrap();
        let more = world.record(entry(&floor, "z", -60)).await.event;
        // Where others write at the same time, some that were just committed are told again.
        read_until(&world, now, more.id).await;
        assert_eq!(read_on(&world, last).await.0, [more]);
    }

    async fn a_position_before_deleted_events_is_not_known(world) {
        let floor = world.floor("A", 50).await;
        let begin = world.park.events().get_position().await.unwrap();
        let old = world.record(entry(&floor, "old", -3 * 86_400)).await.event;
        let (_, between) = read_until(&world, begin, old.id).await;
        let new = world.record(entry(&floor, "new", -60)).await.event;
        world.park.events().cleanup_old_events(2).await.unwrap();
        let told = world.park.events().get_events_after(begin, 9).await.unwrap();
        assert_eq!(told, None);
        let (told, _) = read_until(&world, between, new.id).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].track_id, "new");
        // A new beginning: what was told before is of another history.
        world.park.seed().reset_database_seed().await.unwrap();
        assert_eq!(world.park.events().get_events_after(between, 9).await.unwrap(), None);
        let now = world.park.events().get_position().await.unwrap();
        assert_eq!(read_on(&world, now).await.0, []);
    }

    async fn a_position_that_never_was_is_not_known(world) {
        let floor = world.floor("A", 50).await;
        world.record(entry(&floor, "a", -60)).await;
        let never = Position { change: 1 << 60, offset: 0, lineage: 0 };
        assert_eq!(world.park.events().get_events_after(never, 9).await.unwrap(), None);
        for limit in [0, 1_001] {
            let refused = world.park.events().get_events_after(Position::START, limit).await;
            assert!(matches!(refused, Err(smartpark::Error::Invalid(_))), "{refused:?}");
        }
    }

    async fn events_of_another_process_are_told_too(world) {
        let floor = world.floor("A", 50).await;
        let begin = world.park.events().get_position().await.unwrap();
        let options = Options { clock: world.clock.clone(), ..Options::default() };
        let other = SmartPark::connect(&world.url, options).await.unwrap();
        let theirs = other.events().record_event(entry(&floor, "t", -60)).await.unwrap();
        let ours = world.record(exit(&floor, "t", -30)).await;
        let (told, _) = read_until(&world, begin, ours.event.id).await;
        assert_eq!(told, [theirs.event, ours.event]);
        other.close().await;
    }

    async fn commits_are_signalled_also_those_of_another_process(world) {
        let floor = world.floor("A", 50).await;
        let options = Options { clock: world.clock.clone(), ..Options::default() };
        let other = SmartPark::connect(&world.url, options).await.unwrap();
        for round in 0..3 {
            // Nobody watches in between.
            let mut changes = world.park.changes();
            for park in [&other, &world.park] {
                let begin = world.park.events().get_position().await.unwrap();
                let track = format!("{round}");
                let direction = if std::ptr::eq(park, &other) { entry } else { exit };
                park.events().record_event(direction(&floor, &track, -60)).await.unwrap();
                // The test hangs where a commit is never signalled.
                while read_on(&world, begin).await.0.is_empty() {
                    changes.changed().await.unwrap();
                }
            }
            other.floors().recount(floor.id, 7 + round, "seen", None).await.unwrap();
            while world.count(&floor).await != 7 + round {
                changes.changed().await.unwrap();
            }
        }
        other.close().await;
    }
}

/// Only PostgreSQL numbers its transactions, and only a dump carries the numbers elsewhere.
#[tokio::test]
async fn events_restored_from_another_instance_are_not_told_as_new() {
    let world = World::postgres().await;
    let floor = world.floor("A", 50).await;
    world.record(entry(&floor, "gone", -3 * 86_400)).await;
    world.park.events().cleanup_old_events(2).await.unwrap();
    let old = world.record(entry(&floor, "old", -60)).await.event;
    // As if that instance had been far ahead of this one.
    world.execute(
        "UPDATE events SET change = '1152921504606846976';
         UPDATE retention SET last_change = 1152921504606846975",
    );
    let theirs = Position { change: 1 << 60, offset: old.id, lineage: 0 };
    let options = Options { clock: world.clock.clone(), ..Options::default() };
    SmartPark::open_with(&world.url, options).await.unwrap().close().await;
    // An event of a transaction to come would be told when that has come.
    world.execute(
        "DO $$ BEGIN ASSERT NOT EXISTS (
             SELECT FROM events WHERE change >= pg_snapshot_xmax(pg_current_snapshot())); END $$",
    );
    // As long as a transaction of another test is older than that, the position here is, too.
    let now = loop {
        let now = world.park.events().get_position().await.unwrap();
        if world.park.events().get_events_after(now, 1).await.unwrap().is_some() {
            break now;
        }
        tokio::task::yield_now().await;
    };
    let new = world.record(exit(&floor, "new", -30)).await.event;
    // It is told when all transactions before it have ended, those of other tests, too.
    let mut told = Vec::new();
    while told.last() != Some(&new) {
        told = read_on(&world, now).await.0;
    }
    assert!(!told.contains(&old));
    for position in [theirs, Position::START] {
        let told = world.park.events().get_events_after(position, 9).await.unwrap();
        assert_eq!(told, None, "{position}");
    }
    world.assert_clean().await;
}
