//! The probes: is the process alive, and can it work.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{App, described::problems, problem::Problem, views::answer};
use smartpark_ledger::{Error, limits::READY_PATIENCE, planted::planted};

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    /// Always `ok`: anything else is a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: HealthView = HealthView { status: "ok" };

/// Is the process alive?
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "getLiveness",
    responses((status = 200, description = "It is", body = HealthView)),
)]
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, &OK)
}

problems!(ReadyProblems: Internal, Overloaded, ClockDistrusted, Unavailable);

/// Can it record and answer?
///
/// The database is read and written to (which leaves nothing behind), at most once a second: where
/// its disk is full or read-only, where it is away or does not answer within three seconds, the
/// answer is 503, until a few seconds after that is over. It is 503 of type `clock` while the
/// server does not trust its own clock: events with a timestamp are recorded then, others are not.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "getReadiness",
    responses((status = 200, description = "It can", body = HealthView), ReadyProblems),
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let late = |_| Error::Unavailable("it did not answer in time".into());
    timeout(READY_PATIENCE, app.park.ready()).await.map_err(late)??;
    if planted("stay-unready") {
        return Err(Problem::new(super::kind::Kind::Unavailable));
    }
    Ok(answer(StatusCode::OK, &OK))
}
