//! The terms of an attempt to record a group, and what becomes of it.

use std::time::Duration;

use super::{connect::milliseconds, session::Held};
use crate::limits::{
    POSTGRES_IDLE_A_ROW, POSTGRES_IDLE_RECORDING, POSTGRES_LARGE_ROWS, POSTGRES_SHARED_WAIT,
};

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum Done {
    /// All was recorded.
    All,
    /// All but these batches, which need a floor or a track that others hold.
    Part(Vec<bool>),
    /// Nothing: others held a lock for longer than this attempt was to wait.
    Nothing,
}

/// How an attempt waits for locks that others hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// For as long as the connection is set to.
    Patient,
    /// A moment.
    Brief,
    /// Not at all: it leaves out what others hold.
    Skip,
}

impl Lock {
    pub(super) fn held(self) -> Held {
        if self == Self::Skip { Held::Skips } else { Held::Waits }
    }
}

/// The terms of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) lock: Lock,
    /// How many attempts there were before.
    pub(super) attempt: u32,
    /// For how long somebody waits for the answer.
    pub(super) remaining: Duration,
}

/// Bounds the statements of a transaction that follow.
pub(super) fn bound(longest: Duration) -> String {
    // 0 would be no bound at all.
    let longest = milliseconds(longest.max(Duration::from_millis(1)));
    format!("SET LOCAL statement_timeout = '{longest}'")
}

impl Terms {
    /// Bounds statements by the patience of those who wait.
    pub(super) fn bound(&self) -> String {
        bound(self.remaining)
    }

    /// The statements that begin a transaction of so many rows. None of its statements outlives
    /// the patience of those who wait. A process that is slow, not frozen, is given more time with
    /// each attempt, and for many rows.
    pub(super) fn begin(&self, rows: usize) -> String {
        let mut begin = format!("BEGIN; {}", self.bound());
        if self.lock == Lock::Brief {
            let wait = milliseconds(POSTGRES_SHARED_WAIT);
            begin.push_str(&format!("; SET LOCAL lock_timeout = '{wait}'"));
        }
        if self.attempt > 0 || rows >= POSTGRES_LARGE_ROWS {
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            let once = POSTGRES_IDLE_RECORDING + POSTGRES_IDLE_A_ROW.saturating_mul(rows);
            let idle = milliseconds(once * 2_u32.saturating_pow(self.attempt.min(3)));
            begin.push_str(&format!("; SET LOCAL idle_in_transaction_session_timeout = '{idle}'"));
        }
        begin
    }
}
