//! A horizon that lies in the future, because a cleanup went by a wrong clock, and its repair.

use smartpark::{Direction, Error, Floor, NewEvent, VehicleType};

use super::world::{World, after, entry, exit, on_every_engine};

const DAY: i64 = 86_400;

fn undated(floor: &Floor, track: &str) -> NewEvent {
    NewEvent::new("cam_001", floor.id, track, VehicleType::Car, Direction::Entry)
}

/// Two floors with cars; then the clock is a year ahead, a person accepts it, and a cleanup by that
/// clock forgets all. Then the clock is right again.
async fn forget_by_a_wrong_clock(world: &World) -> [Floor; 2] {
    let floors = [world.floor("Ground", 9).await, world.floor("First", 3).await];
    for n in 0..6 {
        world.record(entry(&floors[0], &format!("t{n}"), -40 * DAY + n * 5 * DAY)).await;
        world.record(entry(&floors[1], &format!("f{n}"), -600 + n)).await;
    }
    world.pass(366 * DAY);
    world.park.accept_clock().await.unwrap();
    let cleanup = world.park.events().cleanup_old_events(30).await.unwrap();
    assert_eq!((cleanup.deleted, cleanup.horizon), (12, Some(after(336 * DAY))));
    world.pass(60);
    world.park.accept_clock().await.unwrap();
    floors
}

on_every_engine! {
    async fn events_are_taken_again_and_none_counts_twice(world) {
        let [ground, first] = forget_by_a_wrong_clock(&world).await;
        let refused = world.park.events().record_event(undated(&ground, "now")).await;
        assert_eq!(refused, Err(Error::TooOld { horizon: after(336 * DAY) }));
        let before = world.park.events().get_event_statistics(2_000).await.unwrap();
        let repair = world.park.events().repair_horizon().await.unwrap();
        assert_eq!(repair.from, after(336 * DAY));
        // The last car that was forgotten came ten minutes ago.
        let at = after(-595) + std::time::Duration::from_micros(1);
        assert_eq!(repair.to, Some(at));
        world.assert_clean().await;
        assert_eq!(world.park.events().get_event_statistics(2_000).await.unwrap(), before);
        assert_eq!((world.count(&ground).await, world.count(&first).await), (6, 3));
        // What was forgotten is known as forgotten.
        let repeat = world.park.events().record_event(entry(&first, "f5", -595)).await;
        assert_eq!(repeat, Err(Error::TooOld { horizon: at }));
        // What came since is late, and counts.
        assert_eq!(world.record(entry(&ground, "late", -594)).await.floor.current_vehicles, 7);
        assert_eq!(world.record(undated(&ground, "now")).await.floor.current_vehicles, 8);
        assert_eq!(world.record(exit(&ground, "now", 59)).await.floor.current_vehicles, 7);
        world.assert_clean().await;
        // Forgetting goes on from there.
        world.pass(31 * DAY);
        assert_eq!(world.park.events().cleanup_old_events(30).await.unwrap().deleted, 3);
        assert_eq!(world.count(&ground).await, 7);
        world.assert_clean().await;
    }

    /// A recount that a person made while events were refused stands at the horizon, because no
    /// place lies before it. It must not swallow the cars that come after the repair.
    async fn what_a_person_said_meanwhile_stays_and_swallows_nothing(world) {
        let [ground, first] = forget_by_a_wrong_clock(&world).await;
        let floors = world.park.floors();
        floors.recount(ground.id, 2, "round", None).await.unwrap();
        floors.recount(first.id, 1, "round", None).await.unwrap();
        let ahead = entry(&first, "ahead", 336 * DAY);
        let told = world.park.events().record_event(ahead).await;
        assert!(matches!(told, Err(Error::InFuture { .. })), "{told:?}");
        world.park.events().repair_horizon().await.unwrap();
        world.assert_clean().await;
        assert_eq!((world.count(&ground).await, world.count(&first).await), (2, 1));
        world.pass(120);
        for n in 0..3 {
            let recorded = world.record(entry(&ground, &format!("after{n}"), 100 + n)).await;
            assert_eq!(recorded.floor.current_vehicles, 3 + n);
        }
        assert_eq!(world.record(exit(&first, "out", 110)).await.floor.current_vehicles, 0);
        world.assert_clean().await;
    }

    /// Events of the wrong clock's time that were kept keep their order among themselves.
    async fn what_the_wrong_clock_dated_is_kept(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "old", -DAY)).await;
        world.pass(366 * DAY);
        world.park.accept_clock().await.unwrap();
        world.park.events().cleanup_old_events(30).await.unwrap();
        // At the very horizon, and behind it.
        for (n, at) in [336 * DAY, 336 * DAY, 350 * DAY].into_iter().enumerate() {
            world.record(entry(&floor, &format!("wrong{n}"), at)).await;
        }
        world.pass(0);
        world.park.accept_clock().await.unwrap();
        world.park.floors().update_vehicle_count(floor.id, Direction::Exit).await.unwrap();
        let count = world.count(&floor).await;
        let repair = world.park.events().repair_horizon().await.unwrap();
        assert!(repair.to.is_some_and(|to| to <= after(-DAY) + std::time::Duration::from_secs(1)));
        assert_eq!(world.count(&floor).await, count);
        world.assert_clean().await;
        assert_eq!(world.park.events().get_events_by_floor(floor.id, 9).await.unwrap().len(), 3);
    }

    async fn if_nothing_was_forgotten_nothing_is_refused(world) {
        let floor = world.floor("Ground", 9).await;
        world.pass(366 * DAY);
        world.park.accept_clock().await.unwrap();
        let forgotten = world.park.events().cleanup_old_events(30).await.unwrap();
        assert_eq!(forgotten.deleted, 0);
        world.pass(0);
        world.park.accept_clock().await.unwrap();
        let repair = world.park.events().repair_horizon().await.unwrap();
        // The making of the floor is a fact of its own, if it is one.
        assert!(repair.to.is_none_or(|to| to <= after(1)), "{repair:?}");
        assert_eq!(world.record(undated(&floor, "now")).await.floor.current_vehicles, 1);
        world.assert_clean().await;
    }

    async fn a_horizon_that_is_right_is_left_alone(world) {
        let floor = world.floor("Ground", 9).await;
        let repair = || async { world.park.events().repair_horizon().await };
        let told = repair().await.unwrap_err();
        assert!(told.to_string().contains("nothing was ever forgotten"), "{told}");
        world.record(entry(&floor, "old", -40 * DAY)).await;
        world.park.events().cleanup_old_events(30).await.unwrap();
        let told = repair().await.unwrap_err();
        assert!(told.to_string().contains("does not lie in the future"), "{told}");
        // A clock that nobody trusts cannot say what the future is.
        world.record(entry(&floor, "new", -60)).await;
        world.pass(-100 * DAY);
        let park = world.another_park().await;
        let told = park.events().repair_horizon().await;
        assert!(matches!(told, Err(Error::ClockDistrusted { .. })), "{told:?}");
        park.close().await;
    }
}
