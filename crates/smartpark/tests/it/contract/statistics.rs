//! Statistics: exact to the event for any window.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use smartpark::{Direction, Error, NewEvent, VehicleType};

use super::world::{after, entry, exit, instant, on_every_engine};

on_every_engine! {
    async fn every_key_is_there_where_nothing_happened(world) {
        world.floor("Ground", 9).await;
        let stats = world.park.events().get_event_statistics(24).await.unwrap();
        assert_eq!((stats.total_events, stats.entries, stats.exits), (0, 0, 0));
        assert_eq!(stats.by_vehicle_type, smartpark::VehicleTypeCounts::default());
        assert_eq!(stats.by_floor["Ground"], 0);
        assert_eq!(stats.at_limit_by_floor["Ground"], 0);
        assert!(stats.by_camera.is_empty() && stats.peak_hour.is_none());
    }

    async fn what_happened_is_counted_by_all_that_it_has(world) {
        let ground = world.floor("Ground", 1).await;
        let first = world.floor("First", 9).await;
        world.record(entry(&ground, "a", -7_000)).await;
        world.record(entry(&ground, "b", -100)).await;
        world.record(exit(&ground, "a", -90)).await;
        let bus = NewEvent::new("cam_002", first.id, "c", VehicleType::Bus, Direction::Entry);
        world.record(bus.at(after(-10_000))).await;
        // Such a window ends now: a camera that is ahead is in a later one.
        world.record(entry(&first, "ahead", 200)).await;
        let stats = world.park.events().get_event_statistics(24).await.unwrap();
        assert_eq!((stats.total_events, stats.entries, stats.exits), (4, 3, 1));
        assert_eq!((stats.by_vehicle_type.car, stats.by_vehicle_type.bus), (3, 1));
        assert_eq!((stats.by_floor["Ground"], stats.by_floor["First"]), (3, 1));
        assert_eq!((stats.by_camera["cam_001"], stats.by_camera["cam_002"]), (3, 1));
        assert_eq!((stats.at_limit, stats.at_limit_by_camera["cam_001"]), (1, 1));
        assert_eq!((stats.at_limit_by_floor["Ground"], stats.at_limit_by_floor["First"]), (1, 0));
        let peak = stats.peak_hour.unwrap();
        assert_eq!((peak.start, peak.events), (instant("2026-02-12T11:00:00Z"), 2));
        let one = world.park.events()
            .get_event_statistics_between(after(-3_600), after(0), Some(ground.id)).await.unwrap();
        assert_eq!((one.total_events, one.by_floor.len()), (2, 1));
        let nowhere = world.park.events()
            .get_event_statistics_between(after(-1), after(0), Some(99)).await;
        assert!(matches!(nowhere, Err(Error::NotFound(_))));
        for hours in [0, 876_601] {
            let refused = world.park.events().get_event_statistics(hours).await;
            assert!(matches!(refused, Err(Error::Invalid(_))));
        }
        // The longest window there is.
        let all = world.park.events().get_event_statistics(876_600).await.unwrap();
        assert_eq!(all.total_events, 4);
    }

    async fn any_window_is_the_sum_of_its_events(world) {
        let floor = world.floor("Ground", 5).await;
        let mut runner = TestRunner::deterministic();
        let mut draw = move |range: std::ops::Range<i64>| {
            range.new_tree(&mut runner).unwrap().current()
        };
        let mut events = Vec::new();
        for n in 0..400 {
            // Some on the very edge of an hour.
            let at = if n % 10 == 0 { draw(-30..1) * 3_600 } else { draw(-100_000..1) };
            let way = if draw(0..9) < 5 { Direction::Entry } else { Direction::Exit };
            let kind = VehicleType::ALL[usize::try_from(draw(0..4)).unwrap()];
            let camera = format!("cam_{}", draw(0..3));
            let event = NewEvent::new(camera, floor.id, format!("t{n}"), kind, way);
            events.push(event.at(after(at)));
        }
        for result in world.park.events().record_events(events.clone()).await.unwrap() {
            result.unwrap();
        }
        for _ in 0..200 {
            let start = draw(-110_000..1);
            let start = if start % 3 == 0 { start / 3_600 * 3_600 } else { start };
            let (start, end) = (after(start), after(start + draw(0..30_000)));
            let stats = world.park.events().get_event_statistics_between(start, end, None);
            let stats = stats.await.unwrap();
            let within = events.iter().filter(|event| {
                let at = event.timestamp.unwrap();
                start <= at && at < end
            });
            let within: Vec<_> = within.collect();
            let count = |pick: &dyn Fn(&NewEvent) -> bool| {
                within.iter().filter(|event| pick(event)).count() as u64
            };
            assert_eq!(stats.total_events, within.len() as u64);
            assert_eq!(stats.entries, count(&|event| event.direction == Direction::Entry));
            let truck = count(&|event| event.vehicle_type == VehicleType::Truck);
            assert_eq!(stats.by_vehicle_type.truck, truck);
            let camera = count(&|event| event.camera_id == "cam_1");
            assert_eq!(stats.by_camera.get("cam_1").copied().unwrap_or(0), camera);
        }
        world.assert_clean().await;
    }
}
