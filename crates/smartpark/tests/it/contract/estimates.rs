//! Estimates: the same facts give the same answers, in whatever order they came.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use smartpark::{
    AttentionKind, AttentionLevel, Direction, Error, Floor, FloorChange, NewEvent, Options,
    SmartPark, VehicleType,
};

use super::world::{World, after, instant, on_every_engine};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Five weeks of a floor that fills in the morning and empties in the evening, before the
/// beginning of the test. One exit of every tenth car is missed, so that counts drift.
fn weeks(floor: &Floor, cars: i64) -> Vec<NewEvent> {
    let mut events = Vec::new();
    for day in -35..0 {
        for car in 0..cars {
            let come = day * DAY - 5 * HOUR + car * 600 + (day * 7919 + car * 104_729) % 311;
            let go = come + 6 * HOUR + (car * 7919) % 5_000;
            let track = format!("{day}/{car}");
            let event = |direction, seconds| {
                // Floors share no camera: an event of another floor would be a repeat.
                let camera = format!("cam_{}_{}", floor.id, car % 3 / 2);
                NewEvent::new(camera, floor.id, &track, VehicleType::Car, direction)
                    .at(after(seconds))
            };
            events.push(event(Direction::Entry, come));
            if go < 0 && (car % 10 > 0 || day % 2 == 0) {
                events.push(event(Direction::Exit, go));
            }
        }
    }
    events
}

/// The same events in another order.
fn shuffled(mut events: Vec<NewEvent>) -> Vec<NewEvent> {
    let mut state = 7_u64;
    for last in (1..events.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = usize::try_from((state >> 33) % (last as u64 + 1)).unwrap();
        events.swap(last, other);
    }
    events
}

async fn record(park: &SmartPark, events: Vec<NewEvent>) {
    for result in park.events().record_events(events).await.unwrap() {
        result.unwrap();
    }
}

/// All that is estimated, as text: floats to their last bit.
async fn told(park: &SmartPark, floors: &[&Floor]) -> String {
    let estimates = park.estimates();
    let mut told = String::new();
    for floor in floors {
        let forecast = estimates.get_forecast(floor.id, 48, 900).await.unwrap();
        let drift = estimates.get_drift(floor.id, None).await.unwrap();
        let past = estimates.get_drift(floor.id, Some(after(-9 * DAY - 1_234))).await.unwrap();
        let window = (after(-3 * DAY), after(0));
        let history = estimates.get_drift_history(floor.id, window, 7_200).await.unwrap();
        assert_eq!(history.steps.len(), 36);
        told += &format!("{:?}\n{:?} {:?}\n", forecast.forecast, drift.count, drift.drift);
        told += &format!("{:?} {:?}\n{history:?}\n", past.count, past.drift);
    }
    let site = estimates.get_site_forecast(24, 3_600).await.unwrap();
    let drift = estimates.get_site_drift(None).await.unwrap();
    let arrival = estimates.get_arrival_floors(1_200).await.unwrap();
    let order: Vec<_> = arrival.floors.iter().map(|(floor, step)| (floor.id, step)).collect();
    told += &format!("{site:?}\n{:?}\n", (drift.count, drift.estimate, drift.low, drift.high));
    told + &format!("{order:?} {}\n", arrival.is_forecast)
}

/// Records five weeks of two floors, with a recount and a change of capacity on the way.
async fn two_floors(world: &World, change: impl Fn(Vec<NewEvent>) -> Vec<NewEvent>) -> [Floor; 2] {
    let floors = [world.floor("Ground Floor", 40).await, world.floor("Level 1", 60).await];
    let adjust = async |days: i64| {
        world.clock.set(after(days * DAY));
        world.park.floors().recount(floors[0].id, 9, "night round", None).await.unwrap();
        let change = FloorChange { total_slots: Some(50), ..FloorChange::default() };
        world.park.floors().change_floor(floors[1].id, change).await.unwrap();
        world.clock.set(after(0));
    };
    adjust(-20).await;
    let all = [weeks(&floors[0], 24), weeks(&floors[1], 18)].concat();
    record(&world.park, change(all)).await;
    floors
}

on_every_engine! {
    async fn the_order_of_arrival_changes_no_estimate(world) {
        let floors = two_floors(&world, |events| events).await;
        let first = told(&world.park, &[&floors[0], &floors[1]]).await;
        assert!(first.contains("ready: true"), "five weeks are enough");

        let other = world.another().await;
        let floors = two_floors(&other, shuffled).await;
        // Everything again, which changes nothing.
        let again = [weeks(&floors[0], 24), weeks(&floors[1], 18)].concat();
        record(&other.park, again).await;
        assert_eq!(told(&other.park, &[&floors[0], &floors[1]]).await, first);
    }

    async fn late_facts_correct_what_is_kept(world) {
        let floors = two_floors(&world, |events| events).await;
        let floors = [&floors[0], &floors[1]];
        let before = told(&world.park, &floors).await;
        // Some days ago, from a camera that nobody had heard of; and today.
        for seconds in [-12 * DAY - 77, -3 * DAY - 5, -600] {
            let late = NewEvent::new("cam_late", floors[0].id, "late", VehicleType::Car,
                Direction::Entry).at(after(seconds));
            record(&world.park, vec![late]).await;
            let warm = told(&world.park, &floors).await;
            assert_ne!(warm, before);
            // Another process has kept nothing.
            let cold = told(&world.another_park().await, &floors).await;
            assert_eq!(warm, cold, "after an event at {seconds}");
        }
        world.clock.set(after(2 * DAY + 11 * HOUR));
        let warm = told(&world.park, &floors[..0]).await;
        assert_eq!(warm, told(&world.another_park().await, &floors[..0]).await);
    }

    async fn a_recount_is_told_with_what_stood_before(world) {
        let floor = world.floor("Ground Floor", 40).await;
        record(&world.park, weeks(&floor, 24)).await;
        let before = world.count(&floor).await;
        world.clock.set(after(60));
        world.park.floors().recount(floor.id, 11, "night round", None).await.unwrap();
        world.clock.set(after(120));
        let told = world.park.estimates().get_drift(floor.id, None).await.unwrap();
        let last = told.drift.last_recount.unwrap();
        assert_eq!((last.at, last.before, last.found), (after(60), before, 11));
        assert_eq!(last.difference, 11 - before);
        assert_eq!((told.count, told.drift.evidence.recounts), (11, 1));
        assert!(told.drift.low <= 11 && 11 <= told.drift.high, "{:?}", told.drift);
        assert!(told.drift.high - told.drift.low <= 4, "{:?}", told.drift);
        // Before the recount nothing of it is known.
        let past = world.park.estimates().get_drift(floor.id, Some(after(59))).await.unwrap();
        assert_eq!((past.count, past.drift.last_recount), (before, None));
    }

    async fn a_floor_that_should_be_counted_needs_a_person(world) {
        // So large that only a person can tell how many vehicles stay overnight.
        let floor = world.floor("Ground Floor", 200).await;
        record(&world.park, weeks(&floor, 24)).await;
        let suggested = async || {
            let items = world.park.get_attention().await.unwrap().items;
            items.into_iter().find(|item| item.kind == AttentionKind::RecountSuggested)
        };
        let item = suggested().await.unwrap();
        assert_eq!((item.floor_id, item.level), (Some(floor.id), AttentionLevel::Low));
        assert!(item.detail.contains("It is easiest to count at about"), "{}", item.detail);
        let surveyed = world.park.estimates().get_drift_survey().await.unwrap();
        assert_eq!((surveyed.len(), surveyed[0].at), (1, after(0)));
        world.clock.set(after(60));
        world.park.floors().recount(floor.id, 20, "counted", None).await.unwrap();
        // Floors are looked at once an hour.
        world.clock.set(after(HOUR));
        assert_eq!(suggested().await, None);
    }

    async fn small_new_and_empty_floors_are_estimated(world) {
        let floors = [
            world.floor("No slot", 0).await,
            world.floor("One slot", 1).await,
            world.floor("New", 30).await,
        ];
        for floor in &floors {
            let told = world.park.estimates().get_forecast(floor.id, 1, 900).await.unwrap();
            assert!(!told.forecast.ready);
            let step = told.forecast.steps[0];
            assert_eq!((step.at, step.low, step.high), (after(900), 0, floor.total_slots));
            let drift = world.park.estimates().get_drift(floor.id, None).await.unwrap().drift;
            assert!(0 <= drift.low && drift.low <= drift.estimate, "{drift:?}");
            assert!(drift.estimate <= drift.high && drift.high <= floor.total_slots, "{drift:?}");
        }
        let arrival = world.park.estimates().get_arrival_floors(900).await.unwrap();
        assert!(!arrival.is_forecast);
        assert_eq!(arrival.floors[0].0.id, floors[2].id);
        let site = world.park.estimates().get_site_drift(None).await.unwrap();
        assert_eq!((site.count, site.total_slots, site.floors.len()), (0, 31, 3));
    }

    async fn what_does_not_fit_is_refused(world) {
        let floor = world.floor("Ground Floor", 40).await;
        let estimates = world.park.estimates();
        for (hours, step) in [(0, 900), (169, 900), (24, 899), (24, 86_401)] {
            let refused = estimates.get_forecast(floor.id, hours, step).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{hours} {step}");
        }
        assert!(matches!(estimates.get_forecast(77, 1, 900).await, Err(Error::NotFound(_))));
        assert!(matches!(estimates.get_drift(77, None).await, Err(Error::NotFound(_))));
        let ahead = estimates.get_drift(floor.id, Some(after(1))).await;
        assert!(matches!(ahead, Err(Error::Invalid(_))));
        let arrival = estimates.get_arrival_floors(604_801).await;
        assert!(matches!(arrival, Err(Error::Invalid(_))));
        for (start, step) in [(1, 3_600), (-HOUR, 1_800), (-HOUR, 5_000), (-60 * DAY, 3_600)] {
            let window = (after(start), after(0));
            let refused = estimates.get_drift_history(floor.id, window, step).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{start} {step}");
        }
    }

    async fn estimates_begin_at_the_retention_horizon(world) {
        let floors = two_floors(&world, |events| events).await;
        told(&world.park, &[&floors[0]]).await;
        world.park.events().cleanup_old_events(8).await.unwrap();
        let before = Some(after(-9 * DAY));
        let refused = world.park.estimates().get_drift(floors[0].id, before).await;
        assert!(matches!(refused, Err(Error::TooOld { .. })), "{refused:?}");
        let told = world.park.estimates().get_forecast(floors[0].id, 1, 900).await.unwrap();
        assert!(!told.forecast.ready, "8 days are left of five weeks");
        let drift = world.park.estimates().get_drift(floors[0].id, None).await.unwrap();
        assert_eq!(drift.count, world.count(&floors[0]).await);
        assert!(drift.drift.evidence.nights <= 9);
    }

    async fn nights_and_weekdays_are_those_of_the_site(world) {
        let floors = two_floors(&world, |events| events).await;
        // Across the night of 29 March, when clocks go forward in Berlin.
        world.clock.set(instant("2026-03-29T11:00:00Z"));
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let options = Options {
            clock: world.clock.clone(), time_zone: berlin, ..Options::default()
        };
        let park = SmartPark::connect(&world.url, options).await.unwrap();
        let drift = park.estimates().get_drift(floors[0].id, None).await.unwrap().drift;
        let best = drift.suggested_recount.map(|it| it.best_at);
        let utc = world.park.estimates().get_drift(floors[0].id, None).await.unwrap().drift;
        assert_ne!(best, utc.suggested_recount.map(|it| it.best_at));
        let told = park.estimates().get_forecast(floors[0].id, 168, 3_600).await.unwrap();
        assert_eq!(told.forecast.steps.len(), 168);
        let at: Vec<Timestamp> = told.forecast.steps.iter().map(|step| step.at).collect();
        let hour = SignedDuration::from_hours(1);
        assert!(at.windows(2).all(|pair| pair[1].duration_since(pair[0]) == hour));
    }
}
