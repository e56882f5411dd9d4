//! What needs a person: told by every process alike, from what is stored.

use smartpark::{
    Attention, AttentionItem, AttentionKind, AttentionLevel, Direction, Floor, FloorChange,
    NewEvent, Options, RefusalReason, SmartPark, Timestamp, VehicleType,
};

use super::world::{World, after, entry, exit, on_every_engine};

const HOUR: i64 = 3_600;

/// What a park that was opened just now says: it has no earlier answer and no memory.
async fn attention(world: &World) -> Attention {
    let options = Options { clock: world.clock.clone(), ..Options::default() };
    let fresh = SmartPark::connect(&world.url, options).await.unwrap();
    let attention = fresh.get_attention().await.unwrap();
    fresh.close().await;
    attention
}

/// What needs a person, but for what estimates suggest: that has tests of its own.
async fn items(world: &World) -> Vec<AttentionItem> {
    let mut items = attention(world).await.items;
    items.retain(|item| item.kind != AttentionKind::RecountSuggested);
    items
}

async fn only(world: &World) -> AttentionItem {
    let mut items = items(world).await;
    assert_eq!(items.len(), 1, "{items:#?}");
    items.remove(0)
}

/// The kind, since when, and the count of the only thing that needs a person.
async fn told(world: &World) -> Option<(AttentionKind, Option<Timestamp>, Option<u64>)> {
    let items = items(world).await;
    assert!(items.len() <= 1, "{items:#?}");
    items.first().map(|item| (item.kind, item.since, item.count))
}

/// Cars that come in, one a second, the last so many seconds after the beginning.
async fn come(world: &World, floor: &Floor, mark: &str, cars: i64, last: i64) {
    let events = (0..cars).map(|n| entry(floor, &format!("{mark}{n}"), last - cars + 1 + n));
    for recorded in world.park.events().record_events(events.collect()).await.unwrap() {
        recorded.unwrap();
    }
}

on_every_engine! {
    async fn a_floor_is_nearly_full_and_full_with_two_bounds(world) {
        use AttentionKind::{FloorFull, FloorNearlyFull};
        let floor = world.floor("Ground", 10).await;
        come(&world, &floor, "a", 8, -600).await;
        assert_eq!(told(&world).await, None);
        world.record(entry(&floor, "b", -500)).await;
        let since = |seconds| Some(after(seconds));
        assert_eq!(told(&world).await, Some((FloorNearlyFull, since(-500), Some(9))));
        // Below 90 % it is still nearly full, below 80 % no longer.
        world.record(exit(&floor, "b", -400)).await;
        assert_eq!(told(&world).await, Some((FloorNearlyFull, since(-500), Some(8))));
        come(&world, &floor, "c", 2, -299).await;
        let full = only(&world).await;
        assert_eq!((full.kind, full.level), (FloorFull, AttentionLevel::High));
        assert_eq!((full.since, full.count), (since(-299), Some(10)));
        assert_eq!((full.floor_id, full.floor.as_deref()), (Some(floor.id), Some("Ground")));
        assert_eq!(full.detail, "Ground is full: 10 of 10 slots are taken.");
        world.record(exit(&floor, "c", -200)).await;
        assert_eq!(told(&world).await, Some((FloorNearlyFull, since(-500), Some(9))));
        for n in 0..2 {
            world.record(exit(&floor, &format!("a{n}"), -100 + n)).await;
        }
        assert_eq!(told(&world).await, None);
        world.record(entry(&floor, "d", -50)).await;
        assert_eq!(told(&world).await, None);
        world.assert_clean().await;
    }

    async fn since_is_found_a_day_back_and_moves_with_late_events(world) {
        let floor = world.floor("Ground", 2).await;
        come(&world, &floor, "a", 2, -23 * HOUR).await;
        assert_eq!(only(&world).await.since, Some(after(-23 * HOUR)));
        // Had it been full before, and a car gone for a while: still since the same instant.
        world.record(exit(&floor, "x", -5 * HOUR)).await;
        world.record(entry(&floor, "x", -4 * HOUR)).await;
        assert_eq!(only(&world).await.since, Some(after(-4 * HOUR)));
        world.record(entry(&floor, "late", -3 * HOUR)).await;
        world.record(exit(&floor, "late", -2 * HOUR)).await;
        let items = attention(&world).await.items;
        let kinds: Vec<AttentionKind> = items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [AttentionKind::EventsAtLimit]);
        come(&world, &floor, "y", 1, -HOUR).await;
        world.clock.set(after(25 * HOUR));
        // More than a day: since when is not looked for. The event at the limit is as old.
        let full = only(&world).await;
        assert_eq!((full.kind, full.since), (AttentionKind::FloorFull, None));
    }

    async fn closed_floors_need_nobody(world) {
        world.floor("No slots", 0).await;
        let floor = world.floor("Ground", 1).await;
        world.record(entry(&floor, "a", -9)).await;
        assert!(told(&world).await.is_some());
        let closed = FloorChange { is_active: Some(false), ..FloorChange::default() };
        world.park.floors().change_floor(floor.id, closed).await.unwrap();
        assert_eq!(told(&world).await, None);
    }

    async fn events_at_the_limit_are_told_until_somebody_counts(world) {
        let floor = world.floor("Ground", 30).await;
        world.record(exit(&floor, "old", -25 * HOUR)).await;
        assert_eq!(told(&world).await, None);
        for n in 0..9 {
            world.record(exit(&floor, &format!("a{n}"), -90 + n)).await;
        }
        let drift = only(&world).await;
        assert_eq!((drift.kind, drift.level), (AttentionKind::EventsAtLimit, AttentionLevel::Low));
        assert_eq!((drift.count, drift.last), (Some(9), Some(after(-82))));
        assert_eq!(drift.floor_id, Some(floor.id));
        world.record(exit(&floor, "b", -60)).await;
        assert_eq!(only(&world).await.level, AttentionLevel::Medium);
        world.park.floors().recount(floor.id, 5, "round", None).await.unwrap();
        assert_eq!(told(&world).await, None);
        world.clock.set(after(60));
        for n in 0..6 {
            world.record(exit(&floor, &format!("c{n}"), 10 + n)).await;
        }
        let item = told(&world).await;
        assert_eq!(item, Some((AttentionKind::EventsAtLimit, None, Some(1))));
    }

    async fn a_camera_that_fell_silent_is_told(world) {
        let floor = world.floor("Ground", 100).await;
        let seen = |camera: &str, seconds: i64| {
            let (way, track) = (Direction::Entry, format!("{seconds}"));
            NewEvent::new(camera, floor.id, track, VehicleType::Car, way).at(after(seconds))
        };
        let mut events = Vec::new();
        for week in 0..5 {
            for hour in 1..=6 {
                for n in 0..4 {
                    let at = -week * 7 * 24 * HOUR - hour * HOUR + n * 60;
                    // In this week one of the two sent nothing in the last three hours.
                    events.push(seen("steady", at));
                    events.extend((week > 0 || hour > 3).then(|| seen("broken", at)));
                }
            }
        }
        world.park.events().record_events(events).await.unwrap();
        world.park.floors().recount(floor.id, 0, "round", None).await.unwrap();
        // (That a floor of one camera that sees no exits should be counted is another matter.)
        let is_silence = |item: &AttentionItem| item.kind == AttentionKind::CameraSilent;
        let silent = attention(&world).await.items.into_iter().find(is_silence).unwrap();
        let kind = (silent.kind, silent.level);
        assert_eq!(kind, (AttentionKind::CameraSilent, AttentionLevel::High));
        assert_eq!((silent.camera_id.as_deref(), silent.count), (Some("broken"), Some(12)));
        assert_eq!((silent.since, silent.last), (Some(after(-4 * HOUR + 180)), silent.since));
        // What it saw comes late, and it was never silent.
        let late = (1..=3).map(|hour| seen("broken", -hour * HOUR + 7));
        world.park.events().record_events(late.collect()).await.unwrap();
        assert!(!attention(&world).await.items.iter().any(is_silence));
    }

    async fn refused_events_are_told_with_what_to_do_and_the_most_urgent_stands_first(world) {
        let floor = world.floor("Ground", 1).await;
        world.record(entry(&floor, "a", -9)).await;
        world.record(entry(&floor, "b", -8)).await;
        let refuse = async |camera: &str, floor_id, seconds, n: i64| {
            let events = (0..n).map(|n| {
                let (kind, way) = (VehicleType::Car, Direction::Entry);
                NewEvent::new(camera, floor_id, format!("{n}"), kind, way).at(after(seconds))
            });
            world.park.events().record_events(events.collect()).await.unwrap();
        };
        refuse("lost", 99, -1, 3).await;
        refuse("early", floor.id, 900, 12).await;
        let items = world.park.get_attention().await.unwrap().items;
        let told: Vec<_> = items
            .iter()
            .map(|item| (item.kind, item.level, item.camera_id.as_deref(), item.reason, item.count))
            .collect();
        use {AttentionKind as K, AttentionLevel as L, RefusalReason as R};
        assert_eq!(told, [
            (K::FloorFull, L::High, None, None, Some(1)),
            (K::EventsRefused, L::High, Some("early"), Some(R::Future), Some(12)),
            (K::EventsRefused, L::Medium, Some("lost"), Some(R::UnknownFloor), Some(3)),
            (K::EventsAtLimit, L::Low, None, None, Some(1)),
        ]);
        assert!(items.iter().all(|item| !item.detail.is_empty() && !item.advice.is_empty()));
        assert_eq!(items[1].last, Some(after(0)));
        // The other processes say the same, as soon as these are stored.
        world.park.events().store_refusals().await.unwrap();
        assert_eq!(attention(&world).await.items, items);
        world.clock.set(after(26 * HOUR));
        let kinds: Vec<_> = attention(&world).await.items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [K::FloorFull]);
    }

    async fn one_answer_is_given_for_some_seconds(world) {
        let floor = world.floor("Ground", 1).await;
        let first = world.park.get_attention().await.unwrap();
        assert_eq!((first.items.len(), first.checked_at), (0, after(0)));
        world.record(entry(&floor, "a", -9)).await;
        world.clock.set(after(4));
        assert_eq!(world.park.get_attention().await.unwrap(), first);
        // Nor is it kept by a clock that was set back.
        for seconds in [5, -60] {
            world.clock.set(after(seconds));
            let next = world.park.get_attention().await.unwrap();
            assert_eq!((next.items.len(), next.checked_at), (1, after(seconds)));
        }
    }
}
