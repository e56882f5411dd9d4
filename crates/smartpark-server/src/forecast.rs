//! How many vehicles floors and the site will hold.

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
    described::problems,
    estimate_examples as examples,
    id::Id,
    problem::{Place, Problem},
    query::Query,
    views::answer,
};
use smartpark_ledger::{
    Error, FloorForecast, SiteForecast,
    estimate::forecast::{Forecast, PastError, Step},
    limits::{
        DEFAULT_FORECAST_HOURS, LONG_ANSWER_BYTES, MAX_FORECAST_HOURS, MAX_FORECAST_STEP,
        MIN_FORECAST_STEP,
    },
};

/// How many vehicles there will be, computed from the facts that are stored now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forecast)]
pub struct ForecastView {
    /// The floor; null for the site.
    floor_id: Option<i64>,
    /// When the forecast was made: now.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The length of a step in seconds.
    #[schema(minimum = 900, maximum = 86_400)]
    step: u32,
    /// The vehicles now.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// The slots now.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// Days of history that the forecast looks at, 133 at most.
    #[schema(minimum = 0, maximum = 133)]
    history_days: i64,
    /// Whether there is enough history (14 days). If not, every step repeats the count now,
    /// between 0 and all slots.
    ready: bool,
    /// How far such forecasts were off in the past 28 days, for some lengths of time ahead.
    #[schema(max_items = 8)]
    past_error: Vec<PastErrorView>,
    /// The first step at which the upper bound reaches the slots: it may be full then.
    #[schema(value_type = Option<String>, format = DateTime)]
    may_be_full_at: Option<Timestamp>,
    /// The first step at which the forecast itself reaches the slots.
    #[schema(value_type = Option<String>, format = DateTime)]
    will_be_full_at: Option<Timestamp>,
    /// From the next quarter of an hour on.
    #[schema(max_items = 672)]
    steps: Vec<ForecastStepView>,
}

/// How far forecasts for so many minutes ahead were off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PastError)]
struct PastErrorView {
    /// Minutes ahead.
    minutes: i64,
    /// The mean absolute error, in vehicles.
    #[schema(minimum = 0)]
    vehicles: f64,
    /// The root mean square error, in vehicles.
    #[schema(minimum = 0)]
    rmse: f64,
    /// The share of counts that lay inside their 95 % intervals.
    #[schema(minimum = 0, maximum = 1)]
    inside: f64,
}

/// What is expected at one instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForecastStep)]
pub struct ForecastStepView {
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Expected vehicles.
    #[schema(minimum = 0)]
    pub vehicles: f64,
    /// Lower bound of the 95 % interval, in vehicles.
    #[schema(minimum = 0)]
    pub low: i64,
    /// Upper bound of it.
    #[schema(minimum = 0)]
    pub high: i64,
    /// Expected free slots.
    #[schema(minimum = 0)]
    pub available: f64,
    /// Free slots if the upper bound comes true.
    #[schema(minimum = 0)]
    pub available_low: i64,
    /// The probability that at least one slot is free; null if nothing is known of past errors.
    #[schema(minimum = 0, maximum = 1)]
    pub p_free: Option<f64>,
}

/// So many thousandths are enough.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

impl From<&PastError> for PastErrorView {
    fn from(past: &PastError) -> Self {
        Self {
            minutes: past.minutes,
            vehicles: rounded(past.vehicles),
            rmse: rounded(past.root_mean_square),
            inside: rounded(past.inside),
        }
    }
}

impl From<&Step> for ForecastStepView {
    fn from(step: &Step) -> Self {
        Self {
            at: step.at,
            vehicles: rounded(step.vehicles),
            low: step.low,
            high: step.high,
            available: rounded(step.available),
            available_low: step.available_low,
            p_free: step.p_free.map(rounded),
        }
    }
}

impl ForecastView {
    fn new(
        floor_id: Option<i64>,
        (from, step): (Timestamp, u32),
        (current_vehicles, total_slots): (i64, i64),
        forecast: &Forecast,
    ) -> Self {
        Self {
            floor_id,
            from,
            step,
            current_vehicles,
            total_slots,
            history_days: forecast.history_days,
            ready: forecast.ready,
            past_error: forecast.past_error.iter().map(Into::into).collect(),
            may_be_full_at: forecast.may_be_full_at,
            will_be_full_at: forecast.will_be_full_at,
            steps: forecast.steps.iter().map(Into::into).collect(),
        }
    }
}

impl From<FloorForecast> for ForecastView {
    fn from(told: FloorForecast) -> Self {
        let floor = &told.floor;
        let now = (floor.current_vehicles, floor.total_slots);
        Self::new(Some(floor.id), (told.from, told.step), now, &told.forecast)
    }
}

impl From<SiteForecast> for ForecastView {
    fn from(told: SiteForecast) -> Self {
        let now = (told.vehicles, told.total_slots);
        Self::new(None, (told.from, told.step), now, &told.forecast)
    }
}

/// The parameters of a forecast, as they are described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct ForecastParams {
    /// How many hours ahead, 24 if not given
    #[param(minimum = 1, maximum = 168)]
    hours: Option<u32>,
    /// The length of a step in seconds, 900 if not given
    #[param(minimum = 900, maximum = 86_400)]
    step: Option<u32>,
}

problems!(FloorProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Forecast of a floor
///
/// How many vehicles it will hold, from the next quarter of an hour to a week ahead, with a 95 %
/// interval drawn from the errors of such forecasts in the past 28 days, and the probability of
/// a free slot. It follows what is usual at that time of the week on this floor and how far the
/// floor is from usual now. Local days follow the site's time zone. Nothing is stored: late
/// events correct it, and the past errors, too.
#[utoipa::path(
    get, path = "/floors/{id}/forecast", tag = "estimates", operation_id = "getFloorForecast",
    params(
        ("id" = i64, Path, description = "The floor's id", minimum = 1),
        ForecastParams,
    ),
    responses(
        (status = 200, description = "What is expected", body = ForecastView,
            example = json!(examples::forecast(Some(1)))),
        FloorProblems,
    ),
)]
pub(super) async fn get_floor_forecast(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    let (hours, step) = asked(&uri)?;
    app.check_room(LONG_ANSWER_BYTES)?;
    let told = app.park.estimates().get_forecast(id, hours, step).await.map_err(of_query)?;
    Ok(answer(StatusCode::OK, &ForecastView::from(told)))
}

problems!(SiteProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Forecast of the site
///
/// The floors that are active now, together; else as the forecast of a floor.
#[utoipa::path(
    get, path = "/forecast", tag = "estimates", operation_id = "getForecast",
    params(ForecastParams),
    responses(
        (status = 200, description = "What is expected", body = ForecastView,
            example = json!(examples::forecast(None))),
        SiteProblems,
    ),
)]
pub(super) async fn get_forecast(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let (hours, step) = asked(&uri)?;
    app.check_room(LONG_ANSWER_BYTES)?;
    let told = app.park.estimates().get_site_forecast(hours, step).await.map_err(of_query)?;
    Ok(answer(StatusCode::OK, &ForecastView::from(told)))
}

fn of_query(error: Error) -> Problem {
    Problem::from_error(error, Place::Query)
}

fn asked(uri: &Uri) -> Result<(u32, u32), Problem> {
    const NOT_HOURS: &str = "must be a whole number from 1 to 168";
    const NOT_A_STEP: &str = "must be a whole number of seconds from 900 to 86400";
    let mut query = Query::read(uri, &["hours", "step"]);
    let hours = query.small_integer("hours", 1..=MAX_FORECAST_HOURS, NOT_HOURS);
    let step = query.small_integer("step", MIN_FORECAST_STEP..=MAX_FORECAST_STEP, NOT_A_STEP);
    query.finish()?;
    Ok((hours.unwrap_or(DEFAULT_FORECAST_HOURS), step.unwrap_or(MIN_FORECAST_STEP)))
}
