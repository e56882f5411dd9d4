//! The one error of the client.

use std::path::PathBuf;

use smartpark_core::FieldError;

/// Short for a result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an event is not on disk, or why the spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the crossing do not fit. All of them are named.
    #[error("{}", list(.0))]
    Invalid(Vec<FieldError>),
    /// As many events wait as may. The event is lost and was counted as lost.
    #[error(
        "the spool is full: {waiting} events wait for the server, so this one is lost; \
         look at `status` why the server does not take them"
    )]
    Full {
        /// Events that wait.
        waiting: usize,
    },
    /// The file is damaged.
    #[error(
        "the spool {} is damaged ({reason}); stop the program, move the file away to save what \
         can be read, and start again with a new one", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// The file is something else than a spool, or of a newer version.
    #[error("{} cannot be used as a spool: {reason}", .path.display())]
    NotASpool {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file cannot be read or written: the disk is full, the folder is missing, another
    /// process holds it, or it was removed.
    #[error("the spool {} cannot be read or written: {reason}", .path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// The server's address, the key or a file of the configuration does not fit.
    #[error("{0}")]
    Config(String),
}

fn list(faults: &[FieldError]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
