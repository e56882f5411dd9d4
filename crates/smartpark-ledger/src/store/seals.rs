//! Which stored rows are not as SmartPark left them: the checksum beside each is compared with the
//! one of the row as it is now ([`super::checksum`] says what a checksum covers).

use std::collections::HashMap;

use super::{
    checksum,
    naive::violate,
    site::Columns,
    transfer::Origin,
    withdrawals::{WithdrawalRow, WithdrawnRow},
};
use crate::{
    Error, Floor, Result,
    check::Report,
    decide::{Adjustment, StateWrite},
    keys::KnownKey,
};

/// A floor with the checksums that are stored beside it: its own, and that of its adjustments.
pub(super) struct SealedFloor {
    pub(super) floor: Floor,
    pub(super) checksum: i64,
    pub(super) adjustments: i64,
}

/// The row of `retention`.
pub(super) struct SealedRetention {
    pub(super) horizon: Option<i64>,
    pub(super) last_event_id: i64,
    pub(super) checksum: i64,
}

/// The row of `site`.
pub(super) struct SealedSite {
    pub(super) identity: i64,
    pub(super) lineage: i64,
    pub(super) record: Columns,
    pub(super) checksum: i64,
}

/// The checksums of adjustments, added up by floor.
#[derive(Default)]
pub(super) struct AdjustmentSums(HashMap<i64, i64>);

impl AdjustmentSums {
    /// Adds an adjustment.
    pub(super) fn add(&mut self, row: &Adjustment) {
        *self.0.entry(row.floor_id).or_default() += checksum::adjustment(row);
    }

    /// The sum of a floor.
    pub(super) fn of(&self, floor_id: i64) -> i64 {
        self.0.get(&floor_id).copied().unwrap_or_default()
    }
}

/// Compares the checksums of floors and of their adjustments.
pub(super) fn compare_floors(
    report: &mut Report,
    floors: &[SealedFloor],
    adjustments: &AdjustmentSums,
) {
    for SealedFloor { floor, checksum: stored, adjustments: stored_adjustments } in floors {
        let id = floor.id;
        compare(report, (*stored, checksum::floor(floor)), || {
            format!("floor {id}: its name, description, state or creation was changed")
        });
        compare(report, (*stored_adjustments, adjustments.of(id)), || {
            format!("floor {id}: an adjustment was changed, added or removed")
        });
    }
}

/// Compares the checksums of where floors' histories begin.
pub(super) fn compare_origins(report: &mut Report, origins: &[(Origin, i64)]) {
    for (origin, stored) in origins {
        compare(report, (*stored, checksum::origin(origin)), || {
            format!("floor {}: where its kept history begins was changed", origin.floor_id)
        });
    }
}

/// Compares the checksum of the horizon.
pub(super) fn compare_retention(report: &mut Report, row: &SealedRetention) {
    let computed = checksum::retention(row.horizon, row.last_event_id);
    if row.checksum != computed {
        let detail = "the horizon, or the last id that was given, was changed".to_owned();
        violate(report, "I16", detail);
    }
}

/// Compares the checksum of the site and its API keys.
pub(super) fn compare_site(report: &mut Report, row: &SealedSite, keys: &[KnownKey]) {
    let computed = checksum::site(row.identity, row.lineage, &row.record, keys);
    compare(report, (row.checksum, computed), || {
        "the site's identity, its data or an API key was changed, added or removed".to_owned()
    });
}

/// Compares the checksums of withdrawals and of the facts that they took back.
pub(super) fn compare_withdrawals(
    report: &mut Report,
    withdrawals: &[WithdrawalRow],
    withdrawn: &[WithdrawnRow],
) {
    let mut sums: HashMap<i64, i64> = HashMap::new();
    for row in withdrawn {
        compare(report, (row.checksum, checksum::withdrawn(row)), || {
            let what = if row.is_event { "event" } else { "change" };
            format!("{what} {}, which was withdrawn, was changed", row.id)
        });
        *sums.entry(row.withdrawal_id).or_default() += row.checksum;
    }
    for row in withdrawals {
        let facts = sums.remove(&row.id).unwrap_or_default();
        compare(report, (row.checksum, checksum::withdrawal(row) + facts), || {
            format!("withdrawal {}, or what it took back, was changed, added or removed", row.id)
        });
    }
    for id in sums.keys() {
        violate(report, "I4", format!("withdrawal {id} was removed"));
    }
}

/// Compares the checksums of the states of adapters.
pub(super) fn compare_states(report: &mut Report, states: &[(StateWrite, i64)]) {
    for (row, stored) in states {
        compare(report, (*stored, checksum::state(row)), || {
            format!("camera {}: the state {} of its adapter was changed", row.camera_id, row.key)
        });
    }
}

fn compare(report: &mut Report, (stored, computed): (i64, i64), detail: impl FnOnce() -> String) {
    if stored != computed {
        violate(report, "I4", detail());
    }
}

/// Notes as a violation that rows could not be read because they are damaged, so that the rest is
/// checked all the same. Other errors end the check.
pub(super) fn note_damage<T>(report: &mut Report, read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Internal(damage)) => {
            violate(report, "I3", damage);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Of a schema that has drifted the rows may not be readable: then that is one violation more.
pub(super) fn unless_drifted(report: &mut Report, read: Result<()>) -> Result<()> {
    match read {
        Err(error) if !report.is_clean() => {
            violate(report, "I3", format!("the rest could not be checked: {error}"));
            Ok(())
        }
        other => other,
    }
}
