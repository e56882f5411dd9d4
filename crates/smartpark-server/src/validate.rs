//! Events that are checked as if they were recorded, and not recorded: for programs under test.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    auth::Caller,
    problem::Problem,
    record::RowProblemView,
    rows::{Row, Rows},
    views,
};
use smartpark_ledger::NewEvent;

/// What would become of events. Every row is in one of valid and rejected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventsValidated)]
pub(super) struct ValidatedView<'a> {
    /// Rows that would be recorded, or recognised as repeats.
    valid: usize,
    /// Rows of which nothing would be stored.
    rejected: usize,
    /// Why, for each rejected row.
    errors: Vec<RowProblemView<'a>>,
}

/// The answer to events that are only to be checked. A single event that does not fit is answered
/// as it would be if it were to be recorded.
pub(super) async fn answer(app: &App, caller: &Caller, rows: Rows) -> Result<Response, Problem> {
    let (rows, is_one) = match rows {
        Rows::One(row) => (vec![row], true),
        Rows::Many(rows) => (rows, false),
    };
    let (mut events, mut places, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (index, row) in rows.into_iter().enumerate() {
        match fitting(caller, row) {
            Ok(event) => {
                events.push(event);
                places.push(index);
            }
            Err(problem) => bad.push((index, problem)),
        }
    }
    let mut valid = 0;
    let judged = app.park.events().validate_events(events).await?;
    for (index, judged) in places.into_iter().zip(judged) {
        match judged {
            Ok(()) => valid += 1,
            Err(error) => bad.push((index, Problem::from(error))),
        }
    }
    if is_one && let Some((_, problem)) = bad.pop() {
        return Err(problem);
    }
    bad.sort_by_key(|(index, _)| *index);
    let errors = bad.iter().map(|(index, problem)| RowProblemView::new(*index, problem));
    let view = ValidatedView { valid, rejected: bad.len(), errors: errors.collect() };
    Ok(views::answer(StatusCode::OK, &view))
}

fn fitting(caller: &Caller, row: Row) -> Result<NewEvent, Problem> {
    let event = row.map_err(|refused| refused.problem)?;
    caller.check_event(&event).map(|()| event)
}
