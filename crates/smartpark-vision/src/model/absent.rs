//! In place of the detector, if this program was built without it.

use std::convert::Infallible;
use std::path::Path;

use super::Detector;
use crate::error::{Error, Result};

/// A detector's file. A program that was built without the feature `model` can open none.
#[derive(Debug, Clone)]
pub struct DetectorFile {
    never: Infallible,
}

impl DetectorFile {
    /// Refuses.
    ///
    /// # Errors
    /// Always [`Error::Options`].
    pub fn open(path: &Path) -> Result<DetectorFile> {
        Err(Error::Options(format!(
            "cannot use the model {}: this program was built without it; build it with \
             `cargo build --release --features model`, or use method blob",
            path.display()
        )))
    }

    /// There is no file to make a detector from.
    #[must_use]
    pub fn detector(&self) -> Box<dyn Detector> {
        match self.never {}
    }
}
