//! Watching what happens: every event once and in the order of commits, states that are current,
//! however slow a watcher is and wherever it begins.

use std::collections::BTreeMap;

use smartpark::{
    Direction, Floor, FloorChange, NewEvent, Options, Position, Site, SmartPark, VehicleType,
    limits::{LIVE_PIECE_EVENTS, LIVE_RING_EVENTS},
    live::{News, Watcher},
};

use super::world::{World, entry, exit, on_every_engine};

/// What a watcher was told so far.
#[derive(Default)]
struct Seen {
    floors: BTreeMap<i64, Floor>,
    removed: Vec<i64>,
    site: Option<Site>,
    events: Vec<i64>,
    positions: Vec<Position>,
    reloads: usize,
    answers: usize,
}

impl Seen {
    /// Takes in one answer.
    async fn take(&mut self, watcher: &mut Watcher) {
        self.answers += 1;
        for news in watcher.next().await.unwrap() {
            match news {
                News::Floor(floor) => {
                    self.floors.insert(floor.value.id, floor.value.clone());
                }
                News::FloorRemoved(id) => {
                    self.floors.remove(&id).unwrap();
                    self.removed.push(id);
                }
                News::Site(site) => self.site = Some(site.value),
                News::Event(at, event) => {
                    assert!(at <= watcher.position());
                    self.events.push(event.id);
                    self.positions.push(at);
                }
                News::Change(..) => {}
                News::Reload(_) => self.reloads += 1,
            }
        }
    }

    /// Watches until something holds.
    async fn until(&mut self, watcher: &mut Watcher, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.take(watcher).await;
        }
    }
}

async fn watch(world: &World, after: Option<Position>) -> Watcher {
    world.park.watch(after).await.unwrap()
}

/// Records so many cars that go in and out, and returns their events.
async fn record_many(world: &World, floor: &Floor, mark: &str, n: usize) -> Vec<i64> {
    let events = (0..n).map(|i| {
        let way = if i % 2 == 0 { Direction::Entry } else { Direction::Exit };
        let at = super::world::after(-100_000 + i64::try_from(i).unwrap());
        let track = format!("{mark} {i}");
        NewEvent::new("cam", floor.id, track, VehicleType::Car, way).at(at)
    });
    let mut ids = Vec::new();
    for batch in events.collect::<Vec<_>>().chunks(2_000) {
        let recorded = world.park.events().record_events(batch.to_vec()).await.unwrap();
        ids.extend(recorded.into_iter().map(|row| row.unwrap().event.id));
    }
    ids
}

on_every_engine! {
    async fn what_was_forgotten_is_not_told_again(world) {
        let floor = world.floor("Ground", 50).await;
        // Somebody watches all the time, so the latest events are at hand.
        let (mut always, mut seen) = (watch(&world, None).await, Seen::default());
        let begin = always.position();
        let old = world.record(entry(&floor, "old", -40 * 86_400)).await.event.id;
        let new = world.record(entry(&floor, "new", -60)).await.event.id;
        seen.until(&mut always, |seen| seen.events.contains(&new)).await;
        assert_eq!(seen.events, [old, new]);
        world.park.events().cleanup_old_events(39).await.unwrap();
        // Whoever comes back from before it reads anew.
        let (mut back, mut told) = (watch(&world, Some(begin)).await, Seen::default());
        let last = world.record(entry(&floor, "last", -30)).await.event.id;
        told.until(&mut back, |told| told.events.contains(&last)).await;
        assert!(!told.events.contains(&old), "{:?}", told.events);
        assert_eq!(told.reloads, 1);
        // Whoever was told of it before goes on as always.
        seen.until(&mut always, |seen| seen.events.contains(&last)).await;
        assert_eq!((seen.events, seen.reloads), (vec![old, new, last], 0));
    }

    async fn first_come_all_floors_and_the_site_then_what_happens(world) {
        let (ground, nook) = (world.floor("Ground", 50).await, world.floor("Nook", 3).await);
        let closed = FloorChange { is_active: Some(false), ..FloorChange::default() };
        world.park.floors().change_floor(nook.id, closed).await.unwrap();
        world.record(entry(&nook, "before", -90)).await;
        let mut watcher = watch(&world, None).await;
        let mut seen = Seen::default();
        seen.take(&mut watcher).await;
        assert_eq!(seen.floors.keys().copied().collect::<Vec<_>>(), [ground.id, nook.id]);
        assert_eq!(seen.floors[&nook.id].current_vehicles, 1);
        let site = Site {
            recommended_floor_id: Some(ground.id), total_slots: 50, current_vehicles: 0,
        };
        assert_eq!(seen.site, Some(site));

        let first = world.record(entry(&ground, "a", -9)).await.event.id;
        // On PostgreSQL what was committed just before may be told again.
        let told = |seen: &Seen| seen.events.last().copied();
        seen.until(&mut watcher, |seen| told(seen) == Some(first)).await;
        seen.until(&mut watcher, |seen| seen.floors[&ground.id].current_vehicles == 1).await;
        assert_eq!(seen.site, Some(Site { current_vehicles: 1, ..site }));
        world.park.floors().recount(ground.id, 50, "full", None).await.unwrap();
        seen.until(&mut watcher, |seen| seen.site.unwrap().current_vehicles == 50).await;
        assert_eq!(seen.site.unwrap().recommended_floor_id, None);
        assert_eq!((seen.site.unwrap().available_slots(), seen.reloads), (0, 0));
        assert_eq!(told(&seen), Some(first));
    }

    async fn floors_come_and_go(world) {
        let ground = world.floor("Ground", 50).await;
        let mut watcher = watch(&world, None).await;
        let mut seen = Seen::default();
        seen.take(&mut watcher).await;
        let deck = world.floor("Deck", 7).await;
        seen.until(&mut watcher, |seen| seen.floors.contains_key(&deck.id)).await;
        let renamed = FloorChange { name: Some("Roof".into()), ..FloorChange::default() };
        world.park.floors().change_floor(deck.id, renamed).await.unwrap();
        seen.until(&mut watcher, |seen| seen.floors[&deck.id].name == "Roof").await;
        world.park.floors().remove_floor(deck.id).await.unwrap();
        seen.until(&mut watcher, |seen| !seen.removed.is_empty()).await;
        assert_eq!(seen.removed, [deck.id]);
        assert_eq!(seen.site.unwrap().total_slots, ground.total_slots);
    }

    async fn watching_goes_on_from_any_position_without_loss_or_repeat(world) {
        let floor = world.floor("Ground", 9_000).await;
        let begin = world.park.events().get_position().await.unwrap();
        let mut all = Vec::new();
        let mut held = Vec::new();
        let mut seen = Seen::default();
        for round in 0..4 {
            // Every time another watcher: it has seen what the one before had.
            let after = held.last().copied().unwrap_or(begin);
            let mut watcher = watch(&world, Some(after)).await;
            all.extend(record_many(&world, &floor, &format!("{round}"), 300).await);
            // The last ones in part only: they are let go in the middle.
            let enough = all.len() - if round == 3 { 0 } else { 100 };
            seen.until(&mut watcher, |seen| seen.events.len() >= enough).await;
            held.push(watcher.position());
        }
        assert_eq!((&seen.events, seen.reloads), (&all, 0));
        // And from each of the places again, to the end.
        for after in held {
            let mut rest = Seen::default();
            let mut watcher = watch(&world, Some(after)).await;
            rest.take(&mut watcher).await;
            world.record(exit(&floor, &format!("{after}"), -5)).await;
            let last = world.park.events().get_events_by_floor(floor.id, 1).await.unwrap()[0].id;
            rest.until(&mut watcher, |seen| seen.events.last() == Some(&last)).await;
            all.push(last);
            assert!(all.ends_with(&rest.events), "{after}");
            assert_eq!(rest.reloads, 0);
        }
    }

    async fn a_slow_watcher_skips_states_but_no_events(world) {
        let floor = world.floor("Ground", 20_000).await;
        let mut slow = watch(&world, None).await;
        let mut quick = watch(&world, None).await;
        let (mut seen, mut quickly) = (Seen::default(), Seen::default());
        seen.take(&mut slow).await;
        let ids = record_many(&world, &floor, "a", LIVE_RING_EVENTS + 700).await;
        quickly.until(&mut quick, |seen| seen.events.last() == ids.last()).await;
        // By now the ring has lost the first of them.
        seen.until(&mut slow, |seen| seen.events.last() == ids.last()).await;
        let of_these = |seen: &Seen| seen.events.len() - ids.len();
        assert_eq!(seen.events[of_these(&seen)..], ids);
        assert_eq!(quickly.events[of_these(&quickly)..], ids);
        assert_eq!(seen.floors[&floor.id], quickly.floors[&floor.id]);
        assert_eq!(seen.floors[&floor.id].current_vehicles, world.count(&floor).await);
        assert_eq!((seen.reloads, quickly.reloads), (0, 0));
        // Batches of 256: a state in each would be as many states as answers.
        assert!(seen.answers > 10, "{}", seen.answers);
    }

    async fn a_position_that_is_not_known_is_answered_with_a_reload(world) {
        let floor = world.floor("Ground", 50).await;
        let begin = world.park.events().get_position().await.unwrap();
        world.record(entry(&floor, "old", -3 * 86_400)).await;
        world.park.events().cleanup_old_events(2).await.unwrap();
        let never = Position { change: 1 << 60, offset: 3, lineage: 0 };
        for after in [begin, never] {
            let mut watcher = watch(&world, Some(after)).await;
            let mut seen = Seen::default();
            seen.take(&mut watcher).await;
            assert_eq!((seen.reloads, seen.events.len(), seen.floors.len()), (1, 0, 1));
            let track = format!("{after}");
            let next = world.record(entry(&floor, &track, -9)).await.event.id;
            seen.until(&mut watcher, |seen| seen.events.last() == Some(&next)).await;
            assert_eq!(seen.reloads, 1);
        }
        // Also where it happens while somebody watches.
        let mut watcher = watch(&world, None).await;
        let mut seen = Seen::default();
        seen.take(&mut watcher).await;
        let made = world.park.seed().reset_database_seed().await.unwrap();
        seen.until(&mut watcher, |seen| seen.site.unwrap().total_slots == 135).await;
        let made: Vec<i64> = made.iter().map(|floor| floor.id).collect();
        assert_eq!(seen.floors.keys().copied().collect::<Vec<_>>(), made);
    }

    async fn a_watcher_may_begin_after_any_event(world) {
        let floor = world.floor("Ground", 9_000).await;
        let begin = world.park.events().get_position().await.unwrap();
        let mut watcher = watch(&world, Some(begin)).await;
        let mut first = Seen::default();
        first.take(&mut watcher).await;
        // More than are told in one piece, which are found together.
        let ids = record_many(&world, &floor, "a", LIVE_PIECE_EVENTS + 22).await;
        first.until(&mut watcher, |seen| seen.events.len() == ids.len()).await;
        for (told, at) in first.positions.iter().enumerate() {
            let mut watcher = watch(&world, Some(*at)).await;
            let mut rest = Seen::default();
            while rest.events.len() < ids.len() - told - 1 {
                rest.take(&mut watcher).await;
            }
            assert_eq!((&rest.events[..], rest.reloads), (&ids[told + 1..], 0), "{at}");
        }
    }

    async fn whoever_skips_states_is_told_all_that_changed(world) {
        let (ground, nook) = (world.floor("Ground", 50).await, world.floor("Nook", 3).await);
        let gone = world.floor("Gone", 7).await;
        let (mut slow, mut quick) = (watch(&world, None).await, watch(&world, None).await);
        let (mut seen, mut quickly) = (Seen::default(), Seen::default());
        seen.take(&mut slow).await;
        quickly.take(&mut quick).await;
        for floor in [&ground, &nook] {
            world.record(entry(floor, &floor.name, -9)).await;
            quickly.until(&mut quick, |seen| seen.floors[&floor.id].current_vehicles == 1).await;
        }
        world.park.floors().remove_floor(gone.id).await.unwrap();
        quickly.until(&mut quick, |seen| !seen.removed.is_empty()).await;
        seen.take(&mut slow).await;
        assert_eq!((&seen.floors, seen.site), (&quickly.floors, quickly.site));
        assert_eq!((seen.removed, seen.floors.len()), (vec![gone.id], 2));
    }

    async fn a_thousand_who_wait_are_told_the_same(world) {
        let floor = world.floor("Ground", 9_000).await;
        let begin = world.park.events().get_position().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        let (waits, all_wait) = tokio::sync::mpsc::channel::<()>(1);
        for _ in 0..1_000 {
            let (mut watcher, mut seen) = (watch(&world, Some(begin)).await, Seen::default());
            let waits = waits.clone();
            waiting.spawn(async move {
                seen.take(&mut watcher).await;
                drop(waits);
                seen.until(&mut watcher, |seen| seen.events.len() >= 31).await;
                seen
            });
        }
        drop(waits);
        // Each has been told the floors, and waits for what comes.
        { all_wait }.recv().await;
        let ids = record_many(&world, &floor, "a", 31).await;
        let count = world.count(&floor).await;
        for seen in waiting.join_all().await {
            assert_eq!((&seen.events, seen.reloads), (&ids, 0));
            assert_eq!(seen.floors[&floor.id].current_vehicles, count);
        }
    }

    async fn what_another_process_does_is_told_too(world) {
        let floor = world.floor("Ground", 50).await;
        let mut watcher = watch(&world, None).await;
        let mut seen = Seen::default();
        seen.take(&mut watcher).await;
        let options = Options { clock: world.clock.clone(), ..Options::default() };
        let other = SmartPark::connect(&world.url, options).await.unwrap();
        let theirs = other.events().record_event(entry(&floor, "t", -60)).await.unwrap();
        let told = |seen: &Seen| seen.events.last() == Some(&theirs.event.id);
        seen.until(&mut watcher, told).await;
        seen.until(&mut watcher, |seen| seen.floors[&floor.id] == theirs.floor).await;
        other.close().await;
    }
}

/// One engine is enough: it is the hub that must not leave its watchers waiting, on a runtime
/// that whoever embeds the crate has built without timers.
#[test]
fn watchers_on_a_runtime_without_timers_are_let_go() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let world = World::sqlite().await;
        world.floor("Ground", 50).await;
        for _ in 0..2 {
            let mut watcher = watch(&world, None).await;
            while watcher.next().await.is_ok() {}
        }
    });
}
