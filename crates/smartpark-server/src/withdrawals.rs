//! Withdrawals: facts that a person takes back.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App,
    auth::Caller,
    body,
    described::problems,
    problem::{Place, Problem},
    query::Query,
    rows::not_json,
    views::answer,
    withdrawal_examples as examples,
};
use smartpark_ledger::{
    NewWithdrawal, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    error::FieldError,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    model::text_fault,
};

/// The header in which a sender tells a repeat from another withdrawal.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is to be withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewWithdrawal)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawalBody {
    selection: WithdrawalSelection,
    /// The reason; not needed for a preview.
    #[serde(default)]
    #[schema(max_length = 1_000)]
    reason: String,
    /// Only tell what would happen.
    #[serde(default)]
    preview: bool,
}

/// Withdrawals, the latest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Withdrawals)]
pub struct WithdrawalsView {
    #[schema(max_items = 1_000)]
    withdrawals: Vec<Withdrawal>,
    /// Give it as `before` for the next page; null on the last.
    next: Option<i64>,
}

impl WithdrawalsView {
    /// A page of at most `limit` withdrawals.
    #[must_use]
    pub fn page(withdrawals: Vec<Withdrawal>, limit: u32) -> Self {
        let is_full = withdrawals.len() >= limit as usize;
        let next = withdrawals.last().filter(|_| is_full).map(|withdrawal| withdrawal.id);
        Self { withdrawals, next }
    }
}

problems!(WithdrawProblems: NotJson, CutShort, NotFound, TooSlow, NothingToWithdraw, TooLarge,
    UnsupportedType, InvalidFields, Internal, Overloaded, ClockDistrusted, Unavailable);

/// Withdraw facts
///
/// Counts, statistics and history are then as if the named events and recounts had never been
/// recorded. A selection names facts in one way: by their ids; all events of a stretch of time, by
/// when they were seen or when they were received, of one camera or floor or of all; or an earlier
/// withdrawal, whose facts count again. One withdrawal names at most 10 000 facts.
///
/// What arrives later counts, also the same events once more: so a wrong import can be withdrawn
/// and done again. Nothing before the retention horizon changes; `left` tells how many facts were
/// out of reach. With `preview` nothing changes at all.
///
/// The same `Idempotency-Key` again is answered as it was the first time.
#[utoipa::path(
    post, path = "/withdrawals", tag = "floors", operation_id = "withdraw",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Tells a repeat from another withdrawal: 1 to 100 characters that you draw. \
                       Required unless this is a preview")),
    request_body(content = WithdrawalBody, example = json!(examples::new_withdrawal())),
    responses(
        (status = 200, description = "What would happen", body = WithdrawalEffect,
            example = json!(examples::withdrawal_effect())),
        (status = 201, description = "What happened", body = Withdrawal,
            example = json!(examples::withdrawal())),
        WithdrawProblems,
    ),
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    let key = key_of(request.headers());
    let whole = body::read_json(request, &app).await?;
    let asked: WithdrawalBody =
        serde_json::from_slice(&whole.bytes).map_err(|fault| fit(&fault))?;
    let (withdrawals, selection) = (app.park.withdrawals(), asked.selection);
    if asked.preview {
        // A preview needs no reason, but takes none that the withdrawal would refuse.
        let mut faults = Vec::new();
        text_fault("reason", Some(&asked.reason), &mut faults);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults, Place::Body));
        }
        return Ok(answer(StatusCode::OK, &withdrawals.preview(selection).await?));
    }
    let author = caller.name().map(str::to_owned);
    let new = NewWithdrawal { selection, reason: asked.reason, author, key };
    Ok(answer(StatusCode::CREATED, &withdrawals.withdraw(new).await?))
}

/// The key of a request; empty if it has none that can be read.
fn key_of(headers: &HeaderMap) -> String {
    headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned()
}

/// What does not fit of a body. No answer repeats what was sent.
fn fit(fault: &serde_json::Error) -> Problem {
    if !fault.is_data() {
        let place = format!("not JSON, at line {} column {}", fault.line(), fault.column());
        return not_json(&place);
    }
    let detail = "must be an object with a selection (events, changes, withdrawal, camera_id, \
                  floor_id, start, end, received_start, received_end), a reason and preview";
    Problem::invalid(vec![FieldError::new("", detail)], Place::Body)
}

problems!(ListProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List withdrawals
///
/// What was withdrawn, by whom, when, why, and what it did. The latest first.
#[utoipa::path(
    get, path = "/withdrawals", tag = "floors", operation_id = "listWithdrawals",
    params(
        ("before" = Option<i64>, Query, minimum = 1, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "How many at most (100)"),
    ),
    responses(
        (status = 200, description = "The withdrawals", body = WithdrawalsView,
            example = json!(examples::withdrawals())),
        ListProblems,
    ),
)]
pub(super) async fn list_withdrawals(
    State(app): State<App>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::read(&uri, &["before", "limit"]);
    let before = query.integer("before", 1..=i64::MAX, "must be a whole number from 1 on");
    let detail = "must be a whole number from 1 to 1000";
    let limit = query.small_integer("limit", 1..=MAX_PAGE_ROWS, detail);
    query.finish()?;
    let limit = limit.unwrap_or(DEFAULT_PAGE_ROWS);
    let withdrawals = app.park.withdrawals().list(before, limit).await?;
    Ok(answer(StatusCode::OK, &WithdrawalsView::page(withdrawals, limit)))
}
