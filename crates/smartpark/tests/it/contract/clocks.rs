//! A server that does not trust its own clock, and forgetting that a clock cannot drive.

use std::time::Duration;

use smartpark::{AttentionKind, Direction, Error, FloorChange, NewEvent, VehicleType};

use super::world::{after, entry, on_every_engine};

const DAY: i64 = 86_400;

on_every_engine! {
    async fn a_clock_before_the_newest_receipt_records_nothing_that_depends_on_it(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "a", -60)).await;
        world.pass(-2 * DAY);
        // Another process, as after a restart: it has heard of no camera yet.
        let park = world.another_park().await;
        let is_distrust = |error: Error| matches!(error, Error::ClockDistrusted { .. });
        let undated = NewEvent::new("c", floor.id, "u", VehicleType::Car, Direction::Entry);
        assert!(is_distrust(park.events().record_event(undated.clone()).await.unwrap_err()));
        // It looks as if it came from the future, and is no final refusal.
        let dated = entry(&floor, "b", -30);
        assert!(is_distrust(park.events().record_event(dated.clone()).await.unwrap_err()));
        let floors = park.floors();
        assert!(is_distrust(floors.recount(floor.id, 3, "round", None).await.unwrap_err()));
        let change = FloorChange { total_slots: Some(5), ..FloorChange::default() };
        assert!(is_distrust(floors.change_floor(floor.id, change).await.unwrap_err()));
        assert!(is_distrust(park.events().cleanup_old_events(1).await.unwrap_err()));
        assert!(is_distrust(park.ready().await.unwrap_err()));
        let attention = park.get_attention().await.unwrap();
        assert_eq!(attention.items[0].kind, AttentionKind::TimeDistrusted);
        // What a camera dates is recorded, as it depends on no clock of the server.
        let old = park.events().record_event(entry(&floor, "c", -3 * DAY)).await.unwrap();
        assert_eq!(old.floor.current_vehicles, 2);
        // A person knows better.
        park.accept_clock().await.unwrap();
        park.ready().await.unwrap();
        assert_eq!(floors.recount(floor.id, 3, "round", None).await.unwrap().current_vehicles, 3);
        world.pass(-2 * DAY + 1);
        let after_that = park.events().record_event(undated).await.unwrap();
        assert_eq!(after_that.floor.current_vehicles, 4);
        park.close().await;
        world.assert_clean().await;
    }

    async fn a_camera_that_agrees_speaks_for_the_clock(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "a", -60)).await;
        world.pass(-2 * DAY);
        let park = world.another_park().await;
        assert!(park.require_clock().await.is_err());
        park.events().record_event(entry(&floor, "b", -2 * DAY - 5)).await.unwrap();
        park.require_clock().await.unwrap();
        park.close().await;
    }

    async fn a_night_of_a_wrong_clock_deletes_nothing(world) {
        let floor = world.floor("Ground", 99).await;
        for n in 0..5 {
            world.record(entry(&floor, &format!("t{n}"), -50 + n)).await;
        }
        world.pass(366 * DAY);
        let night = world.park.events().cleanup_by_night(30, Duration::from_secs(36));
        let night = night.await.unwrap();
        assert_eq!((night.cleanup.deleted, night.waits), (0, true));
        assert_eq!(night.cleanup.horizon, Some(after(-50)));
        world.pass(1);
        let park = world.another_park().await;
        park.events().record_event(entry(&floor, "now", 0)).await.unwrap();
        let undated = NewEvent::new("c", floor.id, "u", VehicleType::Car, Direction::Entry);
        assert_eq!(park.events().record_event(undated).await.unwrap().floor.current_vehicles, 7);
        // The horizon moves with the time that the server ran.
        let night = park.events().cleanup_by_night(1, Duration::from_secs(DAY as u64));
        assert!(!night.await.unwrap().waits);
        park.close().await;
        world.assert_clean().await;
    }

    async fn a_named_instant_depends_on_no_clock(world) {
        let floor = world.floor("Ground", 99).await;
        world.record(entry(&floor, "a", -5 * DAY)).await;
        world.record(entry(&floor, "b", -3 * DAY)).await;
        let cleanup = world.park.events().cleanup_events_before(after(-4 * DAY)).await.unwrap();
        assert_eq!((cleanup.deleted, cleanup.horizon), (1, Some(after(-4 * DAY))));
        let ahead = world.park.events().cleanup_events_before(after(60)).await;
        assert!(matches!(ahead, Err(Error::Invalid(_))));
        assert_eq!(world.count(&floor).await, 2);
        world.assert_clean().await;
    }
}
