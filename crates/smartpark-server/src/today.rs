//! Today beside the same weekday of the last weeks.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    described::problems,
    estimate_examples as examples,
    id::Id,
    problem::{Place, Problem},
    query::Query,
    views::answer,
};
use smartpark_ledger::{
    Today,
    estimate::usual::{UsualDay, UsualStep},
    limits::LONG_ANSWER_BYTES,
};

/// Today by quarters of an hour, and what is usual on this weekday.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Today)]
pub(super) struct TodayView {
    /// The floor; null for the site.
    floor_id: Option<i64>,
    /// The date at the site.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The site's time zone. The day is a day there.
    time_zone: String,
    /// The first instant of the day.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Until when the day is known: now.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The vehicles now.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// The slots now.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// Since which quarter of an hour it is full without a break; null if it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    full_since: Option<Timestamp>,
    /// Earlier days of the same weekday, of the last six weeks, on which `usual` rests.
    #[schema(minimum = 0, maximum = 6)]
    usual_days: usize,
    /// When it is usually full on this weekday.
    usually_full: Option<UsuallyFullView>,
    /// Every quarter of an hour of the day: 92 to 100, as the clock may change.
    #[schema(max_items = 100)]
    steps: Vec<TodayStepView>,
}

/// The longest stretch of the day that was full on at least half of the earlier days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsuallyFull)]
struct UsuallyFullView {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// The beginning of a quarter of an hour. What is usual is null without two earlier days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TodayStep)]
struct TodayStepView {
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The vehicles then; null if that is still to come or no camera saw.
    #[schema(minimum = 0)]
    vehicles: Option<i64>,
    /// The lowest of the earlier days; from four days on the lowest but one.
    #[schema(minimum = 0)]
    low: Option<i64>,
    /// The median of the earlier days.
    #[schema(minimum = 0)]
    middle: Option<i64>,
    /// The highest of the earlier days; from four days on the highest but one.
    #[schema(minimum = 0)]
    high: Option<i64>,
}

impl From<UsualStep> for TodayStepView {
    fn from(step: UsualStep) -> Self {
        Self {
            at: step.at,
            vehicles: step.vehicles,
            low: step.usual.map(|band| band.low),
            middle: step.usual.map(|band| band.middle),
            high: step.usual.map(|band| band.high),
        }
    }
}

impl TodayView {
    fn new(floor_id: Option<i64>, told: Today) -> Self {
        let Today { at, zone, vehicles, total_slots, day } = told;
        let UsualDay { date, start, end, days, usually_full, full_since, steps } = day;
        Self {
            floor_id,
            date,
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            start,
            end,
            at,
            current_vehicles: vehicles,
            total_slots,
            full_since,
            usual_days: days,
            usually_full: usually_full.map(|(from, until)| UsuallyFullView { from, until }),
            steps: steps.into_iter().map(Into::into).collect(),
        }
    }
}

problems!(FloorProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Today on a floor
///
/// The vehicles at each quarter of an hour of the site's day, beside the same weekday of the last
/// six weeks: the band in which the middle of those days lies, and when the floor is usually full.
/// Nothing is stored: late events correct it.
#[utoipa::path(
    get, path = "/floors/{id}/today", tag = "estimates", operation_id = "getFloorToday",
    params(("id" = i64, Path, description = "The floor's id", minimum = 1)),
    responses(
        (status = 200, description = "The day", body = TodayView,
            example = json!(examples::today(Some(1)))),
        FloorProblems,
    ),
)]
pub(super) async fn get_floor_today(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    today(&app, Some(id), &uri).await
}

problems!(SiteProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Today on the site
///
/// The floors that are active now, together; else as today on a floor.
#[utoipa::path(
    get, path = "/today", tag = "estimates", operation_id = "getToday",
    responses(
        (status = 200, description = "The day", body = TodayView,
            example = json!(examples::today(None))),
        SiteProblems,
    ),
)]
pub(super) async fn get_today(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    today(&app, None, &uri).await
}

async fn today(app: &App, floor_id: Option<i64>, uri: &Uri) -> Result<Response, Problem> {
    Query::none(uri)?;
    app.check_room(LONG_ANSWER_BYTES)?;
    let told = app.park.estimates().get_today(floor_id).await;
    let told = told.map_err(|error| Problem::from_error(error, Place::Query))?;
    Ok(answer(StatusCode::OK, &TodayView::new(floor_id, told)))
}
