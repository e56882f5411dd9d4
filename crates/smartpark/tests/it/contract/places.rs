//! Where facts stand in history, whatever clocks say, and events of one instant.

use smartpark::{AtLimit, Direction, FloorChange, NewEvent, VehicleType};

use super::world::{after, entry, exit, on_every_engine};

const YEAR: i64 = 365 * 86_400;

on_every_engine! {
    async fn a_recount_covers_cameras_that_are_ahead_and_nothing_that_comes_later(world) {
        let floor = world.floor("Ground", 100).await;
        let ahead = world.record(entry(&floor, "fast", 295)).await;
        assert_eq!((ahead.event.timestamp, ahead.floor.current_vehicles), (after(295), 1));
        world.pass(1);
        let floors = world.park.floors();
        assert_eq!(floors.recount(floor.id, 10, "round", None).await.unwrap().current_vehicles, 10);
        world.pass(30);
        for second in 2..22 {
            let seen = world.record(entry(&floor, &format!("t{second}"), second)).await;
            assert_eq!((seen.event.count_delta, seen.event.is_absorbed()), (1, false));
        }
        assert_eq!(world.count(&floor).await, 30);
        // The fact keeps its timestamp in lists and statistics; only the fold goes by its place.
        let stats = world.park.events().get_event_statistics_between(after(290), after(300), None);
        assert_eq!(stats.await.unwrap().entries, 1);
        let at = world.park.floors().get_counts_at(after(1)).await.unwrap();
        assert_eq!(at[0].current_vehicles, 1, "it happened when it was received, at the latest");
        world.assert_clean().await;
    }

    async fn a_clock_that_was_years_ahead_does_not_freeze_a_floor(world) {
        let floor = world.floor("Ground", 100).await;
        let other = world.floor("Other", 100).await;
        world.pass(10 * YEAR);
        let undated = NewEvent::new("c", floor.id, "t0", VehicleType::Car, Direction::Entry);
        let seen = world.record(undated).await;
        assert_eq!(seen.event.timestamp, after(10 * YEAR));
        world.park.floors().recount(other.id, 7, "in ten years", None).await.unwrap();
        world.pass(60);
        assert_eq!(world.record(entry(&floor, "t1", 50)).await.floor.current_vehicles, 2);
        let floors = world.park.floors();
        assert_eq!(floors.recount(floor.id, 40, "round", None).await.unwrap().current_vehicles, 40);
        assert_eq!(floors.recount(other.id, 9, "round", None).await.unwrap().current_vehicles, 9);
        world.pass(100);
        for second in 61..66 {
            let seen = world.record(entry(&floor, &format!("u{second}"), second)).await;
            assert_eq!((seen.event.count_delta, seen.event.is_absorbed()), (1, false));
            world.record(exit(&other, &format!("o{second}"), second)).await;
        }
        assert_eq!((world.count(&floor).await, world.count(&other).await), (45, 4));
        let slots = FloorChange { total_slots: Some(42), force: true, ..FloorChange::default() };
        let cut = floors.change_floor(floor.id, slots).await.unwrap();
        assert_eq!((cut.total_slots, cut.current_vehicles), (42, 42));
        // What was recorded is still there, under its timestamp, and nothing of it is lost.
        let range = (after(9 * YEAR), after(11 * YEAR));
        let events = world.park.events();
        let ahead = events.get_events_by_time_range(range.0, range.1, None).await.unwrap();
        assert_eq!(ahead.len(), 1);
        world.assert_clean().await;
    }

    async fn cars_of_one_instant_are_cut_off_by_how_many_they_are_not_by_their_names(world) {
        let floor = world.floor("Empty", 9).await;
        // The exit has the lower name, and comes first.
        let left = world.record(exit(&floor, "a", -60)).await;
        assert_eq!(left.event.at_limit, Some(AtLimit::Empty));
        let came = world.record(entry(&floor, "b", -60)).await;
        assert_eq!((came.floor.current_vehicles, came.event.at_limit), (0, None));
        let stats = world.park.events().get_event_statistics(1).await.unwrap();
        assert_eq!((stats.entries, stats.exits, stats.at_limit), (1, 1, 0));
        // One more goes than there are: one exit is cut off, whichever.
        world.record(exit(&floor, "c", -60)).await;
        world.record(exit(&floor, "0", -50)).await;
        world.record(entry(&floor, "z", -50)).await;
        assert_eq!(world.count(&floor).await, 0);
        let stats = world.park.events().get_event_statistics(1).await.unwrap();
        assert_eq!(stats.at_limit, 1);
        world.assert_clean().await;
    }

    async fn cars_of_one_batch_and_instant_take_turns(world) {
        let cases = [("Empty", 5, 0, [1, 1, -1, -1]), ("Full", 2, 2, [1, 1, -1, -1])];
        for (name, slots, count, deltas) in cases {
            let floor = world.floor(name, slots).await;
            world.park.floors().recount(floor.id, count, "begin", None).await.unwrap();
            world.pass(100);
            // All entries first, or all exits first, would find a limit.
            let mut batch: Vec<NewEvent> =
                ["a", "b"].iter().map(|track| entry(&floor, track, 50)).collect();
            batch.extend(["c", "d"].iter().map(|track| exit(&floor, track, 50)));
            let rows = world.park.events().record_events(batch).await.unwrap();
            let rows: Vec<_> = rows.into_iter().map(|row| row.unwrap().event).collect();
            let told: Vec<_> = rows.iter().map(|event| event.count_delta).collect();
            assert_eq!(told, deltas, "{name}");
            assert!(rows.iter().all(|event| event.at_limit.is_none()), "{name}: {rows:?}");
            assert_eq!(world.count(&floor).await, count);
            world.pass(0);
        }
        world.assert_clean().await;
    }
}
