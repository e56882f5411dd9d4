//! Foreign words for vehicles and directions: one list for devices and for files.

use crate::{Direction, VehicleType};

/// What a foreign word for a vehicle means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VehicleWord {
    /// A vehicle of no special kind: a car, unless a camera's `default_type` says otherwise.
    Plain,
    /// A vehicle of this type.
    Of(VehicleType),
    /// Something that takes no slot.
    NoVehicle,
}

/// Words for a vehicle of no special kind.
const PLAIN: [&str; 18] = [
    "car",
    "suv",
    "mpv",
    "suvmpv",
    "van",
    "minivan",
    "pickup",
    "pickuptruck",
    "taxi",
    "cab",
    "sedan",
    "hatchback",
    "crossover",
    "pkw",
    "auto",
    "vehicle",
    "unknown",
    "",
];
/// Words for something that takes no slot.
const NO_VEHICLE: [&str; 11] = [
    "person",
    "pedestrian",
    "human",
    "bicycle",
    "cyclist",
    "nonmotor",
    "nonmotorvehicle",
    "animal",
    "face",
    "licenseplate",
    "licenceplate",
];

/// What a foreign word for a vehicle means, in any case, with or without blanks and hyphens.
pub(crate) fn vehicle(word: &str) -> Option<VehicleWord> {
    match squeezed(word).as_str() {
        "truck" | "lorry" | "heavy" | "hgv" | "lkw" | "heavytruck" => {
            Some(VehicleWord::Of(VehicleType::Truck))
        }
        "bus" | "coach" | "minibus" => Some(VehicleWord::Of(VehicleType::Bus)),
        "motorcycle" | "motorbike" | "moped" | "scooter" | "motorrad" | "twowheelvehicle"
        | "twowheeler" => Some(VehicleWord::Of(VehicleType::Motorcycle)),
        plain if PLAIN.contains(&plain) => Some(VehicleWord::Plain),
        other if NO_VEHICLE.contains(&other) => Some(VehicleWord::NoVehicle),
        _ => None,
    }
}

/// What a foreign word for a direction means. Words that also name a side of the road, such as
/// "left", are not in the list.
pub(crate) fn direction(word: &str) -> Option<Direction> {
    match squeezed(word).as_str() {
        "entry" | "in" | "enter" | "entered" | "entering" | "entrance" | "ingress" | "arrival"
        | "arrive" | "arrived" | "checkin" | "ein" | "einfahrt" | "entrée" | "entree"
        | "entrada" | "ingresso" => Some(Direction::Entry),
        "exit" | "out" | "exited" | "exiting" | "leave" | "leaving" | "egress" | "departure"
        | "depart" | "departed" | "checkout" | "aus" | "ausfahrt" | "sortie" | "salida"
        | "uscita" => Some(Direction::Exit),
        _ => None,
    }
}

/// The word in small letters, without blanks, hyphens and underscores.
pub(crate) fn squeezed(word: &str) -> String {
    let kept = word.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'));
    kept.flat_map(char::to_lowercase).collect()
}
