//! Random operations on a naive model, SQLite and PostgreSQL in step, compared after each. Each is
//! done by one of two parks on the database, as by two processes. What fails is shrunk to the
//! fewest operations that still do.

mod withdrawals;

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use smartpark::{Direction, Error, FloorChange, NewEvent, SmartPark, VehicleType};

use super::{
    history::{Fact, Says, Story, assert_same},
    world::{World, after},
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// The slots that the floors begin with.
const SLOTS: [i64; 3] = [2, 4, 7];

/// The cameras: their names say which events a limit cuts off, byte by byte on both engines.
const CAMERAS: [&str; 4] = ["cam_1", "cam_10", "e\u{301}", "é"];

/// A sighting: camera, track, entry or exit, seconds ago.
type Seen = (u8, u8, bool, i64);

#[derive(Clone, Debug)]
enum Step {
    Record(Vec<Seen>),
    Recount(usize, i64),
    Slots(usize, i64),
    Activate(usize, bool),
    ByHand(usize, bool),
    Wait(i64),
    /// The clock goes back.
    Back(i64),
    CleanUp(u32),
    /// A clean-up by a clock that is so far ahead.
    CleanUpAhead(i64),
    RepairHorizon,
    Repair,
    /// What a camera saw from so many seconds ago on, for so long.
    Withdraw(u8, i64, i64),
    /// The last recount of a floor.
    WithdrawRecount(usize),
    /// What the last withdrawal that stands took back counts again.
    Restore,
}

/// Steps, and which of the parks takes each.
fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    // A camera may be ahead by less than five minutes.
    let ago = prop_oneof![0..4_i64, -290..300_i64, 0..20 * HOUR, 0..5 * DAY];
    let seen = prop::collection::vec((0..4_u8, 0..4_u8, any::<bool>(), ago), 1..14);
    let floor = || 0..SLOTS.len();
    let step = prop_oneof![
        8 => seen.prop_map(Step::Record),
        2 => (floor(), 0..9_i64).prop_map(|(floor, count)| Step::Recount(floor, count)),
        2 => (floor(), 0..9_i64).prop_map(|(floor, slots)| Step::Slots(floor, slots)),
        1 => (floor(), any::<bool>()).prop_map(|(floor, is)| Step::Activate(floor, is)),
        1 => (floor(), any::<bool>()).prop_map(|(floor, is)| Step::ByHand(floor, is)),
        2 => (1..40 * HOUR).prop_map(Step::Wait),
        1 => prop_oneof![0..300_i64, 0..30 * HOUR].prop_map(Step::Back),
        1 => (1..4_u32).prop_map(Step::CleanUp),
        1 => (2 * DAY..20 * DAY).prop_map(Step::CleanUpAhead),
        1 => Just(Step::RepairHorizon),
        1 => Just(Step::Repair),
        3 => (0..4_u8, prop_oneof![-290..300_i64, 0..3 * DAY], 1..DAY)
            .prop_map(|(camera, ago, long)| Step::Withdraw(camera, ago, long)),
        1 => floor().prop_map(Step::WithdrawRecount),
        2 => Just(Step::Restore),
    ];
    // Mostly the same park twice, so that it goes on with what it knows.
    let park = prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    prop::collection::vec((park, step), 1..22)
}

/// What is told of a row: a duplicate or not, its effect, the limit; or why it was refused.
type Told = Result<(bool, i64, bool), Error>;

/// All that has happened, and what is still there of it.
struct Model {
    /// Seconds since the beginning.
    now: i64,
    story: Story,
    active: Vec<bool>,
    /// The floors of the events that are there, by time, camera, track and direction.
    events: BTreeMap<(i64, String), i64>,
    horizon: Option<i64>,
    /// How many adjustments there were.
    adjustments: usize,
    /// Withdrawals that stand: their ids in both engines, and their facts.
    withdrawn: Vec<([i64; 2], Vec<Fact>)>,
}

impl Model {
    fn id(&self, floor: usize) -> i64 {
        self.story.floors[floor].0.id
    }

    /// The count and the slots of a floor.
    fn state(&self, floor: usize) -> (i64, i64) {
        self.story.fold(&[self.id(floor)]).held.last().map(|held| (held.count, held.slots)).unwrap()
    }

    fn micros(&self) -> i64 {
        after(self.now).as_microsecond()
    }

    /// What lies ahead of an adjustment that is made now is pulled to it; tells where that is.
    fn pull(&mut self, floor: usize) -> (i64, i64) {
        let (at, id) = (self.micros().max(self.horizon.unwrap_or(i64::MIN)), self.id(floor));
        for fact in self.story.facts.iter_mut().filter(|fact| fact.2 == id) {
            fact.0 = fact.0.min(at);
        }
        (at, id)
    }

    /// An adjustment stands behind what it pulls.
    fn adjust(&mut self, floor: usize, says: Says) {
        let (at, id) = self.pull(floor);
        self.adjustments += 1;
        let number = format!("{:09}", self.adjustments);
        self.story.facts.push((at, true, id, number, says, at));
    }

    /// Takes events; of each whether it is a duplicate, or refused.
    fn record(&mut self, events: &[NewEvent]) -> Vec<Option<bool>> {
        let mut told = Vec::new();
        for event in events {
            let at = event.timestamp.unwrap().as_microsecond();
            let is_exit = event.direction == Direction::Exit;
            let who = format!("{}\n{}\n{}", event.camera_id, event.track_id, u8::from(is_exit));
            if self.horizon.is_some_and(|horizon| at < horizon) {
                told.push(None);
                continue;
            }
            let known = self.events.insert((at, who.clone()), event.floor_id).is_some();
            if !known {
                let says = if is_exit { Says::Exit } else { Says::Entry };
                let place = at.min(self.micros()).max(self.horizon.unwrap_or(i64::MIN));
                self.story.facts.push((place, false, event.floor_id, who, says, at));
            }
            told.push(Some(known));
        }
        told
    }

    /// Takes facts out that lie after the horizon; those that it took.
    fn withdraw(&mut self, is_named: impl Fn(&Fact) -> bool) -> Vec<Fact> {
        let horizon = self.horizon.unwrap_or(i64::MIN);
        let is_taken = |fact: &mut Fact| fact.0 >= horizon && is_named(fact);
        let taken: Vec<Fact> = self.story.facts.extract_if(.., is_taken).collect();
        for fact in taken.iter().filter(|fact| !fact.1) {
            self.events.remove(&(fact.5, fact.3.clone()));
        }
        taken
    }

    /// Those of some withdrawn facts that can count again.
    fn restorable(&self, facts: &[Fact]) -> Vec<Fact> {
        let horizon = self.horizon.unwrap_or(i64::MIN);
        let is_anew = |fact: &&Fact| {
            fact.0 >= horizon && (fact.1 || !self.events.contains_key(&(fact.5, fact.3.clone())))
        };
        facts.iter().filter(is_anew).cloned().collect()
    }

    fn clean_up(&mut self, before: i64) {
        let horizon = after(before).as_microsecond();
        let horizon = self.horizon.map_or(horizon, |before| before.max(horizon));
        self.horizon = Some(horizon);
        self.events.retain(|(at, _), _| *at >= horizon);
        for (_, facts) in &mut self.withdrawn {
            facts.retain(|fact| fact.5 >= horizon);
        }
    }

    /// A horizon in the future goes back to behind all that it forgot, and what stands at it goes
    /// with it.
    fn repair_horizon(&mut self, told: &Told) {
        let Some(old) = self.horizon.filter(|horizon| *horizon > self.micros()) else {
            assert!(matches!(told, Err(Error::Invalid(_))), "{told:?}");
            return;
        };
        let new = told.as_ref().unwrap().1;
        let is_forgotten = |fact: &&Fact| fact.0 < old;
        let last = self.story.facts.iter().filter(is_forgotten);
        let last = last.map(|fact| if fact.1 || fact.5 >= old { fact.0 } else { fact.5 }).max();
        // It stays where it is if the last one that it forgot was ahead of the clock.
        assert!(last.is_none_or(|last| last < new) && new <= old, "{last:?} {new} {old}");
        self.horizon = (new > i64::MIN).then_some(new);
        let place = self.horizon.unwrap_or(self.micros());
        for fact in self.story.facts.iter_mut().filter(|fact| fact.0 == old) {
            fact.0 = place;
        }
    }

    /// Entries, exits, and events that found a floor at its limit, in a window.
    fn statistics(&self, start: i64, end: i64) -> (u64, u64, u64) {
        let mut sums = (0, 0, 0);
        for (floor, _) in &self.story.floors {
            let seen =
                |fact: &&Fact| fact.2 == floor.id && !fact.1 && (start..end).contains(&fact.5);
            for fact in self.story.facts.iter().filter(seen) {
                *(if fact.4 == Says::Entry { &mut sums.0 } else { &mut sums.1 }) += 1;
            }
            let at_limit = self.story.fold(&[floor.id]).at_limit;
            sums.2 += at_limit.iter().filter(|at| (start..end).contains(at)).count() as u64;
        }
        sums
    }
}

/// Events as they are sent. A camera stands on one floor.
fn events(model: &Model, seen: &[Seen]) -> Vec<NewEvent> {
    let event = |&(camera, track, is_entry, ago): &Seen| {
        let direction = if is_entry { Direction::Entry } else { Direction::Exit };
        let floor = model.id(usize::from(camera) % SLOTS.len());
        let (camera, track) = (CAMERAS[usize::from(camera)], format!("t{track}"));
        NewEvent::new(camera, floor, track, VehicleType::Car, direction).at(after(model.now - ago))
    };
    seen.iter().map(event).collect()
}

/// Takes a step; what the park told of each event.
async fn take(park: &SmartPark, model: &Model, step: &Step) -> Vec<Told> {
    let floors = park.floors();
    let change = async |floor: usize, change: FloorChange| {
        floors.change_floor(model.id(floor), change).await.unwrap();
    };
    match step {
        Step::Record(seen) => {
            let answers = park.events().record_events(events(model, seen)).await.unwrap();
            let told = answers.into_iter().map(|answer| {
                let recorded = answer?;
                let event = recorded.event;
                Ok((recorded.duplicate, event.count_delta, event.at_limit.is_some()))
            });
            return told.collect();
        }
        Step::Recount(floor, count) => {
            floors.recount(model.id(*floor), *count, "round", None).await.unwrap();
        }
        Step::Slots(floor, slots) => {
            let total_slots = Some(*slots);
            change(*floor, FloorChange { total_slots, force: true, ..FloorChange::default() })
                .await;
        }
        Step::Activate(floor, is_active) => {
            let is_active = Some(*is_active);
            change(*floor, FloorChange { is_active, ..FloorChange::default() }).await;
        }
        Step::ByHand(floor, is_entry) => {
            let way = if *is_entry { Direction::Entry } else { Direction::Exit };
            floors.update_vehicle_count(model.id(*floor), way).await.unwrap();
        }
        Step::Wait(_) | Step::Withdraw(..) | Step::WithdrawRecount(_) | Step::Restore => {}
        // A person says that it is right now.
        Step::Back(_) => park.accept_clock().await.unwrap(),
        Step::CleanUp(days) => {
            let done = park.events().cleanup_old_events(*days).await.unwrap();
            let horizon = done.horizon.map(Timestamp::as_microsecond);
            assert_eq!(horizon, model.horizon.max(horizon), "the horizon went back");
        }
        Step::CleanUpAhead(seconds) => {
            let clock = &park.options().clock;
            clock.set(after(model.now + seconds));
            park.accept_clock().await.unwrap();
            park.events().cleanup_old_events(1).await.unwrap();
            clock.set(after(model.now));
            park.accept_clock().await.unwrap();
        }
        Step::RepairHorizon => {
            let repair = park.events().repair_horizon().await;
            let to = |to: Option<Timestamp>| to.map_or(i64::MIN, Timestamp::as_microsecond);
            return vec![repair.map(|repair| (true, to(repair.to), false))];
        }
        Step::Repair => assert!(park.check(true).await.unwrap().is_clean()),
    }
    Vec::new()
}

/// All that a world tells must be what the model says.
async fn compare(world: &World, model: &Model) {
    let floors = world.park.floors().get_all_floors().await.unwrap();
    for (place, active) in model.active.iter().enumerate() {
        let floor = floors.iter().find(|floor| floor.id == model.id(place)).unwrap();
        assert_eq!((floor.current_vehicles, floor.total_slots), model.state(place));
        assert_eq!(floor.is_active, *active);
    }
    let free = |place: &usize| model.state(*place).1 - model.state(*place).0;
    let open = (0..SLOTS.len()).filter(|place| model.active[*place] && free(place) > 0);
    let best = open.max_by_key(|place| (free(place), std::cmp::Reverse(model.id(*place))));
    let recommended = world.park.floors().get_recommended_floor().await.unwrap();
    assert_eq!(recommended.map(|floor| floor.id), best.map(|place| model.id(place)));
    let operations = world.park.events();
    let all = operations.get_events_by_time_range(after(-99 * DAY), after(999 * DAY), None).await;
    let told: BTreeMap<(i64, String), i64> = all
        .unwrap()
        .into_iter()
        .map(|event| {
            let last = u8::from(event.direction == Direction::Exit);
            let who = format!("{}\n{}\n{last}", event.camera_id, event.track_id);
            ((event.timestamp.as_microsecond(), who), event.floor_id)
        })
        .collect();
    assert_eq!(told, model.events);
    // Windows that begin in the middle of an hour, also one whose events are gone.
    for (start, end) in [(-3 * DAY - 777, 1), (-50 * HOUR - 5, -9 * HOUR - 13), (-99 * DAY, 1)] {
        let (start, end) = (after(model.now + start), after(model.now + end));
        let told = operations.get_event_statistics_between(start, end, None).await.unwrap();
        let expected = model.statistics(start.as_microsecond(), end.as_microsecond());
        assert_eq!((told.entries, told.exits, told.at_limit), expected, "{start} to {end}");
    }
    let earliest = model.horizon.unwrap_or(i64::MIN);
    let start = after(model.now - 2 * DAY).as_microsecond().max(earliest);
    if start > model.micros() {
        // The horizon lies in the future: there is no past to tell.
        return;
    }
    let end = model.micros().max(start + 1_000_000);
    let window = [start, end].map(|at| Timestamp::from_microsecond(at).unwrap());
    for (floor, _) in &model.story.floors {
        let step = Some(HOUR as u32);
        let history = world.park.floors().get_history(Some(floor.id), window[0], window[1], step);
        let expected = model.story.steps(&[floor.id], start, end, HOUR * 1_000_000);
        assert_same(&history.await.unwrap(), &expected);
    }
}

async fn run(steps: &[(usize, Step)]) {
    let worlds = [World::sqlite().await, World::postgres().await];
    let others = [worlds[0].another_park().await, worlds[1].another_park().await];
    let parks = [[&worlds[0].park, &others[0]], [&worlds[1].park, &others[1]]];
    let mut floors = Vec::new();
    for (place, slots) in SLOTS.into_iter().enumerate() {
        let name = format!("floor {place}");
        let floor = worlds[0].floor(&name, slots).await;
        assert_eq!(worlds[1].floor(&name, slots).await.id, floor.id);
        floors.push((floor, slots));
    }
    let story = Story { floors, facts: Vec::new() };
    let active = vec![true; SLOTS.len()];
    let mut model = Model {
        now: 0,
        story,
        active,
        events: BTreeMap::new(),
        horizon: None,
        adjustments: 0,
        withdrawn: Vec::new(),
    };
    for (number, (park, step)) in steps.iter().enumerate() {
        model.now += match step {
            Step::Wait(seconds) => *seconds,
            Step::Back(seconds) => -seconds,
            _ => 1,
        };
        worlds.iter().for_each(|world| world.clock.set(after(model.now)));
        let mut step = step.clone();
        if let Step::Recount(floor, count) = &mut step {
            *count = (*count).min(model.state(*floor).1);
        }
        let [sqlite, postgres] = parks.map(|parks| parks[*park]);
        let told = [take(sqlite, &model, &step).await, take(postgres, &model, &step).await];
        assert_eq!(told[0], told[1], "SQLite and PostgreSQL told different things");
        match &step {
            Step::Record(seen) => {
                let events = events(&model, seen);
                let expected = model.record(&events);
                let known = told[0].iter().map(|told| told.as_ref().ok().map(|told| told.0));
                assert_eq!(known.collect::<Vec<_>>(), expected);
            }
            Step::Recount(floor, count) => model.adjust(*floor, Says::Recount(*count)),
            Step::Slots(floor, slots) => model.adjust(*floor, Says::Slots(*slots)),
            Step::Activate(floor, is_active) => {
                if model.active[*floor] != *is_active {
                    model.pull(*floor);
                }
                model.active[*floor] = *is_active;
            }
            Step::ByHand(floor, true) => model.adjust(*floor, Says::Entry),
            Step::ByHand(floor, false) => model.adjust(*floor, Says::Exit),
            Step::CleanUp(days) => model.clean_up(model.now - i64::from(*days) * DAY),
            Step::CleanUpAhead(seconds) => model.clean_up(model.now + seconds - DAY),
            Step::RepairHorizon => model.repair_horizon(&told[0][0]),
            Step::Withdraw(..) | Step::WithdrawRecount(_) | Step::Restore => {
                withdrawals::take_back([sqlite, postgres], &mut model, &step, number).await;
            }
            Step::Wait(_) | Step::Back(_) | Step::Repair => {}
        }
        for world in &worlds {
            compare(world, &model).await;
        }
    }
    for (world, other) in worlds.iter().zip(others) {
        world.assert_clean().await;
        other.close().await;
    }
}

#[test]
fn the_model_and_both_engines_agree_after_every_step() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A longer run: SMARTPARK_STEPS=500, with a new seed for each run.
    let more = std::env::var("SMARTPARK_STEPS").ok().map(|cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: more.unwrap_or(6),
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = if more.is_some() {
        TestRunner::new(config)
    } else {
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, random)
    };
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(run(&steps));
        Ok(())
    });
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
}
