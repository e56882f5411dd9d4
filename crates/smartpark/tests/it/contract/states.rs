//! States of adapters change together with the events of their message, or not at all.

use std::collections::HashMap;

use smartpark::{Error, NewEvent, Recorded, Result, SmartPark, StateChange};

use super::world::{World, after, entry, on_every_engine};

const KEY: &str = "counter/entry";

fn change(expected: Option<&str>, new: Option<&str>) -> StateChange {
    let bytes = |state: Option<&str>| state.map(|state| state.as_bytes().to_vec());
    StateChange {
        camera_id: "cam_001".into(),
        key: KEY.into(),
        expected: bytes(expected),
        new: bytes(new),
        keep_until: None,
    }
}

async fn record(
    park: &SmartPark,
    events: Vec<NewEvent>,
    change: StateChange,
) -> Result<Vec<Recorded>> {
    park.events().record_with_state(events, vec![change]).await
}

async fn state(park: &SmartPark) -> Option<String> {
    let name = ("cam_001".to_owned(), KEY.to_owned());
    let states = park.events().get_states(vec![name.clone()]).await.unwrap();
    states.get(&name).map(|state| String::from_utf8(state.clone()).unwrap())
}

async fn events(park: &SmartPark) -> u64 {
    park.migrations().get_database_stats().await.unwrap().events
}

on_every_engine! {
    async fn events_and_state_are_stored_together(world) {
        let floor = world.floor("Ground", 9).await;
        let first = change(None, Some("1"));
        let recorded = record(&world.park, vec![entry(&floor, "a", -9)], first).await.unwrap();
        assert_eq!((recorded.len(), recorded[0].duplicate), (1, false));
        assert_eq!(state(&world.park).await.as_deref(), Some("1"));
        // A state alone, and its end.
        assert_eq!(record(&world.park, Vec::new(), change(Some("1"), Some("2"))).await, Ok(vec![]));
        assert_eq!(state(&world.park).await.as_deref(), Some("2"));
        record(&world.park, Vec::new(), change(Some("2"), None)).await.unwrap();
        assert_eq!((state(&world.park).await, events(&world.park).await), (None, 1));
        world.assert_clean().await;
    }

    async fn a_state_that_changed_meanwhile_stores_nothing(world) {
        let floor = world.floor("Ground", 9).await;
        record(&world.park, Vec::new(), change(None, Some("1"))).await.unwrap();
        for (expected, new) in [(None, Some("2")), (Some("0"), Some("2")), (Some("0"), None)] {
            let stale = change(expected, new);
            let outcome = record(&world.park, vec![entry(&floor, "a", -9)], stale).await;
            assert_eq!(outcome, Err(Error::StateChanged));
        }
        assert_eq!(state(&world.park).await.as_deref(), Some("1"));
        assert_eq!(events(&world.park).await, 0);
        assert_eq!(world.count(&floor).await, 0);
    }

    async fn the_same_call_again_stores_nothing(world) {
        let floor = world.floor("Ground", 9).await;
        let call = async |park: &SmartPark| {
            record(park, vec![entry(&floor, "a", -9)], change(None, Some("1"))).await
        };
        call(&world.park).await.unwrap();
        assert_eq!(call(&world.another_park().await).await, Err(Error::StateChanged));
        assert_eq!(state(&world.park).await.as_deref(), Some("1"));
        assert_eq!(events(&world.park).await, 1);
        // With the state that is there, the event is a repeat.
        let again = change(Some("1"), Some("2"));
        let again = record(&world.park, vec![entry(&floor, "a", -9)], again).await.unwrap();
        assert!(again[0].duplicate);
    }

    /// A reading must not count as taken if its vehicles were not.
    async fn an_event_that_is_refused_keeps_the_state_and_the_other_events_away(world) {
        let floor = world.floor("Ground", 9).await;
        world.park.events().cleanup_old_events(30).await.unwrap();
        let mut nowhere = entry(&floor, "b", -8);
        nowhere.floor_id = 99;
        let unsure = entry(&floor, "b", -8).confidence(7.0);
        let refused = [nowhere, unsure, entry(&floor, "b", 301), entry(&floor, "b", -31 * 86_400)];
        for second in refused {
            let both = vec![entry(&floor, "a", -9), second];
            let outcome = record(&world.park, both, change(None, Some("1"))).await;
            assert!(
                matches!(
                    outcome,
                    Err(Error::UnknownFloor
                        | Error::Invalid(_)
                        | Error::InFuture { .. }
                        | Error::TooOld { .. })
                ),
                "{outcome:?}"
            );
            assert_eq!((state(&world.park).await, events(&world.park).await), (None, 0));
        }
        let refusals = world.park.events().get_refusals(1).await.unwrap();
        assert_eq!(refusals.iter().map(|refusal| refusal.events).sum::<u64>(), 4);
    }

    async fn several_states_change_all_or_none(world) {
        let named = |key: &str, expected: Option<&str>| StateChange {
            key: key.into(),
            ..change(expected, Some("new"))
        };
        let both = vec![named("one", None), named("two", Some("old"))];
        let outcome = world.park.events().record_with_state(Vec::new(), both).await;
        assert_eq!(outcome, Err(Error::StateChanged));
        let names = ["one", "two"].map(|key| ("cam_001".to_owned(), key.to_owned())).to_vec();
        let get = || world.park.events().get_states(names.clone());
        assert_eq!(get().await.unwrap(), HashMap::new());
        let both = vec![named("one", None), named("two", None)];
        world.park.events().record_with_state(Vec::new(), both).await.unwrap();
        assert_eq!(get().await.unwrap().len(), 2);
    }

    /// Sixty-four messages of one counter, read by two servers at once: each counts once.
    async fn messages_that_meet_are_decided_one_after_the_other(world) {
        let floor = world.floor("Ground", 500).await;
        let parks = [world.park.clone(), world.another_park().await];
        let add = async |park: SmartPark, n: usize| {
            loop {
                let before = state(&park).await;
                let value: usize = before.as_deref().map_or(0, |state| state.parse().unwrap());
                let event = entry(&floor, &format!("{n}"), i64::try_from(n).unwrap() - 99);
                let change = change(before.as_deref(), Some(&(value + 1).to_string()));
                match record(&park, vec![event], change).await {
                    Ok(_) => return,
                    Err(Error::StateChanged) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        let all = (0..64).map(|n| add(parks[n % 2].clone(), n));
        futures_util::future::join_all(all).await;
        assert_eq!(state(&world.park).await.as_deref(), Some("64"));
        assert_eq!((events(&world.park).await, world.count(&floor).await), (64, 64));
        world.assert_clean().await;
    }

    async fn a_state_is_bounded_and_forgotten_when_its_time_is_over(world) {
        let large = StateChange { new: Some(vec![0; 4_097]), ..change(None, None) };
        let refused = record(&world.park, Vec::new(), large).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        let whole = StateChange { new: Some(vec![7; 4_096]), ..change(None, None) };
        record(&world.park, Vec::new(), whole.clone()).await.unwrap();
        let until = |seconds: i64, key: &str| StateChange {
            key: key.into(),
            keep_until: Some(after(seconds)),
            ..change(None, Some("x"))
        };
        record(&world.park, Vec::new(), until(-1, "over")).await.unwrap();
        record(&world.park, Vec::new(), until(1, "not yet")).await.unwrap();
        assert_eq!(world.park.events().forget_states().await.unwrap(), 1);
        let names = [KEY, "over", "not yet"].map(|key| ("cam_001".to_owned(), key.to_owned()));
        let left = world.park.events().get_states(names.to_vec()).await.unwrap();
        assert_eq!((left.len(), left.contains_key(&names[1])), (2, false));
        world.assert_clean().await;
    }

    async fn what_was_not_counted_is_summed_for_every_server_and_shown(world) {
        let detail = "region 3 is not configured";
        let note = |park: &SmartPark| {
            park.events().note_not_counted(Some("gate"), "not_configured", detail);
        };
        note(&world.park);
        world.park.events().note_not_counted(Some("gate"), "repeat", "repeated reading");
        world.park.events().store_not_counted().await.unwrap();
        let other = world.another_park().await;
        note(&other);
        let told = other.events().get_not_counted(24).await.unwrap();
        assert_eq!((told[0].camera_id.as_deref(), told[0].times), (Some("gate"), 2));
        assert_eq!((told[0].reason.as_str(), told[0].detail.as_str()), ("not_configured", detail));
        other.events().store_not_counted().await.unwrap();
        let items = world.park.get_attention().await.unwrap().items;
        let items: Vec<_> = items.iter().map(|item| (item.kind.as_str(), item.count)).collect();
        assert_eq!(items, [("not_counted", Some(2))], "a repeat needs nobody");
        world.clock.set(after(8 * 86_400));
        note(&world.park);
        world.park.events().store_not_counted().await.unwrap();
        assert_eq!(world.rows("not_counted").len(), 1, "a week later the old ones go");
    }
}

/// A copy counts a device's next message as the original would.
#[tokio::test]
async fn a_copy_takes_the_states_along() {
    for (from, to) in [
        (World::sqlite().await, World::postgres().await),
        (World::postgres().await, World::sqlite().await),
    ] {
        let kept = StateChange { keep_until: Some(after(99)), ..change(None, Some("1")) };
        record(&from.park, Vec::new(), kept).await.unwrap();
        from.floor("Ground", 9).await;
        let copied = SmartPark::copy(&from.url, &to.url, Default::default(), |_| {}).await.unwrap();
        assert!(copied.is_finished(), "{copied:?}");
        assert_eq!(state(&to.park).await.as_deref(), Some("1"));
        assert_eq!(to.park.events().forget_states().await.unwrap(), 0);
        to.assert_clean().await;
    }
}
