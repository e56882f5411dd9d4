//! Changes of a count that no event made.

use jiff::Timestamp;

use crate::{Change, ChangeKind, Direction, count::Act};

/// What an adjustment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdjustmentKind {
    /// A person counted.
    Recount,
    /// The number of slots changed.
    Capacity,
    /// One vehicle more, without an event.
    Entry,
    /// One vehicle less, without an event.
    Exit,
    /// The floor was opened.
    Opened,
    /// The floor was closed.
    Closed,
    /// What new rules of counting made of the floor's count.
    Rules,
    /// The floor was added.
    Added,
    /// The floor got another name.
    Renamed,
    /// Facts of the floor were withdrawn.
    Withdrawn,
    /// Withdrawn facts of the floor count again.
    Restored,
}

impl AdjustmentKind {
    /// The act of an adjustment of this kind that left `count` vehicles and `slots` slots.
    pub(crate) fn act(self, count: i64, slots: i64) -> Act {
        match self {
            Self::Recount => Act::Recount(count),
            Self::Capacity => Act::Capacity(slots),
            Self::Entry => Act::Entry,
            Self::Exit => Act::Exit,
            Self::Opened
            | Self::Closed
            | Self::Rules
            | Self::Added
            | Self::Renamed
            | Self::Withdrawn
            | Self::Restored => Act::Nothing,
        }
    }
}

impl From<Adjustment> for Change {
    fn from(row: Adjustment) -> Self {
        let instant = |at| Timestamp::from_microsecond(at).unwrap_or(Timestamp::MIN);
        Self {
            id: row.id,
            floor_id: row.floor_id,
            kind: match row.kind {
                AdjustmentKind::Recount => ChangeKind::Recount,
                AdjustmentKind::Capacity => ChangeKind::Slots,
                AdjustmentKind::Entry => ChangeKind::Entry,
                AdjustmentKind::Exit => ChangeKind::Exit,
                AdjustmentKind::Opened => ChangeKind::Opened,
                AdjustmentKind::Closed => ChangeKind::Closed,
                AdjustmentKind::Rules => ChangeKind::Rules,
                AdjustmentKind::Added => ChangeKind::Added,
                AdjustmentKind::Renamed => ChangeKind::Renamed,
                AdjustmentKind::Withdrawn => ChangeKind::Withdrawn,
                AdjustmentKind::Restored => ChangeKind::Restored,
            },
            count_delta: row.delta,
            vehicles: row.current_vehicles,
            slots: row.total_slots,
            reason: row.reason,
            author: row.author,
            timestamp: instant(row.at),
            created_at: instant(row.created_at),
            is_dated: row.is_dated,
        }
    }
}

impl From<Direction> for AdjustmentKind {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Entry => Self::Entry,
            Direction::Exit => Self::Exit,
        }
    }
}

/// A row of the table `adjustments`. Instants are microseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adjustment {
    pub(crate) id: i64,
    pub(crate) floor_id: i64,
    pub(crate) kind: AdjustmentKind,
    /// How far it moved the count.
    pub(crate) delta: i64,
    /// The count that it left.
    pub(crate) current_vehicles: i64,
    /// The slots that it left.
    pub(crate) total_slots: i64,
    pub(crate) reason: Option<String>,
    pub(crate) author: Option<String>,
    /// When it is said to have been made.
    pub(crate) at: i64,
    pub(crate) created_at: i64,
    /// Where it stands in the floor's history.
    pub(crate) place: i64,
    /// Whether a person named its instant.
    pub(crate) is_dated: bool,
}
