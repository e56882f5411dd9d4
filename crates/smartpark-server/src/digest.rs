//! Which events of a camera are stored, for its box to send again what is missing.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    auth::Caller,
    described::problems,
    examples,
    problem::{Place, Problem},
    query::Query,
    views::answer,
    window::Window,
};
use smartpark_ledger::{
    DigestSlice, EventDigest, EventDigests,
    limits::{DEFAULT_DIGEST_STEP, DEFAULT_STATISTICS_HOURS, LONG_ANSWER_BYTES, MAX_DIGEST_STEP},
};

/// Which events of a camera are stored, slice by slice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventDigests)]
pub(super) struct DigestsView {
    /// The camera.
    camera_id: String,
    /// The first instant of the window.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The length of a slice in seconds. The last one may be shorter.
    #[schema(minimum = 1, maximum = 86_400)]
    step: u32,
    /// The retention horizon: events before it are gone, and refused where they are sent again.
    #[schema(value_type = Option<String>, format = DateTime)]
    horizon: Option<Timestamp>,
    /// From the start on, without a gap.
    #[schema(max_items = 2_000)]
    slices: Vec<SliceView>,
}

/// The events of one slice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestSlice)]
struct SliceView {
    /// The first instant of the slice.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// How many events are stored.
    events: u64,
    /// What tells them from others.
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    digest: EventDigest,
}

impl From<EventDigests> for DigestsView {
    fn from(digests: EventDigests) -> Self {
        let EventDigests { camera_id, start, end, step, horizon, slices } = digests;
        let view = |DigestSlice { start, events, digest }| SliceView { start, events, digest };
        Self {
            camera_id,
            start,
            end,
            step,
            horizon,
            slices: slices.into_iter().map(view).collect(),
        }
    }
}

problems!(DigestProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Ask which events of a camera are stored
///
/// For a camera's box that was offline, and for a server that was set up from a backup: slice by
/// slice how many events are stored and a digest of them. Compare each slice with your own events:
/// where both are the same, all are stored; send the others again, which is safe.
///
/// The digest is the exclusive or, over all events, of the first 16 bytes of SHA-256 of camera_id,
/// track_id, direction and timestamp with a line break between each two, the timestamp as whole
/// microseconds since 1970 UTC; it is written as 32 hexadecimal digits. In Python, of one event:
/// `hashlib.sha256(f"{camera_id}\n{track_id}\n{direction}\n{micros}".encode()).digest()[:16]`.
///
/// Events that were sent without a timestamp have the server's time, which their box does not
/// know: their slices never agree. The window is the last hours (24 if nothing is given), or from
/// start until end, at most 31 days and 2000 slices. A camera's key may ask about its own cameras.
#[utoipa::path(
    get, path = "/events/digest", tag = "events", operation_id = "getEventDigests",
    params(
        ("camera_id" = String, Query, description = "The camera", example = "cam_001"),
        ("hours" = Option<u32>, Query, minimum = 1, maximum = 744,
            description = "The last hours; not beside start or end"),
        ("start" = Option<String>, Query, format = DateTime,
            description = "The first instant of the window (RFC 3339 with an offset)"),
        ("end" = Option<String>, Query, format = DateTime,
            description = "The first instant after it, now if not given; only with start"),
        ("period" = Option<String>, Query,
            description = "A day or month of the site; not beside hours, start or end"),
        ("step" = Option<u32>, Query, minimum = 1, maximum = 86_400,
            description = "The length of a slice in seconds, 3600 if not given"),
    ),
    responses(
        (status = 200, description = "What is stored", body = DigestsView,
            example = json!(examples::digests())),
        DigestProblems,
    ),
)]
pub(super) async fn get_event_digests(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    const CAMERA: &str = "camera_id";
    const NOT_A_STEP: &str = "must be a whole number of seconds from 1 to 86400";
    let mut query = Query::read(&uri, &[CAMERA, "hours", "start", "end", "period", "step"]);
    let camera_id = query.name(CAMERA);
    if !query.has(CAMERA) {
        query.fault(CAMERA, "is required");
    }
    let step = query.small_integer("step", 1..=MAX_DIGEST_STEP, NOT_A_STEP);
    let window = Window::read(&mut query, &app.local().await?);
    let events = app.park.events();
    let of_query = |error| Problem::from_error(error, Place::Query);
    let hours = window.hours.unwrap_or(DEFAULT_STATISTICS_HOURS);
    let usual = app.park.floors().history_window(hours).map_err(of_query)?;
    let (start, end) = window.or(usual, &mut query);
    query.finish()?;
    // `finish` has refused a request without a camera.
    let camera_id = camera_id.unwrap_or_default();
    caller.check_camera(&camera_id)?;
    let step = step.unwrap_or(DEFAULT_DIGEST_STEP);
    app.check_room(LONG_ANSWER_BYTES)?;
    let digests = events.get_event_digests(&camera_id, start, end, step).await;
    Ok(answer(StatusCode::OK, &DigestsView::from(digests.map_err(of_query)?)))
}
