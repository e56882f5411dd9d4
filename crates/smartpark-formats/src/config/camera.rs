//! `[[camera]]`: a device, its floor, and what its words mean.

use std::{collections::BTreeSet, fmt};

use jiff::{SignedDuration, tz::TimeZone};

use super::{
    Types,
    inputs::Input,
    table::Table,
    values::{one_of, signed_duration},
};
use crate::{VehicleType, limits::MAX_NAME_CHARS};

/// A floor, as the configuration or an event names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Floor {
    /// By its id.
    Id(i64),
    /// By its name.
    Name(String),
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.pad(name),
        }
    }
}

/// `[[camera]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// The `camera_id` of its events, and the last part of `/inputs/<camera>`.
    pub id: String,
    /// The floor whose line it watches.
    pub floor: Floor,
    /// The floor on the other side of a ramp.
    pub from: Option<Floor>,
    /// Another camera that watches the same line.
    pub twin_of: Option<String>,
    /// The type of what the device calls a car, a vehicle, unknown or nothing.
    pub default_type: VehicleType,
    /// What further words mean, in small letters.
    pub types: Types,
    /// Words in small letters that are no vehicles here.
    pub ignore: BTreeSet<String>,
    /// Less sure events are not counted.
    pub min_confidence: f64,
    /// What is added to the device's times.
    pub clock_offset: SignedDuration,
    /// The zone of times that name none: that of the site.
    pub time_zone: TimeZone,
    /// What the device is.
    pub input: Input,
}

/// The words of `vehicle_type`.
const VEHICLE_TYPES: [(&str, VehicleType); 4] = [
    ("car", VehicleType::Car),
    ("motorcycle", VehicleType::Motorcycle),
    ("bus", VehicleType::Bus),
    ("truck", VehicleType::Truck),
];

impl Camera {
    pub(super) fn read(table: &Table<'_, '_>, zone: &TimeZone) -> Option<Self> {
        table.require("id");
        let id = table.parsed("id", camera_id);
        if !table.has("floor") && !table.has("floor_id") {
            table.fault("floor", "is missing: name the floor whose line the camera watches");
        }
        let floor = floor(table, "floor", "floor_id");
        let from = self::floor(table, "from", "from_id");
        if floor.is_some() && floor == from {
            table.fault("from", "must be another floor than floor");
        }
        let twin_of = table.parsed("twin_of", camera_id);
        if twin_of.is_some() && twin_of == id {
            table.fault("twin_of", "must name another camera");
        }
        let default_type = table.parsed("default_type", |text| one_of(text, &VEHICLE_TYPES));
        let types = types(table);
        let ignore: BTreeSet<String> =
            table.texts("ignore").iter().map(|word| word.to_lowercase()).collect();
        for word in ignore.iter().filter(|word| types.contains_key(*word)) {
            table.fault("ignore", &format!("{word} also stands in types"));
        }
        let min_confidence = table.number("min_confidence", 0.0..=1.0).unwrap_or(0.0);
        let clock_offset = table.parsed("clock_offset", signed_duration);
        let input = Input::read(table, id.as_deref().unwrap_or_default());
        table.finish();
        Some(Self {
            id: id?,
            floor: floor?,
            from,
            twin_of,
            default_type: default_type.unwrap_or(VehicleType::Car),
            types,
            ignore,
            min_confidence,
            clock_offset: clock_offset.unwrap_or_default(),
            time_zone: zone.clone(),
            input: input?,
        })
    }
}

/// A floor by name under one key or by id under another.
fn floor(table: &Table<'_, '_>, name: &str, id: &str) -> Option<Floor> {
    let by_name = table.text(name).map(Floor::Name);
    let by_id = table.whole(id, 1..=i64::MAX.unsigned_abs());
    let by_id = by_id.and_then(|id| i64::try_from(id).ok()).map(Floor::Id);
    if by_name.is_some() && by_id.is_some() {
        table.fault(id, &format!("{name} names the floor already"));
    }
    by_name.or(by_id)
}

fn camera_id(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_control() || c == '/');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 100 characters, none of them a slash".to_owned())
    }
}

fn types(table: &Table<'_, '_>) -> Types {
    let Some(words) = table.table("types") else { return Types::new() };
    let types = words.names().into_iter().filter_map(|word| {
        let kind = words.parsed(&word, |text| one_of(text, &VEHICLE_TYPES))?;
        Some((word.to_lowercase(), kind))
    });
    types.collect()
}
