//! What needs a person, and what to do about it.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, described::problems, examples, problem::Problem, query::Query, views::answer};
use smartpark_ledger::{Attention, AttentionItem, AttentionKind, AttentionLevel, RefusalReason};

/// What needs a person, the most urgent first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attention)]
pub struct AttentionView {
    #[schema(max_items = 100)]
    items: Vec<ItemView>,
    /// When it was looked for. The same answer is given for some seconds.
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
}

/// One thing. What does not apply is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttentionItem)]
pub struct ItemView {
    kind: AttentionKind,
    level: AttentionLevel,
    floor_id: Option<i64>,
    /// The floor's name.
    floor: Option<String>,
    /// The camera; null for cameras without a name that fits, or too many to be named.
    camera_id: Option<String>,
    /// Why events were refused; `differs` are repeats that say something else than the first.
    reason: Option<RefusalReason>,
    /// Of a floor that is full, nearly full or to be counted the vehicles, of a silent camera the
    /// events that were to be expected, else the events.
    count: Option<u64>,
    /// Since when a floor is so; null where that is more than a day. The last event of a camera
    /// that is silent.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The last of the events.
    #[schema(value_type = Option<String>, format = DateTime)]
    last: Option<Timestamp>,
    /// What it is, as an English sentence.
    detail: String,
    /// What to do, as an English sentence.
    advice: &'static str,
}

impl From<Attention> for AttentionView {
    fn from(attention: Attention) -> Self {
        let Attention { items, checked_at } = attention;
        Self { items: items.into_iter().map(Into::into).collect(), checked_at }
    }
}

impl From<AttentionItem> for ItemView {
    fn from(item: AttentionItem) -> Self {
        Self {
            kind: item.kind,
            level: item.level,
            floor_id: item.floor_id,
            floor: item.floor,
            camera_id: item.camera_id,
            reason: item.reason,
            count: item.count,
            since: item.since,
            last: item.last,
            detail: item.detail,
            advice: item.advice,
        }
    }
}

problems!(AttentionProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// What needs a person
///
/// The most urgent first, each with what to do: floors that are full (no slot free) or nearly full
/// (from 90 % until they fall below 80 %), cameras that send nothing at a time of the week when
/// they always did, events that were refused or not taken as sent in the last 24 hours, and
/// entries to full or exits from empty floors in the last 24 hours, since the last recount, and
/// floors whose true number of vehicles is uncertain, so that a recount would help (looked at once
/// an hour, eight floors at a time).
/// Refused events are counted by the hour, and may be missing for some seconds where another
/// server refused them. Every server on one database says the same.
#[utoipa::path(
    get, path = "/attention", tag = "live", operation_id = "getAttention",
    responses(
        (status = 200, description = "What needs a person", body = AttentionView,
            example = json!(examples::attention())),
        AttentionProblems,
    ),
)]
pub(super) async fn get_attention(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let attention = app.park.get_attention().await?;
    Ok(answer(StatusCode::OK, &AttentionView::from(attention)))
}
