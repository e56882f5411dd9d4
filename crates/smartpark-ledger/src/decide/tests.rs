//! The rules, decided without an engine.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::{
    Clock, Direction, Error, Event, Floor, FloorChange, NewEvent, Options, Timestamp, VehicleType,
    count::Missing,
};

const NOW: &str = "2026-11-01T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

fn options() -> Options {
    Options { clock: Clock::fixed(now()), ..Options::default() }
}

/// A draft with one floor, whose id is 1, and whose database holds nothing else.
fn draft(slots: i64, count: i64) -> Draft {
    let floor = Floor {
        id: 1,
        name: "Level 1".into(),
        description: None,
        total_slots: slots,
        current_vehicles: count,
        is_active: true,
        created_at: now(),
        updated_at: now(),
    };
    let origin = Origin { base: count, latest: None };
    opened(floor, origin)
}

fn opened(floor: Floor, origin: Origin) -> Draft {
    let open = OpenFloor::new(floor, origin, None);
    let mut draft = Draft::new(now().as_microsecond(), None, BTreeMap::from([(1, open)]));
    draft.next_event_id = Some(1);
    draft
}

fn event(track: &str, direction: Direction, seconds: i64) -> NewEvent {
    let at = now() - jiff::SignedDuration::from_secs(seconds);
    NewEvent::new("cam", 1, track, VehicleType::Car, direction).at(at)
}

/// Gives a draft what it lacks from a database that holds nothing.
fn learn(draft: &mut Draft, lack: Lack) {
    match lack {
        Lack::AdjustmentId => draft.adjustment_id = Some(7),
        Lack::Past(id, missing) => {
            let open = draft.floors.get_mut(&id).expect("an open floor");
            let slots = open.floor.total_slots;
            match missing {
                Missing::Facts(leaf) => open.learn_facts(&[leaf], slots, Vec::new()),
                other => open.learn_nodes(other, Vec::new()),
            }
        }
    }
}

fn resolve<T>(draft: &mut Draft, mut question: impl FnMut(&mut Draft) -> Result<T, Lack>) -> T {
    loop {
        match question(draft) {
            Ok(answer) => return answer,
            Err(lack) => learn(draft, lack),
        }
    }
}

fn record(draft: &mut Draft, events: Vec<NewEvent>, twins: &HashMap<usize, Event>) -> Group {
    let batch = events.into_iter().map(Ok).collect();
    let mut group = Group::new(vec![batch], &options());
    resolve(draft, |draft| group.decide(draft, twins, usize::MAX));
    group
}

#[test]
fn an_event_and_its_repeat_in_one_group_are_one_row() {
    let mut draft = draft(10, 0);
    let entry = event("a", Direction::Entry, 5);
    let group = record(&mut draft, vec![entry.clone(), entry], &HashMap::new());
    let answers: Vec<_> = group.into_answers().concat().into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().map(|it| it.duplicate).collect::<Vec<_>>(), [false, true]);
    let writes = draft.into_writes();
    assert_eq!(writes.events.len(), 1);
    assert_eq!(writes.floors[0].current_vehicles, 1);
}

#[test]
fn what_is_missing_leaves_the_draft_as_it_was() {
    let floor = draft(10, 0).floor(1).expect("a floor").clone();
    let latest = Some(now().as_microsecond());
    let mut draft = opened(floor, Origin { base: 0, latest });
    let mut group = Group::new(vec![vec![Ok(event("late", Direction::Entry, 5))]], &options());
    let lack = group.decide(&mut draft, &HashMap::new(), 1);
    assert!(matches!(lack, Err(Lack::Past(1, _))), "{lack:?}");
    assert_eq!(draft.next_event_id, Some(1));
    let writes = draft.into_writes();
    assert!(writes.events.is_empty() && writes.floors.is_empty() && writes.hours.is_empty());
}

#[test]
fn a_late_event_of_the_same_group_finds_those_that_are_not_stored_yet() {
    let mut draft = draft(1, 0);
    let events = vec![
        event("b", Direction::Exit, 10),
        event("a", Direction::Entry, 20),
        event("c", Direction::Entry, 15),
    ];
    let group = record(&mut draft, events, &HashMap::new());
    // By their instants: a enters, c finds the floor full, b leaves.
    let deltas: Vec<_> = group.answers[0]
        .iter()
        .map(|it| it.as_ref().map(|it| (it.event.count_delta, it.event.at_limit.is_some())))
        .collect();
    assert_eq!(deltas, [Ok((-1, false)), Ok((1, false)), Ok((0, true))]);
}

#[test]
fn a_row_found_under_its_own_id_and_time_was_recorded_by_an_earlier_attempt() {
    let mut first = draft(10, 0);
    let stored = record(&mut first, vec![event("a", Direction::Entry, 5)], &HashMap::new());
    let stored = stored.answers[0][0].clone().expect("recorded").event;
    let judge = |drawn: Vec<(i64, i64)>| {
        let mut draft = draft(10, 1);
        let batch = vec![Ok(event("a", Direction::Entry, 5))];
        let mut group = Group::new(vec![batch], &options());
        group.rows[0].drawn = drawn;
        let twins = HashMap::from([(0, stored.clone())]);
        resolve(&mut draft, |draft| group.decide(draft, &twins, usize::MAX));
        group.answers[0][0].clone().expect("an answer").duplicate
    };
    let at = stored.created_at.as_microsecond();
    assert!(!judge(vec![(stored.id, at)]));
    assert!(judge(vec![(stored.id, at + 1)]), "another event has the id since");
    assert!(judge(Vec::new()));
}

#[test]
fn an_event_before_the_horizon_is_refused_though_its_row_is_still_there() {
    let mut draft = draft(10, 0);
    draft.horizon = Some(now().as_microsecond());
    let group = record(&mut draft, vec![event("a", Direction::Entry, 5)], &HashMap::new());
    assert!(matches!(group.answers[0][0], Err(Error::TooOld { .. })));
}

#[test]
fn slots_below_the_count_want_force_and_then_leave_an_adjustment() {
    let mut refused = draft(10, 8);
    let change = FloorChange { total_slots: Some(5), ..FloorChange::default() };
    let answer = resolve(&mut refused, |draft| draft.change_floor(1, &change));
    assert_eq!(answer, Err(Error::SlotsBelowCount { current_vehicles: 8 }));
    assert!(refused.into_writes().adjustments.is_empty());

    let mut forced = draft(10, 8);
    let change = FloorChange { force: true, name: Some("P1".into()), ..change };
    let floor = resolve(&mut forced, |draft| draft.change_floor(1, &change)).expect("changed");
    assert_eq!((floor.total_slots, floor.current_vehicles, &*floor.name), (5, 5, "P1"));
    let writes = forced.into_writes();
    let adjustment = &writes.adjustments[0];
    assert_eq!((adjustment.id, adjustment.delta, adjustment.current_vehicles), (7, -3, 5));
    assert_eq!(writes.settings, [floor]);
}

#[test]
fn a_recount_stands_after_all_that_was_seen() {
    let mut draft = draft(10, 3);
    record(&mut draft, vec![event("fast clock", Direction::Entry, -240)], &HashMap::new());
    let floor = resolve(&mut draft, |draft| draft.recount(1, 6, "counted", Some("ann")));
    assert_eq!(floor.expect("recounted").current_vehicles, 6);
    let writes = draft.into_writes();
    assert_eq!(
        (writes.adjustments[0].kind, writes.adjustments[0].delta),
        (AdjustmentKind::Recount, 2)
    );
    // The event keeps its timestamp, and stands where it was received: before the recount.
    let now = now().as_microsecond();
    assert_eq!((writes.adjustments[0].place, writes.places[0].1.at), (now, now));
    assert!(writes.events[0].timestamp.as_microsecond() > now);
    let mut full = self::draft(10, 3);
    assert!(matches!(
        resolve(&mut full, |draft| draft.recount(1, 11, "too many", None)),
        Err(Error::Invalid(_))
    ));
}
