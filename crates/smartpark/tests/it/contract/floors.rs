//! Floors: managing them, recommending one, recounts and changes of capacity.

use smartpark::{Direction, Error, FloorChange, NewFloor};

use super::world::{after, entry, on_every_engine};

on_every_engine! {
    async fn an_id_of_a_floor_is_never_given_twice(world) {
        let floors = world.park.floors();
        let mut last = 0;
        let mut next = async |name: &str| {
            let floor = world.floor(name, 9).await;
            assert!(floor.id > last, "{name} has {} after {last}", floor.id);
            last = floor.id;
            floor
        };
        for name in ["A", "B", "C"] {
            let floor = next(name).await;
            floors.update_vehicle_count(floor.id, Direction::Entry).await.unwrap();
            floors.remove_floor(floor.id).await.unwrap();
        }
        let kept = next("kept").await;
        world.record(entry(&kept, "a", -1)).await;
        let removed = next("removed last").await;
        floors.remove_floor(removed.id).await.unwrap();
        for target in super::copy::targets().await {
            assert!(super::copy::copy(&world, &target).await.unwrap().is_finished());
            assert!(target.floor("there", 9).await.id > removed.id);
        }
        let again = world.park.seed().reset_database_seed().await.unwrap();
        assert!(again.iter().all(|floor| floor.id > removed.id), "{again:?}");
        world.assert_clean().await;
    }

    async fn the_most_free_slots_come_first(world) {
        let small = world.floor("Small", 5).await;
        let large = world.floor("Large", 9).await;
        let twin = world.floor("Twin", 9).await;
        let closed = NewFloor { is_active: false, ..NewFloor::new("Closed", 100) };
        let closed = world.park.floors().add_floor(closed).await.unwrap();
        let floors = world.park.floors();
        let ids = |floors: Vec<smartpark::Floor>| floors.iter().map(|f| f.id).collect::<Vec<_>>();
        let active = ids(floors.get_all_active_floors().await.unwrap());
        assert_eq!(active, [large.id, twin.id, small.id]);
        let all = ids(floors.get_all_floors().await.unwrap());
        assert_eq!(all, [closed.id, large.id, twin.id, small.id]);
        assert_eq!(floors.get_recommended_floor().await.unwrap().unwrap().id, large.id);
        world.record(entry(&large, "a", -1)).await;
        assert_eq!(floors.get_recommended_floor().await.unwrap().unwrap().id, twin.id);
        // A floor that is not active still counts.
        assert_eq!(world.record(entry(&closed, "b", -1)).await.floor.current_vehicles, 1);
        assert_eq!(floors.get_floor_by_name("Twin").await.unwrap().unwrap().id, twin.id);
        assert_eq!(floors.get_floor_by_name("twin").await.unwrap(), None);
        assert_eq!(floors.get_floor_by_id(77).await.unwrap(), None);
    }

    async fn a_full_park_recommends_nothing(world) {
        assert_eq!(world.park.floors().get_recommended_floor().await.unwrap(), None);
        let floor = world.floor("Ground", 1).await;
        world.record(entry(&floor, "a", -1)).await;
        assert_eq!(world.park.floors().get_recommended_floor().await.unwrap(), None);
    }

    async fn floors_are_made_changed_and_removed(world) {
        let floors = world.park.floors();
        let floor = world.floor("Ground", 10).await;
        assert_eq!(floors.add_floor(NewFloor::new("Ground", 1)).await, Err(Error::NameTaken));
        for (name, slots) in [("", 1), ("x\u{7}", 1), ("minus", -1), ("vast", 1_000_001)] {
            let refused = floors.add_floor(NewFloor::new(name, slots)).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{name}");
        }
        world.clock.set(after(1));
        let change = FloorChange {
            name: Some("Hall".into()),
            description: Some(Some("north".into())),
            is_active: Some(false),
            ..FloorChange::default()
        };
        let changed = floors.change_floor(floor.id, change).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.is_active), ("Hall", false));
        assert_eq!(changed.description.as_deref(), Some("north"));
        assert!(changed.updated_at > floor.updated_at && changed.created_at == floor.created_at);
        let same = floors.change_floor(floor.id, FloorChange::default()).await.unwrap();
        assert_eq!(same, changed);
        let other = world.floor("Other", 1).await;
        let taken = FloorChange { name: Some("Hall".into()), ..FloorChange::default() };
        assert_eq!(floors.change_floor(other.id, taken).await, Err(Error::NameTaken));
        let nowhere = floors.change_floor(99, FloorChange::default()).await;
        assert!(matches!(nowhere, Err(Error::NotFound(_))));

        world.record(entry(&floor, "a", 0)).await;
        assert_eq!(floors.remove_floor(floor.id).await, Err(Error::FloorHasEvents));
        floors.update_vehicle_count(other.id, Direction::Entry).await.unwrap();
        floors.remove_floor(other.id).await.unwrap();
        assert!(matches!(floors.remove_floor(other.id).await, Err(Error::NotFound(_))));
        world.assert_clean().await;
    }

    async fn a_capacity_holds_from_its_time_on(world) {
        let floors = world.park.floors();
        let floor = world.floor("Ground", 3).await;
        let slots = |slots, force| FloorChange {
            total_slots: Some(slots),
            force,
            ..FloorChange::default()
        };
        for track in ["a", "b", "c"] {
            world.record(entry(&floor, track, -100)).await;
        }
        let below = floors.change_floor(floor.id, slots(2, false)).await;
        assert_eq!(below, Err(Error::SlotsBelowCount { current_vehicles: 3 }));
        let forced = floors.change_floor(floor.id, slots(2, true)).await.unwrap();
        assert_eq!((forced.total_slots, forced.current_vehicles), (2, 2));
        let stats = world.park.migrations().get_database_stats().await.unwrap();
        // One tells that the floor was added.
        assert_eq!(stats.adjustments, 2);
        world.clock.set(after(60));
        floors.change_floor(floor.id, slots(5, false)).await.unwrap();
        world.pass(62);
        let now = world.record(entry(&floor, "d", 61)).await;
        assert_eq!(now.floor.current_vehicles, 3);
        // What the floor was at any time is still known.
        let at = async |seconds| {
            let counts = world.park.floors().get_counts_at(after(seconds)).await.unwrap();
            (counts[0].current_vehicles, counts[0].total_slots)
        };
        assert_eq!(at(-100).await, (0, 3));
        assert_eq!(at(-99).await, (3, 3));
        assert_eq!(at(1).await, (2, 2));
        assert_eq!(at(70).await, (3, 5));
        world.assert_clean().await;
    }

    async fn a_recount_is_what_the_floor_shows(world) {
        let floors = world.park.floors();
        let floor = world.floor("Ground", 10).await;
        // A camera whose clock is ahead was counted before the recount.
        world.record(entry(&floor, "fast", 200)).await;
        let counted = floors.recount(floor.id, 4, "night round", Some("Kim")).await.unwrap();
        assert_eq!(counted.current_vehicles, 4);
        assert_eq!(floors.recount(floor.id, 4, "again", None).await.unwrap().current_vehicles, 4);
        for (count, reason) in [(-1, "x"), (11, "x"), (1, "")] {
            let refused = floors.recount(floor.id, count, reason, None).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{count} {reason}");
        }
        assert!(matches!(floors.recount(9, 1, "x", None).await, Err(Error::NotFound(_))));
        assert_eq!(world.count(&floor).await, 4);
        world.assert_clean().await;
    }

    async fn a_count_can_be_moved_without_an_event(world) {
        let floors = world.park.floors();
        let floor = world.floor("Ground", 1).await;
        let step = async |way| floors.update_vehicle_count(floor.id, way).await.unwrap();
        assert_eq!(step(Direction::Exit).await.current_vehicles, 0);
        assert_eq!(step(Direction::Entry).await.current_vehicles, 1);
        assert_eq!(step(Direction::Entry).await.current_vehicles, 1);
        assert_eq!(step(Direction::Exit).await.current_vehicles, 0);
        let nowhere = floors.update_vehicle_count(9, Direction::Entry).await;
        assert!(matches!(nowhere, Err(Error::NotFound(_))));
        world.assert_clean().await;
    }
}
