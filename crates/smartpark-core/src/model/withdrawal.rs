//! Facts that a person takes back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FieldError, MAX_NAME_CHARS, text_fault};

/// Which facts are withdrawn: by their ids, all events of a stretch, or what an earlier withdrawal
/// took back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WithdrawalSelection {
    /// Events by their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 10_000))]
    pub events: Vec<i64>,
    /// Recounts, and vehicles that were counted by hand, by the ids of their changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 10_000))]
    pub changes: Vec<i64>,
    /// An earlier withdrawal: its facts count again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<i64>,
    /// Only events of this camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_id: Option<String>,
    /// Only events of this floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor_id: Option<i64>,
    /// Events that a camera saw from this instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub start: Option<Timestamp>,
    /// Events that a camera saw before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub end: Option<Timestamp>,
    /// Events that were received from this instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub received_start: Option<Timestamp>,
    /// Events that were received before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub received_end: Option<Timestamp>,
}

impl WithdrawalSelection {
    /// Whether it names events by a stretch of time.
    #[must_use]
    pub const fn is_stretch(&self) -> bool {
        self.start.is_some()
            || self.end.is_some()
            || self.received_start.is_some()
            || self.received_end.is_some()
    }

    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let by_ids = !self.events.is_empty() || !self.changes.is_empty();
        let by_stretch = self.is_stretch() || self.camera_id.is_some() || self.floor_id.is_some();
        let ways = [by_ids, by_stretch, self.withdrawal.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            let detail = "must name facts in one way: ids, a stretch of time, or a withdrawal";
            faults.push(FieldError::new("selection", detail));
        } else if by_stretch {
            let seen = (self.start, self.end);
            let received = (self.received_start, self.received_end);
            let is_whole = |(start, end): (Option<Timestamp>, Option<Timestamp>)| {
                start.zip(end).is_some_and(|(start, end)| start < end)
            };
            let is_absent = |(start, end): (Option<Timestamp>, Option<Timestamp>)| {
                start.is_none() && end.is_none()
            };
            let fits = |stretch| is_whole(stretch) || is_absent(stretch);
            if !(fits(seen) && fits(received)) || is_absent(seen) && is_absent(received) {
                let detail = "must have a start and a later end, by timestamp or by receipt";
                faults.push(FieldError::new("selection", detail));
            }
        }
        faults
    }
}

/// A withdrawal that a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWithdrawal {
    /// Which facts.
    pub selection: WithdrawalSelection,
    /// The reason, in 1 to 1000 characters.
    pub reason: String,
    /// The person or key that withdraws.
    pub author: Option<String>,
    /// Tells a repeat of this withdrawal from another one: 1 to 100 characters that the sender
    /// draws. A repeat is answered as the first was.
    pub key: String,
}

impl NewWithdrawal {
    /// Every field that does not fit; none if all do.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = self.selection.faults();
        if self.reason.is_empty() {
            faults.push(FieldError::new("reason", "must say why, in 1 to 1000 characters"));
        }
        text_fault("reason", Some(&self.reason), &mut faults);
        if !(1..=MAX_NAME_CHARS).contains(&self.key.chars().count())
            || self.key.contains(char::is_control)
        {
            faults.push(FieldError::new("Idempotency-Key", "must have 1 to 100 characters"));
        }
        faults
    }
}

/// What a withdrawal did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WithdrawalEffect {
    /// How many events were withdrawn, or count again.
    pub events: u64,
    /// How many recounts and vehicles counted by hand.
    pub changes: u64,
    /// How many named facts were left as they are: their place in history lies before the
    /// retention horizon, they are no longer there, or they were recorded anew meanwhile.
    pub left: u64,
    /// The floors whose facts changed, by id.
    #[cfg_attr(feature = "openapi", schema(max_items = 10_000))]
    pub floors: Vec<WithdrawalFloor>,
}

/// A floor of a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WithdrawalFloor {
    /// The floor.
    pub floor_id: i64,
    /// By how many vehicles its current count changed.
    pub count_delta: i64,
    /// The vehicles on it right after.
    pub vehicles: i64,
}

/// A withdrawal that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Withdrawal {
    /// Its id; grows.
    pub id: i64,
    /// Which facts were named.
    pub selection: WithdrawalSelection,
    /// The reason.
    pub reason: String,
    /// The person or key that withdrew.
    pub author: Option<String>,
    /// When it was recorded.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// What it did.
    #[serde(flatten)]
    pub effect: WithdrawalEffect,
}
