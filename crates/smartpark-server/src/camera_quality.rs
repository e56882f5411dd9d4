//! Which camera errs.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use super::{
    App, camera_views::CameraQualityView, described::problems, estimate_examples as examples,
    problem::Problem, query::Query, views::answer,
};
use smartpark_ledger::limits::{DEFAULT_QUALITY_DAYS, LONG_ANSWER_BYTES, MAX_QUALITY_DAYS};

problems!(QualityProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Which camera errs
///
/// What comes onto a floor must leave it. Night after night the balance of what the cameras of each
/// floor saw tells whether one of them misses vehicles or counts them twice. A camera is `named`
/// only if that has a probability above 0.9. `one_of` cameras are those of which one errs, though
/// the balance cannot tell which. As many entries as exits missed by one camera do not show here,
/// but `twin` tells them if a second camera watches the same line. Where an entry comes from is
/// `from` in the camera's configuration; without it, a camera that sends each crossing on two
/// floors watches a ramp between them, and any other one a line to the outside.
#[utoipa::path(
    get, path = "/cameras/quality", tag = "estimates", operation_id = "getCameraQuality",
    params(("days" = Option<u32>, Query, minimum = 1, maximum = 84,
        description = "Days before the last quiet hour that are looked at, 28 if not given")),
    responses(
        (status = 200, description = "What is known of the cameras", body = CameraQualityView,
            example = json!(examples::camera_quality())),
        QualityProblems,
    ),
)]
pub(super) async fn get_camera_quality(
    State(app): State<App>,
    uri: Uri,
) -> Result<Response, Problem> {
    const NOT_DAYS: &str = "must be a whole number from 1 to 84";
    let mut query = Query::read(&uri, &["days"]);
    let days = query.small_integer("days", 1..=MAX_QUALITY_DAYS, NOT_DAYS);
    query.finish()?;
    app.check_room(LONG_ANSWER_BYTES)?;
    let days = days.unwrap_or(DEFAULT_QUALITY_DAYS);
    let told = app.park.estimates().get_camera_quality(days).await?;
    Ok(answer(StatusCode::OK, &CameraQualityView::new(&told)))
}
