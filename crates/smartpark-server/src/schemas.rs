//! The bodies of requests as the OpenAPI document describes them. They are read by
//! [`intake`](smartpark_ledger::intake) and [`floors`](super::floors), which name every fault at
//! once.

use jiff::Timestamp;
use utoipa::ToSchema;

use smartpark_ledger::{Direction, VehicleType};

/// An event as a camera reports it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct NewEvent {
    /// The camera. No control characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    camera_id: String,
    /// The floor whose line was crossed. Required unless its name is given.
    #[schema(value_type = i64, required = false, minimum = 1)]
    floor_id: Option<i64>,
    /// The name of the floor, in place of its id or beside it.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    floor: Option<String>,
    /// The vehicle's track at that camera. No control characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    track_id: String,
    vehicle_type: VehicleType,
    direction: Direction,
    /// How sure the camera is.
    #[schema(minimum = 0, maximum = 1, default = 0.8)]
    confidence: Option<f64>,
    /// When the camera saw it: RFC 3339 with any offset, kept in whole microseconds of UTC.
    /// Without one the server's clock is used.
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<Timestamp>,
}

/// One event or many.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) enum NewEvents {
    /// A single event.
    One(NewEvent),
    /// A batch.
    Many(NewEventBatch),
}

/// Events to be recorded together.
#[derive(ToSchema)]
#[schema(max_items = 10_000)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct NewEventBatch(Vec<NewEvent>);

/// A floor to be made.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct NewFloor {
    /// Its name, unique. No control characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    name: String,
    /// How many vehicles fit. Holds for all of the floor's past, too, until it is changed.
    #[schema(minimum = 0, maximum = 1_000_000)]
    total_slots: i64,
    /// What else is to be said about it. No control characters but line breaks.
    #[schema(max_length = 1_000, pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$")]
    description: Option<String>,
    /// Whether cars may be sent there.
    #[schema(value_type = bool, required = false, default = true)]
    is_active: Option<bool>,
}

/// What is to change about a floor; what is absent stays as it is.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct FloorChange {
    /// A new name.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    name: Option<String>,
    /// A new capacity, from now on.
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 1_000_000)]
    total_slots: Option<i64>,
    /// A new description; null removes it.
    #[schema(max_length = 1_000, pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$")]
    description: Option<String>,
    /// Whether cars may be sent there.
    #[schema(value_type = bool, required = false)]
    is_active: Option<bool>,
    /// Lower the capacity even below the current count, which then is cut to it.
    #[schema(value_type = bool, required = false, default = false)]
    force: Option<bool>,
}

/// What somebody counted.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct Recount {
    /// The vehicles on the floor, at most its slots.
    #[schema(minimum = 0, maximum = 1_000_000)]
    current_vehicles: i64,
    /// Why. No control characters but line breaks.
    #[schema(
        min_length = 1,
        max_length = 1_000,
        pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"
    )]
    reason: String,
    /// When the vehicles were counted, if that was earlier: what came after it still counts.
    #[schema(value_type = Option<String>, format = DateTime)]
    counted_at: Option<String>,
}

/// Who wants to sign in.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct NewSession {
    /// A key, as `smartpark key add` has shown it.
    key: String,
}

/// What is to change about a site; what is absent stays as it is, and null takes an optional
/// member out.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct SiteChange {
    /// A new name in paths.
    #[schema(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    slug: Option<String>,
    /// A new name.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    name: Option<String>,
    /// A time zone such as `Europe/Berlin`, or an offset such as `+01:00`.
    #[schema(value_type = String, required = false)]
    time_zone: Option<String>,
    /// Latitude of the entrance, in degrees; only with longitude.
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Longitude of the entrance, in degrees.
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// Street, number, code and town.
    address: Option<String>,
    /// Who runs it.
    operator: Option<String>,
    /// Its page, with https:// or http://.
    website: Option<String>,
    /// Opening hours in the syntax of OpenStreetMap.
    opening_hours: Option<String>,
    /// `garage`, `underground`, `lot` or `street`.
    kind: Option<String>,
    /// Two small letters.
    #[schema(pattern = "^[a-z]{2}$")]
    language: Option<String>,
    /// Highest vehicle, in centimetres.
    #[schema(minimum = 100, maximum = 2000)]
    max_height_cm: Option<u32>,
    /// Slots of tenants.
    #[schema(maximum = 1_000_000)]
    reserved_slots: Option<u32>,
    /// Under which licence its numbers may be used.
    licence: Option<String>,
}
