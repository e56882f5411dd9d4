//! What both engines' withdrawals share: how withdrawn facts and withdrawals are stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checksum;
use crate::{
    Error, Event, Result, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    codes::{
        adjustment_number, adjustment_of, direction_number, direction_of, limit_of, type_number,
        type_of,
    },
    decide::{Adjustment, WithdrawnFact, Writes},
    limits::MAX_WITHDRAWN_FACTS,
};

/// A row of the table `withdrawn_facts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WithdrawnRow {
    /// Whether it is an event.
    pub(super) is_event: bool,
    pub(super) id: i64,
    pub(super) withdrawal_id: i64,
    pub(super) floor_id: i64,
    /// The timestamp of the fact, in microseconds since 1970 UTC.
    pub(super) at: i64,
    pub(super) delta: i64,
    pub(super) data: String,
    pub(super) checksum: i64,
}

/// A row of the table `withdrawals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WithdrawalRow {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) restores: Option<i64>,
    pub(super) data: String,
    /// Of the row and of all facts that are still withdrawn by it.
    pub(super) checksum: i64,
}

/// What a withdrawal names, as it was found before floors were locked.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// Events, each with its timestamp.
    pub(super) events: Vec<(i64, i64)>,
    /// Changes.
    pub(super) changes: Vec<i64>,
}

impl Named {
    /// How many rows of a stretch are read: one more than it may have.
    #[expect(clippy::cast_possible_wrap, reason = "a small number")]
    pub(super) const LIMIT: i64 = MAX_WITHDRAWN_FACTS as i64 + 1;

    /// Refuses more facts than one withdrawal may name.
    pub(super) fn check(&self) -> Result<()> {
        if self.events.len() + self.changes.len() <= MAX_WITHDRAWN_FACTS {
            return Ok(());
        }
        let detail = "names more than 10000 facts; name a shorter stretch, and withdraw the rest \
                      with another withdrawal";
        Err(Error::invalid("selection", detail))
    }
}

/// The members of a withdrawn fact that have no column.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Data {
    Event {
        camera_id: String,
        track_id: String,
        vehicle_type: u8,
        direction: u8,
        confidence: f64,
        created_at: i64,
        at_limit: bool,
        place: i64,
    },
    Change {
        kind: u8,
        current_vehicles: i64,
        total_slots: i64,
        reason: Option<String>,
        author: Option<String>,
        created_at: i64,
        place: i64,
        is_dated: bool,
    },
}

impl WithdrawnRow {
    /// The row of a fact.
    pub(super) fn new(withdrawal_id: i64, fact: &WithdrawnFact) -> Result<Self> {
        let (at, data) = match fact {
            WithdrawnFact::Event { event, place } => {
                let data = Data::Event {
                    camera_id: event.camera_id.clone(),
                    track_id: event.track_id.clone(),
                    vehicle_type: type_number(event.vehicle_type),
                    direction: direction_number(event.direction),
                    confidence: event.confidence,
                    created_at: event.created_at.as_microsecond(),
                    at_limit: event.at_limit.is_some(),
                    place: *place,
                };
                (event.timestamp.as_microsecond(), data)
            }
            WithdrawnFact::Change(change) => {
                let data = Data::Change {
                    kind: adjustment_number(change.kind),
                    current_vehicles: change.current_vehicles,
                    total_slots: change.total_slots,
                    reason: change.reason.clone(),
                    author: change.author.clone(),
                    created_at: change.created_at,
                    place: change.place,
                    is_dated: change.is_dated,
                };
                (change.at, data)
            }
        };
        let (is_event, id) = fact.key();
        let (floor_id, delta) = (fact.floor_id(), fact.delta());
        let data = json(&data)?;
        let mut row = Self { is_event, id, withdrawal_id, floor_id, at, delta, data, checksum: 0 };
        row.checksum = checksum::withdrawn(&row);
        Ok(row)
    }

    /// The fact of the row.
    pub(super) fn fact(&self) -> Result<WithdrawnFact> {
        self.read().ok_or_else(|| Error::Internal("a withdrawn fact is damaged".into()))
    }

    fn read(&self) -> Option<WithdrawnFact> {
        let Self { id, floor_id, .. } = *self;
        Some(match serde_json::from_str(&self.data).ok()? {
            Data::Event {
                camera_id,
                track_id,
                vehicle_type,
                direction,
                confidence,
                created_at,
                at_limit,
                place,
            } => {
                let direction = direction_of(direction.into())?;
                let event = Event {
                    id,
                    camera_id,
                    floor_id,
                    track_id,
                    vehicle_type: type_of(vehicle_type.into())?,
                    direction,
                    confidence,
                    timestamp: Timestamp::from_microsecond(self.at).ok()?,
                    created_at: Timestamp::from_microsecond(created_at).ok()?,
                    count_delta: self.delta,
                    at_limit: at_limit.then(|| limit_of(direction)),
                };
                WithdrawnFact::Event { event, place }
            }
            Data::Change {
                kind,
                current_vehicles,
                total_slots,
                reason,
                author,
                created_at,
                place,
                is_dated,
            } => WithdrawnFact::Change(Adjustment {
                id,
                floor_id,
                kind: adjustment_of(kind.into())?,
                delta: self.delta,
                current_vehicles,
                total_slots,
                reason,
                author,
                at: self.at,
                created_at,
                place,
                is_dated,
            }),
        })
    }
}

impl WithdrawalRow {
    /// The row of a withdrawal that takes these facts out.
    pub(super) fn new(withdrawal: &Withdrawal, key: &str, rows: &[WithdrawnRow]) -> Result<Self> {
        let data = json(withdrawal)?;
        let restores = withdrawal.selection.withdrawal;
        let mut row = Self { id: withdrawal.id, key: key.to_owned(), restores, data, checksum: 0 };
        row.checksum =
            checksum::withdrawal(&row) + rows.iter().map(|row| row.checksum).sum::<i64>();
        Ok(row)
    }

    /// The withdrawal of the row.
    pub(super) fn withdrawal(&self) -> Result<Withdrawal> {
        serde_json::from_str(&self.data)
            .map_err(|fault| Error::Internal(format!("a withdrawal is damaged: {fault}")))
    }
}

/// The answer to a repeat of a withdrawal.
pub(super) fn repeated(row: &WithdrawalRow, selection: &WithdrawalSelection) -> Result<Withdrawal> {
    let withdrawal = row.withdrawal()?;
    if withdrawal.selection == *selection {
        return Ok(withdrawal);
    }
    Err(Error::invalid("Idempotency-Key", "was used for another withdrawal; draw a new one"))
}

/// Judges whether an earlier withdrawal can be taken back, given its row if there is one, and
/// whether that was done before.
pub(super) fn may_restore(row: Option<&WithdrawalRow>, is_restored: bool) -> Result<()> {
    let row = row.ok_or(Error::NotFound("the withdrawal"))?;
    if row.restores.is_some() {
        let detail = "takes a withdrawal back itself; withdraw its facts again instead";
        return Err(Error::invalid("withdrawal", detail));
    }
    if is_restored {
        return Err(Error::invalid("withdrawal", "was taken back before"));
    }
    Ok(())
}

/// The id of a withdrawal: that of the change that tells of it on its first floor.
pub(super) fn id_of(writes: &Writes) -> Result<i64> {
    let first = writes.adjustments.first().map(|note| note.id);
    first.ok_or_else(|| Error::Internal("a withdrawal without a note".into()))
}

/// A withdrawal as it is stored and answered.
pub(super) fn recorded(
    id: i64,
    selection: WithdrawalSelection,
    (reason, author): (String, Option<String>),
    now: i64,
    effect: WithdrawalEffect,
) -> Withdrawal {
    let created_at = Timestamp::from_microsecond(now).unwrap_or(Timestamp::MIN);
    Withdrawal { id, selection, reason, author, created_at, effect }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|fault| Error::Internal(format!("JSON: {fault}")))
}
