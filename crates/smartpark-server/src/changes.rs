//! Changes of floors that no camera made.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, described::problems, examples, problem::Problem, query::Query, views::answer};
use smartpark_ledger::{
    Change, ChangeKind,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
};

/// Changes, the latest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Changes)]
pub struct ChangesView {
    #[schema(max_items = 1_000)]
    changes: Vec<ChangeView>,
    /// Give it as `before` for the next page; null on the last.
    next: Option<i64>,
}

/// A change: who made it, when, why, and what it did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeView {
    id: i64,
    floor_id: i64,
    kind: ChangeKind,
    /// By how many vehicles it changed the current count when it was made.
    count_delta: i64,
    /// The vehicles on the floor after it; of a dated recount, those that were counted.
    vehicles: i64,
    /// The slots of the floor after it.
    slots: i64,
    reason: Option<String>,
    /// The name of the key that made it, or the name that was given on the command line.
    author: Option<String>,
    /// From when on it holds.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Whether a person named the instant from which on it holds.
    is_dated: bool,
}

impl ChangesView {
    /// A page of at most `limit` changes.
    pub fn page(changes: Vec<Change>, limit: u32) -> Self {
        let is_full = changes.len() >= limit as usize;
        let next = changes.last().filter(|_| is_full).map(|change| change.id);
        Self { changes: changes.into_iter().map(ChangeView::from).collect(), next }
    }
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            id: change.id,
            floor_id: change.floor_id,
            kind: change.kind,
            count_delta: change.count_delta,
            vehicles: change.vehicles,
            slots: change.slots,
            reason: change.reason,
            author: change.author,
            timestamp: change.timestamp,
            created_at: change.created_at,
            is_dated: change.is_dated,
        }
    }
}

problems!(ChangesProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List changes that no camera made
///
/// Recounts, changes of slots, openings and closings of floors, vehicles that were counted by hand:
/// who made each, when, why, and what it did. The latest first.
#[utoipa::path(
    get, path = "/changes", tag = "floors", operation_id = "listChanges",
    params(
        ("floor_id" = Option<i64>, Query, minimum = 1, description = "Only of this floor"),
        ("before" = Option<i64>, Query, minimum = 1, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "How many at most (100)"),
    ),
    responses(
        (status = 200, description = "The changes", body = ChangesView,
            example = json!(examples::changes())),
        ChangesProblems,
    ),
)]
pub(super) async fn list_changes(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::read(&uri, &["floor_id", "before", "limit"]);
    let id = "must be a whole number from 1 on";
    let floor_id = query.integer("floor_id", 1..=i64::MAX, id);
    let before = query.integer("before", 1..=i64::MAX, id);
    let detail = "must be a whole number from 1 to 1000";
    let limit = query.small_integer("limit", 1..=MAX_PAGE_ROWS, detail);
    query.finish()?;
    let limit = limit.unwrap_or(DEFAULT_PAGE_ROWS);
    let changes = app.park.floors().get_changes(floor_id, before, limit).await?;
    Ok(answer(StatusCode::OK, &ChangesView::page(changes, limit)))
}
