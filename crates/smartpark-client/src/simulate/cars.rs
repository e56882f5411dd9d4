//! Cars that come, park and leave, and the events that they make.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use smartpark_core::{Direction, NewEvent, VehicleType};

use super::{Day, SimulatedFloor, after, random::Random};

/// Arrivals of each hour of the day, as at a garage in a town: commuters in the morning, shoppers
/// from ten to six, guests in the evening.
const ARRIVALS: [u64; 24] =
    [2, 1, 1, 1, 2, 6, 20, 60, 85, 70, 60, 62, 64, 60, 55, 52, 55, 60, 52, 40, 25, 14, 8, 4];
/// How long cars stay: how likely, and from and to how many minutes.
const STAYS: [(u64, u64, u64); 5] =
    [(15, 4, 25), (35, 25, 90), (25, 90, 200), (20, 420, 600), (5, 600, 1_200)];
/// Kinds of vehicles in a thousand.
const KINDS: [(VehicleType, u64); 4] = [
    (VehicleType::Car, 955),
    (VehicleType::Motorcycle, 30),
    (VehicleType::Truck, 13),
    (VehicleType::Bus, 2),
];
/// From one line to the next, in seconds.
const DRIVE_SECONDS: (u64, u64) = (20, 50);

/// What truly happened.
pub(super) struct Traffic {
    pub(super) events: Vec<NewEvent>,
    pub(super) parked: Vec<u32>,
    pub(super) turned_away: u32,
}

/// A car on its way, with times in milliseconds of the day.
struct Car {
    number: u64,
    kind: VehicleType,
    stay: u64,
}

pub(super) fn traffic(day: &Day, random: &mut Random) -> Traffic {
    let mut arrivals: Vec<(u64, Car)> = (0..u64::from(day.cars)).map(|n| car(n, random)).collect();
    arrivals.sort_by_key(|(at, car)| (*at, car.number));
    let mut traffic =
        Traffic { events: Vec::new(), parked: vec![0; day.floors.len()], turned_away: 0 };
    let mut leaving: BinaryHeap<Reverse<(u64, u64, usize, usize)>> = BinaryHeap::new();
    let kinds: Vec<VehicleType> = arrivals.iter().map(|(_, car)| car.kind).collect();
    for (place, (at, car)) in arrivals.iter().enumerate() {
        while let Some(Reverse((when, number, floor, place))) = leaving.peek().copied()
            && when <= *at
        {
            leaving.pop();
            leave(day, &mut traffic, random, (when, number, floor, kinds[place]));
        }
        match first_with_room(&day.floors, &traffic.parked) {
            None => traffic.turned_away += 1,
            Some(floor) => {
                let parked_at = arrive(day, &mut traffic, random, (*at, car, floor));
                leaving.push(Reverse((parked_at + car.stay, car.number, floor, place)));
            }
        }
    }
    // The night goes on: those that leave within the day do so.
    while let Some(Reverse((when, number, floor, place))) = leaving.pop() {
        if when < 24 * 3_600_000 {
            leave(day, &mut traffic, random, (when, number, floor, kinds[place]));
        }
    }
    traffic
}

/// A car and when it comes.
fn car(number: u64, random: &mut Random) -> (u64, Car) {
    let hour = random.weighted(&ARRIVALS) as u64;
    let at = hour * 3_600_000 + random.below(3_600_000);
    let (_, low, high) = STAYS[random.weighted(&STAYS.map(|(weight, ..)| weight))];
    let stay = random.between(low * 60_000, high * 60_000);
    let (kind, _) = KINDS[random.weighted(&KINDS.map(|(_, weight)| weight))];
    (at, Car { number, kind, stay })
}

/// Drivers see few free slots late, and cars that pass through need some: a floor counts as full a
/// little before it is.
fn first_with_room(floors: &[SimulatedFloor], parked: &[u32]) -> Option<usize> {
    let has_room = |floor: &SimulatedFloor, parked: u32| {
        let reserve = 4 + floor.slots / 10;
        parked + reserve < floor.slots
    };
    floors.iter().zip(parked).position(|(floor, parked)| has_room(floor, *parked))
}

/// Drives a car through the gate and up to its floor. Returns when it is there.
fn arrive(
    day: &Day,
    traffic: &mut Traffic,
    random: &mut Random,
    (mut at, car, floor): (u64, &Car, usize),
) -> u64 {
    let track = format!("{}-{}-in", day.seed, car.number);
    push(day, traffic, at, "gate", (0, Direction::Entry), &track, car.kind);
    for ramp in 0..floor {
        at += random.between(DRIVE_SECONDS.0 * 1_000, DRIVE_SECONDS.1 * 1_000);
        let camera = format!("ramp-{}", ramp + 1);
        push(day, traffic, at, &camera, (ramp, Direction::Exit), &track, car.kind);
        push(day, traffic, at, &camera, (ramp + 1, Direction::Entry), &track, car.kind);
    }
    traffic.parked[floor] += 1;
    at
}

/// Drives a car down from its floor and out.
fn leave(
    day: &Day,
    traffic: &mut Traffic,
    random: &mut Random,
    (mut at, number, floor, kind): (u64, u64, usize, VehicleType),
) {
    let track = format!("{}-{number}-out", day.seed);
    for ramp in (0..floor).rev() {
        let camera = format!("ramp-{}", ramp + 1);
        push(day, traffic, at, &camera, (ramp + 1, Direction::Exit), &track, kind);
        push(day, traffic, at, &camera, (ramp, Direction::Entry), &track, kind);
        at += random.between(DRIVE_SECONDS.0 * 1_000, DRIVE_SECONDS.1 * 1_000);
    }
    push(day, traffic, at, "gate", (0, Direction::Exit), &track, kind);
    traffic.parked[floor] -= 1;
}

fn push(
    day: &Day,
    traffic: &mut Traffic,
    at: u64,
    camera: &str,
    (floor, direction): (usize, Direction),
    track: &str,
    kind: VehicleType,
) {
    let event = NewEvent::new(camera, day.floors[floor].id, track, kind, direction);
    traffic.events.push(event.at(after(day.start, Duration::from_millis(at))));
}
