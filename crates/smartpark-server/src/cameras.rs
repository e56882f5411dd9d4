//! Cameras: their signs of life.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::{App, auth::Caller, described::problems, id::Name, problem::Problem, query::Query};

problems!(HeartbeatProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Say that a camera works
///
/// A camera program that sees no vehicle calls this every few minutes: feeds are then vouched for
/// although no event comes. An event is a sign of life, too, and so is a message to `/inputs/…`. No
/// event is recorded. The request needs no body.
#[utoipa::path(
    post, path = "/cameras/{id}/heartbeat", tag = "devices", operation_id = "sendHeartbeat",
    params(("id" = String, Path, description = "The camera's id, 1 to 100 characters",
        example = "cam_001")),
    responses((status = 204, description = "It was heard"), HeartbeatProblems),
)]
pub(super) async fn send_heartbeat(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    uri: Uri,
) -> Result<Response, Problem> {
    Query::none(&uri)?;
    caller.check_camera(&id)?;
    app.signs.heartbeat(&app.park, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
