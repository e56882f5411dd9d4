//! What people do with a webhook: look at it, test it, have it tell again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use smartpark_formats::{config::Webhook, feed::WebhookSecret};
use smartpark_ledger::{ChangeKind, Error, Position, Result, SiteFact, SmartPark};

use super::{
    http::Http,
    levels::Standing,
    machine::Message,
    now_record,
    record::{Record, Stored},
    schedule::Outcome,
    signed,
};
use crate::limits::WEBHOOK_FACTS;

/// How a webhook stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookState {
    /// Facts up to here are settled.
    pub position: Position,
    /// Attempts that failed, one after the other.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// When the next attempt is due.
    pub next_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub why: Option<String>,
    /// When a message was taken last.
    pub taken_at: Option<Timestamp>,
    /// Messages that were given up since the webhook began.
    pub given_up: u64,
    /// The receiver answered 410: nothing is sent until a person switches the webhook on.
    pub is_off: bool,
}

/// How the webhook of this name stands; none if it never ran.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn webhook_state(park: &SmartPark, name: &str) -> Result<Option<WebhookState>> {
    let (_, record) = Stored::load(park, name).await?;
    let time = |micros: Option<i64>| Timestamp::from_microsecond(micros?).ok();
    Ok(record.map(|Record { position, attempts, .. }| WebhookState {
        position,
        failures: attempts.failures,
        failing_since: time(attempts.failing_since),
        next_at: time(attempts.next_at),
        why: attempts.why,
        taken_at: time(attempts.taken_at),
        given_up: attempts.given_up,
        is_off: attempts.is_off,
    }))
}

/// Sends `webhook.test` once, now, beside all other messages.
///
/// # Errors
/// A sentence that says why the receiver did not take it.
pub async fn test_webhook(
    site: &str,
    webhook: &Webhook,
    secrets: &[WebhookSecret],
    now: Timestamp,
) -> std::result::Result<(), String> {
    let data = json!({ "webhook": webhook.name });
    let message = Message::test(data, now);
    let request = signed(webhook, secrets, ("test", site), &message, now);
    let request = request.map_err(|fault| fault.to_string())?;
    match Http::new(webhook).send(request, now).await {
        Outcome::Taken => Ok(()),
        Outcome::Gone => Err("it answered 410: it wants no messages any more".to_owned()),
        Outcome::Failed { why, .. } => Err(why),
    }
}

/// Has a webhook tell from this position on, or from its own; a webhook that was switched off is
/// switched on, and one that waits tries at once. A running server notices it by itself. Returns
/// the position.
///
/// # Errors
/// [`Error::Invalid`] if the position is not one of this database, or lies ahead of the webhook;
/// [`Error::Unavailable`].
pub async fn replay_webhook(
    park: &SmartPark,
    name: &str,
    from: Option<Position>,
) -> Result<Position> {
    loop {
        let (mut stored, record) = Stored::load(park, name).await?;
        let mut record = match record {
            Some(record) => record,
            None => now_record(park).await?,
        };
        if let Some(from) = from.filter(|from| *from != record.position) {
            rewind(park, &mut record, from).await?;
        }
        record.attempts.begin_anew();
        if stored.store(park, name, &record).await? {
            return Ok(record.position);
        }
    }
}

/// Moves a record back: what each fact in between did is undone.
async fn rewind(park: &SmartPark, record: &mut Record, from: Position) -> Result<()> {
    let unknown = || Error::invalid("from", "must be an earlier position of this database");
    if from > record.position {
        return Err(unknown());
    }
    let (end, mut at) = (record.position, from);
    // What held before the first change of its kind held at `from`.
    let (mut opened, mut sized) = (BTreeSet::new(), BTreeSet::new());
    while at < end {
        let facts = park.facts_after(at, WEBHOOK_FACTS).await?.ok_or_else(unknown)?;
        let Some((last, _)) = facts.last() else { break };
        at = *last;
        for (_, fact) in facts.iter().filter(|(place, _)| *place <= end) {
            let floor_id = fact.floor_id();
            let Some(standing) = record.floors.get_mut(&floor_id) else { continue };
            let change = match fact {
                SiteFact::Event(event) => {
                    standing.count -= event.count_delta;
                    continue;
                }
                SiteFact::Change(change) => change,
            };
            standing.count -= change.count_delta;
            let is_switch = matches!(change.kind, ChangeKind::Opened | ChangeKind::Closed);
            if is_switch && opened.insert(floor_id) {
                standing.is_active = change.kind == ChangeKind::Closed;
            }
            if change.kind == ChangeKind::Slots && sized.insert(floor_id) {
                standing.slots = slots_before(park, change).await?;
            }
        }
    }
    for standing in record.floors.values_mut() {
        *standing = Standing { is_full: false, is_nearly_full: false, ..*standing }.silenced();
    }
    record.position = from;
    Ok(())
}

/// The slots that a floor had before a change of them.
async fn slots_before(park: &SmartPark, change: &smartpark_ledger::Change) -> Result<i64> {
    let floors = park.floors();
    let page = floors.get_changes(Some(change.floor_id), Some(change.id), 1).await?;
    Ok(page.first().map_or(change.slots, |before| before.slots))
}
