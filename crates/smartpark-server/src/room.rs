//! Memory that many share: who wants some is given it or told at once that there is none.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use smartpark_ledger::limits::SMALL_BYTES;

/// So many bytes for all, a quarter of them for small pieces alone, so that a few large ones whose
/// clients are slow do not keep all others out.
#[derive(Clone, Debug)]
pub(super) struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A part of the room, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let small = bytes / 4;
        Self {
            small: Arc::new(Semaphore::new(small)),
            large: Arc::new(Semaphore::new(bytes - small)),
        }
    }

    /// Room for a piece of so many bytes, where there is any.
    pub(super) fn take(&self, bytes: usize) -> Option<Share> {
        let permits = u32::try_from(bytes).ok()?;
        let permit = Arc::clone(self.of(bytes)).try_acquire_many_owned(permits).ok()?;
        Some(Share { _permit: permit })
    }

    /// Whether such a piece would be given room now: what would not need not be made.
    pub(super) fn has(&self, bytes: usize) -> bool {
        self.of(bytes).available_permits() >= bytes
    }

    /// The part of the room in which pieces of this size are.
    fn of(&self, bytes: usize) -> &Arc<Semaphore> {
        if bytes <= SMALL_BYTES { &self.small } else { &self.large }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pieces_leave_room_for_small_ones() {
        let room = Room::new(8 * SMALL_BYTES);
        assert!(room.has(6 * SMALL_BYTES) && !room.has(6 * SMALL_BYTES + 1));
        let large = room.take(6 * SMALL_BYTES).unwrap();
        assert!(room.take(SMALL_BYTES + 1).is_none());
        assert!(room.has(SMALL_BYTES) && !room.has(SMALL_BYTES + 1));
        let small = [room.take(SMALL_BYTES).unwrap(), room.take(SMALL_BYTES).unwrap()];
        assert!(room.take(1).is_none());
        drop(small);
        assert!(room.take(1).is_some());
        drop(large);
        assert!(room.take(SMALL_BYTES + 1).is_some());
    }
}
