//! Method *model*: a detector finds the vehicles, and this module asks it well.
//!
//! A detector is anything behind the trait [`Detector`]. The rules around it are here: the picture
//! that it gets is a square crop round the line, its boxes are cleaned, and a motion gate lets it
//! sleep while nothing moves.

#[cfg(not(feature = "model"))]
mod absent;
mod crop;
#[cfg(feature = "model")]
mod file;
pub mod ssd;
mod track;

#[cfg(not(feature = "model"))]
pub use absent::DetectorFile;
pub use crop::Crop;
#[cfg(feature = "model")]
pub use file::DetectorFile;
pub use track::ModelCounter;

use crate::crossing::VehicleType;
use crate::error::Result;
use crate::geometry::Rect;

/// The sha256 of the file that `scripts/model` makes, and the only one that is read.
pub const MODEL_SHA256: &str = "de4dc8b374bf16030b5dea7e757f840f2224d1adab0bd17f8a7bf8846fe94406";

/// A box that a detector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The class of vehicle.
    pub class: VehicleType,
    /// 0 to 1.
    pub score: f32,
    /// The box in the pixels of the picture that the detector got.
    pub rect: Rect,
}

/// Finds vehicles in a picture.
///
/// An implementation maps the classes of its model to vehicle types and leaves all other classes
/// out. It must give the same boxes for the same picture.
pub trait Detector: Send {
    /// The side of the square picture that the model takes, in pixels.
    fn side(&self) -> usize;

    /// Finds vehicles in `width * height` RGB pixels.
    ///
    /// # Errors
    /// [`crate::Error::Detector`] if the model fails.
    fn detect(&mut self, rgb: &[u8], width: usize, height: usize) -> Result<Vec<Detection>>;
}

/// A track starts from this score on.
pub const START_SCORE: f32 = 0.35;
/// A track goes on from this score on.
pub const KEEP_SCORE: f32 = 0.21;
/// Two boxes with this common share of their union are one vehicle.
const SAME_BOX: f32 = 0.45;
/// A box that lies to this share in a better one is a part of it, such as a windscreen.
const INSIDE: f32 = 0.7;
/// A larger box, in cars, is not a vehicle.
const LARGEST_CARS: f32 = 9.0;

/// Rounds scores, so that the last bits of a sum do not decide, and drops boxes that are too weak,
/// too large, doubled or parts of a better one. The result is sorted from the best.
///
/// Non-maximum suppression over all classes: one vehicle is often a car and a truck at once.
#[must_use]
pub fn clean(mut found: Vec<Detection>, car_area: f32) -> Vec<Detection> {
    for d in &mut found {
        d.score = (d.score * 1000.0).round() / 1000.0;
    }
    found.retain(|d| d.score >= KEEP_SCORE && d.rect.area() <= LARGEST_CARS * car_area);
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.rect.x0.total_cmp(&b.rect.x0)));
    let mut kept: Vec<Detection> = Vec::new();
    for d in found {
        let doubled = kept.iter().any(|k| {
            k.rect.iou(&d.rect) > SAME_BOX
                || k.rect.common(&d.rect).area() > INSIDE * d.rect.area().max(1e-6)
        });
        if !doubled {
            kept.push(d);
        }
    }
    kept
}
