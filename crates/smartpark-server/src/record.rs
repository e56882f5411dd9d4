//! Recording events: one, an array, or one a line.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, OnLimit,
    auth::Caller,
    body::{self, Format},
    described::problems,
    examples,
    kind::Kind,
    problem::{Problem, ProblemView},
    query::Query,
    rows::{self, FloorIds, Refused, Row, Rows},
    schemas::NewEvents,
    validate::{self, ValidatedView},
    views::{EventView, FloorView, answer, json_answer, json_bytes},
};
use smartpark_ledger::{
    AtLimit, NewEvent, Recorded,
    planted::{planted, planted_once},
};

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recorded)]
pub struct RecordedView {
    /// The event; for a duplicate the one that was recorded first.
    event: EventView,
    /// The event's floor, right after.
    floor: FloorView,
    /// Whether it had been recorded before.
    duplicate: bool,
    /// Whether it was an entry to a full or an exit from an empty floor: then the count stays.
    at_limit: Option<AtLimit>,
    /// Whether a limit reached later or a later recount had taken its effect away already.
    absorbed: bool,
    /// For a duplicate: the fields in which it differs from the first, which stands.
    differs: Vec<&'static str>,
}

impl From<Recorded> for RecordedView {
    fn from(recorded: Recorded) -> Self {
        Self {
            at_limit: recorded.event.at_limit,
            absorbed: recorded.event.is_absorbed(),
            event: recorded.event.into(),
            floor: recorded.floor.into(),
            duplicate: recorded.duplicate,
            differs: recorded.differs,
        }
    }
}

/// What became of a batch. Every row is in one of recorded, duplicates and rejected.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = BatchRecorded)]
pub(super) struct BatchView<'a> {
    /// Rows that were recorded now.
    recorded: usize,
    /// Rows that had been recorded before.
    duplicates: usize,
    /// Those of the recorded rows that found their floor at its limit.
    at_limit: usize,
    /// Rows of which nothing was stored.
    rejected: usize,
    /// Why, for each rejected row.
    errors: Vec<RowProblemView<'a>>,
}

/// Why a row was rejected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RowProblem)]
pub(super) struct RowProblemView<'a> {
    /// The place of the row, from 0. Blank lines are no rows.
    index: usize,
    #[serde(flatten)]
    problem: ProblemView<'a>,
}

problems!(RecordProblems: NotJson, CutShort, TooSlow, AtLimit, TooLarge, TooManyRows,
    UnsupportedType, InvalidFields, UnknownFloor, InFuture, TooOld, Internal, Overloaded,
    ClockDistrusted, Unavailable);

/// Record events
///
/// Records one event, or up to 10 000 in one transaction. The answer comes when they are safely
/// on disk.
///
/// **Sending an event again is always safe.** Events with the same camera_id, track_id,
/// direction and timestamp are one event: it is counted once, and a repeat is answered with the
/// event that was recorded first. So retry after a timeout, a broken connection or a 5xx until
/// there is an answer. Without a timestamp the server's clock is used, and a repeat is only
/// recognised within 5 seconds: cameras that retry should send timestamps.
///
/// The floor is given by its `floor_id`, or by its name as `floor`; if both are given, they must
/// mean the same floor. A body may be packed with gzip (`Content-Encoding: gzip`).
///
/// In a batch the good rows are recorded and the bad ones named, each with its index and the
/// problem that it would have had alone. A text that is not JSON as a whole is refused as a
/// whole; with one event a line only the line is.
///
/// With `validate=true` nothing is recorded and nothing counted as refused: the answer tells how
/// many events would be taken, and what is wrong with the others. A camera program can be tried
/// like this.
#[utoipa::path(
    post, path = "/events", tag = "events", operation_id = "recordEvents",
    params(("validate" = Option<bool>, Query,
        description = "true: check the events as if they were recorded, and record nothing")),
    request_body(description = "One event, an array of events, or one event a line", content(
        (NewEvents = "application/json", examples(
            ("event" = (summary = "One event", value = json!(examples::new_event()))),
            ("several" = (summary = "Several at once", value = json!(examples::new_events()))),
        )),
        (String = "application/x-ndjson", example = json!(examples::new_event_lines())),
    )),
    responses(
        (status = 200, description = "A duplicate, with the event recorded first; or a batch",
            content(
                (AnyRecorded<'_> = "application/json", examples(
                    ("duplicate" = (summary = "The event had been recorded before",
                        value = json!(examples::repeated()))),
                    ("several" = (summary = "A batch with a bad row",
                        value = json!(examples::batch()))),
                )),
            )),
        (status = 201, description = "The event was recorded", body = RecordedView,
            headers(("Location" = String, description = "Where the event is")),
            example = json!(examples::recorded())),
        RecordProblems,
    ),
)]
pub(super) async fn record_events(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let mut query = Query::read(request.uri(), &["validate"]);
    let is_trial = query.flag("validate");
    query.finish()?;
    if planted("leak-files") {
        std::mem::forget(std::fs::File::open("/dev/null"));
    }
    let rows = match read_rows(&app, request).await {
        Ok(rows) if is_trial => return validate::answer(&app, &caller, rows).await,
        Ok(rows) => rows,
        Err(problem) => {
            // A device that always sends what cannot be read would be heard by nobody otherwise.
            if !is_trial && UNREADABLE.contains(&problem.kind()) {
                app.park.events().note_invalid(caller.only_camera());
            }
            return Err(problem);
        }
    };
    let answer = match rows {
        Rows::One(row) => record_one(&app, &caller, row).await,
        Rows::Many(rows) => record_many(&app, &caller, rows).await,
    };
    if planted("drop-at-stop") && *app.stopping.borrow() && planted_once("drop-at-stop") {
        let breaks = async { Err::<String, _>(std::io::Error::other("planted")) };
        let body = Body::from_stream(futures_util::stream::once(breaks));
        return answer.map(|answer| answer.map(|_| body));
    }
    answer
}

/// What is wrong with a body in which no event could be read, whoever sends it.
const UNREADABLE: [Kind; 3] = [Kind::NotJson, Kind::TooLarge, Kind::UnsupportedType];

async fn read_rows(app: &App, request: Request) -> Result<Rows, Problem> {
    let format = Format::of(request.headers())?;
    let whole = body::read(request, app).await?;
    let floors = FloorIds::of(&whole, &app.park).await?;
    rows::parse(format, whole, floors).await
}

/// What a 200 holds.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) enum AnyRecorded<'a> {
    /// The answer to a single event.
    One(Box<RecordedView>),
    /// The answer to a batch.
    Many(BatchView<'a>),
    /// The answer with `validate=true`.
    Valid(ValidatedView<'a>),
}

impl<'a> RowProblemView<'a> {
    /// The problem of the row at this place.
    pub(super) fn new(index: usize, problem: &'a Problem) -> Self {
        Self { index, problem: problem.view() }
    }
}

/// Counts a row that is no event.
fn refuse(app: &App, refused: Refused) -> Problem {
    app.park.events().note_invalid(refused.camera_id.as_deref());
    refused.problem
}

/// The event in a row, where the caller may report it.
fn reported(app: &App, caller: &Caller, row: Row) -> Result<NewEvent, Problem> {
    let event = row.map_err(|refused| refuse(app, refused))?;
    // What somebody else says of a camera is not counted as its fault.
    caller.check_event(&event).map(|()| event)
}

async fn record_one(app: &App, caller: &Caller, row: Row) -> Result<Response, Problem> {
    let event = reported(app, caller, row)?;
    let recorded = app.park.events().record_event(event).await?;
    if app.on_limit == OnLimit::Reject && recorded.event.at_limit.is_some() {
        return Ok(Problem::at_limit(recorded.event).into_response());
    }
    let status = if recorded.duplicate { StatusCode::OK } else { StatusCode::CREATED };
    let location = format!("{}/events/{}", app.outside.base, recorded.event.id);
    let mut response = answer(status, &RecordedView::from(recorded));
    if status == StatusCode::CREATED
        && let Ok(location) = HeaderValue::try_from(location)
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn record_many(app: &App, caller: &Caller, rows: Vec<Row>) -> Result<Response, Problem> {
    let (mut events, mut places) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut bad = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        match reported(app, caller, row) {
            Ok(event) => {
                events.push(event);
                places.push(index);
            }
            Err(problem) => bad.push((index, problem)),
        }
    }
    let mut batch = BatchView::default();
    if planted("half-batch") {
        batch.recorded = events.len() / 2;
        events.truncate(events.len() - batch.recorded);
    }
    let results = app.park.events().record_events(events).await?;
    bad.extend(tally(&mut batch, places.into_iter().zip(results)));
    Ok(json_answer(StatusCode::OK, with_errors(batch, &mut bad)))
}

/// Counts the results of rows into a batch. Gives those that were rejected.
pub(super) fn tally(
    batch: &mut BatchView<'_>,
    results: impl Iterator<Item = (usize, smartpark_ledger::Result<Recorded>)>,
) -> Vec<(usize, Problem)> {
    let mut bad = Vec::new();
    for (index, result) in results {
        match result {
            Ok(recorded) if recorded.duplicate => batch.duplicates += 1,
            Ok(recorded) => {
                batch.recorded += 1;
                batch.at_limit += usize::from(recorded.event.at_limit.is_some());
            }
            Err(error) => bad.push((index, Problem::from(error))),
        }
    }
    bad
}

/// The answer to a batch with its rejected rows, in JSON.
pub(super) fn with_errors(batch: BatchView<'_>, bad: &mut [(usize, Problem)]) -> Vec<u8> {
    bad.sort_by_key(|(index, _)| *index);
    let shown = bad
        .iter()
        .map(|(index, problem)| RowProblemView { index: *index, problem: problem.view() });
    let (rejected, errors) = (bad.len(), shown.collect());
    let BatchView { recorded, duplicates, at_limit, .. } = batch;
    json_bytes(&BatchView { recorded, duplicates, at_limit, rejected, errors })
}
