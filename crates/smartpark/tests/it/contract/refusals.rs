//! Refused events are counted by camera and reason, for every process on the database.

use smartpark::{
    Direction, Error, NewEvent, Options, Refusal, RefusalReason, SmartPark, VehicleType,
};

use super::world::{World, after, entry, on_every_engine};

/// The refusals of the last hours: camera, reason, events, seconds since the test's beginning.
async fn refusals(park: &SmartPark, hours: u32) -> Vec<(String, RefusalReason, u64, i64)> {
    let refusals = park.events().get_refusals(hours).await.unwrap();
    let told = |refusal: Refusal| {
        let camera = refusal.camera_id.unwrap_or_else(|| "nobody".to_owned());
        let seconds = refusal.last_at.duration_since(after(0)).as_secs();
        (camera, refusal.reason, refusal.events, seconds)
    };
    refusals.into_iter().map(told).collect()
}

async fn another(world: &World) -> SmartPark {
    let options = Options { clock: world.clock.clone(), ..Options::default() };
    SmartPark::connect(&world.url, options).await.unwrap()
}

fn of_camera(camera: &str, floor_id: i64, seconds: i64) -> NewEvent {
    NewEvent::new(camera, floor_id, "t", VehicleType::Car, Direction::Entry).at(after(seconds))
}

on_every_engine! {
    async fn every_reason_is_counted_and_nothing_else_changes(world) {
        let floor = world.floor("Ground", 9).await;
        world.park.events().cleanup_old_events(30).await.unwrap();
        world.record(entry(&floor, "t", -10)).await;
        let before = world.park.migrations().get_database_stats().await.unwrap();
        let mut again = entry(&floor, "t", -10);
        again.vehicle_type = VehicleType::Bus;
        let batch = vec![
            of_camera("lost", 99, -1),
            of_camera("lost", 98, -1),
            of_camera("early", floor.id, 301),
            of_camera("late", floor.id, -31 * 86_400),
            of_camera("unsure", floor.id, -1).confidence(7.0),
            of_camera("", floor.id, -1),
            again,
            entry(&floor, "t", -10),
        ];
        let answers = world.park.events().record_events(batch).await.unwrap();
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 6);
        let expected = [
            ("lost".to_owned(), RefusalReason::UnknownFloor, 2, 0),
            ("nobody".to_owned(), RefusalReason::Invalid, 1, 0),
            ("cam_001".to_owned(), RefusalReason::Differs, 1, 0),
            ("early".to_owned(), RefusalReason::Future, 1, 0),
            ("late".to_owned(), RefusalReason::TooOld, 1, 0),
            ("unsure".to_owned(), RefusalReason::Invalid, 1, 0),
        ];
        assert_eq!(refusals(&world.park, 24).await, expected);
        world.park.events().store_refusals().await.unwrap();
        assert_eq!(refusals(&world.park, 24).await, expected);
        let stored = world.park.migrations().get_database_stats().await.unwrap();
        assert_eq!((stored.events, stored.adjustments), (before.events, before.adjustments));
        assert_eq!(world.count(&floor).await, 1);
        world.assert_clean().await;
    }

    async fn what_processes_refuse_adds_up_and_a_restart_forgets_nothing(world) {
        let refuse = async |park: &SmartPark| {
            let refused = park.events().record_event(of_camera("lost", 99, 0)).await;
            assert_eq!(refused, Err(Error::UnknownFloor));
        };
        let other = another(&world).await;
        refuse(&world.park).await;
        refuse(&other).await;
        let lost = |events, at| [("lost".to_owned(), RefusalReason::UnknownFloor, events, at)];
        // Each tells its own until it has stored them.
        assert_eq!(refusals(&world.park, 1).await, lost(1, 0));
        other.events().store_refusals().await.unwrap();
        assert_eq!(refusals(&world.park, 1).await, lost(2, 0));
        world.clock.set(after(60));
        refuse(&other).await;
        other.close().await;
        assert_eq!(refusals(&world.park, 1).await, lost(3, 60));
        world.park.events().store_refusals().await.unwrap();
        assert_eq!(refusals(&another(&world).await, 1).await, lost(3, 60));
    }

    async fn refusals_are_told_by_the_hour_and_kept_for_a_week(world) {
        let refuse = async |seconds| {
            world.clock.set(after(seconds));
            let refused = world.park.events().record_event(of_camera("lost", 99, seconds)).await;
            assert_eq!(refused, Err(Error::UnknownFloor));
            world.park.events().store_refusals().await.unwrap();
        };
        refuse(0).await;
        refuse(3_600).await;
        let events = async |hours| refusals(&world.park, hours).await.first().map(|told| told.2);
        world.clock.set(after(2 * 3_600 - 1));
        assert_eq!((events(1).await, events(2).await), (Some(2), Some(2)));
        world.clock.set(after(2 * 3_600));
        assert_eq!((events(1).await, events(2).await), (Some(1), Some(2)));
        let week = 7 * 24 * 3_600;
        refuse(week + 3_600).await;
        world.clock.set(after(0));
        assert_eq!(events(168).await, Some(2));
        for hours in [0, 169] {
            let refused = world.park.events().get_refusals(hours).await;
            assert!(matches!(refused, Err(Error::Invalid(_))));
        }
    }
}
