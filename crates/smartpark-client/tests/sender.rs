//! The sender's machine against a naive spool and a naive server: whatever the server answers,
//! whatever is lost and whenever the machine is killed, each event arrives and is settled once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use smartpark_client::{
    Item, Outcome, Verdict,
    sender::{Answer, Compared, Next, Sender},
};

/// How the server behaves at a request.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Good,
    /// It takes the events, but the answer does not arrive.
    AnswerLost,
    /// The request does not arrive.
    Unreachable,
    TimedOut,
    /// The answer says so, and nothing is stored.
    Status(u16),
    /// Something else answers 200.
    Garbage,
    /// It stores all but every second row, which it cannot take now.
    HalfNow,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An event is reported.
    Report,
    /// The machine does so many things, while the server behaves like this.
    Run(u8, Behaviour),
    /// So many seconds go by.
    Pass(u16),
    /// The process dies after the answer, before its outcome is written, and starts again.
    Kill(Behaviour),
    /// The spool cannot be written once.
    DiskFails(Behaviour),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waiting,
    Held,
    Dead,
    Delivered,
}

struct World {
    sender: Sender,
    now: Duration,
    states: BTreeMap<i64, State>,
    /// How often the server stored each event, and events that it holds until the end.
    stored: BTreeSet<i64>,
    is_healed: bool,
    last_body: Option<String>,
    settled: BTreeMap<i64, u32>,
}

/// Every seventh event is never valid; every fifth is from the future until the end.
fn is_bad(id: i64) -> bool {
    id % 7 == 3
}

fn is_future(id: i64) -> bool {
    id % 5 == 2
}

impl World {
    fn new() -> Self {
        Self {
            sender: Sender::new(Duration::ZERO, []),
            now: Duration::ZERO,
            states: BTreeMap::new(),
            stored: BTreeSet::new(),
            is_healed: false,
            last_body: None,
            settled: BTreeMap::new(),
        }
    }

    fn ids(&self, state: State) -> Vec<i64> {
        self.states.iter().filter(|(_, found)| **found == state).map(|(id, _)| *id).collect()
    }

    fn item(id: i64) -> Item {
        Item { id, body: format!("event {id}"), spooled_at: 0, is_late: false }
    }

    fn restart(&mut self) {
        self.sender = Sender::new(self.now, self.ids(State::Held));
        self.last_body = None;
    }

    /// The server's answer to these events.
    fn answer(&mut self, ids: &[i64], behaviour: Behaviour) -> Answer {
        let none = |timed_out| Answer::None { reason: "gone".into(), timed_out };
        let response = |status, body: String| Answer::Response {
            status,
            retry_after: None,
            body: body.into_bytes(),
        };
        match behaviour {
            Behaviour::Unreachable => return none(false),
            Behaviour::TimedOut => return none(true),
            Behaviour::Status(status) => return response(status, String::new()),
            Behaviour::Garbage => return response(200, "<html>".into()),
            Behaviour::Good | Behaviour::AnswerLost | Behaviour::HalfNow => {}
        }
        let (mut recorded, mut duplicates, mut errors) = (0, 0, Vec::new());
        for (index, id) in ids.iter().enumerate() {
            let refused = if is_bad(*id) {
                Some((422, "unknown-floor"))
            } else if is_future(*id) && !self.is_healed {
                Some((422, "in-future"))
            } else if matches!(behaviour, Behaviour::HalfNow) && index % 2 == 1 {
                Some((503, "unavailable"))
            } else {
                None
            };
            match refused {
                Some((status, slug)) => errors.push(format!(
                    "{{\"index\":{index},\"type\":\"urn:x:{slug}\",\"status\":{status}}}"
                )),
                None if self.stored.insert(*id) => recorded += 1,
                None => duplicates += 1,
            }
        }
        if matches!(behaviour, Behaviour::AnswerLost) {
            return none(false);
        }
        let rejected = errors.len();
        let errors = errors.join(",");
        response(
            200,
            format!(
                "{{\"recorded\":{recorded},\"duplicates\":{duplicates},\
                 \"rejected\":{rejected},\"errors\":[{errors}]}}"
            ),
        )
    }

    fn settle(&mut self, verdicts: &[Verdict]) {
        for Verdict { id, outcome } in verdicts {
            let state = match outcome {
                Outcome::Delivered => State::Delivered,
                Outcome::Held(_) => State::Held,
                Outcome::Dead(_) | Outcome::TooOld(_) => State::Dead,
            };
            if state == State::Delivered {
                assert!(self.stored.contains(id), "{id} is acknowledged, but the server lacks it");
            }
            if matches!(state, State::Delivered | State::Dead) {
                *self.settled.entry(*id).or_default() += 1;
            }
            self.states.insert(*id, state);
        }
    }

    /// One thing that the machine wants done. Returns whether it was a wait.
    fn act(&mut self, behaviour: Behaviour, end: &Step) -> bool {
        let next = self.sender.next(self.now);
        match &next {
            Next::Read(limit) => {
                let items = self.ids(State::Waiting).into_iter().take(*limit);
                self.sender.give(&next, items.map(Self::item).collect());
            }
            Next::ReadHeld(ids) => {
                let mut held = ids.clone();
                held.retain(|id| self.states[id] == State::Held);
                held.sort_unstable();
                self.sender.give(&next, held.into_iter().map(Self::item).collect());
            }
            Next::Post(batch) => {
                self.check_order(&batch.ids);
                let lines: String = batch.ids.iter().map(|id| format!("event {id}\n")).collect();
                assert_eq!(batch.body, lines, "a retry is the same, byte for byte");
                let answer = self.answer(&batch.ids, behaviour);
                if matches!(end, Step::Kill(_)) {
                    self.restart();
                    return true;
                }
                let told = self.sender.told(self.now, &answer, 0.5);
                if matches!(end, Step::DiskFails(_)) {
                    self.sender.failed(self.now, 0.5);
                    return true;
                }
                if !told.verdicts.is_empty() {
                    self.settle(&told.verdicts);
                    self.sender.settled(self.now);
                }
            }
            Next::FindFloors => self.sender.found_floors(self.now),
            Next::Compare => self.sender.compared(self.now, Compared::Same),
            Next::Wait(until) => {
                assert!(*until > self.now, "a wait ends later");
                return true;
            }
        }
        false
    }

    /// Events go out in order: a request has held ones, or the first of those that wait.
    fn check_order(&self, ids: &[i64]) {
        assert!(ids.is_sorted(), "{ids:?}");
        if ids.iter().all(|id| self.states[id] == State::Held) {
            return;
        }
        let waiting = self.ids(State::Waiting);
        assert_eq!(ids, &waiting[..ids.len()], "a request has the first that wait");
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Report => {
                let id = i64::try_from(self.states.len()).unwrap() + 1;
                self.states.insert(id, State::Waiting);
                self.sender.wake();
            }
            Step::Pass(seconds) => self.now += Duration::from_secs(seconds.into()),
            Step::Run(times, behaviour) => {
                for _ in 0..times {
                    if self.act(behaviour, &step) {
                        break;
                    }
                }
            }
            Step::Kill(behaviour) | Step::DiskFails(behaviour) => {
                // Until the post that ends it, if there is one.
                for _ in 0..4 {
                    if self.act(behaviour, &step) {
                        break;
                    }
                }
            }
        }
    }
}

fn behaviours() -> impl Strategy<Value = Behaviour> {
    const STATUSES: [u16; 10] = [301, 400, 401, 404, 408, 413, 422, 429, 500, 503];
    prop_oneof![
        4 => Just(Behaviour::Good),
        2 => Just(Behaviour::AnswerLost),
        1 => Just(Behaviour::Unreachable),
        1 => Just(Behaviour::TimedOut),
        2 => prop::sample::select(&STATUSES[..]).prop_map(Behaviour::Status),
        1 => Just(Behaviour::Garbage),
        2 => Just(Behaviour::HalfNow),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Report),
        5 => (1_u8..6, behaviours()).prop_map(|(times, how)| Step::Run(times, how)),
        3 => (1_u16..5_000).prop_map(Step::Pass),
        1 => behaviours().prop_map(Step::Kill),
        1 => behaviours().prop_map(Step::DiskFails),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_arrives_and_is_settled_once(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.is_healed = true;
        for _ in 0..2_000 {
            if world.act(Behaviour::Good, &Step::Report) {
                let open = [State::Waiting, State::Held].map(|state| world.ids(state).len());
                if open == [0, 0] {
                    break;
                }
                world.now += Duration::from_secs(60);
            }
        }
        for (id, state) in &world.states {
            // A request of one event that was refused as a whole is a dead letter, too.
            prop_assert!(matches!(state, State::Delivered | State::Dead), "{id} is {state:?}");
            if is_bad(*id) {
                prop_assert_eq!(*state, State::Dead);
            }
            if *state == State::Delivered {
                prop_assert!(world.stored.contains(id));
            }
            prop_assert_eq!(world.settled[id], 1, "{} is settled once", id);
        }
    }
}

/// Reports an event and lets the server answer each request by `behaviour`; returns after how many
/// seconds each request went out.
fn posts(behaviours: &[Behaviour], fraction: f64) -> Vec<f64> {
    let mut world = World::new();
    world.step(Step::Report);
    let mut times = Vec::new();
    let mut behaviours = behaviours.iter();
    loop {
        match world.sender.next(world.now) {
            Next::Wait(until) if times.is_empty() || !world.ids(State::Delivered).is_empty() => {
                assert!(until > world.now);
                return times;
            }
            Next::Wait(until) => world.now = until,
            Next::Post(batch) => {
                let Some(behaviour) = behaviours.next() else { return times };
                times.push(world.now.as_secs_f64());
                let answer = world.answer(&batch.ids, *behaviour);
                let told = world.sender.told(world.now, &answer, fraction);
                if !told.verdicts.is_empty() {
                    world.settle(&told.verdicts);
                    world.sender.settled(world.now);
                }
            }
            _ => {
                world.act(Behaviour::Good, &Step::Report);
            }
        }
    }
}

#[test]
fn retries_come_after_pauses_that_grow() {
    let away = [Behaviour::Unreachable; 8];
    let longest = posts(&away, 1.0);
    assert_eq!(longest, [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0, 91.0]);
    let shortest = posts(&away, 0.0);
    assert_eq!(shortest, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]);
}

#[test]
fn an_event_of_the_future_is_tried_every_hour_and_stops_no_other() {
    let mut world = World::new();
    // Events 1 and 2, of which 2 is from the future.
    world.step(Step::Report);
    world.step(Step::Report);
    let mut tried = Vec::new();
    while world.now < Duration::from_secs(3 * 3_600) {
        match world.sender.next(world.now) {
            Next::Wait(until) => world.now = until,
            Next::Post(batch) => {
                tried.push((world.now.as_secs(), batch.ids));
                world.act(Behaviour::Good, &Step::Report);
            }
            _ => {
                world.act(Behaviour::Good, &Step::Report);
            }
        }
    }
    let expected = [(0, vec![1, 2]), (3_600, vec![2]), (7_200, vec![2])];
    assert_eq!(tried, expected);
}

#[test]
fn one_bad_event_is_found_among_many_and_the_others_arrive() {
    let mut world = World::new();
    for _ in 0..100 {
        world.step(Step::Report);
    }
    // Whatever holds event 50 is refused as a whole, as by a filter on the way.
    let mut requests = 0;
    world.is_healed = true;
    while !world.ids(State::Waiting).is_empty() {
        match world.sender.next(world.now) {
            Next::Wait(until) => world.now = until,
            Next::Post(batch) => {
                requests += 1;
                let filtered = batch.ids.contains(&50);
                let how = if filtered { Behaviour::Status(403) } else { Behaviour::Good };
                world.act(how, &Step::Report);
            }
            _ => {
                world.act(Behaviour::Good, &Step::Report);
            }
        }
    }
    let dead = world.ids(State::Dead);
    assert!(dead.contains(&50));
    assert!(dead.iter().all(|id| *id == 50 || is_bad(*id)), "{dead:?}");
    assert!(requests < 40, "{requests} requests");
}
