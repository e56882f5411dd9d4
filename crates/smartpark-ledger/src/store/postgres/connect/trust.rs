//! Connections to a PostgreSQL that stands still stay open, and whoever is given one waits in vain.
//! After an answer that did not come in time, connections are therefore tried before they are used
//! again.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use deadpool_postgres::{ClientWrapper, HookError, Metrics};
use tokio::time::timeout;

use crate::limits::POSTGRES_PING;

/// What is known of the connections of this process.
#[derive(Debug)]
struct Trust {
    /// When an answer last did not come in time.
    late: Option<Instant>,
    /// When a connection last did not pass its trial: none that is older is used again.
    failed: Option<Instant>,
}

static TRUST: Mutex<Trust> = Mutex::new(Trust { late: None, failed: None });

fn trust() -> MutexGuard<'static, Trust> {
    TRUST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that an answer did not come in time.
pub(in super::super) fn note_late() {
    trust().late = Some(Instant::now());
}

/// Tries a connection before it is used again, if an answer came late since it was used last.
pub(super) async fn prove(client: &ClientWrapper, metrics: Metrics) -> Result<(), HookError> {
    let used = metrics.recycled.unwrap_or(metrics.created);
    {
        let trust = trust();
        if trust.failed.is_some_and(|failed| metrics.created <= failed) {
            return Err(HookError::message("another connection gave no answer"));
        }
        if trust.late.is_none_or(|late| late < used) {
            return Ok(());
        }
    }
    if let Ok(Ok(_)) = timeout(POSTGRES_PING, client.simple_query("")).await {
        return Ok(());
    }
    trust().failed = Some(Instant::now());
    Err(HookError::message("it gave no answer"))
}
