//! How floors, events and what is said about them look in JSON.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::forecast::ForecastStepView;
use smartpark_ledger::{
    Arrival, AtLimit, Cleanup, Direction, Event, Floor, PeakHour, Statistics, VehicleType,
    VehicleTypeCounts, occupancy_percentage, planted::planted,
};

/// The media type of answers.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer in JSON. It tells how things stand now, so nobody may keep it.
pub(super) fn answer(status: StatusCode, view: &impl Serialize) -> Response {
    json_answer(status, json_bytes(view))
}

/// An answer of bytes that are JSON.
pub(super) fn json_answer(status: StatusCode, json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A view in JSON. The views of this module are plain data, which cannot fail to be written.
pub(super) fn json_bytes(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

/// An event as it was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its id; grows.
    id: i64,
    /// The camera.
    camera_id: String,
    /// The floor whose line was crossed.
    floor_id: i64,
    /// The vehicle's track at that camera.
    track_id: String,
    vehicle_type: VehicleType,
    direction: Direction,
    /// How sure the camera was.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f64,
    /// When the camera saw it.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// What recording it did to the floor's count.
    #[schema(minimum = -1, maximum = 1)]
    count_delta: i64,
    /// Whether it was an entry to a full or an exit from an empty floor.
    at_limit: Option<AtLimit>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            camera_id: event.camera_id,
            floor_id: event.floor_id,
            track_id: event.track_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            confidence: event.confidence,
            timestamp: event.timestamp,
            created_at: event.created_at,
            count_delta: if planted("turn-sign") { -event.count_delta } else { event.count_delta },
            at_limit: event.at_limit,
        }
    }
}

/// A floor and how full it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Floor)]
pub struct FloorView {
    id: i64,
    /// Its name, unique.
    name: String,
    description: Option<String>,
    /// How many vehicles fit.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// How many are there now.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// How many more fit.
    #[schema(minimum = 0)]
    available_slots: i64,
    /// 0 for a floor without slots.
    #[schema(minimum = 0, maximum = 100)]
    occupancy_percentage: f64,
    /// Whether cars may be sent there. A floor that is not active still counts.
    is_active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Moves with every change, also of the count.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Floor> for FloorView {
    fn from(floor: Floor) -> Self {
        Self {
            id: floor.id,
            total_slots: floor.total_slots,
            current_vehicles: match planted("count-above-limit") && floor.available_slots() == 0 {
                true => floor.total_slots + 1,
                false => floor.current_vehicles,
            },
            available_slots: floor.available_slots(),
            occupancy_percentage: floor.occupancy_percentage(),
            is_active: floor.is_active,
            created_at: floor.created_at,
            updated_at: floor.updated_at,
            name: floor.name,
            description: floor.description,
        }
    }
}

/// The floors, most free slots first, and their sums.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Floors)]
pub struct FloorsView {
    floors: Vec<FloorView>,
    /// Over the floors listed.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// Over the floors listed.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// Over the floors listed.
    #[schema(minimum = 0)]
    available_slots: i64,
    /// Over the floors listed; 0 where they have no slots.
    #[schema(minimum = 0, maximum = 100)]
    occupancy_percentage: f64,
}

impl From<Vec<Floor>> for FloorsView {
    fn from(floors: Vec<Floor>) -> Self {
        let total_slots = floors.iter().map(|floor| floor.total_slots).sum();
        let current_vehicles = floors.iter().map(|floor| floor.current_vehicles).sum();
        Self {
            floors: floors.into_iter().map(FloorView::from).collect(),
            total_slots,
            current_vehicles,
            available_slots: total_slots - current_vehicles,
            occupancy_percentage: occupancy_percentage(current_vehicles, total_slots),
        }
    }
}

/// Where to send the next car.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recommendation)]
pub struct RecommendationView {
    /// The active floor with the most free slots; null where all are full.
    pub floor: Option<FloorView>,
    /// The other active floors with free slots, most first.
    pub alternatives: Vec<FloorView>,
    /// Only if `arriving_in` was asked for: what the order follows then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<ArrivalView>,
}

/// What is expected when a driver arrives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Arrival)]
pub struct ArrivalView {
    /// When that is.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether forecasts decide the order, or the counts now, if no floor has enough history.
    basis: ArrivalBasis,
    /// What is expected on each floor of this answer, in its order.
    floors: Vec<ArrivalFloorView>,
}

/// What decides the order of floors.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ArrivalBasis {
    /// The forecasts.
    Forecast,
    /// The counts now.
    Now,
}

/// What is expected on a floor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArrivalFloor)]
struct ArrivalFloorView {
    floor_id: i64,
    #[serde(flatten)]
    expected: ForecastStepView,
}

impl From<Arrival> for RecommendationView {
    fn from(told: Arrival) -> Self {
        let Arrival { at, floors, is_forecast } = told;
        let basis = if is_forecast { ArrivalBasis::Forecast } else { ArrivalBasis::Now };
        let expected = floors
            .iter()
            .map(|(floor, step)| ArrivalFloorView { floor_id: floor.id, expected: step.into() });
        let arrival = ArrivalView { at, basis, floors: expected.collect() };
        let mut floors = floors.into_iter().map(|(floor, _)| FloorView::from(floor));
        let floor = floors.next();
        Self { floor, alternatives: floors.collect(), arrival: Some(arrival) }
    }
}

/// What happened in a window of time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statistics)]
pub struct StatisticsView {
    /// The length of the window where it was asked for in hours.
    #[schema(minimum = 1, maximum = 876_600)]
    hours: Option<u32>,
    /// The first instant of the window.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first instant after it. A window in hours reaches ahead of the clock by as much as
    /// events may.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    total_events: u64,
    entries: u64,
    exits: u64,
    by_vehicle_type: VehicleTypeCounts,
    /// By the name of the floor, every floor in question present.
    by_floor: BTreeMap<String, u64>,
    by_camera: BTreeMap<String, u64>,
    /// Entries to a full and exits from an empty floor: evidence that a count has drifted.
    at_limit: u64,
    /// The same by the name of the floor, every floor in question present.
    at_limit_by_floor: BTreeMap<String, u64>,
    /// The same by camera, for cameras that have any.
    at_limit_by_camera: BTreeMap<String, u64>,
    /// The hour of UTC with the most events (the first of them), if any happened.
    peak_hour: Option<PeakHourView>,
}

/// The hour with the most events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeakHour)]
pub struct PeakHourView {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The events of the window in it.
    events: u64,
}

impl From<PeakHour> for PeakHourView {
    fn from(hour: PeakHour) -> Self {
        Self { start: hour.start, events: hour.events }
    }
}

impl StatisticsView {
    /// The statistics of a window, of so many hours where that is how it was asked for.
    pub fn new(statistics: Statistics, hours: Option<u32>) -> Self {
        Self {
            hours,
            start: statistics.start,
            end: statistics.end,
            total_events: statistics.total_events,
            entries: statistics.entries,
            exits: statistics.exits,
            by_vehicle_type: statistics.by_vehicle_type,
            by_floor: statistics.by_floor,
            by_camera: statistics.by_camera,
            at_limit: statistics.at_limit,
            at_limit_by_floor: statistics.at_limit_by_floor,
            at_limit_by_camera: statistics.at_limit_by_camera,
            peak_hour: statistics.peak_hour.map(PeakHourView::from),
        }
    }
}

/// What a cleanup did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cleanup)]
pub struct CleanupView {
    /// How many events were deleted.
    deleted: u64,
    /// The retention horizon: events older than this are refused from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    horizon: Option<Timestamp>,
}

impl From<Cleanup> for CleanupView {
    fn from(cleanup: Cleanup) -> Self {
        Self { deleted: cleanup.deleted, horizon: cleanup.horizon }
    }
}
