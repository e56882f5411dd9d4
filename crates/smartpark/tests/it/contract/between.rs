//! What an engine may keep from one post to the next: nothing that somebody else has changed in
//! between, and nothing of a post that failed.

use std::collections::BTreeSet;

use smartpark::{AtLimit, Error, FloorChange};
use tokio::task::JoinSet;

use super::world::{World, after, entry, exit, on_every_engine};

on_every_engine! {
    async fn posts_count_on_from_what_another_process_did_between_them(world) {
        let floor = world.floor("Ground", 3).await;
        let other = world.another_park().await;
        world.record(entry(&floor, "a", -900)).await;
        let last = world.record(entry(&floor, "b", -800)).await;
        assert_eq!(last.floor.current_vehicles, 2);
        // Events, on time and late.
        let third = other.events().record_event(entry(&floor, "c", -700)).await.unwrap();
        let fourth = world.record(exit(&floor, "a", -600)).await;
        assert_eq!((fourth.event.count_delta, fourth.floor.current_vehicles), (-1, 2));
        assert!(last.event.id < third.event.id && third.event.id < fourth.event.id);
        other.events().record_event(exit(&floor, "b", -750)).await.unwrap();
        let late = world.record(exit(&floor, "ghost", -740)).await;
        assert_eq!((late.event.count_delta, late.floor.current_vehicles), (-1, 0));
        let again = other.events().record_event(exit(&floor, "ghost", -740)).await.unwrap();
        assert!(again.duplicate);
        let empty = world.record(exit(&floor, "c", -500)).await;
        assert_eq!(empty.event.at_limit, Some(AtLimit::Empty));
        // A recount, another capacity, another name.
        other.floors().recount(floor.id, 1, "round", None).await.unwrap();
        world.pass(20);
        assert_eq!(world.record(entry(&floor, "d", 10)).await.floor.current_vehicles, 2);
        let change = FloorChange { total_slots: Some(2), ..FloorChange::default() };
        other.floors().change_floor(floor.id, change).await.unwrap();
        world.pass(50);
        let full = world.record(entry(&floor, "e", 30)).await;
        assert_eq!((full.event.at_limit, full.floor.total_slots), (Some(AtLimit::Full), 2));
        let change = FloorChange { name: Some("Below".into()), ..FloorChange::default() };
        other.floors().change_floor(floor.id, change).await.unwrap();
        assert_eq!(world.record(exit(&floor, "d", 40)).await.floor.name, "Below");
        world.assert_clean().await;
        other.close().await;
    }

    async fn posts_see_what_another_process_forgot_between_them(world) {
        let floor = world.floor("Ground", 3).await;
        let other = world.another_park().await;
        let day = 86_400;
        world.record(entry(&floor, "a", -9 * day)).await;
        let last = world.record(entry(&floor, "b", -8 * day)).await;
        other.events().cleanup_old_events(5).await.unwrap();
        let refused = world.park.events().record_event(exit(&floor, "a", -7 * day)).await;
        assert_eq!(refused, Err(Error::TooOld { horizon: after(-5 * day) }));
        let left = world.record(exit(&floor, "a", -4 * day)).await;
        assert_eq!((left.event.count_delta, left.floor.current_vehicles), (-1, 1));
        assert!(left.event.id > last.event.id);
        world.assert_clean().await;
        // All of it, and other floors under the same ids.
        other.seed().reset_database_seed().await.unwrap();
        let floor = other.floors().get_all_floors().await.unwrap().remove(0);
        let first = world.record(entry(&floor, "a", -9)).await;
        assert_eq!((&first.floor.name, first.floor.total_slots), (&floor.name, floor.total_slots));
        assert_eq!(first.floor.current_vehicles, floor.current_vehicles + 1);
        assert!(first.event.id > left.event.id);
        world.assert_clean().await;
        other.close().await;
    }

    async fn two_processes_at_once_count_each_car_once(world) {
        let floor = world.floor("Ground", 9_000).await;
        let other = world.another_park().await;
        let mut driving = JoinSet::new();
        for (lane, park) in [&world.park, &other, &world.park, &other].into_iter().enumerate() {
            let (park, floor) = (park.clone(), floor.clone());
            driving.spawn(async move {
                let mut ids = Vec::new();
                for car in 0..40_i64 {
                    // Every other one is late.
                    let at = -9_000 + 100 * car - 5_000 * (car % 2);
                    let event = entry(&floor, &format!("{lane} {car}"), at);
                    let recorded = park.events().record_event(event).await.unwrap();
                    assert_eq!((recorded.duplicate, recorded.event.count_delta), (false, 1));
                    ids.push(recorded.event.id);
                }
                ids
            });
        }
        let ids: BTreeSet<i64> = driving.join_all().await.into_iter().flatten().collect();
        assert_eq!((ids.len(), world.count(&floor).await), (160, 160));
        world.assert_clean().await;
        other.close().await;
    }
}

/// Inserting the event of the track "bad" fails in the database, and with it the whole group.
const FAILS: &str = "CREATE TRIGGER bad BEFORE INSERT ON events WHEN NEW.track_id = 'bad'
BEGIN SELECT RAISE(ABORT, 'on purpose'); END";

#[tokio::test]
async fn nothing_of_a_group_that_was_rolled_back_is_kept_sqlite() {
    let world = World::sqlite().await;
    let floor = world.floor("Ground", 3).await;
    world.execute(FAILS);
    world.record(entry(&floor, "a", -900)).await;
    world.record(entry(&floor, "b", -890)).await;
    // On time and late, with the one that fails behind it.
    for (at, next, left) in [(-800, -600, 1), (-950, -500, 0)] {
        let group = vec![entry(&floor, "c", at), entry(&floor, "bad", -700)];
        world.park.events().record_events(group).await.unwrap_err();
        let next = world.record(exit(&floor, "a", next)).await;
        assert_eq!((next.event.count_delta, next.floor.current_vehicles), (-1, left));
    }
    assert!(!world.record(entry(&floor, "c", -800)).await.duplicate);
    assert_eq!(world.count(&floor).await, 1);
    // It is no trigger of SmartPark, and `check` says so.
    world.execute("DROP TRIGGER bad");
    world.assert_clean().await;
}
