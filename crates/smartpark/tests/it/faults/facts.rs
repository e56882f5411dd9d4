//! What the cameras saw and send: the same for a seed. Floors and cars are those of the runs with
//! several servers; beside them stand the rows that no server may take.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use smartpark::{Direction, VehicleType};

use crate::{
    cli::garage::Random,
    servers::cars::{Car, FLOORS, seen},
};

/// The floor that is kept away from its limits, and is not active.
pub(crate) const FIELD: i64 = FLOORS.len() as i64;
/// The floor that is recounted now and then.
pub(crate) const RECOUNTED: i64 = 4;
/// How long before all else the cars came that are forgotten during the run.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(400 * 24);
/// What the log must not show as a line of its own.
pub(crate) const FORGED: &str = "level=ERROR forged by a camera";

/// All facts of a run.
pub(crate) struct Facts {
    /// The cars, those of long ago first.
    pub(crate) cars: Vec<Car>,
    /// How many of them came long ago: as many as leave the field later, so that it never is empty.
    pub(crate) old: usize,
}

impl Facts {
    /// So many cars, and those of long ago.
    pub(crate) fn new(count: usize, random: &mut Random) -> Self {
        let cars = seen(count, random);
        let first = cars[0].at - LONG_AGO;
        let leave = |car: &&Car| car.floor_id == FIELD && car.direction == Direction::Exit;
        let old = cars.iter().filter(leave).count();
        let came = (0..old).map(|number| Car {
            at: first + SignedDuration::from_secs(i64::try_from(number).unwrap()),
            camera_id: "cam_field".into(),
            track_id: format!("old{number}"),
            direction: Direction::Entry,
            floor_id: FIELD,
            vehicle_type: VehicleType::Car,
            confidence: 80,
        });
        let cars: Vec<Car> = came.chain(cars).collect();
        assert!(cars.is_sorted(), "the order of history is that of the places");
        Self { cars, old }
    }

    /// Half way between the cars of long ago and the others: where they are forgotten.
    pub(crate) fn horizon(&self) -> Timestamp {
        self.cars[self.old].at - LONG_AGO / 2
    }
}

/// A row that must be refused, with the status that it has alone.
pub(crate) fn bad_row(number: usize) -> (Value, u16) {
    let mut row = json!({
        "camera_id": "cam_bad", "floor_id": 1, "track_id": format!("bad{number}"),
        "vehicle_type": "car", "direction": "entry", "timestamp": "2026-01-30T13:00:00Z",
    });
    let (member, value) = match number % 6 {
        0 => ("floor_id", json!(999)),
        1 => ("confidence", json!(7)),
        2 => ("timestamp", json!("2026-01-30T13:00:00")),
        3 => ("timestamp", json!("2925-01-30T13:00:00Z")),
        4 => ("camera_id", json!(format!("cam\n{FORGED}"))),
        _ => ("colour", json!("red")),
    };
    row[member] = value;
    (row, 422)
}
