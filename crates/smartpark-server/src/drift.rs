//! How far counts may be off.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;

use super::{
    App,
    described::problems,
    drift_views::{DriftHistoryView, DriftView, SiteDriftView},
    estimate_examples as examples,
    id::Id,
    problem::{Place, Problem},
    query::Query,
    views::answer,
};
use smartpark_ledger::{
    Error,
    error::FieldError,
    limits::{LONG_ANSWER_BYTES, MIN_DRIFT_STEP},
};

problems!(FloorProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// How far a floor's count may be off
///
/// The most likely true number of vehicles and a 95 % interval, beside the count, which they
/// never change. They rest on recounts, events at a limit, nights that resemble one another and
/// cameras that fell silent; `evidence` tells how much of each there was. `caution` says why an
/// interval may hold the truth less often than it promises. `suggested_recount` says why and when
/// a person should count. Only facts before `at` are looked at.
#[utoipa::path(
    get, path = "/floors/{id}/drift", tag = "estimates", operation_id = "getFloorDrift",
    params(
        ("id" = i64, Path, description = "The floor's id", minimum = 1),
        ("at" = Option<String>, Query, format = DateTime,
            description = "The instant (RFC 3339 with an offset), now if not given"),
    ),
    responses(
        (status = 200, description = "What is estimated", body = DriftView,
            example = json!(examples::drift())),
        FloorProblems,
    ),
)]
pub(super) async fn get_floor_drift(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    let at = asked(&uri)?;
    let told = app.park.estimates().get_drift(id, at).await.map_err(|error| of(error, "at"))?;
    Ok(answer(StatusCode::OK, &DriftView::new(&told, &app.park.time_zone().await)))
}

problems!(SiteProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// How far the site's count may be off
///
/// Every active floor, and the sum of them; the errors of floors are taken to be independent.
#[utoipa::path(
    get, path = "/drift", tag = "estimates", operation_id = "getDrift",
    params(("at" = Option<String>, Query, format = DateTime,
        description = "The instant (RFC 3339 with an offset), now if not given")),
    responses(
        (status = 200, description = "What is estimated", body = SiteDriftView,
            example = json!(examples::site_drift())),
        SiteProblems,
    ),
)]
pub(super) async fn get_drift(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let at = asked(&uri)?;
    app.check_room(LONG_ANSWER_BYTES)?;
    let told = app.park.estimates().get_site_drift(at).await.map_err(|error| of(error, "at"))?;
    Ok(answer(StatusCode::OK, &SiteDriftView::new(&told, &app.park.time_zone().await)))
}

/// How far a floor's count was off over time
///
/// The count, the most likely true number and the 95 % interval at the end of each whole step,
/// each from the facts before it: for the band in a chart. The walk begins 92 to 120 days before
/// the end, so earlier steps are left out.
#[utoipa::path(
    get, path = "/floors/{id}/drift/history", tag = "estimates",
    operation_id = "getFloorDriftHistory",
    params(
        ("id" = i64, Path, description = "The floor's id", minimum = 1),
        ("start" = String, Query, format = DateTime,
            description = "The beginning of the window (RFC 3339 with an offset)"),
        ("end" = Option<String>, Query, format = DateTime,
            description = "Its end, now if not given"),
        ("step" = Option<u32>, Query, minimum = 3_600, maximum = 2_678_400,
            description = "The length of a step in seconds, a whole number of hours; 3600 if not \
                given, 750 steps at most"),
    ),
    responses(
        (status = 200, description = "What was estimated", body = DriftHistoryView,
            example = json!(examples::drift_history())),
        FloorProblems,
    ),
)]
pub(super) async fn get_floor_drift_history(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    const NOT_A_STEP: &str = "must be a whole number of hours, in seconds, up to 2678400";
    let mut query = Query::read(&uri, &["start", "end", "step"]);
    if !query.has("start") {
        query.fault("start", "is required");
    }
    let (start, end) = (query.instant("start"), query.instant("end"));
    let step = query.small_integer("step", MIN_DRIFT_STEP..=31 * 86_400, NOT_A_STEP);
    query.finish()?;
    let now = app.park.now();
    let window = (start.unwrap_or(now), end.unwrap_or(now));
    app.check_room(LONG_ANSWER_BYTES)?;
    let step = step.unwrap_or(MIN_DRIFT_STEP);
    let told = app.park.estimates().get_drift_history(id, window, step).await;
    let told = told.map_err(|error| of(error, "end"))?;
    Ok(answer(StatusCode::OK, &DriftHistoryView::from(told)))
}

fn asked(uri: &Uri) -> Result<Option<Timestamp>, Problem> {
    let mut query = Query::read(uri, &["at"]);
    let at = query.instant("at");
    query.finish()?;
    Ok(at)
}

/// What is too old is the instant that was named.
fn of(error: Error, field: &'static str) -> Problem {
    let Error::TooOld { horizon } = error else {
        return Problem::from_error(error, Place::Query);
    };
    let detail = format!("must not be before the retention horizon ({horizon})");
    Problem::invalid(vec![FieldError::new(field, detail)], Place::Query)
}
