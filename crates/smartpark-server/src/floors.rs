//! The operations on floors: reading, recommending, managing, recounting.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{
    App,
    auth::Caller,
    body,
    described::problems,
    estimate_examples, examples, floor_bodies as bodies,
    id::Id,
    kind::Kind,
    problem::Problem,
    query::Query,
    schemas,
    views::{FloorView, FloorsView, RecommendationView, answer},
};
use smartpark_ledger::{FloorChange, NewFloor, limits::MAX_ARRIVAL_SECONDS};

problems!(ListProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List floors
///
/// Most free slots first (then the lower id), with their sums.
#[utoipa::path(
    get, path = "/floors", tag = "floors", operation_id = "listFloors",
    params(
        ("include_inactive" = Option<bool>, Query,
            description = "Also those where cars are not sent"),
        ("If-None-Match" = Option<String>, Header,
            description = "The ETag of an answer that is there already"),
    ),
    responses(
        (status = 200, description = "The floors", body = FloorsView,
            headers(("ETag" = String, description = "What to ask with next time")),
            example = json!(examples::floors())),
        (status = 304, description = "It is as the client knows it"),
        ListProblems,
    ),
)]
pub(super) async fn list_floors(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let mut query = Query::read(request.uri(), &["include_inactive"]);
    let all = query.flag("include_inactive");
    query.finish()?;
    let answers = app.latest.of(&app.park).await?;
    let floors = if all { answers.all() } else { answers.active() };
    Ok(floors.answer(request.headers()))
}

problems!(RecommendProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Recommend a floor
///
/// The active floor with the most free slots (of equals the lower id), and the other active
/// floors with free slots. A full floor is never recommended. With `arriving_in` it is the floor
/// with the most slots that will be free then, in 95 of 100 cases, by its forecast; `arrival` tells
/// what is expected. If no floor has enough history for a forecast, the counts now decide.
#[utoipa::path(
    get, path = "/floors/recommended", tag = "floors", operation_id = "getRecommendedFloor",
    params(
        ("arriving_in" = Option<u32>, Query, minimum = 0, maximum = 604_800,
            description = "In how many seconds the driver arrives"),
        ("If-None-Match" = Option<String>, Header,
            description = "The ETag of an answer that is there already; not with arriving_in"),
    ),
    responses(
        (status = 200, description = "Where to send the next car", body = RecommendationView,
            headers(("ETag" = String, description = "What to ask with next time")),
            examples(
                ("now" = (summary = "Now", value = json!(examples::recommendation()))),
                ("later" = (summary = "On arrival", value = json!(estimate_examples::arrival()))),
            )),
        (status = 304, description = "It is as the client knows it"),
        RecommendProblems,
    ),
)]
pub(super) async fn recommend(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    const NOT_AN_ARRIVAL: &str = "must be a whole number of seconds from 0 to 604800";
    let mut query = Query::read(request.uri(), &["arriving_in"]);
    let arriving = query.small_integer("arriving_in", 0..=MAX_ARRIVAL_SECONDS, NOT_AN_ARRIVAL);
    query.finish()?;
    if let Some(seconds) = arriving {
        let told = app.park.estimates().get_arrival_floors(seconds).await?;
        return Ok(answer(StatusCode::OK, &RecommendationView::from(told)));
    }
    let answers = app.latest.of(&app.park).await?;
    Ok(answers.recommendation().answer(request.headers()))
}

problems!(GetProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Get a floor
#[utoipa::path(
    get, path = "/floors/{id}", tag = "floors", operation_id = "getFloor",
    params(
        ("id" = i64, Path, description = "The floor's id", minimum = 1),
        ("If-None-Match" = Option<String>, Header,
            description = "The ETag of an answer that is there already"),
    ),
    responses(
        (status = 200, description = "The floor", body = FloorView,
            headers(("ETag" = String, description = "What to ask with next time")),
            example = json!(examples::floor())),
        (status = 304, description = "It is as the client knows it"),
        GetProblems,
    ),
)]
pub(super) async fn get_floor(
    State(app): State<App>,
    Id(id): Id,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let answers = app.latest.of(&app.park).await?;
    let missing = || Problem::new(Kind::NotFound).detail("the floor does not exist");
    Ok(answers.floor(id).ok_or_else(missing)?.answer(request.headers()))
}

problems!(AddProblems: NotJson, CutShort, TooSlow, NameTaken, TooLarge, UnsupportedType,
    InvalidFields, Internal, Overloaded, Unavailable);

/// Add a floor
///
/// Its capacity holds for all of its past, so history can be imported.
#[utoipa::path(
    post, path = "/floors", tag = "floors", operation_id = "addFloor",
    request_body(content = schemas::NewFloor, example = json!(examples::new_floor())),
    responses(
        (status = 201, description = "The floor was added", body = FloorView,
            headers(("Location" = String, description = "Where the floor is")),
            example = json!(examples::floor())),
        AddProblems,
    ),
)]
pub(super) async fn add_floor(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let whole = body::read_json(request, &app).await?;
    let author = caller.name().map(str::to_owned);
    let floor = NewFloor { author, ..bodies::new_floor(&whole.bytes)? };
    let floor = app.park.floors().add_floor(floor).await?;
    let location = HeaderValue::try_from(format!("{}/floors/{}", app.outside.base, floor.id));
    let mut response = answer(StatusCode::CREATED, &FloorView::from(floor));
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

problems!(ChangeProblems: NotJson, CutShort, NotFound, TooSlow, NameTaken, SlotsBelowCount,
    TooLarge, UnsupportedType, InvalidFields, Internal, Overloaded, ClockDistrusted,
    Unavailable);

/// Change a floor
///
/// What is absent stays as it is. A new capacity holds from now on; lowering it below the count
/// is refused unless forced, which cuts the count.
#[utoipa::path(
    patch, path = "/floors/{id}", tag = "floors", operation_id = "changeFloor",
    params(("id" = i64, Path, description = "The floor's id", minimum = 1)),
    request_body(content = schemas::FloorChange, example = json!(examples::floor_change())),
    responses(
        (status = 200, description = "The floor as it is now", body = FloorView,
            example = json!(examples::floor())),
        ChangeProblems,
    ),
)]
pub(super) async fn change_floor(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let whole = body::read_json(request, &app).await?;
    let change = bodies::floor_change(&whole.bytes)?;
    let change = FloorChange { author: caller.name().map(str::to_owned), ..change };
    let floor = app.park.floors().change_floor(id, change).await?;
    Ok(answer(StatusCode::OK, &FloorView::from(floor)))
}

problems!(RemoveProblems: NotFound, FloorHasEvents, InvalidFields, Internal, Overloaded,
    Unavailable);

/// Remove a floor
///
/// Only a floor that never had an event; others can be deactivated.
#[utoipa::path(
    delete, path = "/floors/{id}", tag = "floors", operation_id = "removeFloor",
    params(("id" = i64, Path, description = "The floor's id", minimum = 1)),
    responses((status = 204, description = "The floor is gone"), RemoveProblems),
)]
pub(super) async fn remove_floor(
    State(app): State<App>,
    Id(id): Id,
    uri: Uri,
) -> Result<Response, Problem> {
    Query::none(&uri)?;
    app.park.floors().remove_floor(id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

problems!(RecountProblems: NotJson, CutShort, NotFound, TooSlow, RecountDiffers, TooLarge,
    UnsupportedType, InvalidFields, TooOld, Internal, Overloaded, ClockDistrusted, Unavailable);

/// Recount a floor
///
/// Sets the count to what somebody counted, from now on. Events from before it that arrive
/// later no longer disturb the count. It is kept with the name of the key that asked for it.
///
/// With `counted_at` the number takes its place in history instead: what came after that instant
/// still counts. The same number for the same instant is a repeat; another one is refused.
#[utoipa::path(
    put, path = "/floors/{id}/count", tag = "floors", operation_id = "recountFloor",
    params(("id" = i64, Path, description = "The floor's id", minimum = 1)),
    request_body(content = schemas::Recount, example = json!(examples::recount())),
    responses(
        (status = 200, description = "The floor as it is now", body = FloorView,
            example = json!(examples::floor())),
        RecountProblems,
    ),
)]
pub(super) async fn recount_floor(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let whole = body::read_json(request, &app).await?;
    let (count, reason, counted_at) = bodies::recount(&whole.bytes)?;
    let (floors, author) = (app.park.floors(), caller.name());
    let floor = match counted_at {
        Some(at) => floors.recount_at(id, count, &reason, author, at).await?,
        None => floors.recount(id, count, &reason, author).await?,
    };
    Ok(answer(StatusCode::OK, &FloorView::from(floor)))
}
