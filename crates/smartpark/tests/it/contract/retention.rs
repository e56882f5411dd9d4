//! Forgetting old events: counts, statistics and keys stay right.

use smartpark::{Error, SmartPark, Timestamp};

use super::world::{World, after, entry, exit, instant, on_every_engine};

const DAY: i64 = 86_400;

/// Records an entry or an exit every hour or so for forty days; returns the floor.
async fn fill(world: &World) -> smartpark::Floor {
    let floor = world.floor("Ground", 4).await;
    let mut batch = Vec::new();
    for n in 0..1_200_i64 {
        let (track, seconds) = (format!("t{n}"), -40 * DAY + n * 2_880 + n % 7);
        let comes = (n * n) % 11 < 6;
        batch.push(if comes {
            entry(&floor, &track, seconds)
        } else {
            exit(&floor, &track, seconds)
        });
    }
    for result in world.park.events().record_events(batch).await.unwrap() {
        result.unwrap();
    }
    floor
}

async fn windows(park: &SmartPark) -> Vec<smartpark::Statistics> {
    let mut all = Vec::new();
    for hours in [1_u32, 24, 719, 721, 800, 900, 10_000] {
        all.push(park.events().get_event_statistics(hours).await.unwrap());
    }
    // Edges inside hours that were deleted, and a window inside one hour.
    let windows = [(-35 * DAY - 1_000, -33 * DAY + 77), (-35 * DAY + 5, -35 * DAY + 2_900)];
    for (start, end) in windows {
        let window = park.events().get_event_statistics_between(after(start), after(end), None);
        all.push(window.await.unwrap());
    }
    all
}

on_every_engine! {
    async fn cleanup_changes_no_count_and_no_statistic(world) {
        let floor = fill(&world).await;
        let count = world.count(&floor).await;
        let before = windows(&world.park).await;
        assert!(before[6].at_limit > 0 && before[7].total_events > 0 && before[8].total_events > 0);
        let events = world.park.events();
        let cleanup = events.cleanup_old_events(30).await.unwrap();
        assert_eq!(cleanup.horizon, Some(after(-30 * DAY)));
        assert!(cleanup.deleted >= 295 && cleanup.deleted <= 305, "{}", cleanup.deleted);
        assert_eq!(world.count(&floor).await, count);
        assert_eq!(windows(&world.park).await, before);
        world.assert_clean().await;
        // Nothing older than the horizon is left, nothing younger is gone.
        let old = events.get_events_by_time_range(Timestamp::MIN, after(-30 * DAY), None).await;
        assert!(old.unwrap().is_empty());
        let left = world.park.migrations().get_database_stats().await.unwrap().events;
        assert_eq!(left + cleanup.deleted, 1_200);
        // Again, and farther: the sums still stand.
        assert_eq!(events.cleanup_old_events(10).await.unwrap().deleted + cleanup.deleted, 900);
        assert_eq!(windows(&world.park).await, before);
        world.assert_clean().await;
        // Only the stretches of eleven days are left: a second row would be against the schema.
        let more = "SELECT 2 FROM floor_stretches GROUP BY floor_id HAVING count(*) > 11";
        world.execute(&format!("INSERT INTO retention (id) {more}"));
    }

    async fn a_repeat_of_what_was_forgotten_is_refused(world) {
        let floor = world.floor("Ground", 9).await;
        let old = entry(&floor, "old", -40 * DAY);
        let kept = entry(&floor, "kept", -30 * DAY);
        world.record(old.clone()).await;
        let kept_as = world.record(kept.clone()).await.event;
        // Its month holds both of them.
        world.park.events().cleanup_old_events(39).await.unwrap();
        let answers = world.park.events().record_events(vec![old, kept]).await.unwrap();
        assert!(matches!(answers[0], Err(Error::TooOld { .. })), "{:?}", answers[0]);
        assert_eq!(answers[1].as_ref().unwrap().event, kept_as);
        assert!(answers[1].as_ref().unwrap().duplicate);
        assert_eq!(world.count(&floor).await, 2);
        world.assert_clean().await;
    }

    async fn of_many_stretches_before_the_horizon_none_is_left(world) {
        let floor = world.floor("Ground", 9).await;
        // Every twenty minutes for twenty days: too many facts a day for one stretch.
        let events = (0..20 * 72).map(|n| entry(&floor, &format!("t{n}"), n * 1_200 - 60 * DAY));
        for result in world.park.events().record_events(events.collect()).await.unwrap() {
            result.unwrap();
        }
        assert!(world.rows("floor_stretches").len() > 450, "more than are forgotten at a time");
        world.park.events().cleanup_old_events(30).await.unwrap();
        // Only the stretch of now is left, in which the floor was added.
        assert_eq!(world.rows("floor_stretches").len(), 1);
        world.assert_clean().await;
    }

    /// Counts at the new horizon are computed beforehand: what is recorded meanwhile, also before
    /// it, on more floors than are put right at the end, still finds its place.
    async fn recording_goes_on_while_the_horizon_moves(world) {
        let mut floors = Vec::new();
        for number in 0..130 {
            floors.push(world.floor(&format!("F{number}"), 3).await);
        }
        let event = |n: usize| {
            let (floor, track) = (&floors[n * 7 % floors.len()], format!("t{n}"));
            let at = -DAY - i64::try_from(n).unwrap() * 9_973 % (25 * DAY);
            if n % 5 < 3 { entry(floor, &track, at) } else { exit(floor, &track, at) }
        };
        let batch = async |from: usize| {
            let events = (from..from + 200).map(event).collect();
            for result in world.park.events().record_events(events).await.unwrap() {
                assert!(matches!(result, Ok(_) | Err(Error::TooOld { .. })), "{result:?}");
            }
        };
        batch(0).await;
        let record = async {
            for (part, floor) in floors.iter().enumerate().take(12).skip(1) {
                batch(part * 200).await;
                world.park.floors().recount(floor.id, 1, "round", None).await.unwrap();
            }
        };
        let forget = async {
            for days in [22, 18, 14, 10, 6] {
                let cleanup = world.park.events().cleanup_old_events(days).await.unwrap();
                assert_eq!(cleanup.horizon, Some(after(-i64::from(days) * DAY)));
            }
        };
        tokio::join!(record, forget);
        world.assert_clean().await;
    }

    async fn the_horizon_never_moves_back(world) {
        fill(&world).await;
        let events = world.park.events();
        events.cleanup_old_events(10).await.unwrap();
        let back = events.cleanup_old_events(30).await.unwrap();
        assert_eq!((back.deleted, back.horizon), (0, Some(after(-10 * DAY))));
        for days in [0, 36_526] {
            assert!(matches!(events.cleanup_old_events(days).await, Err(Error::Invalid(_))));
        }
    }

    async fn what_is_too_old_to_be_recognised_is_refused(world) {
        let floor = world.floor("Ground", 9).await;
        // A new database has no horizon: history of any age can be recorded.
        let ancient = entry(&floor, "old", 0).at(instant("1969-07-20T20:17:40Z"));
        assert_eq!(world.record(ancient.clone()).await.floor.current_vehicles, 1);
        let cleanup = world.park.events().cleanup_old_events(30).await.unwrap();
        assert_eq!(cleanup.deleted, 1);
        let refused = world.park.events().record_event(ancient).await;
        assert_eq!(refused, Err(Error::TooOld { horizon: after(-30 * DAY) }));
        assert!(world.park.events().record_event(entry(&floor, "x", -30 * DAY)).await.is_ok());
        let before = world.park.floors().get_counts_at(after(-30 * DAY - 1)).await;
        assert_eq!(before, Err(Error::TooOld { horizon: after(-30 * DAY) }));
        assert_eq!(world.count(&floor).await, 2);
        world.assert_clean().await;
    }

    async fn late_events_after_the_horizon_still_find_their_place(world) {
        let floor = fill(&world).await;
        let twin = world.floor("Twin", 4).await;
        world.park.events().cleanup_old_events(30).await.unwrap();
        let base = world.park.floors().get_counts_at(after(-30 * DAY)).await.unwrap();
        assert_eq!(base[0].floor_id, floor.id);
        // On the very day of the horizon, and later.
        for (n, seconds) in [-30 * DAY, -30 * DAY + 60, -29 * DAY, -DAY].into_iter().enumerate() {
            world.record(entry(&floor, &format!("late{n}"), seconds)).await;
            world.record(exit(&floor, &format!("late{n}"), seconds + 30)).await;
            world.record(entry(&twin, &format!("twin{n}"), seconds)).await;
            world.assert_clean().await;
        }
        assert_eq!(world.count(&twin).await, 4);
    }

    async fn ids_are_never_given_twice(world) {
        let floor = world.floor("Ground", 9).await;
        let first = world.record(entry(&floor, "a", -40 * DAY)).await.event.id;
        world.park.events().cleanup_old_events(30).await.unwrap();
        assert!(world.record(entry(&floor, "b", -1)).await.event.id > first);
        let floors = world.park.seed().reset_database_seed().await.unwrap();
        assert!(world.record(entry(&floors[0], "c", -1)).await.event.id > first + 1);
    }

    async fn a_floor_whose_events_were_deleted_keeps_its_statistics(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "a", -40 * DAY)).await;
        world.park.events().cleanup_old_events(30).await.unwrap();
        let removed = world.park.floors().remove_floor(floor.id).await;
        assert_eq!(removed, Err(Error::FloorHasEvents));
    }
}
