//! The cameras of the site, and how each of them does.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use smartpark_exchange::Signs;
use utoipa::ToSchema;

use super::{App, described::problems, examples, problem::Problem, query::Query, views::answer};
use smartpark_ledger::{limits::MAX_METRIC_CAMERAS, zone::period};

/// Refusals of so many hours are told.
const REFUSED_HOURS: u32 = 24;

/// Cameras, by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cameras)]
pub(super) struct CamerasView {
    #[schema(max_items = 500)]
    cameras: Vec<CameraView>,
}

/// A camera that sent or was heard in the last week.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Camera)]
pub(super) struct CameraView {
    camera_id: String,
    /// The last event by the camera's own clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_event: Option<Timestamp>,
    /// When the server received the last event; null if that is many events ago.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received: Option<Timestamp>,
    /// When the camera was last heard: an event, a heartbeat or a message.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_heard: Option<Timestamp>,
    /// The smallest age of its last live events when they arrived, in seconds; null if it sent
    /// none in the last day.
    #[schema(minimum = 0)]
    lag_seconds: Option<i64>,
    /// Whether its clock must be behind: the lag is large, or lasts.
    is_behind: bool,
    /// Its events of today, a day at the site.
    #[schema(minimum = 0)]
    events_today: u64,
    /// Those of them that found their floor full or empty: signs that a count is off.
    #[schema(minimum = 0)]
    at_limit_today: u64,
    /// Its events that were refused in the last 24 hours.
    #[schema(minimum = 0)]
    refused: u64,
}

problems!(CamerasProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List cameras
///
/// The cameras that sent an event or were heard in the last week, by name: when each was last
/// seen by its own clock and by that of the server, how far its clock is behind, and what it sent
/// today. `/attention` names those that need a person.
#[utoipa::path(
    get, path = "/cameras", tag = "devices", operation_id = "listCameras",
    responses(
        (status = 200, description = "The cameras", body = CamerasView,
            example = json!(examples::cameras())),
        CamerasProblems,
    ),
)]
pub(super) async fn list_cameras(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let events = app.park.events();
    let mut cameras = Cameras::default();
    for seen in events.get_last_seen().await? {
        cameras.of(&seen.camera_id).last_event = Some(seen.at);
    }
    for (camera_id, at) in events.get_last_received().await? {
        let camera = cameras.of(&camera_id);
        (camera.last_received, camera.last_heard) = (Some(at), Some(at));
    }
    for (camera_id, at) in Signs::all(&app.park).await? {
        let camera = cameras.of(&camera_id);
        camera.last_heard = camera.last_heard.max(Some(at));
    }
    for lag in events.get_camera_lags().await? {
        let camera = cameras.of(&lag.camera_id);
        camera.lag_seconds = Some(lag.micros / 1_000_000);
        camera.is_behind = lag.is_told;
    }
    let local = app.local().await?;
    let midnight = period("today", &local.zone, local.now).map_or(local.now, |day| day.0);
    let today = events.get_event_statistics_between(midnight, local.now, None).await?;
    for (camera_id, count) in today.by_camera {
        cameras.of(&camera_id).events_today = count;
    }
    for (camera_id, count) in today.at_limit_by_camera {
        cameras.of(&camera_id).at_limit_today = count;
    }
    for refusal in events.get_refusals(REFUSED_HOURS).await? {
        if let Some(camera_id) = refusal.camera_id {
            cameras.of(&camera_id).refused += refusal.events;
        }
    }
    Ok(answer(StatusCode::OK, &cameras.view()))
}

/// Cameras in the making, by name.
#[derive(Default)]
struct Cameras(BTreeMap<String, CameraView>);

impl Cameras {
    fn of(&mut self, camera_id: &str) -> &mut CameraView {
        let make = || CameraView { camera_id: camera_id.to_owned(), ..CameraView::default() };
        self.0.entry(camera_id.to_owned()).or_insert_with(make)
    }

    fn view(self) -> CamerasView {
        CamerasView { cameras: self.0.into_values().take(MAX_METRIC_CAMERAS).collect() }
    }
}
