//! What recording an event does to a count, and what the answer says about it.

use smartpark::{AtLimit, Direction, Error, NewEvent, VehicleType};

use super::world::{after, entry, exit, instant, on_every_engine};

on_every_engine! {
    async fn an_entry_and_an_exit_move_the_count(world) {
        let floor = world.floor("Ground", 2).await;
        let came = world.record(entry(&floor, "a", -10)).await;
        assert_eq!((came.event.count_delta, came.duplicate), (1, false));
        assert_eq!((came.event.at_limit, came.event.is_absorbed()), (None, false));
        assert_eq!((came.floor.current_vehicles, came.floor.available_slots()), (1, 1));
        let left = world.record(exit(&floor, "a", -5)).await;
        assert_eq!((left.event.count_delta, left.floor.current_vehicles), (-1, 0));
        assert!(left.event.id > came.event.id);
        assert!(left.floor.updated_at > came.floor.updated_at);
        world.assert_clean().await;
    }

    async fn a_repeat_is_answered_with_the_first(world) {
        let floor = world.floor("Ground", 2).await;
        let other = world.floor("First", 2).await;
        let first = world.record(entry(&floor, "a", -10)).await;
        // The same instant in other words: another offset, and nanoseconds that are cut off.
        let same = instant("2026-02-12T13:59:50.000000999+02:00");
        let again = entry(&floor, "a", -10).at(same);
        let again = world.record(again).await;
        assert!(again.duplicate && again.differs.is_empty());
        assert_eq!(again.event, first.event);
        let mut changed = entry(&other, "a", -10).confidence(0.5);
        changed.vehicle_type = VehicleType::Truck;
        let changed = world.record(changed).await;
        assert_eq!(changed.differs, ["floor_id", "vehicle_type", "confidence"]);
        assert_eq!((changed.event, changed.floor.id), (first.event, floor.id));
        assert_eq!((world.count(&floor).await, world.count(&other).await), (1, 0));
        // A part of the key that differs makes another event.
        assert!(!world.record(exit(&floor, "a", -10)).await.duplicate);
        assert!(!world.record(entry(&floor, "a", -9)).await.duplicate);
        world.assert_clean().await;
    }

    async fn at_its_limit_the_floor_keeps_its_count_and_the_event(world) {
        let floor = world.floor("Ground", 1).await;
        let empty = world.record(exit(&floor, "ghost", -30)).await;
        assert_eq!((empty.event.at_limit, empty.event.count_delta), (Some(AtLimit::Empty), 0));
        world.record(entry(&floor, "a", -20)).await;
        let full = world.record(entry(&floor, "b", -10)).await;
        assert_eq!((full.event.at_limit, full.event.count_delta), (Some(AtLimit::Full), 0));
        assert_eq!(full.floor.current_vehicles, 1);
        // A repeat of the event that filled the floor is a duplicate, not "full".
        let filled = world.record(entry(&floor, "a", -20)).await;
        assert_eq!((filled.duplicate, filled.event.at_limit), (true, None));
        let again = world.record(entry(&floor, "b", -10)).await;
        assert_eq!((again.duplicate, again.event.at_limit), (true, Some(AtLimit::Full)));
        let stored = world.park.events().get_event_by_id(full.event.id).await.unwrap();
        assert_eq!(stored, Some(full.event));
        world.assert_clean().await;
    }

    async fn a_floor_without_slots_is_always_full(world) {
        let floor = world.floor("Closed", 0).await;
        let came = world.record(entry(&floor, "a", -10)).await;
        assert_eq!(came.event.at_limit, Some(AtLimit::Full));
        assert_eq!(came.floor.occupancy_percentage(), 0.0);
        world.assert_clean().await;
    }

    async fn a_late_event_takes_its_place_in_history(world) {
        let floor = world.floor("Ground", 2).await;
        // The exit arrives before its entry: as far as is known the floor was empty.
        let left = world.record(exit(&floor, "a", -100)).await;
        assert_eq!(left.event.at_limit, Some(AtLimit::Empty));
        // Its entry comes late, and is taken away again by the exit that stands after it.
        let came = world.record(entry(&floor, "a", -200)).await;
        assert_eq!((came.event.count_delta, came.event.at_limit), (0, None));
        assert!(came.event.is_absorbed());
        // The answer that was given stays; the statistics know better by now.
        let again = world.record(exit(&floor, "a", -100)).await;
        assert_eq!(again.event, left.event);
        let stats = world.park.events().get_event_statistics(1).await.unwrap();
        assert_eq!((stats.total_events, stats.at_limit), (2, 0));
        assert!(stats.at_limit_by_camera.is_empty());
        world.assert_clean().await;
    }

    async fn events_from_before_a_recount_do_not_disturb_it(world) {
        let floor = world.floor("Ground", 10).await;
        world.record(entry(&floor, "a", -600)).await;
        let floors = world.park.floors();
        assert_eq!(floors.recount(floor.id, 5, "round", None).await.unwrap().current_vehicles, 5);
        let late = world.record(entry(&floor, "b", -300)).await;
        assert!(late.event.is_absorbed() && late.floor.current_vehicles == 5);
        world.pass(61);
        let now = world.record(entry(&floor, "c", 60)).await;
        assert_eq!(now.floor.current_vehicles, 6);
        world.assert_clean().await;
    }

    async fn a_camera_that_was_offline_for_hours_changes_what_it_saw(world) {
        let floor = world.floor("Ground", 4_000).await;
        let backlog = world.floor("Backlog", 4_000).await;
        let event = |floor_id, camera: &str, n: i64, seconds| {
            let direction = if n % 5 < 3 { Direction::Entry } else { Direction::Exit };
            NewEvent::new(camera, floor_id, format!("t{n}"), VehicleType::Car, direction)
                .at(after(seconds))
        };
        // Camera b was offline for six hours: its 5 000 events arrive after those of camera a.
        let of = |floor_id, camera: &'static str, offset: i64| {
            (0..5_000_i64).map(move |n| event(floor_id, camera, n, -21_600 + offset + n * 4))
        };
        let mut in_order: Vec<_> = of(floor.id, "a", 0).chain(of(floor.id, "b", 1)).collect();
        in_order.sort_by_key(|event| event.timestamp);
        let late = [of(backlog.id, "late a", 0), of(backlog.id, "late b", 1)];
        for batch in in_order.chunks(500) {
            world.park.events().record_events(batch.to_vec()).await.unwrap();
        }
        for camera in late {
            // In pieces of an awkward size, each back to front.
            let all: Vec<_> = camera.collect();
            for batch in all.chunks(97) {
                let batch = batch.iter().rev().cloned().collect();
                for result in world.park.events().record_events(batch).await.unwrap() {
                    assert!(!result.unwrap().duplicate);
                }
            }
        }
        assert_eq!(world.count(&floor).await, 2_000);
        assert_eq!(world.count(&backlog).await, 2_000);
        for hours in [5, 3, 1, 0] {
            let counts = world.park.floors().get_counts_at(after(-3_600 * hours)).await.unwrap();
            assert_eq!(counts[0].current_vehicles, counts[1].current_vehicles);
        }
        world.assert_clean().await;
    }

    async fn without_a_timestamp_the_clock_counts_and_repeats_are_known_for_a_while(world) {
        let floor = world.floor("Ground", 9).await;
        let event = NewEvent::new("cam", floor.id, "t", VehicleType::Bus, Direction::Entry);
        let first = world.record(event.clone()).await;
        assert_eq!(first.event.timestamp, after(0));
        world.clock.set(after(5));
        assert!(world.record(event.clone()).await.duplicate);
        // Also where the clock was set back.
        world.clock.set(after(-5));
        assert!(world.record(event.clone()).await.duplicate);
        world.clock.set(after(6));
        let second = world.record(event.clone()).await;
        assert!(!second.duplicate && second.event.timestamp == after(6));
        let twice = vec![event.clone(), event];
        world.clock.set(after(20));
        let results = world.park.events().record_events(twice).await.unwrap();
        let repeats = results.iter().filter(|result| result.as_ref().unwrap().duplicate).count();
        assert_eq!(repeats, 1);
        world.assert_clean().await;
    }

    async fn what_is_refused_leaves_nothing_behind(world) {
        let floor = world.floor("Ground", 9).await;
        let good = || entry(&floor, "a", -10);
        let edge = world.park.events().record_event(good().at(after(300))).await;
        assert!(edge.is_ok(), "five minutes ahead is allowed");
        let before = world.park.migrations().get_database_stats().await.unwrap();
        let mut bad: Vec<(NewEvent, &str)> = vec![
            (NewEvent { floor_id: 99, ..good() }, "floor_id names no floor"),
            (good().at(after(301)), "timestamp is ahead"),
            (NewEvent { camera_id: String::new(), ..good() }, "camera_id must have 1 to 100"),
            (NewEvent { track_id: "x".repeat(101), ..good() }, "track_id must have 1 to 100"),
            (NewEvent { track_id: "a\nb".into(), ..good() }, "track_id must not contain"),
        ];
        for confidence in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            bad.push((good().confidence(confidence), "confidence must be a number from 0 to 1"));
        }
        for (event, reason) in bad {
            let refused = world.park.events().record_event(event).await.unwrap_err();
            assert!(refused.to_string().starts_with(reason), "{refused}");
        }
        let both = NewEvent { camera_id: String::new(), ..good() }.confidence(2.0);
        let Err(Error::Invalid(faults)) = world.park.events().record_event(both).await else {
            panic!("both fields are named");
        };
        assert_eq!(faults.len(), 2);
        assert_eq!(world.park.migrations().get_database_stats().await.unwrap(), before);
        assert_eq!(world.count(&floor).await, 1);
        // A hundred characters, of more bytes each, are allowed.
        world.record(NewEvent { camera_id: "ü".repeat(100), ..good() }).await;
        world.assert_clean().await;
    }

    async fn a_batch_records_the_good_rows_and_names_the_bad(world) {
        let floor = world.floor("Ground", 1).await;
        let batch = vec![
            entry(&floor, "b", -5),
            NewEvent { floor_id: 7, ..entry(&floor, "c", -5) },
            entry(&floor, "a", -9),
            entry(&floor, "b", -5),
        ];
        let results = world.park.events().record_events(batch).await.unwrap();
        let told: Vec<_> = results
            .iter()
            .map(|result| result.as_ref().map(|r| (r.duplicate, r.event.at_limit)))
            .collect();
        let unknown = Error::UnknownFloor;
        // By its time, a came first: b found the floor full.
        let full = Some(AtLimit::Full);
        let expected = [Ok((false, full)), Err(&unknown), Ok((false, None)), Ok((true, full))];
        assert_eq!(told, expected);
        let too_many = vec![entry(&floor, "z", -1); 10_001];
        assert!(world.park.events().record_events(too_many).await.is_err());
        assert_eq!(world.park.events().record_events(Vec::new()).await, Ok(Vec::new()));
        world.assert_clean().await;
    }

    async fn many_at_once_record_one_event_once(world) {
        let floor = world.floor("Ground", 50).await;
        let tasks: Vec<_> = (0..500)
            .map(|_| {
                let (park, event) = (world.park.clone(), entry(&floor, "same", -10));
                tokio::spawn(async move { park.events().record_event(event).await.unwrap() })
            })
            .collect();
        let mut firsts = 0;
        for task in tasks {
            let recorded = task.await.unwrap();
            firsts += usize::from(!recorded.duplicate);
            assert_eq!(recorded.event.id, 1);
        }
        assert_eq!((firsts, world.count(&floor).await), (1, 1));
        world.assert_clean().await;
    }
}
