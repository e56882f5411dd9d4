//! A site that is copied, from any engine to any: whatever is asked, the copy says what the
//! original says, and goes on from there.

use jiff::Timestamp;
use smartpark::{
    Direction, Error, Event, EventFilter, Floor, FloorChange, NewEvent, NewKey, Options, Position,
    Role, SmartPark, VehicleType,
    copy::{Copied, Progress},
    live::News,
};

use super::world::{World, after, entry, exit, on_every_engine};
use crate::cli::garage::Random;

const DAY: i64 = 86_400;

/// No week of [`live_through`].
pub(super) const NEVER: (i64, u32) = (9, 1);

/// A site of three floors with all that can happen to one: forty days of events, some at a limit,
/// some late, recounts, a capacity that was changed, a floor that is closed, and in the week
/// `cleaned` a cleanup that forgot what was older than so many days.
pub(super) async fn live_through(world: &World, seed: u64, cleaned: (i64, u32)) {
    let mut random = Random(seed);
    let mut below = |bound: usize| i64::try_from(random.below(bound)).unwrap();
    let mut floors = Vec::new();
    for (name, slots) in [("=Ground", 5), ("1", 3 + below(9)), ("Roof ü", 40)] {
        floors.push(world.floor(name, slots).await);
    }
    world.floor("gone", 4).await;
    world.park.floors().remove_floor(floors[2].id + 1).await.unwrap();
    for week in 0..6 {
        let mut batch = Vec::new();
        for _ in 0..120 {
            let floor = &floors[random.below(3)];
            batch.push(seen(&mut random, floor, -40 * DAY + week * 6 * DAY));
        }
        world.clock.set(after(-31 * DAY + week * 6 * DAY));
        for row in world.park.events().record_events(batch).await.unwrap() {
            row.unwrap();
        }
        let (floor, park) = (&floors[random.below(3)], world.park.floors());
        match week {
            1 | 4 => drop(park.recount(floor.id, 2, "round\nat night", Some("Kim")).await.unwrap()),
            2 => drop(park.update_vehicle_count(floor.id, Direction::Entry).await.unwrap()),
            3 => {
                let change =
                    FloorChange { total_slots: Some(4), force: true, ..Default::default() };
                park.change_floor(floors[1].id, change).await.unwrap();
            }
            _ => {}
        }
        if week == cleaned.0 {
            world.park.events().cleanup_old_events(cleaned.1).await.unwrap();
        }
    }
    let closed = FloorChange {
        is_active: Some(false),
        description: Some(Some("closed".into())),
        ..FloorChange::default()
    };
    world.park.floors().change_floor(floors[2].id, closed).await.unwrap();
    world.clock.set(after(0));
}

/// Some event in the week after an instant.
fn seen(random: &mut Random, floor: &Floor, from: i64) -> NewEvent {
    let mut below = |bound: usize| i64::try_from(random.below(bound)).unwrap();
    let kind = VehicleType::ALL[usize::try_from(below(4)).unwrap()];
    let direction = if below(5) < 3 { Direction::Entry } else { Direction::Exit };
    let (camera, track) = (format!("cam_{}", below(3)), format!("t{}", below(1 << 20)));
    // Many at the same second, and parts of it.
    let at = after(from + below(7) * DAY + below(90_000) / 30 * 30);
    let at = Timestamp::from_microsecond(at.as_microsecond() + below(3) * 333_333).unwrap();
    let sure = f64::from(u32::try_from(below(1_000)).unwrap()) / 1_000.0;
    NewEvent::new(camera, floor.id, track, kind, direction).at(at).confidence(sure)
}

/// All that readers are told of a site.
pub(super) async fn told(park: &SmartPark) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut floors = park.floors().get_all_floors().await.unwrap();
    floors.sort_by_key(|floor| floor.id);
    let (mut events, mut cursor): (Vec<Event>, _) = (Vec::new(), None);
    loop {
        let page = park.events().get_events(EventFilter::default(), 100, cursor).await.unwrap();
        events.extend(page.events);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let mut statistics = Vec::new();
    let windows = [(-60 * DAY, DAY), (-39 * DAY + 1_234, -38 * DAY + 77), (-20 * DAY + 1, -DAY)];
    for (start, end) in windows {
        for floor in floors.iter().map(|floor| Some(floor.id)).chain([None]) {
            let (start, end) = (after(start), after(end));
            let window = park.events().get_event_statistics_between(start, end, floor);
            statistics.push(window.await.unwrap());
        }
    }
    let mut counts = Vec::new();
    for n in 0..12 {
        // Before the horizon both say so.
        counts.push(park.floors().get_counts_at(after(-40 * DAY + n * 300_017)).await);
    }
    let stats = park.migrations().get_database_stats().await.unwrap();
    (floors, events, statistics, counts, stats.adjustments, stats.events, stats.horizon)
}

pub(super) async fn copy(from: &World, to: &World) -> smartpark::Result<Copied> {
    SmartPark::copy(&from.url, &to.url, Options::default(), |_| {}).await
}

/// Both databases that a site is copied to: one of each engine.
pub(super) async fn targets() -> [World; 2] {
    [World::sqlite().await, World::postgres().await]
}

/// Tables that are carried over, row by row or as a whole.
const CARRIED: [&str; 12] = [
    "api_keys",
    "adjustments",
    "device_states",
    "event_digests",
    "event_places",
    "events",
    "events_at_limit",
    "floor_origins",
    "floors",
    "retention",
    "withdrawals",
    "withdrawn_facts",
];
/// Tables that are built anew in the target.
const BUILT_ANEW: [&str; 2] = ["event_hours", "floor_stretches"];
/// Tables that say something about one database only; counters that are no facts; and sessions, so
/// that people sign in where the copy is used.
const LEFT: [&str; 5] = ["not_counted", "refusals", "schema_migrations", "sessions", "site"];

on_every_engine! {
    /// Whoever adds a table decides what a copy does with it.
    async fn every_table_is_carried_over_or_left_for_a_reason(world) {
        let tables = world.park.migrations().get_table_info().await.unwrap();
        let tables: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let mut known = [&CARRIED[..], &BUILT_ANEW, &LEFT].concat();
        known.sort_unstable();
        assert_eq!(tables, known, "src/store/transfer.rs has to know of every table");
    }

    async fn a_copy_says_what_the_original_says_and_so_does_a_copy_of_it(world) {
        for (seed, cleaned) in [(1, NEVER), (2, (3, 10)), (3, (5, 5))] {
            let origin = world.another().await;
            live_through(&origin, seed, cleaned).await;
            origin.assert_clean().await;
            let before = told(&origin.park).await;
            for target in targets().await {
                let copied = copy(&origin, &target).await.unwrap();
                assert!(copied.is_finished() && copied.passes == 1, "{copied:?}");
                assert_eq!((copied.floors, copied.written), (3, copied.events));
                assert_eq!(told(&target.park).await, before);
                target.assert_clean().await;
                if cleaned == NEVER {
                    continue;
                }
                let back = origin.another().await;
                assert!(copy(&target, &back).await.unwrap().is_finished());
                assert_eq!(told(&back.park).await, before);
                back.assert_clean().await;
            }
            assert_eq!(told(&origin.park).await, before, "the original is only read");
        }
    }

    async fn what_was_answered_is_answered_again_and_new_ids_are_above_the_old(world) {
        let floor = world.floor("A", 2).await;
        let first = world.record(entry(&floor, "a", -50)).await;
        world.record(entry(&floor, "b", -40)).await;
        let full = world.record(entry(&floor, "c", -30)).await;
        world.park.floors().recount(floor.id, 1, "round", None).await.unwrap();
        let last = world.record(exit(&floor, "d", -20)).await.event.id;
        for target in targets().await {
            copy(&world, &target).await.unwrap();
            let again = target.record(entry(&floor, "a", -50)).await;
            assert_eq!((again.duplicate, again.event), (true, first.event.clone()));
            let again = target.record(entry(&floor, "c", -30)).await;
            assert_eq!((again.duplicate, again.event), (true, full.event.clone()));
            target.pass(10);
            let new = target.record(entry(&floor, "e", 9)).await;
            assert!(new.event.id > last && !new.duplicate && new.event.count_delta == 1);
            let other = target.floor("B", 9).await;
            assert!(other.id > floor.id);
            target.park.floors().recount(other.id, 4, "round", None).await.unwrap();
            target.assert_clean().await;
        }
    }

    async fn ids_of_events_that_are_gone_are_not_given_again(world) {
        let floor = world.floor("A", 9).await;
        world.record(entry(&floor, "a", -60)).await;
        let last = world.record(entry(&floor, "b", -50 * DAY)).await.event.id;
        world.park.events().cleanup_old_events(9).await.unwrap();
        for target in targets().await {
            copy(&world, &target).await.unwrap();
            assert!(target.record(entry(&floor, "c", -30)).await.event.id > last);
            let refused = target.park.events().record_event(entry(&floor, "b", -50 * DAY)).await;
            assert!(matches!(refused, Err(Error::TooOld { .. })), "{refused:?}");
        }
    }

    async fn a_place_in_the_stream_of_the_original_is_not_known_in_a_copy(world) {
        let floor = world.floor("A", 90).await;
        world.record(entry(&floor, "a", -60)).await;
        let places = async |park: &SmartPark| {
            let now = park.events().get_position().await.unwrap();
            let begin = Position { change: 0, offset: 0, ..now };
            let told = park.events().get_events_after(begin, 9).await.unwrap();
            let places = told.into_iter().flatten().map(|(at, _)| at);
            places.chain([now]).collect::<Vec<_>>()
        };
        let mut old = places(&world.park).await;
        let [one, other] = targets().await;
        for target in [&one, &other] {
            copy(&world, target).await.unwrap();
        }
        // All go on: their numbers meet sooner or later.
        for n in 0..20 {
            for park in [&world, &one, &other] {
                park.record(entry(&floor, &format!("t{n}"), n - 50)).await;
            }
        }
        old.extend(places(&world.park).await);
        let theirs = [places(&one.park).await, places(&other.park).await];
        for (target, own) in [(&one, &theirs[0]), (&other, &theirs[1])] {
            // Somebody watches, so that the latest events are at hand; all go on meanwhile.
            let mut present = target.park.watch(None).await.unwrap();
            present.next().await.unwrap();
            for n in 0..9 {
                for park in [&world, target] {
                    let track = format!("{n} beside {}", target.url);
                    let track = &track[track.len().saturating_sub(90)..];
                    park.record(entry(&floor, track, n - 20)).await;
                }
            }
            target.record(exit(&floor, "seen", -2)).await;
            let seen = |it: &News| {
                matches!(it, News::Event(_, event) if event.track_id == "seen")
            };
            while !present.next().await.unwrap().iter().any(seen) {}
            old.extend(places(&world.park).await);
            for at in old.iter().chain(theirs.iter().filter(|it| *it != own).flatten()) {
                let told = target.park.events().get_events_after(*at, 9).await.unwrap();
                assert_eq!(told, None, "{at}");
                let mut back = target.park.watch(Some(*at)).await.unwrap();
                let told = back.next().await.unwrap();
                assert!(told.iter().any(|it| matches!(it, News::Reload(_))), "{at}: {told:?}");
            }
            let now = *own.last().unwrap();
            let new = target.record(exit(&floor, "new", -1)).await.event;
            // On PostgreSQL an event is told when all older transactions have ended.
            loop {
                let told = target.park.events().get_events_after(now, 99).await.unwrap();
                let told = told.expect("a place in the copy itself is known");
                if told.last().is_some_and(|(_, event)| *event == new) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            assert_eq!(now.to_string().parse(), Ok(now));
        }
    }

    async fn keys_go_along_and_a_copy_asks_for_them(world) {
        let floor = world.floor("A", 9).await;
        let keys = world.park.keys();
        let bound = NewKey {
            cameras: vec!["c".into()],
            floors: vec![floor.id],
            ..NewKey::new("gate", Role::Camera)
        };
        let gate = keys.add_key(bound).await.unwrap();
        keys.add_key(NewKey::new("desk", Role::Admin)).await.unwrap();
        world.clock.set(after(7));
        let desk = keys.rotate_key("desk").await.unwrap();
        keys.revoke_key("gate").await.unwrap();
        let all = keys.get_all_keys().await.unwrap();
        for target in targets().await {
            assert!(copy(&world, &target).await.unwrap().is_finished());
            let there = target.park.keys();
            assert_eq!(there.get_all_keys().await.unwrap(), all);
            assert_eq!(there.find_key(desk.secret.expose()).await.unwrap(), Some(desk.key.clone()));
            assert_eq!(there.find_key(gate.secret.expose()).await.unwrap(), None);
            let next = there.add_key(NewKey::new("gate", Role::Camera)).await.unwrap();
            assert!(next.key.id > desk.key.id);
            // Somebody may hold a key of what is there already.
            let other = world.another().await;
            other.park.keys().add_key(NewKey::new("mine", Role::Admin)).await.unwrap();
            assert_eq!(copy(&world, &other).await, Err(Error::NotEmpty));
        }
    }

    async fn a_copy_goes_only_into_an_empty_database(world) {
        let floor = world.floor("A", 9).await;
        world.record(entry(&floor, "a", -60)).await;
        for target in targets().await {
            target.floor("mine", 3).await;
            let before = told(&target.park).await;
            assert_eq!(copy(&world, &target).await, Err(Error::NotEmpty));
            assert_eq!(told(&target.park).await, before);
            target.park.ready().await.unwrap();
        }
        assert_eq!(copy(&world, &world).await, Err(Error::NotEmpty));
    }

    async fn an_unfinished_copy_is_refused_by_everybody_until_it_is_finished(world) {
        live_through(&world, 4, (3, 10)).await;
        let before = told(&world.park).await;
        for target in targets().await {
            let park = &target.park;
            // The copy is given up when the first events have been carried over.
            let carried = tokio::sync::Notify::new();
            let begun = SmartPark::copy(&world.url, &target.url, Options::default(), |progress| {
                if let Progress::Events { done: 1.., .. } = progress {
                    carried.notify_one();
                }
            });
            tokio::select! {
                biased;
                () = carried.notified() => {}
                copied = begun => panic!("{copied:?}"),
            }
            let refused = |result: smartpark::Result<SmartPark>| {
                let told = result.unwrap_err().to_string();
                assert!(told.contains("unfinished copy"), "{told}");
            };
            refused(SmartPark::open(&target.url).await);
            refused(SmartPark::connect(&target.url, Options::default()).await);
            assert!(matches!(park.ready().await, Err(Error::Unusable(_))));
            let other = world.another().await;
            other.floor("other", 3).await;
            let another = copy(&other, &target).await.unwrap_err().to_string();
            assert!(another.contains("of another database"), "{another}");
            let copied = copy(&world, &target).await.unwrap();
            assert!(copied.is_finished() && copied.written < copied.events, "{copied:?}");
            assert_eq!(told(&target.park).await, before);
        }
    }
}

/// Does something to a site from outside, while the copy that calls this waits.
fn meanwhile(world: &World, work: impl AsyncFnOnce(&SmartPark) + Send) {
    let (url, clock) = (world.url.clone(), world.clock.clone());
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = Options { clock, ..Options::default() };
            let park = SmartPark::connect(&url, options).await.unwrap();
            work(&park).await;
            park.close().await;
        });
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap());
}

on_every_engine! {
    async fn what_is_written_to_the_source_meanwhile_is_carried_over_too(world) {
        for target in targets().await {
            let origin = world.another().await;
            live_through(&origin, 5, NEVER).await;
            let mut pages = 0;
            let copied = SmartPark::copy(&origin.url, &target.url, Options::default(), |progress| {
                let Progress::Events { .. } = progress else { return };
                pages += 1;
                if pages > 1 {
                    return;
                }
                meanwhile(&origin, async |park| {
                    let floors = park.floors();
                    let new = floors.add_floor(smartpark::NewFloor::new("new", 4)).await.unwrap();
                    let late = entry(&new, "late", -39 * DAY);
                    let batch = vec![late, exit(&new, "now", -1), entry(&new, "at", -20 * DAY)];
                    let recorded = park.events().record_events(batch).await.unwrap();
                    assert!(recorded.iter().all(Result::is_ok));
                    floors.recount(new.id, 3, "while it is copied", None).await.unwrap();
                    park.events().cleanup_old_events(15).await.unwrap();
                });
            });
            let copied = copied.await.unwrap();
            assert!(copied.is_finished() && copied.passes == 2, "{copied:?}");
            assert_eq!(told(&target.park).await, told(&origin.park).await);
            target.assert_clean().await;
        }
    }

    async fn a_source_that_is_always_written_to_leaves_the_copy_unfinished(world) {
        let floor = world.floor("A", 99).await;
        for target in targets().await {
            let mut number = 0;
            let copied = SmartPark::copy(&world.url, &target.url, Options::default(), |_| {
                number += 1;
                let track = format!("{number} to {}", target.url.len());
                meanwhile(&world, async |park| {
                    park.events().record_event(entry(&floor, &track, number)).await.unwrap();
                });
            });
            let copied = copied.await.unwrap();
            assert!(!copied.complete && !copied.is_finished(), "{copied:?}");
            assert_eq!(copied.passes, smartpark::limits::COPY_PASSES);
            assert!(target.park.ready().await.is_err());
            assert!(copy(&world, &target).await.unwrap().is_finished());
            assert_eq!(told(&target.park).await, told(&world.park).await);
        }
    }

    async fn a_source_that_does_not_hold_is_not_passed_on(world) {
        live_through(&world, 6, NEVER).await;
        world.execute("UPDATE floors SET current_vehicles = current_vehicles - 1 WHERE id = 3");
        for target in targets().await {
            let copied = copy(&world, &target).await.unwrap();
            assert!(copied.complete && !copied.is_finished(), "{copied:?}");
            assert!(target.park.ready().await.is_err());
        }
        let target = world.another().await;
        copy(&world, &target).await.unwrap();
        assert!(world.park.check(true).await.unwrap().is_clean());
        assert!(copy(&world, &target).await.unwrap().is_finished());
        assert_eq!(told(&target.park).await, told(&world.park).await);
    }

    async fn what_the_source_forgets_between_two_runs_is_forgotten(world) {
        for target in targets().await {
            let origin = world.another().await;
            live_through(&origin, 7, NEVER).await;
            // Everything is there but the end.
            let moved = |by: i64| {
                let set = "UPDATE floors SET current_vehicles = current_vehicles";
                origin.execute(&format!("{set} + {by} WHERE id = 3"));
            };
            moved(-1);
            assert!(!copy(&origin, &target).await.unwrap().is_finished());
            moved(1);
            origin.park.events().cleanup_old_events(4).await.unwrap();
            assert!(copy(&origin, &target).await.unwrap().is_finished());
            assert_eq!(told(&target.park).await, told(&origin.park).await);
            target.assert_clean().await;
        }
    }

    async fn nothing_that_only_the_copy_holds_is_thrown_away(world) {
        let floor = world.floor("A", 99).await;
        world.record(entry(&floor, "a", -60)).await;
        world.execute("UPDATE floors SET current_vehicles = 7 WHERE id = 1");
        for target in targets().await {
            assert!(!copy(&world, &target).await.unwrap().is_finished());
            // Somebody whose server had been running there all the time. PostgreSQL refuses that.
            let event = entry(&floor, "only here", -50);
            if let Err(refused) = target.park.events().record_event(event).await {
                assert!(refused.to_string().contains("unfinished copy"), "{refused}");
                continue;
            }
            let refused = copy(&world, &target).await.unwrap_err().to_string();
            assert!(refused.contains("its source does not"), "{refused}");
            let kept = target.park.events().get_events_by_floor(floor.id, 9).await.unwrap();
            assert_eq!(kept.len(), 2);
        }
    }
}

#[tokio::test]
async fn a_place_in_the_stream_of_the_original_is_not_known_in_a_backup() {
    let world = World::sqlite().await;
    let floor = world.floor("A", 9).await;
    world.record(entry(&floor, "a", -60)).await;
    let old = world.park.events().get_position().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut backups = Vec::new();
    for name in ["one.db", "other.db"] {
        let file = folder.path().join(name);
        let url = format!("sqlite://{}", file.display());
        world.park.backup(file, |_, _| {}).await.unwrap();
        let backup = SmartPark::connect(&url, Options::default()).await.unwrap();
        assert_eq!(told(&backup).await, told(&world.park).await);
        backups.push((backup.events().get_position().await.unwrap(), backup));
    }
    for (_, backup) in &backups {
        assert_eq!(backup.events().get_events_after(old, 9).await.unwrap(), None);
    }
    let (theirs, backup) = (backups[0].0, &backups[1].1);
    assert_eq!(backup.events().get_events_after(theirs, 9).await.unwrap(), None);
}
