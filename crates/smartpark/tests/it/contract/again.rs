//! A copy that is made again: it goes on with what is new, however the first one ended.

use smartpark::{Error, FloorChange, Options, SmartPark, copy::Progress};

use super::{
    copy::{NEVER, copy, live_through, targets, told},
    world::{after, entry, on_every_engine},
};

on_every_engine! {
    async fn a_finished_copy_goes_on_with_what_is_new(world) {
        live_through(&world, 8, NEVER).await;
        world.clock.set(after(0));
        let floors = world.park.floors().get_all_floors().await.unwrap();
        for (number, target) in targets().await.into_iter().enumerate() {
            let first = copy(&world, &target).await.unwrap();
            assert!(first.is_finished() && first.written > 0, "{first:?}");
            let place = target.park.events().get_position().await.unwrap();
            let track = format!("between {number}");
            world.record(entry(&floors[0], &track, -1)).await;
            world.park.floors().recount(floors[1].id, 1, "between", None).await.unwrap();
            world.floor(&track, 7).await;
            // With nothing new and with much, as often as somebody likes.
            for written in [1, 0] {
                let again = copy(&world, &target).await.unwrap();
                assert!(again.is_finished(), "{again:?}");
                assert_eq!(again.written, written);
                assert_eq!(told(&target.park).await, told(&world.park).await);
            }
            // Who watched the copy begins anew.
            assert_eq!(target.park.events().get_events_after(place, 9).await.unwrap(), None);
            target.assert_clean().await;
        }
    }

    async fn a_copy_that_was_given_up_right_at_the_end_goes_on(world) {
        live_through(&world, 9, (2, 20)).await;
        world.clock.set(after(0));
        let floors = world.park.floors().get_all_floors().await.unwrap();
        for (number, target) in targets().await.into_iter().enumerate() {
            let checking = tokio::sync::Notify::new();
            let begun = SmartPark::copy(&world.url, &target.url, Options::default(), |progress| {
                if progress == Progress::Checking {
                    checking.notify_one();
                }
            });
            tokio::select! {
                biased;
                () = checking.notified() => {}
                copied = begun => assert!(copied.unwrap().is_finished()),
            }
            world.record(entry(&floors[0], &format!("after {number}"), -1)).await;
            assert!(copy(&world, &target).await.unwrap().is_finished());
            assert_eq!(told(&target.park).await, told(&world.park).await);
        }
    }

    async fn a_copy_that_somebody_works_with_is_a_site_of_its_own(world) {
        let floor = world.floor("A", 9).await;
        world.record(entry(&floor, "a", -60)).await;
        for target in targets().await {
            assert!(copy(&world, &target).await.unwrap().is_finished());
            let renamed = FloorChange { name: Some("mine".into()), ..FloorChange::default() };
            target.park.floors().change_floor(floor.id, renamed).await.unwrap();
            let before = told(&target.park).await;
            assert_eq!(copy(&world, &target).await, Err(Error::NotEmpty));
            assert_eq!(told(&target.park).await, before);
            let other = world.another().await;
            assert_eq!(copy(&other, &target).await, Err(Error::NotEmpty));
            target.park.ready().await.unwrap();
        }
    }
}
