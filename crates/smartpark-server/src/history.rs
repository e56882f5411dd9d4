//! Occupancy over time, of a floor and of the site.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    aged::aged,
    described::problems,
    examples,
    id::Id,
    problem::{Place, Problem},
    query::Query,
    views::answer,
    window::{Local, Window},
};
use smartpark_ledger::{
    Error, OccupancyHistory, OccupancyStep,
    error::FieldError,
    limits::{DEFAULT_STATISTICS_HOURS, LONG_ANSWER_BYTES, MAX_HISTORY_STEP, MIN_HISTORY_STEP},
    zone::CalendarStep,
};

/// Occupancy over time, as history is known now: late events have their place in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OccupancyHistory)]
pub struct HistoryView {
    /// The first instant of the window.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The length of a step in seconds. The last one may be shorter.
    #[schema(minimum = 60, maximum = 2_678_400)]
    step: u32,
    /// `day`, `week` or `month` if the steps are those of the site's calendar, then `step` is
    /// their usual length; null if all steps are equally long.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<CalendarStep>,
    /// The floor; null for the site.
    floor_id: Option<i64>,
    /// From the start on, without a gap.
    #[schema(max_items = 2_000)]
    steps: Vec<StepView>,
}

/// What happened in one step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OccupancyStep)]
pub struct StepView {
    /// The first instant of the step.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The least number of vehicles: of those at the step's beginning and all that follow in it.
    #[schema(minimum = 0)]
    min: i64,
    /// The greatest number of vehicles.
    #[schema(minimum = 0)]
    max: i64,
    /// The mean over time.
    #[schema(minimum = 0)]
    mean: f64,
    /// The vehicles at the step's end.
    #[schema(minimum = 0)]
    closing: i64,
    /// The slots at the step's end.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// Events in, those to a full floor too.
    entries: u64,
    /// Events out, those from an empty floor too.
    exits: u64,
}

impl From<OccupancyHistory> for HistoryView {
    fn from(history: OccupancyHistory) -> Self {
        let OccupancyHistory { start, end, step, unit, floor_id, steps } = history;
        Self {
            start,
            end,
            step,
            unit,
            floor_id,
            steps: steps.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<OccupancyStep> for StepView {
    fn from(step: OccupancyStep) -> Self {
        Self {
            start: step.start,
            min: step.min,
            max: step.max,
            mean: step.mean,
            closing: step.closing,
            total_slots: step.total_slots,
            entries: step.entries,
            exits: step.exits,
        }
    }
}

/// The parameters of a history, as they are described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct WindowParams {
    /// The last hours; not beside start or end
    #[param(minimum = 1, maximum = 876_600)]
    hours: Option<u32>,
    /// The first instant of the window: RFC 3339 with an offset, or a date, `2026-11`, `today` or
    /// `yesterday`, which begin in the site's time zone
    start: Option<String>,
    /// The first instant after it, now if not given; only with start
    end: Option<String>,
    /// A day or month of the site: `today`, `yesterday`, a date or `2026-11`; not beside hours,
    /// start or end
    period: Option<String>,
    /// The length of a step in seconds, 60 to 2678400; or `day`, `week` or `month` of the site's
    /// calendar, over both changes of the clock. At most 2000 steps
    #[param(example = "day")]
    step: Option<String>,
}

problems!(FloorProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Occupancy of a floor over time
///
/// Step by step through a window: the last hours (24 if nothing is given), or from start until
/// end (now if not given, and never later). Without a step the shortest usual one is taken that
/// makes no more than 300 steps. Exact, as history is known now: late events have their place in
/// it, and a recount holds from its own time on. A window cannot begin before the retention
/// horizon.
#[utoipa::path(
    get, path = "/floors/{id}/history", tag = "statistics", operation_id = "getFloorHistory",
    params(
        ("id" = i64, Path, description = "The floor's id", minimum = 1),
        WindowParams,
    ),
    responses(
        (status = 200, description = "How it was", body = HistoryView,
            headers(("SmartPark-Replica-Age" = f64,
                description = "Seconds; only where a replica answered")),
            example = json!(examples::history(Some(1)))),
        FloorProblems,
    ),
)]
pub(super) async fn get_floor_history(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    history(&app, Some(id), &uri).await
}

problems!(SiteProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Occupancy of the site over time
///
/// The floors that are active now, together; else as the occupancy of a floor. Of facts at one
/// instant those of the floor with the lower id come first.
#[utoipa::path(
    get, path = "/history", tag = "statistics", operation_id = "getHistory",
    params(WindowParams),
    responses(
        (status = 200, description = "How it was", body = HistoryView,
            headers(("SmartPark-Replica-Age" = f64,
                description = "Seconds; only where a replica answered")),
            example = json!(examples::history(None))),
        SiteProblems,
    ),
)]
pub(super) async fn get_history(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    history(&app, None, &uri).await
}

async fn history(app: &App, floor_id: Option<i64>, uri: &Uri) -> Result<Response, Problem> {
    let reading = app.park.from_replica();
    let floors = reading.floors();
    let local = app.local().await?;
    let asked = Asked::read(uri, &local, |hours| floors.history_window(hours))?;
    let Asked { start, end, step, unit } = asked;
    app.check_room(LONG_ANSWER_BYTES)?;
    let history = match unit {
        Some(unit) => floors.get_calendar_history(floor_id, start, end, unit, &local.zone).await,
        None => floors.get_history(floor_id, start, end, step).await,
    };
    let history = history.map_err(of_query)?;
    Ok(aged(answer(StatusCode::OK, &HistoryView::from(history)), &reading))
}

/// What history was asked for.
pub(super) struct Asked {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step: Option<u32>,
    /// The part of the calendar that a step is.
    pub(super) unit: Option<CalendarStep>,
}

impl Asked {
    /// Reads the query of `uri`, where `last` says from when until now the last hours are.
    pub(super) fn read(
        uri: &Uri,
        local: &Local,
        last: impl FnOnce(u32) -> smartpark_ledger::Result<(Timestamp, Timestamp)>,
    ) -> Result<Self, Problem> {
        const NOT_A_STEP: &str = "must be a whole number of seconds from 60 to 2678400, or \
            day, week or month";
        let mut query = Query::read(uri, &["hours", "start", "end", "period", "step"]);
        let window = Window::read(&mut query, local);
        let unit = query.word_of::<CalendarStep>("step");
        let steps = MIN_HISTORY_STEP..=MAX_HISTORY_STEP;
        let step = match unit {
            Some(_) => None,
            None => query.small_integer("step", steps, NOT_A_STEP),
        };
        let hours = window.hours.unwrap_or(DEFAULT_STATISTICS_HOURS);
        let (first, now) = last(hours).map_err(of_query)?;
        let (start, end) = window.or((first, now), &mut query);
        if start <= end && now < start {
            query.fault("start", "must not lie ahead of now");
        }
        query.finish()?;
        Ok(Self { start, end, step, unit })
    }
}

/// What is too old is the window's beginning.
fn of_query(error: Error) -> Problem {
    let Error::TooOld { horizon } = error else {
        return Problem::from_error(error, Place::Query);
    };
    let detail = format!("must not be before the retention horizon ({horizon})");
    Problem::invalid(vec![FieldError::new("start", detail)], Place::Query)
}
