//! The rules of states, decided without an engine.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Clock, Direction, Error, Event, Floor, NewEvent, Options, StateChange, Timestamp, VehicleType,
    decide::{Draft, Group, OpenFloor, Origin, StateName},
};

fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().expect("an instant")
}

fn draft() -> Draft {
    let floor = Floor {
        id: 1,
        name: "Level 1".into(),
        description: None,
        total_slots: 9,
        current_vehicles: 0,
        is_active: true,
        created_at: now(),
        updated_at: now(),
    };
    let open = OpenFloor::new(floor, Origin { base: 0, latest: None }, None);
    Draft::new(now().as_microsecond(), None, BTreeMap::from([(1, open)]))
}

fn event(floor_id: i64) -> NewEvent {
    NewEvent::new("cam", floor_id, "t", VehicleType::Car, Direction::Entry).at(now())
}

fn change(key: &str, expected: Option<u8>, new: Option<u8>) -> StateChange {
    StateChange {
        camera_id: "cam".into(),
        key: key.into(),
        expected: expected.map(|byte| vec![byte]),
        new: new.map(|byte| vec![byte]),
        keep_until: None,
    }
}

fn name(key: &str) -> StateName {
    ("cam".into(), key.into())
}

/// A group of batches without events that change these states.
fn group(changes: Vec<Vec<StateChange>>) -> Group {
    let options = Options { clock: Clock::fixed(now()), ..Options::default() };
    Group::new(changes.iter().map(|_| Vec::new()).collect(), &options).with_states(changes)
}

/// What is stored, by key, and which batches are refused.
fn decided(mut group: Group, stored: HashMap<StateName, Vec<u8>>) -> (Vec<String>, Vec<usize>) {
    let writes = group.decide_states(stored, &draft(), &HashMap::new());
    let writes = writes.iter().map(|write| format!("{} {:?}", write.key, write.state)).collect();
    let refused = group.into_answers().into_iter().enumerate();
    let refused = refused.filter(|(_, of_batch)| *of_batch == [Err(Error::StateChanged)]);
    (writes, refused.map(|(batch, _)| batch).collect())
}

#[test]
fn batches_of_one_group_see_what_those_before_them_left() {
    let changes = vec![
        vec![change("a", None, Some(1))],
        vec![change("a", Some(1), Some(2)), change("b", None, Some(7))],
        vec![change("a", Some(1), Some(3))],
        vec![change("b", Some(7), None)],
    ];
    let (writes, refused) = decided(group(changes), HashMap::new());
    assert_eq!(writes, ["a Some([2])", "b None"], "the last of each, in order");
    assert_eq!(refused, [2]);
}

#[test]
fn the_state_that_a_batch_would_leave_is_no_proof_that_it_was_recorded() {
    let stored = HashMap::from([(name("a"), vec![1])]);
    let changes = vec![vec![change("a", None, Some(1))]];
    assert_eq!(decided(group(changes), stored), (Vec::new(), vec![0]));
}

#[test]
fn a_batch_whose_event_is_unfit_changes_no_state() {
    let options = Options { clock: Clock::fixed(now()), ..Options::default() };
    let group = Group::new(vec![vec![Ok(event(99))]], &options);
    let mut group = group.with_states(vec![vec![change("a", None, Some(1))]]);
    assert!(group.decide_states(HashMap::new(), &draft(), &HashMap::new()).is_empty());
    assert_eq!(group.into_answers(), [[Err(Error::UnknownFloor)]]);
}

#[test]
fn a_batch_that_an_earlier_attempt_committed_is_done() {
    let options = Options { clock: Clock::fixed(now()), ..Options::default() };
    let stored = HashMap::from([(name("a"), vec![1])]);
    let judge = |drawn: Vec<(i64, i64)>| {
        let group = Group::new(vec![vec![Ok(event(1))]], &options);
        let mut group = group.with_states(vec![vec![change("a", None, Some(1))]]);
        group.rows[0].drawn = drawn;
        let NewEvent { camera_id, track_id, vehicle_type, direction, confidence, .. } = event(1);
        let twin = Event {
            id: 5,
            camera_id,
            floor_id: 1,
            track_id,
            vehicle_type,
            direction,
            confidence,
            timestamp: now(),
            created_at: now(),
            count_delta: 1,
            at_limit: None,
        };
        let twins = HashMap::from([(0, twin)]);
        let writes = group.decide_states(stored.clone(), &draft(), &twins);
        assert!(writes.is_empty());
        group.into_answers()[0][0] == Err(Error::StateChanged)
    };
    assert!(!judge(vec![(5, now().as_microsecond())]), "its answer was lost");
    assert!(judge(vec![(5, now().as_microsecond() + 1)]), "another event has the id since");
    assert!(judge(Vec::new()));
}
