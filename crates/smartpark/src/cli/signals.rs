//! The signals that ask the program to stop.

use std::io;

/// Catches them from its making on; what comes before anybody asks is kept.
pub(super) struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    /// Begins to catch SIGTERM and SIGINT (Ctrl-C).
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one; returns its name.
    pub(super) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
impl StopSignals {
    /// Begins to catch Ctrl-C.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for it; returns its name.
    pub(super) async fn wait(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            // Where it cannot be caught it ends the process by itself.
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
