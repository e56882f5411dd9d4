//! What the cameras saw, and what follows from it by the words of the contract: folded and
//! counted here from scratch, with nothing of the product's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::{Value, json};
use smartpark::{Direction, PeakHour, Statistics, Timestamp, VehicleType, VehicleTypeCounts};

use crate::cli::garage::Random;

/// The floors and their slots: always at a limit, often, now and then, never.
pub(crate) const FLOORS: [(&str, u32); 6] =
    [("Nook", 3), ("Ramp", 25), ("1F", 150), ("2F", 150), ("3F", 600), ("Field", 1_000_000)];

/// The first instant: three days later it is another month.
const FIRST: &str = "2026-01-30T12:00:00Z";
/// Longest time between two events, in microseconds.
const LONGEST_GAP: usize = 5_000_000;
/// How often the cars turn from coming to going.
const TIDES: usize = 9;

/// A car that was seen. In the order of its first four members history is folded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Car {
    pub(crate) at: Timestamp,
    pub(crate) camera_id: String,
    pub(crate) track_id: String,
    pub(crate) direction: Direction,
    pub(crate) floor_id: i64,
    pub(crate) vehicle_type: VehicleType,
    /// In hundredths.
    pub(crate) confidence: u8,
}

impl Car {
    /// The event as a camera box in UTC sends it, or one in another zone.
    pub(crate) fn event(&self, elsewhere: bool) -> Value {
        let (ahead, zone) = if elsewhere { (2, "+02:00") } else { (0, "Z") };
        let local = (self.at + SignedDuration::from_hours(ahead)).to_string();
        json!({
            "camera_id": self.camera_id,
            "floor_id": self.floor_id,
            "track_id": self.track_id,
            "vehicle_type": self.vehicle_type.as_str(),
            "direction": self.direction.as_str(),
            "confidence": f64::from(self.confidence) / 100.0,
            "timestamp": local.replace('Z', zone),
        })
    }
}

/// So many cars in the order of history, all with keys of their own.
pub(crate) fn seen(count: usize, random: &mut Random) -> Vec<Car> {
    let mut at: Timestamp = FIRST.parse().unwrap();
    let mut cars: Vec<Car> = Vec::with_capacity(count);
    for number in 0..count {
        let (tie, coming) = (random.below(8) == 0, (number * TIDES / count).is_multiple_of(2));
        let twin = cars.last().filter(|last| tie && last.direction == Direction::Entry);
        if let Some(last) = twin.cloned() {
            // In and out at one instant: the entry stands before the exit.
            cars.push(Car { direction: Direction::Exit, ..last });
            continue;
        }
        if !tie {
            let gap = i64::try_from(random.below(LONGEST_GAP)).unwrap();
            at += SignedDuration::from_micros(gap);
        }
        let enters = random.below(100) < if coming { 62 } else { 38 };
        cars.push(Car {
            at,
            camera_id: format!("cam_{}", random.below(7)),
            track_id: format!("t{number}"),
            direction: if enters { Direction::Entry } else { Direction::Exit },
            floor_id: i64::try_from(1 + random.below(FLOORS.len())).unwrap(),
            vehicle_type: VehicleType::ALL[random.below(VehicleType::ALL.len())],
            confidence: u8::try_from(random.below(101)).unwrap(),
        });
    }
    cars.sort();
    cars
}

/// What history comes to.
pub(crate) struct Fold {
    /// The count of each floor by its id.
    pub(crate) counts: BTreeMap<i64, i64>,
    /// The places of the cars that found their floor full or empty.
    pub(crate) at_limit: BTreeSet<usize>,
}

/// Somebody went round and counted a floor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recount {
    pub(crate) at: Timestamp,
    pub(crate) floor_id: i64,
    pub(crate) count: i64,
}

/// The cars instant by instant, and the recounts between them; both are in order. All cars of a
/// floor at one instant act together: what does not fit is cut off, the last ones first.
pub(crate) fn fold(cars: &[Car], recounts: &[Recount]) -> Fold {
    let ids = 1..;
    let mut counts: BTreeMap<i64, i64> = ids.zip(FLOORS).map(|(id, _)| (id, 0)).collect();
    let mut at_limit = BTreeSet::new();
    let mut recounts = recounts.iter().peekable();
    let mut begin = 0;
    for instant in cars.chunk_by(|one, next| one.at == next.at) {
        // A recount stands after the events of its own instant.
        while let Some(recount) = recounts.next_if(|recount| recount.at < instant[0].at) {
            counts.insert(recount.floor_id, recount.count);
        }
        for (floor_id, count) in &mut counts {
            let slots = i64::from(FLOORS[usize::try_from(*floor_id).unwrap() - 1].1);
            let places = |direction| {
                let of_floor = move |(_, car): &(usize, &Car)| {
                    car.floor_id == *floor_id && car.direction == direction
                };
                (begin..).zip(instant).filter(of_floor).map(|(place, _)| place).collect()
            };
            let entries: Vec<usize> = places(Direction::Entry);
            let exits: Vec<usize> = places(Direction::Exit);
            let after = *count + entries.len() as i64 - exits.len() as i64;
            let (over, under) = ((after - slots).max(0) as usize, (-after).max(0) as usize);
            at_limit.extend(entries.iter().rev().take(over));
            at_limit.extend(exits.iter().rev().take(under));
            *count = after.clamp(0, slots);
        }
        begin += instant.len();
    }
    counts.extend(recounts.map(|recount| (recount.floor_id, recount.count)));
    Fold { counts, at_limit }
}

/// The statistics of a window, car by car.
pub(crate) fn statistics(
    cars: &[Car],
    fold: &Fold,
    (start, end): (Timestamp, Timestamp),
    floor_id: Option<i64>,
) -> Statistics {
    let name = |id: i64| FLOORS[usize::try_from(id).unwrap() - 1].0.to_owned();
    let asked = fold.counts.keys().filter(|id| floor_id.is_none_or(|floor_id| floor_id == **id));
    let zeros: BTreeMap<String, u64> = asked.map(|id| (name(*id), 0)).collect();
    let mut sums = Statistics {
        start,
        end,
        total_events: 0,
        entries: 0,
        exits: 0,
        by_vehicle_type: VehicleTypeCounts::default(),
        by_floor: zeros.clone(),
        by_camera: BTreeMap::new(),
        at_limit: 0,
        at_limit_by_floor: zeros,
        at_limit_by_camera: BTreeMap::new(),
        peak_hour: None,
    };
    let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
    for (place, car) in cars.iter().enumerate() {
        let inside = (start..end).contains(&car.at);
        if !inside || floor_id.is_some_and(|floor_id| floor_id != car.floor_id) {
            continue;
        }
        sums.total_events += 1;
        match car.direction {
            Direction::Entry => sums.entries += 1,
            Direction::Exit => sums.exits += 1,
        }
        match car.vehicle_type {
            VehicleType::Car => sums.by_vehicle_type.car += 1,
            VehicleType::Motorcycle => sums.by_vehicle_type.motorcycle += 1,
            VehicleType::Bus => sums.by_vehicle_type.bus += 1,
            VehicleType::Truck => sums.by_vehicle_type.truck += 1,
        }
        *sums.by_floor.entry(name(car.floor_id)).or_default() += 1;
        *sums.by_camera.entry(car.camera_id.clone()).or_default() += 1;
        if fold.at_limit.contains(&place) {
            sums.at_limit += 1;
            *sums.at_limit_by_floor.entry(name(car.floor_id)).or_default() += 1;
            *sums.at_limit_by_camera.entry(car.camera_id.clone()).or_default() += 1;
        }
        *hours.entry(car.at.as_second().div_euclid(3600) * 3600).or_default() += 1;
    }
    // The first of those with most.
    let peak = hours.into_iter().rev().max_by_key(|(_, events)| *events);
    sums.peak_hour = peak.map(|(second, events)| PeakHour {
        start: Timestamp::from_second(second).unwrap(),
        events,
    });
    sums
}
