//! Facts in one order: events and changes as they were committed, once each, from any position on.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use smartpark::{
    ChangeKind, FloorChange, NewFloor, Options, Position, SiteFact, SmartPark, live::News,
};

use super::world::{Place, entry, exit, on_every_engine};

/// What a fact is, in a word.
fn word(fact: &SiteFact) -> String {
    match fact {
        SiteFact::Event(event) => event.track_id.clone(),
        SiteFact::Change(change) => change.kind.as_str().to_owned(),
    }
}

/// All facts after a position, read a few at a time, with the last position.
async fn read_on(park: &SmartPark, mut position: Position) -> (Vec<SiteFact>, Position) {
    let mut facts = Vec::new();
    loop {
        let told = park.facts_after(position, 2).await.unwrap().expect("the position is known");
        assert!(told.len() <= 2 && told.iter().all(|(at, _)| *at > position));
        let Some((last, _)) = told.last() else { return (facts, position) };
        position = *last;
        facts.extend(told.into_iter().map(|(_, fact)| fact));
    }
}

/// The same, once so many facts are told: what has an older transaction may still run on this
/// PostgreSQL, and holds back what came after it.
async fn read_so_many(park: &SmartPark, position: Position, most: usize) -> Vec<SiteFact> {
    let mut changes = park.changes();
    loop {
        let (facts, _) = read_on(park, position).await;
        if facts.len() >= most {
            return facts;
        }
        changes.changed().await.unwrap();
    }
}

on_every_engine! {
    async fn facts_of_all_kinds_stand_in_the_order_of_their_commits(world) {
        let floors = world.park.floors();
        let author = Some("Ada".to_owned());
        let new = NewFloor { author: author.clone(), ..NewFloor::new("Ground", 9) };
        let floor = floors.add_floor(new).await.unwrap();
        world.record(entry(&floor, "a", -1)).await;
        floors.recount(floor.id, 4, "night round", Some("Kim")).await.unwrap();
        // It is seen earlier than what was recorded before it.
        world.record(entry(&floor, "b", -900)).await;
        world.record(exit(&floor, "c", -800)).await;
        let change = FloorChange {
            name: Some("Level 0".into()),
            total_slots: Some(7),
            is_active: Some(false),
            author,
            ..FloorChange::default()
        };
        floors.change_floor(floor.id, change).await.unwrap();
        world.record(exit(&floor, "d", -700)).await;
        let facts = read_so_many(&world.park, Position::START, 9).await;
        let words: Vec<String> = facts.iter().map(word).collect();
        assert_eq!(words, ["added", "a", "recount", "b", "c", "slots", "closed", "renamed", "d"]);
        assert!(facts.iter().all(|fact| fact.floor_id() == floor.id));
        let changes: Vec<_> = facts.iter().filter_map(|fact| match fact {
            SiteFact::Change(change) => Some(change),
            SiteFact::Event(_) => None,
        }).collect();
        assert_eq!(changes[0].author.as_deref(), Some("Ada"));
        assert_eq!(changes[4].reason.as_deref(), Some("Ground became Level 0"));
        // The list of changes tells the same.
        let mut listed = floors.get_changes(None, None, 100).await.unwrap();
        listed.reverse();
        assert_eq!(listed, changes.into_iter().cloned().collect::<Vec<_>>());
        world.assert_clean().await;
    }

    async fn a_position_between_two_changes_is_one_to_go_on_from(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "a", -9)).await;
        for count in 1..=3 {
            world.park.floors().recount(floor.id, count, "round", None).await.unwrap();
        }
        read_so_many(&world.park, Position::START, 5).await;
        let facts = world.park.facts_after(Position::START, 9).await.unwrap().unwrap();
        for (number, (position, _)) in facts.iter().enumerate() {
            let (rest, _) = read_on(&world.park, *position).await;
            assert_eq!(rest.len(), facts.len() - number - 1, "{position}");
            // Whoever reads events alone may go on from there, too.
            let events = world.park.events().get_events_after(*position, 9).await.unwrap();
            assert_eq!(events.unwrap().len(), usize::from(number == 0));
        }
        let now = world.park.events().get_position().await.unwrap();
        assert_eq!(read_on(&world.park, now).await.0, []);
        for limit in [0, 1_001] {
            let refused = world.park.facts_after(now, limit).await;
            assert!(matches!(refused, Err(smartpark::Error::Invalid(_))), "{refused:?}");
        }
    }

    async fn a_copy_does_not_know_the_positions_of_its_original(world) {
        let floor = world.floor("Ground", 9).await;
        world.record(entry(&floor, "a", -9)).await;
        world.park.floors().recount(floor.id, 3, "round", None).await.unwrap();
        let read = read_so_many(&world.park, Position::START, 3).await;
        assert_eq!(read.len(), 3);
        let facts = world.park.facts_after(Position::START, 9).await.unwrap().unwrap();
        for place in [Place::sqlite(), Place::postgres()] {
            let url = place.url();
            let copied = SmartPark::copy(&world.url, &url, Options::default(), |_| {}).await;
            assert!(copied.unwrap().is_finished());
            let copy = SmartPark::open(&url).await.unwrap();
            for (position, _) in &facts {
                assert_eq!(copy.facts_after(*position, 9).await.unwrap(), None, "{position}");
            }
            let now = copy.events().get_position().await.unwrap();
            copy.floors().recount(floor.id, 5, "round", None).await.unwrap();
            assert_eq!(read_so_many(&copy, now, 1).await.len(), 1);
            copy.close().await;
        }
    }

    async fn no_fact_is_left_out_or_told_twice_while_many_write(world) {
        const ROUNDS: i64 = 40;
        let floors = [world.floor("A", 900).await, world.floor("B", 900).await];
        let parks = [world.another_park().await, world.another_park().await];
        let begin = world.park.events().get_position().await.unwrap();
        let is_done = Arc::new(AtomicBool::new(false));
        let (reader, ended) = (world.another_park().await, Arc::clone(&is_done));
        let reading = tokio::spawn(async move {
            let (mut facts, mut position) = (Vec::new(), begin);
            let mut changes = reader.changes();
            loop {
                let is_last = ended.load(Ordering::SeqCst);
                let (some, last) = read_on(&reader, position).await;
                facts.extend(some);
                position = last;
                if is_last && facts.len() >= 4 * ROUNDS as usize {
                    reader.close().await;
                    return facts;
                }
                drop(tokio::time::timeout(std::time::Duration::from_millis(2), changes.changed())
                    .await);
            }
        });
        let writes = parks.into_iter().zip(&floors).map(async |(park, floor)| {
            for round in 0..ROUNDS {
                let event = entry(floor, &format!("{} {round}", floor.id), -round);
                let count = park.floors().recount(floor.id, round, "round", None);
                let (recorded, counted) = tokio::join!(park.events().record_event(event), count);
                recorded.unwrap();
                counted.unwrap();
            }
            park.close().await;
        });
        futures_util::future::join_all(writes).await;
        is_done.store(true, Ordering::SeqCst);
        let facts = reading.await.unwrap();
        let known: BTreeSet<(bool, i64)> = facts.iter().map(|fact| match fact {
            SiteFact::Event(event) => (true, event.id),
            SiteFact::Change(change) => (false, change.id),
        }).collect();
        // What was committed just before the beginning may be told, too: the floors.
        let added = facts.iter().filter(|fact| word(fact) == "added").count();
        assert_eq!((known.len(), facts.len() - added), (facts.len(), 4 * ROUNDS as usize));
        // The deltas of a floor, in the order of the facts, lead to each count that a recount left.
        for floor in &floors {
            let mut count = 0;
            for fact in facts.iter().filter(|fact| fact.floor_id() == floor.id) {
                match fact {
                    SiteFact::Event(event) => count += event.count_delta,
                    SiteFact::Change(change) => {
                        count += change.count_delta;
                        assert_eq!(count, change.vehicles, "facts stand in another order");
                    }
                }
            }
            assert_eq!(count, world.count(floor).await);
        }
        world.assert_clean().await;
    }

    async fn those_who_watch_are_told_of_changes(world) {
        let floor = world.floor("Ground", 9).await;
        let mut watcher = world.park.watch(None).await.unwrap();
        world.record(entry(&floor, "a", -9)).await;
        world.park.floors().recount(floor.id, 5, "round", Some("Kim")).await.unwrap();
        world.record(exit(&floor, "b", -5)).await;
        let (mut told, mut positions) = (Vec::new(), Vec::new());
        while told.last().is_none_or(|last| last != "b") {
            for news in watcher.next().await.unwrap() {
                let (at, word) = match news {
                    News::Event(at, event) => (at, event.track_id.clone()),
                    News::Change(at, change) => (at, change.kind.as_str().to_owned()),
                    _ => continue,
                };
                positions.push(at);
                told.push(word);
            }
        }
        // What was committed just before may be told, too.
        told.retain(|word| word != ChangeKind::Added.as_str());
        assert_eq!(told, ["a", "recount", "b"]);
        // Whoever comes back from before the recount is told of it.
        let at = positions[positions.len() - 3];
        let mut back = world.park.watch(Some(at)).await.unwrap();
        let again = loop {
            let news = back.next().await.unwrap();
            if let Some(change) = news.iter().find_map(|news| match news {
                News::Change(_, change) => Some(change.clone()),
                _ => None,
            }) {
                break change;
            }
        };
        assert_eq!(again.author.as_deref(), Some("Kim"));
    }
}
