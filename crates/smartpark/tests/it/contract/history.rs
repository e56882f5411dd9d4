//! Occupancy over time: what the facts lead to, step by step, in whatever order they came.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use smartpark::{
    Direction, Error, Floor, FloorChange, NewEvent, OccupancyHistory, OccupancyStep, Timestamp,
    VehicleType,
};

use super::world::{World, after, entry, exit, on_every_engine};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What a fact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    Entry,
    Exit,
    Recount(i64),
    Slots(i64),
}

/// A fact in the order of history: its place, events before adjustments, the floor, who says it,
/// what, and when that was seen.
pub(super) type Fact = (i64, bool, i64, String, Says, i64);

/// All that was recorded on some floors, each with the slots it began with.
pub(super) struct Story {
    pub(super) floors: Vec<(Floor, i64)>,
    pub(super) facts: Vec<Fact>,
}

/// The count and the slots of some floors together, from a fact on.
pub(super) struct Held {
    at: i64,
    pub(super) count: i64,
    pub(super) slots: i64,
    /// How many cars cameras saw come in and go out.
    seen: (u64, u64),
}

/// What facts lead to.
pub(super) struct Fold {
    pub(super) held: Vec<Held>,
    /// When the events were seen that limits cut off.
    pub(super) at_limit: Vec<i64>,
}

impl Story {
    /// What the facts of the floors with these ids lead to, one after the other; events of one
    /// place together.
    pub(super) fn fold(&self, ids: &[i64]) -> Fold {
        let chosen = self.floors.iter().filter(|(floor, _)| ids.contains(&floor.id));
        let mut floors: Vec<(i64, i64, i64)> =
            chosen.map(|(floor, slots)| (floor.id, 0, *slots)).collect();
        let mut facts = self.facts.clone();
        facts.sort();
        let sum = |floors: &[(i64, i64, i64)], at, seen| Held {
            at,
            count: floors.iter().map(|floor| floor.1).sum(),
            slots: floors.iter().map(|floor| floor.2).sum(),
            seen,
        };
        let mut held = vec![sum(&floors, i64::MIN, (0, 0))];
        let mut at_limit = Vec::new();
        for group in
            facts.chunk_by(|one, next| (one.0, one.1, one.2) == (next.0, next.1, next.2) && !one.1)
        {
            let (at, is_adjustment, floor_id, _, says, _) = group[0];
            let Some((_, count, slots)) = floors.iter_mut().find(|floor| floor.0 == floor_id)
            else {
                continue;
            };
            let mut seen = (0, 0);
            match says {
                Says::Entry | Says::Exit if !is_adjustment => {
                    let of = |says| move |fact: &&Fact| fact.4 == says;
                    let entries = group.iter().filter(of(Says::Entry));
                    let exits = group.iter().filter(of(Says::Exit));
                    seen = (entries.clone().count() as u64, exits.clone().count() as u64);
                    *count += seen.0 as i64 - seen.1 as i64;
                    let (over, under) = (*count - *slots, -*count);
                    let cut = |n: i64| usize::try_from(n).unwrap_or(0);
                    let last = entries.rev().take(cut(over)).chain(exits.rev().take(cut(under)));
                    at_limit.extend(last.map(|fact| fact.5));
                    *count = (*count).min(*slots).max(0);
                }
                Says::Entry => *count = (*count + 1).min(*slots),
                Says::Exit => *count = (*count - 1).max(0),
                Says::Recount(n) => *count = n.min(*slots),
                Says::Slots(n) => (*count, *slots) = ((*count).min(n), n),
            }
            held.push(sum(&floors, at, seen));
        }
        Fold { held, at_limit }
    }

    /// The steps of a window, in microseconds, of the floors with these ids.
    pub(super) fn steps(&self, ids: &[i64], start: i64, end: i64, step: i64) -> Vec<OccupancyStep> {
        let held = self.fold(ids).held;
        let before = |at: i64| held.iter().rfind(|held| held.at < at).unwrap();
        let mut steps = Vec::new();
        let mut from = start;
        while from < end {
            let to = (from + step).min(end);
            let within: Vec<&Held> =
                held.iter().filter(|held| (from..to).contains(&held.at)).collect();
            let counts = within.iter().map(|held| held.count).chain([before(from).count]);
            let (mut area, mut at, mut count) = (0, from, before(from).count);
            for held in &within {
                area += count * (held.at - at);
                (at, count) = (held.at, held.count);
            }
            area += count * (to - at);
            steps.push(OccupancyStep {
                start: Timestamp::from_microsecond(from).unwrap(),
                min: counts.clone().min().unwrap(),
                max: counts.max().unwrap(),
                mean: area as f64 / (to - from) as f64,
                closing: before(to).count,
                total_slots: before(to).slots,
                entries: within.iter().map(|held| held.seen.0).sum(),
                exits: within.iter().map(|held| held.seen.1).sum(),
            });
            from = to;
        }
        steps
    }
}

/// Random numbers that are the same in every run.
fn draws() -> impl FnMut(std::ops::Range<i64>) -> i64 {
    let mut runner = TestRunner::deterministic();
    move |range| range.new_tree(&mut runner).unwrap().current()
}

/// Two days of events that come late and shuffled, on three floors of which the last is not
/// active; in between somebody counts, changes a capacity, counts a car by hand.
async fn happen(world: &World, mut draw: impl FnMut(std::ops::Range<i64>) -> i64) -> Story {
    let mut story = Story { floors: Vec::new(), facts: Vec::new() };
    for (name, slots) in [("Ground", 4), ("First", 6), ("Closed", 5)] {
        story.floors.push((world.floor(name, slots).await, slots));
    }
    let closed = FloorChange { is_active: Some(false), ..FloorChange::default() };
    world.park.floors().change_floor(story.floors[2].0.id, closed).await.unwrap();
    for round in 0..12 {
        let now = after(round * 4 * HOUR);
        world.clock.set(now);
        let mut batch = Vec::new();
        for n in 0..40 {
            let floor = draw(0..3);
            let floor = &story.floors[usize::try_from(floor).unwrap()].0;
            // Many at the same instants, some in the same second as an adjustment.
            let at = round * 4 * HOUR - draw(0..40) * if n % 3 == 0 { 4_000 } else { HOUR };
            let (camera, track) =
                (format!("cam_{}", draw(0..3)), format!("{round}-{}", draw(0..20)));
            let way = if draw(0..9) < 5 { Direction::Entry } else { Direction::Exit };
            let event = NewEvent::new(camera, floor.id, track, VehicleType::Car, way).at(after(at));
            batch.push(event);
        }
        let recorded = world.park.events().record_events(batch.clone()).await.unwrap();
        for (event, recorded) in batch.into_iter().zip(recorded) {
            if !recorded.unwrap().duplicate {
                let at = event.timestamp.unwrap().as_microsecond();
                let (says, last) = match event.direction {
                    Direction::Entry => (Says::Entry, 0),
                    Direction::Exit => (Says::Exit, 1),
                };
                let who = format!("{}\n{}\n{last}", event.camera_id, event.track_id);
                story.facts.push((at, false, event.floor_id, who, says, at));
            }
        }
        let id = story.floors[usize::try_from(draw(0..3)).unwrap()].0.id;
        let at = now.as_microsecond() + HOUR * 1_000_000;
        world.clock.set(Timestamp::from_microsecond(at).unwrap());
        let (floors, n) = (world.park.floors(), draw(3..7));
        let says = match round % 3 {
            0 => {
                let slots = floors.get_floor_by_id(id).await.unwrap().unwrap().total_slots;
                floors.recount(id, n.min(slots), "round", None).await.unwrap();
                Says::Recount(n.min(slots))
            }
            1 => {
                let total_slots = Some(n);
                let change = FloorChange { total_slots, force: true, ..FloorChange::default() };
                floors.change_floor(id, change).await.unwrap();
                Says::Slots(n)
            }
            _ => {
                floors.update_vehicle_count(id, Direction::Entry).await.unwrap();
                Says::Entry
            }
        };
        story.facts.push((at, true, id, String::new(), says, at));
    }
    story
}

#[track_caller]
pub(super) fn assert_same(history: &OccupancyHistory, expected: &[OccupancyStep]) {
    let rounded =
        |step: &OccupancyStep| OccupancyStep { mean: (step.mean * 1e6).round() / 1e6, ..*step };
    let told: Vec<OccupancyStep> = history.steps.iter().map(rounded).collect();
    let expected: Vec<OccupancyStep> = expected.iter().map(rounded).collect();
    assert_eq!(told, expected);
}

async fn compare(world: &World, story: &Story, start: Timestamp, end: Timestamp, step: u32) {
    let (first, last) = (start.as_microsecond(), end.as_microsecond());
    let ids: Vec<i64> = story.floors.iter().map(|(floor, _)| floor.id).collect();
    for id in &ids {
        let history = world.park.floors().get_history(Some(*id), start, end, Some(step)).await;
        let history = history.unwrap();
        assert_eq!((history.start, history.end, history.step), (start, end, step));
        let expected = story.steps(&[*id], first, last, i64::from(step) * 1_000_000);
        assert_same(&history, &expected);
    }
    let site = world.park.floors().get_history(None, start, end, Some(step)).await.unwrap();
    let expected = story.steps(&ids[..2], first, last, i64::from(step) * 1_000_000);
    assert_same(&site, &expected);
}

on_every_engine! {
    async fn any_window_is_what_its_facts_lead_to(world) {
        let mut draw = draws();
        let story = happen(&world, &mut draw).await;
        for _ in 0..25 {
            let start = draw(-60 * HOUR..45 * HOUR);
            let end = (start + draw(1..40 * HOUR)).min(45 * HOUR);
            let step = u32::try_from(draw(60..9_000)).unwrap().max((end - start) as u32 / 1_999);
            compare(&world, &story, after(start), after(end), step).await;
        }
        // Steps that begin and end where facts are.
        compare(&world, &story, after(-40 * HOUR), after(45 * HOUR), 3_600).await;
        world.assert_clean().await;
    }

    async fn a_window_may_begin_at_the_retention_horizon_but_not_before(world) {
        let story = happen(&world, draws()).await;
        let horizon = world.park.events().cleanup_old_events(1).await.unwrap().horizon.unwrap();
        assert_eq!(horizon, after(21 * HOUR));
        let at = |seconds: i64| after(21 * HOUR + seconds);
        compare(&world, &story, at(0), after(45 * HOUR), 1_234).await;
        compare(&world, &story, at(1), after(40 * HOUR), 3_600).await;
        compare(&world, &story, at(5 * HOUR), after(44 * HOUR), 600).await;
        let refused = world.park.floors().get_history(None, at(-1), at(9), None).await;
        assert_eq!(refused, Err(Error::TooOld { horizon }));
    }

    async fn late_events_change_the_past(world) {
        let floor = world.floor("Ground", 2).await;
        let history = async || {
            let floors = world.park.floors();
            let history = floors.get_history(Some(floor.id), after(-100), after(0), Some(60)).await;
            let steps = history.unwrap().steps;
            steps.iter().map(|s| (s.min, s.max, s.closing, s.entries, s.exits)).collect::<Vec<_>>()
        };
        world.record(exit(&floor, "a", -10)).await;
        assert_eq!(history().await, [(0, 0, 0, 0, 0), (0, 0, 0, 0, 1)]);
        world.record(entry(&floor, "a", -70)).await;
        assert_eq!(history().await, [(0, 1, 1, 1, 0), (0, 1, 0, 0, 1)]);
        let recount = world.park.floors().recount(floor.id, 2, "round", None).await.unwrap();
        assert_eq!(recount.current_vehicles, 2);
        world.record(entry(&floor, "b", -150)).await;
        assert_eq!(history().await, [(1, 2, 2, 1, 0), (1, 2, 1, 0, 1)]);
    }

    async fn what_does_not_fit_is_refused(world) {
        let floor = world.floor("Ground", 2).await;
        let floors = world.park.floors();
        let (day_ago, now) = (after(-DAY), after(0));
        let nowhere = floors.get_history(Some(floor.id + 1), day_ago, now, None).await;
        assert_eq!(nowhere, Err(Error::NotFound("the floor")));
        let table = [
            (now, day_ago, None, "end"),
            (after(1), after(2), None, "end"),
            (day_ago, now, Some(59), "step"),
            (day_ago, now, Some(2_678_401), "step"),
            (after(-2 * DAY), now, Some(60), "step"),
        ];
        for (start, end, step, field) in table {
            match floors.get_history(None, start, end, step).await {
                Err(Error::Invalid(faults)) => assert_eq!(faults[0].field, field),
                other => panic!("{other:?}"),
            }
        }
        // An end ahead of now is cut to now; a window without length has no step.
        let cut = floors.get_history(None, day_ago, after(DAY), None).await.unwrap();
        assert_eq!((cut.end, cut.step, cut.steps.len()), (now, 300, 288));
        assert!(floors.get_history(None, now, now, None).await.unwrap().steps.is_empty());
        assert_eq!(floors.history_window(24).unwrap(), (day_ago, now));
        assert!(floors.history_window(0).is_err());
        // Far more events than are fetched at once.
        let many = (0..9_000).map(|n| entry(&floor, &format!("t{n}"), n - 9_000));
        world.park.events().record_events(many.collect()).await.unwrap();
        let all = floors.get_history(None, day_ago, now, Some(86_400)).await.unwrap().steps;
        assert_eq!((all[0].entries, all[0].max, all[0].closing), (9_000, 2, 2));
    }
}
