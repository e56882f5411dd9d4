//! Withdrawals: facts that a person takes back are as if they had never been recorded, until they
//! count again.

use smartpark::{
    ChangeKind, Error, NewEvent, NewWithdrawal, Options, SmartPark, Withdrawal, WithdrawalSelection,
};

use super::world::{Place, World, after, entry, exit, on_every_engine};

const DAY: i64 = 86_400;

/// Events by their ids.
fn events(events: &[i64]) -> WithdrawalSelection {
    WithdrawalSelection { events: events.to_vec(), ..WithdrawalSelection::default() }
}

/// All events that were seen in a stretch.
fn seen(start: i64, end: i64) -> WithdrawalSelection {
    let (start, end) = (Some(after(start)), Some(after(end)));
    WithdrawalSelection { start, end, ..WithdrawalSelection::default() }
}

/// An earlier withdrawal.
fn earlier(withdrawal: i64) -> WithdrawalSelection {
    WithdrawalSelection { withdrawal: Some(withdrawal), ..WithdrawalSelection::default() }
}

fn new(selection: WithdrawalSelection, key: &str) -> NewWithdrawal {
    let author = Some("Kim".to_owned());
    NewWithdrawal { selection, reason: "it was wrong".into(), author, key: key.into() }
}

async fn withdraw(
    world: &World,
    selection: WithdrawalSelection,
    key: &str,
) -> Result<Withdrawal, Error> {
    world.park.withdrawals().withdraw(new(selection, key)).await
}

on_every_engine! {
    async fn withdrawn_events_are_as_if_they_had_never_been(world) {
        let floor = world.floor("Ground", 2).await;
        let mut ids = Vec::new();
        for (n, track) in ["a", "b", "c"].into_iter().enumerate() {
            let recorded = world.record(entry(&floor, track, -100 + n as i64)).await;
            ids.push(recorded.event.id);
        }
        world.record(exit(&floor, "a", -50)).await;
        assert_eq!(world.count(&floor).await, 1);
        let stats = async || world.park.events().get_event_statistics(1).await.unwrap();
        assert_eq!((stats().await.entries, stats().await.at_limit), (3, 1));
        // Without the first, the third fits, too.
        let preview = world.park.withdrawals().preview(events(&ids[..1])).await.unwrap();
        let done = withdraw(&world, events(&ids[..1]), "one").await.unwrap();
        assert_eq!(done.effect, preview);
        assert_eq!((done.effect.events, done.effect.left), (1, 0));
        assert_eq!((done.effect.floors[0].count_delta, world.count(&floor).await), (0, 1));
        assert_eq!((stats().await.entries, stats().await.at_limit), (2, 0));
        assert_eq!(world.park.events().get_event_by_id(ids[0]).await.unwrap(), None);
        world.assert_clean().await;
        let both = withdraw(&world, events(&ids[1..]), "two").await.unwrap();
        assert_eq!((both.effect.floors[0].count_delta, world.count(&floor).await), (-1, 0));
        assert_eq!((stats().await.entries, stats().await.at_limit), (0, 1), "the exit finds none");
        // Who did it, and why.
        let changes = world.park.floors().get_changes(Some(floor.id), None, 1).await.unwrap();
        assert_eq!((changes[0].kind, changes[0].count_delta), (ChangeKind::Withdrawn, -1));
        assert_eq!(changes[0].author.as_deref(), Some("Kim"));
        assert_eq!(changes[0].reason.as_deref(), Some("it was wrong"));
        let listed = world.park.withdrawals().list(None, 10).await.unwrap();
        assert_eq!(listed, [both, done]);
        world.assert_clean().await;
    }

    async fn a_repeat_is_answered_as_the_first_was(world) {
        let floor = world.floor("Ground", 9).await;
        let id = world.record(entry(&floor, "a", -100)).await.event.id;
        let first = withdraw(&world, events(&[id]), "key").await.unwrap();
        assert_eq!(withdraw(&world, events(&[id]), "key").await.unwrap(), first);
        let other = withdraw(&world, events(&[id, 99]), "key").await;
        assert!(matches!(other, Err(Error::Invalid(_))), "{other:?}");
        // With another key there is nothing left to do.
        assert_eq!(withdraw(&world, events(&[id]), "new").await, Err(Error::NothingToWithdraw));
        assert_eq!(world.park.withdrawals().list(None, 10).await.unwrap().len(), 1);
        world.assert_clean().await;
    }

    async fn a_wrong_import_is_withdrawn_by_its_receipt_and_done_again(world) {
        let (wrong, right) = (world.floor("Wrong", 90).await, world.floor("Right", 90).await);
        world.record(entry(&right, "live", -500)).await;
        world.pass(100);
        let rows = |floor| {
            (0..30).map(move |n| entry(floor, &format!("t{n}"), -9_000 + n)).collect::<Vec<_>>()
        };
        for row in world.park.events().record_events(rows(&wrong)).await.unwrap() {
            row.unwrap();
        }
        world.pass(200);
        let selection = WithdrawalSelection {
            received_start: Some(after(100)),
            received_end: Some(after(150)),
            ..WithdrawalSelection::default()
        };
        let done = withdraw(&world, selection, "import").await.unwrap();
        assert_eq!((done.effect.events, world.count(&wrong).await), (30, 0));
        for row in world.park.events().record_events(rows(&right)).await.unwrap() {
            assert!(!row.unwrap().duplicate);
        }
        assert_eq!(world.count(&right).await, 31);
        // What was recorded anew does not count twice.
        assert_eq!(withdraw(&world, earlier(done.id), "back").await, Err(Error::NothingToWithdraw));
        world.assert_clean().await;
    }

    async fn a_camera_and_a_stretch_name_their_events_and_no_others(world) {
        let floor = world.floor("Ground", 90).await;
        for n in 0..10 {
            world.record(entry(&floor, &format!("t{n}"), -1_000 + 10 * n)).await;
            let entry = entry(&floor, &format!("o{n}"), -n);
            let other = NewEvent { camera_id: "cam_2".into(), ..entry };
            world.record(other).await;
        }
        let one = WithdrawalSelection { camera_id: Some("cam_001".into()), ..seen(-980, -950) };
        let done = withdraw(&world, one, "stretch").await.unwrap();
        assert_eq!((done.effect.events, world.count(&floor).await), (3, 17));
        let elsewhere = WithdrawalSelection { floor_id: Some(99), ..seen(-980, 1) };
        assert_eq!(withdraw(&world, elsewhere, "else").await, Err(Error::NothingToWithdraw));
        for wrong in [
            WithdrawalSelection::default(),
            WithdrawalSelection { camera_id: Some("c".into()), ..WithdrawalSelection::default() },
            WithdrawalSelection { withdrawal: Some(1), ..events(&[1]) },
            seen(5, 5),
        ] {
            let refused = withdraw(&world, wrong, "wrong").await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        world.assert_clean().await;
    }

    async fn a_recount_is_withdrawn_and_counts_again(world) {
        let floor = world.floor("Ground", 9).await;
        for track in ["a", "b"] {
            world.record(entry(&floor, track, -100)).await;
        }
        world.park.floors().recount(floor.id, 7, "round", None).await.unwrap();
        world.pass(10);
        world.record(entry(&floor, "c", 5)).await;
        assert_eq!(world.count(&floor).await, 8);
        let change = world.park.floors().get_changes(None, None, 1).await.unwrap().remove(0);
        let selection =
            WithdrawalSelection { changes: vec![change.id], ..WithdrawalSelection::default() };
        let done = withdraw(&world, selection, "recount").await.unwrap();
        assert_eq!((done.effect.changes, world.count(&floor).await), (1, 3));
        world.assert_clean().await;
        let back = withdraw(&world, earlier(done.id), "back").await.unwrap();
        assert_eq!((back.effect.changes, world.count(&floor).await), (1, 8));
        let changes = world.park.floors().get_changes(None, None, 9).await.unwrap();
        assert!(changes.contains(&change), "it is as it was");
        assert_eq!(changes[0].kind, ChangeKind::Restored);
        let again = withdraw(&world, earlier(done.id), "again").await;
        assert!(matches!(again, Err(Error::Invalid(_))), "{again:?}");
        let of_back = withdraw(&world, earlier(back.id), "of back").await;
        assert!(matches!(of_back, Err(Error::Invalid(_))), "{of_back:?}");
        let unknown = withdraw(&world, earlier(999), "unknown").await;
        assert_eq!(unknown, Err(Error::NotFound("the withdrawal")));
        let added = changes.iter().find(|it| it.kind == ChangeKind::Added).unwrap().id;
        let selection =
            WithdrawalSelection { changes: vec![added], ..WithdrawalSelection::default() };
        let refused = withdraw(&world, selection, "added").await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        world.assert_clean().await;
    }

    async fn restored_events_are_as_they_were_and_are_not_told_again(world) {
        let floor = world.floor("Ground", 2).await;
        let mut recorded = Vec::new();
        for n in 0..6 {
            // The last lies ahead of the clock.
            recorded.push(world.record(entry(&floor, &format!("t{n}"), -40 + 10 * n)).await.event);
        }
        let ids: Vec<i64> = recorded.iter().map(|event| event.id).collect();
        let done = withdraw(&world, events(&ids), "all").await.unwrap();
        assert_eq!((done.effect.events, world.count(&floor).await), (6, 0));
        let now = world.record(entry(&floor, "new", -60)).await.event.id;
        assert!(!ids.contains(&now), "an id is given once");
        let back = withdraw(&world, earlier(done.id), "back").await.unwrap();
        assert_eq!((back.effect.events, world.count(&floor).await), (6, 2));
        for event in &recorded {
            let stored = world.park.events().get_event_by_id(event.id).await.unwrap();
            assert_eq!(stored.as_ref(), Some(event));
        }
        assert!(world.record(entry(&floor, "t1", -30)).await.duplicate);
        world.assert_clean().await;
    }

    async fn nothing_before_the_horizon_changes_and_cleanup_forgets_what_was_withdrawn(world) {
        let floor = world.floor("Ground", 99).await;
        let mut ids = Vec::new();
        for n in 0..20 {
            let entry = entry(&floor, &format!("t{n}"), -n * DAY / 2 - 9);
            ids.push(world.record(entry).await.event.id);
        }
        let done = withdraw(&world, seen(-6 * DAY, -DAY), "some").await.unwrap();
        assert_eq!((done.effect.events, world.count(&floor).await), (10, 10));
        world.park.events().cleanup_old_events(4).await.unwrap();
        world.assert_clean().await;
        assert_eq!(world.count(&floor).await, 10);
        let old = withdraw(&world, events(&ids[15..]), "old").await;
        assert_eq!(old, Err(Error::NothingToWithdraw));
        let back = withdraw(&world, earlier(done.id), "back").await.unwrap();
        assert_eq!((back.effect.events, world.count(&floor).await), (6, 16));
        world.assert_clean().await;
        world.park.check(true).await.unwrap();
        world.assert_clean().await;
        world.park.seed().reset_database_seed().await.unwrap();
        assert_eq!(world.park.withdrawals().list(None, 9).await.unwrap(), []);
        world.assert_clean().await;
    }

    async fn a_copy_knows_what_was_withdrawn(world) {
        let floor = world.floor("Ground", 99).await;
        for n in 0..9 {
            world.record(entry(&floor, &format!("t{n}"), -n * DAY)).await;
        }
        let done = withdraw(&world, seen(-4 * DAY, 1), "some").await.unwrap();
        for place in [Place::sqlite(), Place::postgres()] {
            let url = place.url();
            let options = Options { clock: world.clock.clone(), ..Options::default() };
            let copied = SmartPark::copy(&world.url, &url, options.clone(), |_| {}).await.unwrap();
            assert!(copied.is_finished(), "{copied:?}");
            let copy = SmartPark::open_with(&url, options).await.unwrap();
            let listed = copy.withdrawals().list(None, 9).await.unwrap();
            assert_eq!(listed, std::slice::from_ref(&done));
            let again = copy.withdrawals().withdraw(new(seen(-4 * DAY, 1), "some")).await;
            assert_eq!(again.unwrap(), done);
            copy.withdrawals().withdraw(new(earlier(done.id), "back")).await.unwrap();
            let counted = copy.floors().get_floor_by_id(floor.id).await.unwrap().unwrap();
            assert_eq!(counted.current_vehicles, 9);
            assert!(copy.check(false).await.unwrap().is_clean());
            copy.close().await;
        }
    }

    async fn what_was_withdrawn_is_checked(world) {
        for sql in [
            "UPDATE withdrawn_facts SET data = replace(data, 't1', 't9')",
            "UPDATE withdrawn_facts SET delta = 0",
            "DELETE FROM withdrawn_facts WHERE id = (SELECT min(id) FROM withdrawn_facts)",
            "UPDATE withdrawals SET data = replace(data, 'Kim', 'Ann')",
            "DELETE FROM withdrawals",
        ] {
            let world = world.another().await;
            let floor = world.floor("Ground", 99).await;
            for n in 0..3 {
                world.record(entry(&floor, &format!("t{n}"), -n)).await;
            }
            withdraw(&world, seen(-1, 1), "some").await.unwrap();
            world.assert_clean().await;
            world.execute(sql);
            let report = world.another_park().await.check(false).await.unwrap();
            assert!(!report.is_clean(), "{sql}");
        }
    }

    async fn withdrawals_of_several_servers_take_turns(world) {
        let floor = world.floor("Ground", 99).await;
        for n in 0..40 {
            world.record(entry(&floor, &format!("t{n}"), -n)).await;
        }
        let parks = [world.another_park().await, world.another_park().await];
        let one = parks[0].withdrawals().withdraw(new(seen(-20, 1), "same"));
        let two = parks[1].withdrawals().withdraw(new(seen(-20, 1), "same"));
        let three = world.park.events().record_event(entry(&floor, "more", -90));
        let (one, two, three) = tokio::join!(one, two, three);
        assert_eq!(one.unwrap(), two.unwrap());
        three.unwrap();
        assert_eq!(world.count(&floor).await, 20);
        world.assert_clean().await;
        for park in parks {
            park.close().await;
        }
    }
}
