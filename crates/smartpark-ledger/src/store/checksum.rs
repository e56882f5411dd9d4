//! Checksums of stored rows: `check` computes them again and so notices a value that was changed
//! behind SmartPark's back, also one that no count depends on.
//!
//! A checksum is the first four bytes of the SHA-256 of the row's values, as a number. Checksums of
//! several rows are added up: the sum is kept up to date by addition, in any order, and an `i64`
//! holds the sum of two thousand million of them. They hold no secret, so they protect against
//! accidents and careless hands, not against somebody who computes them anew.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    codes::{adjustment_number, binding, direction_number, role_number, type_number},
    digest::Trace,
    site::Columns,
    transfer::Origin,
    withdrawals::{WithdrawalRow, WithdrawnRow},
};
use crate::{
    Event, Floor,
    decide::{
        Adjustment, StateWrite, WithdrawnFact, Writes,
        sums::{CHECKSUM, hour_of},
    },
    keys::KnownKey,
};

/// Adds the checksums of new and restored events to the sums of their hours, which stand in the
/// order of their keys, and takes those of withdrawn ones off.
pub(super) fn add_to_hours(writes: &mut Writes) {
    let stored = |fact: &WithdrawnFact| match fact {
        WithdrawnFact::Event { event, .. } => Some(event.clone()),
        WithdrawnFact::Change(_) => None,
    };
    let removed = writes.removed.iter().filter_map(stored).map(|event| (-1, event));
    let restored = writes.restored.iter().filter_map(stored).map(|event| (1, event));
    let others: Vec<(i64, Event)> = removed.chain(restored).collect();
    let new = writes.events.iter().map(|event| (1, event));
    for (sign, new) in new.chain(others.iter().map(|(sign, event)| (*sign, event))) {
        let hour = hour_of(new.timestamp.as_microsecond());
        let key = (hour, new.floor_id, new.camera_id.as_str());
        let place = writes.hours.binary_search_by(|((hour, floor_id, camera_id), _)| {
            (*hour, *floor_id, camera_id.as_str()).cmp(&key)
        });
        if let Ok(place) = place {
            writes.hours[place].1[CHECKSUM] += sign * event(new);
        }
    }
}

/// The values of a row, each with its length or of a fixed length, so that no two rows look alike.
struct Values(Vec<u8>);

impl Values {
    /// Begins a row of a kind: rows of two kinds never look alike.
    fn of(kind: u8) -> Self {
        let mut values = Vec::with_capacity(160);
        values.push(kind);
        Self(values)
    }

    fn number(mut self, number: i64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn maybe_number(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.number(1).number(number),
            None => self.number(0),
        }
    }

    fn instant(self, at: Timestamp) -> Self {
        self.number(at.as_microsecond())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    fn maybe_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    fn checksum(self) -> i64 {
        let digest = Sha256::digest(&self.0);
        i64::from(u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }
}

/// Of an event, as it was recorded and answered.
pub(crate) fn event(event: &Event) -> i64 {
    // A confidence of -0 is stored as 0.
    let confidence = (event.confidence + 0.0).to_bits();
    Values::of(b'e')
        .number(event.id)
        .text(&event.camera_id)
        .number(event.floor_id)
        .text(&event.track_id)
        .number(type_number(event.vehicle_type).into())
        .number(direction_number(event.direction).into())
        .bytes(&confidence.to_le_bytes())
        .instant(event.timestamp)
        .instant(event.created_at)
        .number(event.count_delta)
        .number(event.at_limit.is_some().into())
        .checksum()
}

/// Of what a digest keeps of an event on this floor.
pub(super) fn trace(floor_id: i64, trace: &Trace) -> i64 {
    Values::of(b't')
        .number(floor_id)
        .number(trace.at)
        .text(&trace.camera_id)
        .number(type_number(trace.vehicle_type).into())
        .number(direction_number(trace.direction).into())
        .number(trace.at_limit.into())
        .checksum()
}

/// Of an adjustment.
pub(super) fn adjustment(row: &Adjustment) -> i64 {
    Values::of(b'a')
        .number(row.id)
        .number(row.floor_id)
        .number(adjustment_number(row.kind).into())
        .number(row.delta)
        .number(row.current_vehicles)
        .number(row.total_slots)
        .maybe_text(row.reason.as_deref())
        .maybe_text(row.author.as_deref())
        .number(row.at)
        .number(row.created_at)
        .checksum()
}

/// Of what a person says of a floor. Its count and its slots are proved by its history.
pub(super) fn floor(floor: &Floor) -> i64 {
    Values::of(b'f')
        .number(floor.id)
        .text(&floor.name)
        .maybe_text(floor.description.as_deref())
        .number(floor.is_active.into())
        .instant(floor.created_at)
        .checksum()
}

/// Of where a floor's kept history begins.
pub(super) fn origin(origin: &Origin) -> i64 {
    Values::of(b'o')
        .number(origin.floor_id)
        .number(origin.initial_slots)
        .number(origin.base_count)
        .number(origin.removed_delta)
        .checksum()
}

/// Of the horizon, in microseconds since 1970 UTC, and the last id that retention remembers.
pub(super) fn retention(horizon: Option<i64>, last_event_id: i64) -> i64 {
    Values::of(b'r').maybe_number(horizon).number(last_event_id).checksum()
}

/// Of a site's identity and lineage, of what is known of it, and of all its API keys.
pub(super) fn site(identity: i64, lineage: i64, record: &Columns, keys: &[KnownKey]) -> i64 {
    let site = Values::of(b's').number(identity).number(lineage);
    let site = record.iter().fold(site, |values, text| values.text(text)).checksum();
    site + keys.iter().map(key).sum::<i64>()
}

/// Of the state of an adapter.
pub(super) fn state(row: &StateWrite) -> i64 {
    Values::of(b'd')
        .text(&row.camera_id)
        .text(&row.key)
        .bytes(row.state.as_deref().unwrap_or_default())
        .maybe_number(row.keep_until)
        .checksum()
}

/// Of a withdrawn fact.
pub(super) fn withdrawn(row: &WithdrawnRow) -> i64 {
    Values::of(b'w')
        .number(row.is_event.into())
        .number(row.id)
        .number(row.withdrawal_id)
        .number(row.floor_id)
        .number(row.at)
        .number(row.delta)
        .text(&row.data)
        .checksum()
}

/// Of a withdrawal, without its facts.
pub(super) fn withdrawal(row: &WithdrawalRow) -> i64 {
    Values::of(b'x')
        .number(row.id)
        .text(&row.key)
        .maybe_number(row.restores)
        .text(&row.data)
        .checksum()
}

fn key(KnownKey { key, sum }: &KnownKey) -> i64 {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    Values::of(b'k')
        .number(key.id)
        .text(&key.name)
        .text(&key.prefix)
        .bytes(&sum.0)
        .number(role_number(key.role).into())
        .maybe_text(binding(&key.cameras).as_deref())
        .maybe_text(binding(&key.floors).as_deref())
        .instant(key.created_at)
        .maybe_number(micros(key.rotated_at))
        .maybe_number(micros(key.revoked_at))
        .checksum()
}
