//! The one error type of this crate.

use std::io;
use std::path::PathBuf;

/// What can go wrong between a video source and a crossing event.
///
/// No text contains a password: sources are shown through [`crate::Source`], which hides them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options contradict the picture or each other. The text says what to change.
    #[error("{0}")]
    Options(String),
    /// The program `ffmpeg` could not be started.
    #[error("cannot start {program}: {cause}; install ffmpeg or name its path")]
    Start {
        /// The program as it was called.
        program: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// `ffmpeg` ended without a picture, or with an error.
    #[error("cannot read {source_name}: {reason}")]
    Source {
        /// The source, without user and password.
        source_name: String,
        /// The last words of `ffmpeg`, without user and password.
        reason: String,
    },
    /// No frame came for longer than the limit.
    #[error("{source_name} sent no frame for {seconds} s")]
    Silent {
        /// The source, without user and password.
        source_name: String,
        /// The limit that passed.
        seconds: f64,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
    /// A picture could not be written.
    #[error("cannot write {path}: {cause}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system or the encoder said.
        cause: io::Error,
    },
    /// A detector refused a picture or failed.
    #[error("the detector failed: {0}")]
    Detector(String),
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
