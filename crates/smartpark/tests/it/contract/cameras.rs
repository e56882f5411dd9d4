//! Which camera errs, from what cameras recorded: the same on every engine, in whatever order.

use smartpark::{
    AttentionKind, CameraLine, CameraQuality, Direction, Error, Floor, FloorName, NewEvent,
    Options, SmartPark, VehicleType,
    estimate::cameras::{Direction as Way, Verdict},
};

use super::world::{World, after, on_every_engine};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const CARS: i64 = 30;

/// One crossing of the ramp: it leaves one floor and enters the other.
fn ramp(floors: &[Floor; 2], track: &str, up: bool, seconds: i64) -> [NewEvent; 2] {
    let ways =
        if up { [Direction::Exit, Direction::Entry] } else { [Direction::Entry, Direction::Exit] };
    [0, 1].map(|n| {
        NewEvent::new("ramp", floors[n].id, track, VehicleType::Car, ways[n]).at(after(seconds))
    })
}

/// Four weeks of two floors, one above the other: each second car drives up the ramp. The ramp's
/// camera misses every fifth car that comes down.
fn weeks(floors: &[Floor; 2]) -> Vec<NewEvent> {
    let mut events = Vec::new();
    for day in -29..0 {
        for car in 0..CARS {
            let come =
                day * DAY - 5 * HOUR + car * 900 + (day * 7919 + car * 104_729).rem_euclid(311);
            let go = come + 4 * HOUR + (car * 7919) % 5_000;
            let track = format!("{day}/{car}");
            for (direction, at) in [(Direction::Entry, come), (Direction::Exit, go)] {
                let gate = NewEvent::new("gate", floors[0].id, &track, VehicleType::Car, direction);
                events.push(gate.at(after(at)));
            }
            if car % 2 == 0 {
                events.extend(ramp(floors, &track, true, come + 60));
                if (car + day).rem_euclid(5) > 0 {
                    events.extend(ramp(floors, &track, false, go - 60));
                }
            }
        }
    }
    events
}

async fn two_floors(world: &World) -> [Floor; 2] {
    [world.floor("Ground Floor", 500).await, world.floor("Level 1", 500).await]
}

async fn record(park: &SmartPark, events: Vec<NewEvent>) {
    for result in park.events().record_events(events).await.unwrap() {
        result.unwrap();
    }
}

async fn judged(park: &SmartPark) -> CameraQuality {
    park.estimates().get_camera_quality(28).await.unwrap()
}

/// Another process with other lines in its configuration.
async fn park_with(world: &World, camera_lines: Vec<CameraLine>) -> SmartPark {
    let options = Options { clock: world.clock.clone(), camera_lines, ..Options::default() };
    SmartPark::connect(&world.url, options).await.unwrap()
}

fn line(camera_id: &str, from: Option<&str>, floor: &Floor) -> CameraLine {
    CameraLine {
        camera_id: camera_id.to_owned(),
        floor: FloorName::Id(floor.id),
        from: from.map(|name| FloorName::Name(name.to_owned())),
        twin_of: None,
    }
}

on_every_engine! {
    async fn the_camera_that_misses_vehicles_is_named(world) {
        let floors = two_floors(&world).await;
        record(&world.park, weeks(&floors)).await;
        let told = judged(&world.park).await;
        // Nobody comes or goes at midnight.
        assert_eq!((told.days, told.end), (28, after(-12 * HOUR)), "{told:#?}");
        let lines: Vec<_> = told.cameras.iter()
            .map(|it| (it.judged.camera_id.as_str(), it.judged.from, it.judged.to)).collect();
        let [lower, upper] = [floors[0].id, floors[1].id];
        assert_eq!(lines, [("gate", None, lower), ("ramp", Some(lower), upper)]);
        let [gate, ramp] = &told.cameras[..] else { panic!("{told:#?}") };
        assert_eq!(ramp.judged.verdict, Verdict::Named, "{told:#?}");
        assert_ne!(gate.judged.verdict, Verdict::Named, "{told:#?}");
        assert!(ramp.judged.probability > 0.9 && told.nothing_wrong < 0.1, "{told:#?}");
        assert!(ramp.judged.entries > ramp.judged.exits);
        // Vehicles seem to stay on the upper floor, and to come from nowhere on the other.
        let parts: Vec<i64> = told.parts.iter().map(|part| part.imbalance.signum()).collect();
        assert_eq!(parts, [-1, 1]);
        let items = world.park.get_attention().await.unwrap().items;
        let errs: Vec<_> = items.iter().filter(|it| it.kind == AttentionKind::CameraErrs).collect();
        assert_eq!((errs.len(), errs[0].camera_id.as_deref()), (1, Some("ramp")));
        assert!(errs[0].detail.starts_with("ramp "), "{}", errs[0].detail);
    }

    async fn no_order_of_arrival_changes_a_judgement(world) {
        let floors = two_floors(&world).await;
        record(&world.park, weeks(&floors)).await;
        let other = world.another().await;
        let floors = two_floors(&other).await;
        let mut events = weeks(&floors);
        let late = events.split_off(events.len() / 3);
        record(&other.park, late.into_iter().rev().collect()).await;
        assert_ne!(judged(&other.park).await, judged(&world.park).await);
        record(&other.park, weeks(&floors)).await;
        assert_eq!(judged(&other.park).await, judged(&world.park).await);
    }

    async fn a_person_says_where_a_line_is(world) {
        let floors = two_floors(&world).await;
        record(&world.park, weeks(&floors)).await;
        let said = vec![line("ramp", Some("Level 1"), &floors[0])];
        let park = park_with(&world, said).await;
        let told = judged(&park).await;
        let ramp = &told.cameras[1].judged;
        assert_eq!((ramp.from, ramp.to), (Some(floors[1].id), floors[0].id));
        assert_eq!(ramp.verdict, Verdict::Named);
        // What was an exit is an entry of this line.
        let before = &judged(&world.park).await.cameras[1].judged;
        assert_eq!((ramp.entries, ramp.exits), (before.exits, before.entries));
        assert_ne!(ramp.flow.direction, before.flow.direction);
        // A floor that is not there: what the camera sent counts.
        let park = park_with(&world, vec![line("ramp", Some("Level 9"), &floors[1])]).await;
        assert_eq!(judged(&park).await, judged(&world.park).await);
    }

    async fn a_second_camera_on_the_line_tells_what_each_misses(world) {
        let floor = world.floor("Ground Floor", 500).await;
        // Else each vehicle would count twice.
        let trial = world.floor("Trial", 500).await;
        let mut events = Vec::new();
        for car in 0..400 {
            let at = after(-3 * DAY + car * 300);
            let seen = |camera: &str, floor: &Floor, at| {
                let track = format!("{car}");
                NewEvent::new(camera, floor.id, track, VehicleType::Car, Direction::Entry).at(at)
            };
            if car % 10 > 0 {
                events.push(seen("left", &trial, at));
            }
            // Its clock is four seconds ahead.
            let late = std::time::Duration::from_secs(4);
            events.push(seen("right", &floor, at + late));
        }
        record(&world.park, events).await;
        let twin = CameraLine { twin_of: Some("right".to_owned()), ..line("left", None, &trial) };
        let told = judged(&park_with(&world, vec![twin, line("right", None, &floor)]).await).await;
        let [left, right] = &told.cameras[..] else { panic!("{told:#?}") };
        let (of, miss) = left.twin.as_ref().unwrap();
        assert_eq!(of, "right");
        assert!((miss.share - 0.1).abs() < 0.01 && miss.low < 0.1 && 0.1 < miss.high, "{miss:?}");
        let (of, miss) = right.twin.as_ref().unwrap();
        assert_eq!(of, "left");
        assert!(miss.share < 0.01, "{miss:?}");
    }

    async fn recounts_do_not_mislead(world) {
        let other = world.another().await;
        let floors = two_floors(&other).await;
        record(&other.park, weeks(&floors)).await;
        let without = judged(&other.park).await;

        let floors = two_floors(&world).await;
        // A person finds nobody on the upper floor each fourth night, and empty it was: some hours
        // before the end of one night, and after the end of another.
        for (night, hours) in [(-25, 14), (-21, 10), (-17, 14), (-13, 10), (-9, 14), (-5, 10)] {
            world.clock.set(after(night * DAY - hours * HOUR));
            world.park.floors().recount(floors[1].id, 0, "night round", None).await.unwrap();
        }
        world.clock.set(after(0));
        record(&world.park, weeks(&floors)).await;
        let told = judged(&world.park).await;
        assert_eq!(told.cameras[1].judged.verdict, Verdict::Named, "{told:#?}");
        assert_ne!(told.cameras[0].judged.verdict, Verdict::Named, "{told:#?}");
        // The share that the camera misses is about the same with recounts as without.
        let loss = |told: &CameraQuality| told.cameras[1].judged.flow.loss;
        let (with, without) = (loss(&told), loss(&without));
        assert!(with.low < without.high && without.low < with.high, "{with:?} {without:?}");
    }

    async fn an_empty_ledger_names_nobody(world) {
        let floor = world.floor("Ground Floor", 50).await;
        let told = judged(&world.park).await;
        assert_eq!((told.cameras.len(), told.parts.len(), told.days), (0, 0, 28));
        for days in [0, 85] {
            let refused = world.park.estimates().get_camera_quality(days).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{days}");
        }
        let one = NewEvent::new("gate", floor.id, "a", VehicleType::Car, Direction::Entry);
        record(&world.park, vec![one.at(after(-DAY))]).await;
        let told = judged(&world.park).await;
        assert_eq!(told.cameras[0].judged.verdict, Verdict::Unknown, "{told:#?}");
        assert_eq!(told.cameras[0].judged.flow.direction, Way::Entry);
    }
}
