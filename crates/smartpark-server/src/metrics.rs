//! `GET /metrics`: what Prometheus reads.
//!
//! Counters are those of this process; what is read from the store (floors, cameras, size) is the
//! same on every server of one database. No label has more values than a named bound.

mod exposition;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};
use tokio::time::timeout;

use super::{App, described::problems, examples, problem::Problem, query::Query};
use exposition::{Exposition, Type};
use smartpark_ledger::{
    CameraLag, Floor, FloorDrift, LastSeen, RefusalReason, SmartPark, Timestamp,
    limits::{MAX_QUEUED_ROWS, METRICS_PATIENCE},
    planted::planted,
    recorder::RecordingLog,
};

/// The media type of the format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The camera of those that are counted together.
const OTHER: &str = "other";
/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

problems!(MetricsProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Metrics for Prometheus
///
/// In the text format, version 0.0.4: requests by route and status, what the recorder does, events
/// that were recorded, repeated, refused or found a floor at its limit, floors, cameras, the
/// database and the process. Counters begin with the process and are its own. While the store is
/// out of reach `smartpark_store_up` is 0 and what is read from it is left out. A camera named
/// `other` stands for all beyond the first 500, and for those without a name that fits.
#[utoipa::path(
    get, path = "/metrics", tag = "health", operation_id = "getMetrics",
    responses(
        (status = 200, description = "The metrics", content_type = "text/plain", body = String,
            example = json!(examples::metrics())),
        MetricsProblems,
    ),
)]
pub(super) async fn get_metrics(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let stored = timeout(METRICS_PATIENCE, Stored::read(&app.park)).await;
    let stored =
        stored.unwrap_or_else(|_| Err(smartpark_ledger::Error::Unavailable("it is slow".into())));
    let mut text = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION")), ("engine", app.park.engine_name())];
    text.family("smartpark_build_info", Type::Gauge, "The program and its engine; always 1.")
        .value(&version, 1);
    tell_requests(&mut text, &app);
    tell_recorder(&mut text, app.park.recording_log());
    tell_refused(&mut text, app.park.refused_events());
    tell_not_counted(&mut text, &app.park.not_counted());
    match stored {
        Ok(stored) => stored.tell(&mut text, app.park.now()),
        Err(error) => {
            tracing::debug!("the metrics are told without those of the store: {error}");
            text.gauge("smartpark_store_up", STORE_UP, 0);
        }
    }
    let began = app.began.as_microsecond() as f64 / 1e6;
    text.gauge("process_start_time_seconds", "When it began, in seconds since 1970 UTC.", began);
    process::tell(&mut text);
    let mut response = Response::new(text.into_text().into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn tell_requests(text: &mut Exposition, app: &App) {
    let requests = &app.outside.requests;
    let counted: Vec<_> = requests.counted().collect();
    let help = "Requests that were answered, by route (the path of an operation, or `other`) and \
                status; 499 where the client left before.";
    let mut family = text.family("smartpark_http_requests_total", Type::Counter, help);
    for endpoint in &counted {
        for (status, count) in &endpoint.statuses {
            let labels =
                [("method", endpoint.method), ("route", endpoint.route), ("status", status)];
            family.value(&labels, count);
        }
    }
    let help = "Time from the head of a request to the head of its answer.";
    let mut family = text.family("smartpark_http_request_duration_seconds", Type::Histogram, help);
    for endpoint in &counted {
        let labels = [("method", endpoint.method), ("route", endpoint.route)];
        family.histogram(&labels, &endpoint.durations, NANOS);
    }
    let help = "Requests that are being answered.";
    text.gauge("smartpark_http_requests_in_flight", help, requests.in_flight());
    // Who serves the routes elsewhere counts connections there.
    if let Some(places) = &app.outside.places {
        text.gauge("smartpark_connections", "Connections that are open.", places.taken());
        text.gauge("smartpark_connections_max", "Most connections at once.", places.most());
    }
    let watchers = app.park.watchers() + app.streams.taken();
    text.gauge("smartpark_watchers", "Watchers of the live stream.", watchers);
}

fn tell_recorder(text: &mut Exposition, log: &RecordingLog) {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let help = "Rows that were handed over to be recorded and are not answered yet.";
    text.gauge("smartpark_recorder_queue_rows", help, log.waiting_rows());
    let help = "Most such rows; more are answered with 503.";
    text.gauge("smartpark_recorder_queue_rows_max", help, MAX_QUEUED_ROWS);
    let help = "Batches that were answered with 503 because the queue was full.";
    text.counter("smartpark_recorder_overloads_total", help, read(&log.overloads));
    let help = "Rows that were committed together.";
    text.family("smartpark_recorder_group_rows", Type::Histogram, help).histogram(
        &[],
        &log.group_rows.counted(),
        1.0,
    );
    let help = "Time to record and commit a group.";
    text.family("smartpark_recorder_commit_duration_seconds", Type::Histogram, help).histogram(
        &[],
        &log.commits.counted(),
        NANOS,
    );
    let help = "Groups that failed: their events are unknown until they are sent again.";
    text.counter("smartpark_recorder_failed_groups_total", help, read(&log.failed_groups));
    let help = "Events that this process stored.";
    text.counter("smartpark_events_recorded_total", help, read(&log.recorded));
    let help = "Repeats of events that had been stored before.";
    text.counter("smartpark_events_duplicate_total", help, read(&log.duplicates));
    let help = "Repeats that say something else than the first.";
    text.counter("smartpark_events_differing_total", help, read(&log.differing));
    let help = "Stored events that found their floor full or empty: its count has drifted.";
    let mut family = text.family("smartpark_events_at_limit_total", Type::Counter, help);
    for (camera_id, (floor_id, limit), count) in log.at_limit().all() {
        let camera_id = camera_id.as_deref().unwrap_or(OTHER);
        let floor_id = floor_id.to_string();
        family.value(&[("camera_id", camera_id), ("floor_id", &floor_id), ("limit", limit)], count);
    }
}

fn tell_refused(text: &mut Exposition, refused: Vec<(Option<String>, RefusalReason, u64)>) {
    let help = "Events of which nothing was stored, by camera and reason.";
    let mut family = text.family("smartpark_events_refused_total", Type::Counter, help);
    // A repeat that differs is stored already: it is no refusal here but a duplicate.
    let refused = refused.iter().filter(|(_, reason, _)| *reason != RefusalReason::Differs);
    for (camera_id, reason, count) in refused {
        let camera_id = camera_id.as_deref().unwrap_or(OTHER);
        family.value(&[("camera_id", camera_id), ("reason", reason.as_str())], count);
    }
}

fn tell_not_counted(text: &mut Exposition, not_counted: &[(Option<String>, &'static str, u64)]) {
    let help = "What devices sent that was not counted, by camera and reason.";
    let mut family = text.family("smartpark_messages_not_counted_total", Type::Counter, help);
    for (camera_id, reason, count) in not_counted {
        let camera_id = camera_id.as_deref().unwrap_or(OTHER);
        family.value(&[("camera_id", camera_id), ("reason", reason)], count);
    }
}

const STORE_UP: &str = "Whether the store could be read for these metrics.";

/// What the store says.
struct Stored {
    floors: Vec<Floor>,
    cameras: Vec<LastSeen>,
    lags: Vec<CameraLag>,
    size_bytes: u64,
    drift: Vec<FloorDrift>,
}

impl Stored {
    async fn read(park: &SmartPark) -> smartpark_ledger::Result<Self> {
        let mut floors = park.floors().get_latest_floors().await?.to_vec();
        floors.sort_by_key(|floor| floor.id);
        let cameras = park.events().get_last_seen().await?;
        let lags = park.events().get_camera_lags().await?;
        let size_bytes = park.migrations().get_database_size().await?;
        let drift = park.estimates().get_drift_survey().await?;
        Ok(Self { floors, cameras, lags, size_bytes, drift })
    }

    fn tell(&self, text: &mut Exposition, now: Timestamp) {
        text.gauge("smartpark_store_up", STORE_UP, 1);
        text.gauge("smartpark_database_size_bytes", "Size of the database.", self.size_bytes);
        let mut floors = |name, help, value: fn(&Floor) -> i64| {
            let mut family = text.family(name, Type::Gauge, help);
            for floor in &self.floors {
                let id = floor.id.to_string();
                family.value(&[("floor_id", &id), ("floor", &floor.name)], value(floor));
            }
        };
        floors("smartpark_floor_slots", "Slots of a floor.", |floor| floor.total_slots);
        floors("smartpark_floor_vehicles", "Vehicles on a floor.", |floor| {
            floor.current_vehicles + i64::from(planted("wrong-gauge"))
        });
        floors("smartpark_floor_free_slots", "Free slots of a floor.", Floor::available_slots);
        floors("smartpark_floor_active", "Whether cars are sent to a floor.", |floor| {
            floor.is_active.into()
        });
        self.tell_drift(text);
        let help = "Age of the last event of each camera that sent any in the last week.";
        let mut family = text.family("smartpark_camera_last_event_age_seconds", Type::Gauge, help);
        for LastSeen { camera_id, at } in &self.cameras {
            // An event may be a little ahead of the clock.
            let age = now.duration_since(*at).as_secs_f64().max(0.0);
            family.value(&[("camera_id", camera_id)], age);
        }
        let help = "Least age of the last live events of each camera at their receipt: far above \
                    0 if its clock is behind.";
        let mut family = text.family("smartpark_camera_lag_seconds", Type::Gauge, help);
        for CameraLag { camera_id, micros, .. } in &self.lags {
            family.value(&[("camera_id", camera_id)], *micros as f64 / 1e6);
        }
    }
    fn tell_drift(&self, text: &mut Exposition) {
        let mut floors = |name, help, value: fn(&FloorDrift) -> f64| {
            let mut family = text.family(name, Type::Gauge, help);
            for told in &self.drift {
                let id = told.floor.id.to_string();
                family.value(&[("floor_id", &id), ("floor", &told.floor.name)], value(told));
            }
        };
        let help = "Most likely true number of vehicles on a floor at the last full hour.";
        floors("smartpark_drift_estimate", help, |told| told.drift.estimate as f64);
        let help = "Lower bound of its 95 % interval.";
        floors("smartpark_drift_low", help, |told| told.drift.low as f64);
        let help = "Upper bound of its 95 % interval.";
        floors("smartpark_drift_high", help, |told| told.drift.high as f64);
        let help = "Vehicles per event by which a floor's count falls behind the truth.";
        floors("smartpark_net_loss_ratio", help, |told| {
            told.drift.net_loss_per_1000.estimate / 1000.0
        });
    }
}
