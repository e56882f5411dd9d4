//! The signals that ask the program to stop, for good or for a while.

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

/// The signal that asks a server to read its configuration file again (SIGHUP).
#[cfg(unix)]
pub(super) struct ReloadSignal(tokio::signal::unix::Signal);

#[cfg(unix)]
impl ReloadSignal {
    /// Begins to catch it: from now on it does not end the process.
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits until it comes.
    pub(super) async fn wait(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// There is no such signal.
#[cfg(not(unix))]
pub(super) struct ReloadSignal;

#[cfg(not(unix))]
impl ReloadSignal {
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for ever.
    pub(super) async fn wait(&mut self) {
        std::future::pending().await
    }
}

/// The signal that asks the program to pause (Ctrl-Z). A process that has a transaction open must
/// not stand still: it would keep all others from writing.
#[cfg(unix)]
pub(super) struct PauseSignal(tokio::signal::unix::Signal);

#[cfg(unix)]
impl PauseSignal {
    /// Begins to catch it: from now on the process pauses only in [`PauseSignal::stop`].
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw())).map(Self)
    }

    /// Waits until it comes.
    pub(super) async fn wait(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Pauses the process until somebody continues it.
    pub(super) fn stop(&self) {
        use rustix::process::{Signal, getpid, kill_process};
        if let Err(fault) = kill_process(getpid(), Signal::STOP) {
            tracing::debug!(%fault, "it cannot pause");
        }
    }
}

/// There is no such signal.
#[cfg(not(unix))]
pub(super) struct PauseSignal;

#[cfg(not(unix))]
impl PauseSignal {
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for ever.
    pub(super) async fn wait(&mut self) {
        std::future::pending().await
    }

    pub(super) fn stop(&self) {}
}
