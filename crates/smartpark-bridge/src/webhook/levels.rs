//! How full a floor is, fact after fact, and what a receiver is told of it. Pure.

use serde::{Deserialize, Serialize};
use smartpark_ledger::{ChangeKind, Floor, SiteFact};

/// A floor is nearly full from this share of its slots on, in per cent …
const NEARLY_FROM: i64 = 90;
/// … until it falls below this one.
const NEARLY_UNTIL: i64 = 80;

/// How a floor stands after a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// Vehicles: the sum of what the facts up to here counted.
    pub(super) count: i64,
    pub(super) slots: i64,
    /// Whether cars may be sent there. A closed floor is told of when it opens.
    pub(super) is_active: bool,
    /// Full, as far as it was told.
    pub(super) is_full: bool,
    /// Reached 90 % and did not fall below 80 % since, as far as it was told.
    pub(super) is_nearly_full: bool,
}

impl Standing {
    /// A floor as it is now; nothing is told of how it became so.
    pub(super) fn of(floor: &Floor) -> Self {
        let standing = Self {
            count: floor.current_vehicles,
            slots: floor.total_slots,
            is_active: floor.is_active,
            is_full: false,
            is_nearly_full: false,
        };
        standing.silenced()
    }

    /// A floor before its first fact.
    pub(super) const fn empty(slots: i64) -> Self {
        Self { count: 0, slots, is_active: true, is_full: false, is_nearly_full: false }
    }

    /// The same, as if it had been told.
    pub(super) fn silenced(mut self) -> Self {
        self.tell();
        self
    }

    /// Takes in the floor's next fact; what is to be told of it.
    pub(super) fn take(&mut self, fact: &SiteFact) -> Option<&'static str> {
        match fact {
            SiteFact::Event(event) => self.count += event.count_delta,
            SiteFact::Change(change) => {
                self.count += change.count_delta;
                self.slots = change.slots;
                match change.kind {
                    ChangeKind::Opened => self.is_active = true,
                    ChangeKind::Closed => self.is_active = false,
                    _ => {}
                }
            }
        }
        self.tell()
    }

    /// What changed since it was told last. Of several things the weightiest.
    pub(super) fn tell(&mut self) -> Option<&'static str> {
        if !self.is_active {
            return None;
        }
        let was = (self.is_full, self.is_nearly_full);
        let percent = |share: i64| self.slots > 0 && self.count * 100 >= self.slots * share;
        self.is_full = self.slots > 0 && self.count >= self.slots;
        self.is_nearly_full =
            percent(NEARLY_FROM) || (self.is_nearly_full && percent(NEARLY_UNTIL));
        match (was, (self.is_full, self.is_nearly_full)) {
            ((false, _), (true, _)) => Some("floor.full"),
            ((true, _), (false, _)) => Some("floor.free"),
            ((_, false), (_, true)) => Some("floor.nearly_full"),
            _ => None,
        }
    }

    /// Free slots, never below 0.
    pub(super) fn free(&self) -> i64 {
        (self.slots - self.count).max(0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use smartpark_ledger::Change;

    use super::*;

    fn change(kind: ChangeKind, count_delta: i64, slots: i64) -> SiteFact {
        SiteFact::Change(Change {
            id: 1,
            floor_id: 1,
            kind,
            count_delta,
            vehicles: 0,
            slots,
            reason: None,
            author: None,
            timestamp: Timestamp::UNIX_EPOCH,
            created_at: Timestamp::UNIX_EPOCH,
            is_dated: false,
        })
    }

    fn told(steps: &[(ChangeKind, i64, i64)]) -> Vec<Option<&'static str>> {
        let mut standing = Standing::empty(10);
        let step = |(kind, delta, slots): &(ChangeKind, i64, i64)| {
            standing.take(&change(*kind, *delta, *slots))
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn a_floor_is_told_of_when_it_fills_and_when_a_slot_is_free_again() {
        use ChangeKind::Recount;
        let table = [
            (8, None),
            (1, Some("floor.nearly_full")),
            (-1, None),
            (1, None),
            (1, Some("floor.full")),
            (-1, Some("floor.free")),
            (1, Some("floor.full")),
            (-2, Some("floor.free")),
            // Below 80 %: from there on it may become nearly full again.
            (-1, None),
            (2, Some("floor.nearly_full")),
            (-9, None),
            (10, Some("floor.full")),
            (-10, Some("floor.free")),
        ];
        let steps: Vec<_> = table.iter().map(|(delta, _)| (Recount, *delta, 10)).collect();
        let wanted: Vec<_> = table.iter().map(|(_, wanted)| *wanted).collect();
        assert_eq!(told(&steps), wanted);
    }

    #[test]
    fn slots_count_and_a_closed_floor_is_told_of_when_it_opens() {
        use ChangeKind::{Closed, Opened, Recount, Slots};
        let steps = [
            (Recount, 5, 10),
            (Slots, 0, 5),
            (Closed, 0, 5),
            (Recount, -3, 5),
            (Recount, 3, 5),
            (Opened, 0, 5),
            (Closed, 0, 5),
            (Recount, -5, 5),
            (Opened, 0, 5),
            (Slots, 0, 0),
        ];
        let wanted = [
            None,
            Some("floor.full"),
            None,
            None,
            None,
            None,
            None,
            None,
            Some("floor.free"),
            None,
        ];
        assert_eq!(told(&steps), wanted);
    }
}
