//! Reading events, and cleaning up. Recording them is in [`record`](super::record).

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::{
    App,
    aged::aged,
    described::problems,
    examples,
    filter::{FILTERS, Filter, FilterParams},
    id::Id,
    kind::Kind,
    problem::{Place, Problem},
    query::Query,
    views::{CleanupView, EventView, answer},
    window::Local,
};
use smartpark_ledger::{
    Cursor, EventPage,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS, MAX_RETENTION_DAYS, PAGE_ROW_BYTES},
    planted::planted,
};

/// A page of events, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventPage)]
pub(super) struct PageView {
    events: Vec<EventView>,
    /// What to pass as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// What a listing was asked for.
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) limit: u32,
    pub(super) cursor: Option<Cursor>,
}

impl Asked {
    /// Reads the query of `uri`.
    pub(super) fn read(uri: &Uri, local: &Local) -> Result<Self, Problem> {
        const NOT_A_LIMIT: &str = "must be a whole number from 1 to 1000";
        let mut query = Query::read(uri, &[&FILTERS[..], &["limit", "cursor"]].concat());
        let filter = Filter::read(&mut query, local);
        let limit = query.small_integer("limit", 1..=MAX_PAGE_ROWS, NOT_A_LIMIT);
        let cursor = query.word::<Cursor>("cursor");
        query.finish()?;
        Ok(Self { filter, limit: limit.unwrap_or(DEFAULT_PAGE_ROWS), cursor })
    }
}

problems!(ListProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List events
///
/// Newest first, page by page. The pages hold every event once, also while others are being
/// recorded. All parameters that are given must hold.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "listEvents",
    params(
        FilterParams,
        ("limit" = Option<u32>, Query, description = "Events on a page, 100 if not given",
            minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query,
            description = "The next_cursor of the page before", example = "1770892245000000_1001"),
    ),
    responses(
        (status = 200, description = "A page", body = PageView,
            headers(("SmartPark-Replica-Age" = f64,
                description = "Seconds; only where a replica answered")),
            example = json!(examples::page())),
        ListProblems,
    ),
)]
pub(super) async fn list_events(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let Asked { filter, limit, cursor } = Asked::read(&uri, &app.local().await?)?;
    let filter = filter.of(&app)?;
    let is_large = limit > DEFAULT_PAGE_ROWS;
    // Readers are faster than what makes a page of their rows: the rest must not pile up.
    let _turn = if is_large { app.pages.acquire().await.ok() } else { None };
    // Only now: whoever waits in a long row must not have been told the truth of long ago.
    app.check_room(limit as usize * PAGE_ROW_BYTES)?;
    let reading = app.park.from_replica();
    let page = reading.events().get_events(filter, limit, cursor).await;
    let mut page = page.map_err(|error| Problem::from_error(error, Place::Query))?;
    if planted("skip-row") && page.next_cursor.is_some() {
        page.events.pop();
    }
    let response = if is_large { written_apart(page).await? } else { written(page) };
    Ok(aged(response, &reading))
}

fn written(page: EventPage) -> Response {
    let view = PageView {
        events: page.events.into_iter().map(EventView::from).collect(),
        next_cursor: page.next_cursor.map(|cursor| cursor.to_string()),
    };
    answer(StatusCode::OK, &view)
}

/// Writes a large page on another thread: it takes as long as a dozen small requests, which would
/// wait for it.
async fn written_apart(page: EventPage) -> Result<Response, Problem> {
    spawn_blocking(|| written(page)).await.map_err(|_| Problem::new(Kind::Internal))
}

problems!(GetProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Get an event
#[utoipa::path(
    get, path = "/events/{id}", tag = "events", operation_id = "getEvent",
    params(("id" = i64, Path, description = "The event's id", minimum = 1)),
    responses(
        (status = 200, description = "The event", body = EventView,
            example = json!(examples::event())),
        GetProblems,
    ),
)]
pub(super) async fn get_event(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let event = app.park.events().get_event_by_id(id).await?;
    let missing = || Problem::new(Kind::NotFound).detail("the event does not exist");
    let event = event.filter(|_| !planted("hide-event")).ok_or_else(missing)?;
    Ok(answer(StatusCode::OK, &EventView::from(event)))
}

problems!(CleanupProblems: InvalidFields, Internal, Overloaded, ClockDistrusted, Unavailable);

/// Delete old events
///
/// Deletes events in short transactions beside which recording goes on, and refuses such events
/// from now on, because repeats of them can no longer be recognised. Counts and statistics stay.
#[utoipa::path(
    delete, path = "/events", tag = "events", operation_id = "cleanUpEvents",
    params(
        ("older_than_days" = Option<u32>, Query, minimum = 1, maximum = 36_525,
            description = "How many days of events to keep, by the server's clock. Either this or \
            `before` is required", example = 30),
        ("before" = Option<String>, Query, format = DateTime,
            description = "The instant before which events are deleted; it depends on no clock"),
    ),
    responses(
        (status = 200, description = "They are deleted", body = CleanupView,
            example = json!(examples::cleanup())),
        CleanupProblems,
    ),
)]
pub(super) async fn clean_up_events(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    const DAYS: &str = "older_than_days";
    const BEFORE: &str = "before";
    let mut query = Query::read(&uri, &[DAYS, BEFORE]);
    let detail = "must be a whole number from 1 to 36525";
    let days = query.small_integer(DAYS, 1..=MAX_RETENTION_DAYS, detail);
    let before = query.instant(BEFORE);
    match (query.has(DAYS), query.has(BEFORE)) {
        (false, false) => query.fault(DAYS, "is required, or before"),
        (true, true) => query.fault(BEFORE, "must not be given with older_than_days"),
        _ => {}
    }
    query.finish()?;
    let cleanup = match before {
        Some(before) => app.park.events().cleanup_events_before(before).await,
        // `finish` has refused a request without fitting days.
        None => app.park.events().cleanup_old_events(days.unwrap_or(MAX_RETENTION_DAYS)).await,
    };
    let cleanup = cleanup.map_err(|error| Problem::from_error(error, Place::Query))?;
    Ok(answer(StatusCode::OK, &CleanupView::from(cleanup)))
}
