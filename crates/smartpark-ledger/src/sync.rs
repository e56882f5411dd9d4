//! What the recorder waits with: tokio's queue, answers and permits, and the bounds of both.
//!
//! The tests of schedules (src/recorder/schedules.rs) take `explored` in its place, in which every
//! step is a place where another may run. No build but theirs has it.

#[cfg(not(all(test, feature = "planted")))]
pub(crate) use std::thread::yield_now;

#[cfg(not(all(test, feature = "planted")))]
pub(crate) use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

#[cfg(not(all(test, feature = "planted")))]
pub(crate) use crate::limits::{MAX_GROUP_ROWS, MAX_QUEUED_ROWS};

#[cfg(all(test, feature = "planted"))]
pub(crate) mod explored;

#[cfg(all(test, feature = "planted"))]
pub(crate) use explored::{
    MAX_GROUP_ROWS, MAX_QUEUED_ROWS, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, yield_now,
};
