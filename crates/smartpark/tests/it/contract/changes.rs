//! Changes that no camera made: who made them, and recounts that a person dated.

use smartpark::{ChangeKind, Error, FloorChange};

use super::world::{after, entry, exit, on_every_engine};

on_every_engine! {
    async fn every_change_is_told_with_who_and_why(world) {
        let floor = world.floor("Ground", 9).await;
        let floors = world.park.floors();
        floors.recount(floor.id, 4, "night round", Some("Kim")).await.unwrap();
        world.pass(10);
        let change = FloorChange {
            total_slots: Some(3),
            is_active: Some(false),
            force: true,
            author: Some("Ada".into()),
            ..FloorChange::default()
        };
        floors.change_floor(floor.id, change).await.unwrap();
        world.pass(20);
        let change = FloorChange { is_active: Some(true), ..FloorChange::default() };
        floors.change_floor(floor.id, change.clone()).await.unwrap();
        // Nothing changes, so nothing is told.
        floors.change_floor(floor.id, change).await.unwrap();
        let changes = floors.get_changes(Some(floor.id), None, 10).await.unwrap();
        let told: Vec<_> = changes
            .iter()
            .map(|it| (it.kind, it.count_delta, it.vehicles, it.slots, it.author.as_deref()))
            .collect();
        assert_eq!(told, [
            (ChangeKind::Opened, 0, 3, 3, None),
            (ChangeKind::Closed, 0, 3, 3, Some("Ada")),
            (ChangeKind::Slots, -1, 3, 3, Some("Ada")),
            (ChangeKind::Recount, 4, 4, 9, Some("Kim")),
            (ChangeKind::Added, 0, 0, 9, None),
        ]);
        assert_eq!(changes[3].reason.as_deref(), Some("night round"));
        assert_eq!((changes[0].timestamp, changes[1].timestamp), (after(20), after(10)));
        // Page by page, and of all floors.
        let page = floors.get_changes(None, Some(changes[1].id), 1).await.unwrap();
        assert_eq!(page, changes[2..3]);
        assert!(floors.get_changes(Some(99), None, 1).await.unwrap().is_empty());
        assert!(matches!(floors.get_changes(None, None, 0).await, Err(Error::Invalid(_))));
        world.assert_clean().await;
    }

    async fn a_dated_recount_takes_its_place_and_what_came_later_still_counts(world) {
        let floor = world.floor("Ground", 9).await;
        for (track, seconds) in [("a", -900), ("b", -300), ("c", -200)] {
            world.record(entry(&floor, track, seconds)).await;
        }
        world.record(exit(&floor, "a", -100)).await;
        let floors = world.park.floors();
        let counted = floors.recount_at(floor.id, 5, "round", Some("Kim"), after(-600)).await;
        // Five then, two came and one went since.
        assert_eq!(counted.unwrap().current_vehicles, 6);
        let counts = floors.get_counts_at(after(-500)).await.unwrap();
        assert_eq!(counts[0].current_vehicles, 5);
        // The same again changes nothing; another number is refused.
        let again = floors.recount_at(floor.id, 5, "round", None, after(-600)).await.unwrap();
        assert_eq!(again.current_vehicles, 6);
        let other = floors.recount_at(floor.id, 4, "round", None, after(-600)).await;
        assert_eq!(other, Err(Error::RecountDiffers { found: 5 }));
        // An event from before it comes late and no longer disturbs.
        let late = world.record(entry(&floor, "d", -700)).await;
        assert!(late.event.is_absorbed() && late.floor.current_vehicles == 6);
        let changes = floors.get_changes(None, None, 9).await.unwrap();
        assert_eq!((changes.len(), changes[1].kind), (2, ChangeKind::Added));
        assert!(changes[0].is_dated && changes[0].vehicles == 5 && changes[0].count_delta == 4);
        world.assert_clean().await;
    }

    async fn a_dated_recount_flips_what_it_takes_from_a_limit(world) {
        let floor = world.floor("Ground", 3).await;
        // Four leave an empty floor: as far as is known, they were not there.
        for n in 0..4 {
            world.record(exit(&floor, &format!("t{n}"), -100 + n)).await;
        }
        let stats = async || world.park.events().get_event_statistics(1).await.unwrap().at_limit;
        assert_eq!(stats().await, 4);
        let floors = world.park.floors();
        let counted = floors.recount_at(floor.id, 3, "round", None, after(-200)).await.unwrap();
        assert_eq!((counted.current_vehicles, stats().await), (0, 1));
        world.assert_clean().await;
    }

    async fn a_dated_recount_must_fit_its_time(world) {
        let floor = world.floor("Ground", 9).await;
        let floors = world.park.floors();
        world.pass(100);
        let slots = FloorChange { total_slots: Some(20), ..FloorChange::default() };
        floors.change_floor(floor.id, slots).await.unwrap();
        let at = async |count, seconds| {
            floors.recount_at(floor.id, count, "round", None, after(seconds)).await
        };
        assert!(matches!(at(10, 50).await, Err(Error::Invalid(_))), "it had nine slots then");
        assert!(matches!(at(1, 200).await, Err(Error::Invalid(_))), "that is in the future");
        assert_eq!(at(9, 50).await.unwrap().current_vehicles, 9);
        world.park.events().cleanup_events_before(after(60)).await.unwrap();
        assert_eq!(at(3, 55).await, Err(Error::TooOld { horizon: after(60) }));
        assert_eq!(floors.recount_at(99, 1, "round", None, after(70)).await,
            Err(Error::NotFound("the floor")));
        world.assert_clean().await;
    }
}
