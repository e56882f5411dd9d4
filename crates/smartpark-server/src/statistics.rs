//! What happened in a window of time.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use super::{
    App,
    aged::aged,
    described::problems,
    examples,
    filter::NOT_A_FLOOR_ID,
    problem::{Place, Problem},
    query::Query,
    views::{StatisticsView, answer},
    window::{Local, Window},
};
use smartpark_ledger::{Timestamp, limits::DEFAULT_STATISTICS_HOURS};

problems!(StatisticsProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Statistics of a window
///
/// Exact to the event, of the last hours (24 if nothing is given), or from start until end. They
/// outlive the events: what was counted stays counted. Every key is present, zero where nothing
/// happened.
#[utoipa::path(
    get, path = "/statistics", tag = "statistics", operation_id = "getStatistics",
    params(
        ("hours" = Option<u32>, Query, minimum = 1, maximum = 876_600,
            description = "The last hours; not beside start or end"),
        ("start" = Option<String>, Query,
            description = "The first instant of the window: RFC 3339 with an offset, or a date, \
                2026-11, today or yesterday, which begin in the site's time zone"),
        ("end" = Option<String>, Query,
            description = "The first instant after it, now if not given; only with start"),
        ("period" = Option<String>, Query,
            description = "A day or month of the site: today, yesterday, a date or 2026-11; not \
                beside hours, start or end"),
        ("floor_id" = Option<i64>, Query, description = "Only of this floor", minimum = 1),
    ),
    responses(
        (status = 200, description = "What happened", body = StatisticsView,
            headers(("SmartPark-Replica-Age" = f64,
                description = "Seconds; only where a replica answered")),
            example = json!(examples::statistics())),
        StatisticsProblems,
    ),
)]
pub(super) async fn get_statistics(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let reading = app.park.from_replica();
    let events = reading.events();
    let local = app.local().await?;
    let asked = Asked::read(&uri, &local, |hours| events.window(hours))?;
    let Asked { start, end, hours, floor_id } = asked;
    let statistics = events.get_event_statistics_between(start, end, floor_id).await;
    let statistics = statistics.map_err(|error| Problem::from_error(error, Place::Query))?;
    Ok(aged(answer(StatusCode::OK, &StatisticsView::new(statistics, hours)), &reading))
}

/// What statistics were asked for.
pub(super) struct Asked {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// How many hours up to now that is; `None` where the start was named.
    pub(super) hours: Option<u32>,
    pub(super) floor_id: Option<i64>,
}

impl Asked {
    /// Reads the query of `uri`, where `last` says from when until when the last hours are.
    pub(super) fn read(
        uri: &Uri,
        local: &Local,
        last: impl FnOnce(u32) -> smartpark_ledger::Result<(Timestamp, Timestamp)>,
    ) -> Result<Self, Problem> {
        let mut query = Query::read(uri, &["hours", "start", "end", "period", "floor_id"]);
        let floor_id = query.integer("floor_id", 1..=i64::MAX, NOT_A_FLOOR_ID);
        let window = Window::read(&mut query, local);
        let hours = window.hours.unwrap_or(DEFAULT_STATISTICS_HOURS);
        let hours = window.start.is_none().then_some(hours);
        let usual = last(hours.unwrap_or(1));
        let usual = usual.map_err(|error| Problem::from_error(error, Place::Query))?;
        let (start, end) = window.or(usual, &mut query);
        query.finish()?;
        Ok(Self { start, end, hours, floor_id })
    }
}
