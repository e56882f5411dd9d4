//! The bounds of what people and cameras may send, each with its unit and its reason.

/// Longest name of a camera, track or floor, in characters. Contract §2.
pub const MAX_NAME_CHARS: usize = 100;
/// Longest description of a floor and longest reason of a recount, in characters.
pub const MAX_TEXT_CHARS: usize = 1_000;
/// Most slots of one floor: far above any building, far below overflow.
pub const MAX_TOTAL_SLOTS: i64 = 1_000_000;
/// Most rows in one request. Contract §5.
pub const MAX_BATCH_ROWS: usize = 10_000;
/// Most cameras, and most floors, that one key may be bound to.
pub const MAX_KEY_BINDINGS: usize = 1_000;
