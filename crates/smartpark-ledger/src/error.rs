//! The one error of the library.

use std::borrow::Cow;

use jiff::Timestamp;
pub use smartpark_core::error::FieldError;

/// Short for a result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a thing could not be done. Where nothing else is said, nothing was stored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Fields do not fit; all of them are named.
    #[error("{}", list(.0))]
    Invalid(Vec<FieldError>),
    /// An event names a floor that does not exist.
    #[error("floor_id names no floor")]
    UnknownFloor,
    /// An event lies further ahead of the server's clock than the allowed skew.
    #[error(
        "timestamp is ahead of the server's clock ({now}) by more than is allowed; \
             check the camera's clock"
    )]
    InFuture {
        /// The server's clock.
        now: Timestamp,
    },
    /// The server does not trust its own clock, on which this depends. Nothing was stored; try
    /// again later.
    #[error(
        "the server does not trust its own clock: {why}; nothing was stored. Send it again when \
             the clock is right; if it is right, say so with `smartpark clock accept`"
    )]
    ClockDistrusted {
        /// What speaks against the clock.
        why: &'static str,
    },
    /// An event is older than the retention horizon: whether it is a repeat is no longer known.
    #[error(
        "timestamp is older than the retention horizon ({horizon}), before which repeats \
             can no longer be recognised"
    )]
    TooOld {
        /// The horizon.
        horizon: Timestamp,
    },
    /// What is asked for does not exist.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// Another floor has this name.
    #[error("another floor has this name")]
    NameTaken,
    /// Another API key has this name.
    #[error("another key has this name")]
    KeyNameTaken,
    /// A floor with events cannot be removed.
    #[error("the floor has events and cannot be removed; deactivate it instead")]
    FloorHasEvents,
    /// The new capacity is below the current count.
    #[error(
        "total_slots would be below the {current_vehicles} vehicles on the floor; recount \
             first, or force it, which cuts the count"
    )]
    SlotsBelowCount {
        /// The count.
        current_vehicles: i64,
    },
    /// Another number was recorded for a floor at the same instant.
    #[error("another number, {found}, was counted on this floor at this instant")]
    RecountDiffers {
        /// The number that stands.
        found: i64,
    },
    /// A withdrawal names no fact that it could change.
    #[error(
        "no fact is named that could be withdrawn: none is there, or their places lie before the \
             retention horizon"
    )]
    NothingToWithdraw,
    /// The database holds data where an empty one is needed.
    #[error("the database already has floors, events or keys")]
    NotEmpty,
    /// The state of an adapter is another than was expected: another message changed it. Read it
    /// again and decide anew.
    #[error("the state was changed meanwhile; read it again")]
    StateChanged,
    /// More is waiting than may wait. Nothing was stored; try again.
    #[error("too many requests are waiting to be recorded; try again in a moment")]
    Overloaded,
    /// The store cannot be reached, is full or is locked. For a write this means *unknown*:
    /// sending it again is safe and settles it.
    #[error("the database cannot be reached or written: {0}")]
    Unavailable(String),
    /// The database's disk failed or its file is damaged. For a write this means *unknown*.
    /// Nothing is acknowledged any more; the process must end, and a restart recovers.
    #[error("the database failed and must be reopened: {0}")]
    Broken(String),
    /// The database is not one that this program can work with.
    #[error("{0}")]
    Unusable(String),
    /// A defect in this program or a damaged database.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// A single field that does not fit.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![FieldError::new(field, detail)])
    }
}

fn list(faults: &[FieldError]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
