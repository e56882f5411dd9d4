//! The probes: is the process alive, and can it work.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::planted::planted;

use super::{App, described::problems, problem::Problem, views::answer};

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

problems!(ReadyProblems: Internal, Overloaded, Unavailable);

/// Can it record and answer?
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "getReadiness",
    responses((status = 200, description = "It can", body = HealthView), ReadyProblems),
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    app.park.ready().await?;
    if planted("stay-unready") {
        return Err(Problem::new(super::kind::Kind::Unavailable));
    }
    Ok(answer(StatusCode::OK, &OK))
}
