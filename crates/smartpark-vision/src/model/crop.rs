//! The square picture round the line that a detector gets.

use crate::frame::Frame;
use crate::geometry::{Line, Rect};

/// The crop reaches this many cars beyond the line on both sides.
const AROUND: f32 = 1.5;
/// What lies outside of the frame.
const GREY: u8 = 114;

/// A square part of the frame, scaled to the detector's side.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    x0: f32,
    y0: f32,
    size: f32,
    side: usize,
}

impl Crop {
    /// The square round a line and the cars on it. It is padded, never stretched.
    #[must_use]
    pub fn around(line: &Line, frame_width: usize, frame_height: usize, side: usize) -> Crop {
        let reach = AROUND * line.car_box[1];
        let mut rect = Rect { x0: f32::MAX, y0: f32::MAX, x1: f32::MIN, y1: f32::MIN };
        for along in [0.0, line.length()] {
            for across in [-reach, reach] {
                let p = line.point(along, across);
                rect = rect.around(&Rect { x0: p.x, y0: p.y, x1: p.x, y1: p.y });
            }
        }
        let (w, h) = (frame_width as f32, frame_height as f32);
        rect = rect.common(&Rect { x0: 0.0, y0: 0.0, x1: w, y1: h });
        let size = rect.width().max(rect.height()).max(1.0);
        let middle = rect.centre();
        // Inside the frame if the frame is large enough.
        let place = |middle: f32, frame: f32| {
            let from = middle - size * 0.5;
            if size <= frame { from.clamp(0.0, frame - size) } else { (frame - size) * 0.5 }
        };
        Crop { x0: place(middle.x, w), y0: place(middle.y, h), size, side }
    }

    /// The picture for the detector.
    #[must_use]
    pub fn apply(&self, frame: &Frame) -> Vec<u8> {
        let step = self.size / self.side as f32;
        let mut out = vec![GREY; self.side * self.side * 3];
        for row in 0..self.side {
            let y = self.y0 + (row as f32 + 0.5) * step;
            if y < 0.0 || y >= frame.height as f32 {
                continue;
            }
            for column in 0..self.side {
                let x = self.x0 + (column as f32 + 0.5) * step;
                if x >= 0.0 && x < frame.width as f32 {
                    let at = (row * self.side + column) * 3;
                    out[at..at + 3].copy_from_slice(&frame.pixel(x as usize, y as usize));
                }
            }
        }
        out
    }

    /// A box of the detector in the pixels of the frame.
    #[must_use]
    pub fn back(&self, rect: &Rect) -> Rect {
        let step = self.size / self.side as f32;
        Rect {
            x0: self.x0 + rect.x0 * step,
            y0: self.y0 + rect.y0 * step,
            x1: self.x0 + rect.x1 * step,
            y1: self.y0 + rect.y1 * step,
        }
    }
}
