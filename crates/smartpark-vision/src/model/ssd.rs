//! The output of the detector of `scripts/model`: an SSD with 1917 anchors.
//!
//! W. Liu and others, "SSD: Single Shot MultiBox Detector" (ECCV 2016). The anchors and the coding
//! of the boxes are those of the TensorFlow Object Detection API, with six layers.

use super::{Detection, KEEP_SCORE};
use crate::crossing::VehicleType;
use crate::geometry::Rect;

/// The side of the picture that the model takes, in pixels.
pub const SIDE: usize = 300;
/// How many anchors there are.
pub const ANCHORS: usize = 1917;
/// How many classes there are, the first of which is no class.
pub const CLASSES: usize = 24;

/// The classes that are vehicles.
const VEHICLES: [(usize, VehicleType); 2] = [(23, VehicleType::Car), (18, VehicleType::Truck)];
/// The cells along a side of each layer, and the scale of its anchors.
const LAYERS: [(usize, f32); 6] = [(19, 0.2), (10, 0.35), (5, 0.5), (3, 0.65), (2, 0.8), (1, 0.95)];
/// What the numbers of a box are divided by: places, then sizes.
const CODING: (f32, f32) = (10.0, 5.0);

/// A box from which the model measures, in shares of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    /// The middle.
    pub centre: (f32, f32),
    /// Width and height.
    pub size: (f32, f32),
}

/// All anchors, in the order of the output: by layer, row, column, then shape.
#[must_use]
pub fn anchors() -> Vec<Anchor> {
    let mut anchors = Vec::with_capacity(ANCHORS);
    for (number, &(cells, scale)) in LAYERS.iter().enumerate() {
        let next = LAYERS.get(number + 1).map_or(1.0, |layer| layer.1);
        let shapes: Vec<(f32, f32)> = if number == 0 {
            vec![(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        } else {
            let own = [1.0, 2.0, 0.5, 3.0, 1.0 / 3.0].map(|ratio| (scale, ratio));
            own.into_iter().chain([((scale * next).sqrt(), 1.0)]).collect()
        };
        for row in 0..cells {
            for column in 0..cells {
                let middle = |cell: usize| (cell as f32 + 0.5) / cells as f32;
                anchors.extend(shapes.iter().map(|&(scale, ratio): &(f32, f32)| Anchor {
                    centre: (middle(column), middle(row)),
                    size: (scale * ratio.sqrt(), scale / ratio.sqrt()),
                }));
            }
        }
    }
    anchors
}

/// The vehicles in an output: `boxes` holds 4 numbers an anchor (y, x, height, width) and `scores`
/// one number a class and anchor, before the sigmoid. Boxes are in pixels of the picture.
#[must_use]
pub fn decode(anchors: &[Anchor], boxes: &[f32], scores: &[f32]) -> Vec<Detection> {
    // Most anchors see nothing: compare before the sigmoid and the exponentials.
    let least = (KEEP_SCORE / (1.0 - KEEP_SCORE)).ln() - 0.01;
    let rows = boxes.chunks_exact(4).zip(scores.chunks_exact(CLASSES));
    let found = anchors.iter().zip(rows).filter_map(|(anchor, (code, scores))| {
        let best = VEHICLES.iter().max_by(|a, b| scores[a.0].total_cmp(&scores[b.0]))?;
        let score = scores[best.0];
        (score > least).then(|| Detection {
            class: best.1,
            score: 1.0 / (1.0 + (-score).exp()),
            rect: rect(anchor, code),
        })
    });
    found.collect()
}

fn rect(anchor: &Anchor, code: &[f32]) -> Rect {
    let (width, height) = anchor.size;
    let y = code[0] / CODING.0 * height + anchor.centre.1;
    let x = code[1] / CODING.0 * width + anchor.centre.0;
    let height = (code[2] / CODING.1).exp() * height;
    let width = (code[3] / CODING.1).exp() * width;
    let side = SIDE as f32;
    Rect {
        x0: (x - 0.5 * width) * side,
        y0: (y - 0.5 * height) * side,
        x1: (x + 0.5 * width) * side,
        y1: (y + 0.5 * height) * side,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_anchor_for_each_row_of_the_output() {
        let anchors = anchors();
        assert_eq!(anchors.len(), ANCHORS);
        assert_eq!(anchors[0].size, (0.1, 0.1));
        let last = anchors[ANCHORS - 1];
        assert_eq!(last.centre, (0.5, 0.5));
        assert!((last.size.0 - 0.95_f32.sqrt()).abs() < 1e-6, "{last:?}");
    }

    #[test]
    fn a_box_is_measured_from_its_anchor() {
        let anchors = [Anchor { centre: (0.5, 0.25), size: (0.2, 0.1) }];
        // Half an anchor to the right, a tenth down, twice as wide.
        let boxes = [1.0, 5.0, 0.0, 5.0 * 2.0_f32.ln()];
        let mut scores = [-9.0; CLASSES];
        assert_eq!(decode(&anchors, &boxes, &scores), []);
        scores[4] = 5.0;
        assert_eq!(decode(&anchors, &boxes, &scores), [], "a person is no vehicle");
        (scores[18], scores[23]) = (0.0, -1.0);
        let found = decode(&anchors, &boxes, &scores);
        assert_eq!((found[0].class, found[0].score), (VehicleType::Truck, 0.5));
        let Rect { x0, y0, x1, y1 } = found[0].rect;
        let wanted = [0.4 * 300.0, 0.21 * 300.0, 0.8 * 300.0, 0.31 * 300.0];
        for (number, wanted) in [x0, y0, x1, y1].into_iter().zip(wanted) {
            assert!((number - wanted).abs() < 0.01, "{found:?}");
        }
    }
}
