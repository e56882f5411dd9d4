//! The strip as a small picture: columns along the line, rows across it.

use crate::frame::Frame;
use crate::geometry::Line;

/// Pixels of the strip for a car, in both directions.
const PER_CAR: f32 = 20.0;
/// Width of the strip across the line, in cars.
const ACROSS: f32 = 1.6;

/// Where each pixel of the strip lies in the frame.
#[derive(Debug)]
pub(super) struct Warp {
    pub(super) width: usize,
    pub(super) height: usize,
    /// A car in the pixels of the strip.
    pub(super) car: (usize, usize),
    /// For each pixel of the strip, the samples that it is the mean of: byte offsets.
    samples: Vec<[usize; 4]>,
}

impl Warp {
    /// A strip for a line in frames of a size.
    pub(super) fn new(line: &Line, frame_width: usize, frame_height: usize) -> Warp {
        let [along, across] = line.car_box;
        // Never finer than the frame itself.
        let step = ((along / PER_CAR).max(1.0), (across / PER_CAR).max(1.0));
        let width = ((line.length() / step.0) as usize).max(3);
        let height = (((ACROSS * across / step.1) as usize) | 1).max(5);
        let mut samples = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                let mut four = [0; 4];
                for (i, sample) in four.iter_mut().enumerate() {
                    let u = column as f32 + 0.25 + 0.5 * (i % 2) as f32;
                    let v = row as f32 + 0.25 + 0.5 * (i / 2) as f32 - height as f32 * 0.5;
                    let p = line.point(u * step.0, v * step.1);
                    let x = (p.x.max(0.0) as usize).min(frame_width - 1);
                    let y = (p.y.max(0.0) as usize).min(frame_height - 1);
                    *sample = (y * frame_width + x) * 3;
                }
                samples.push(four);
            }
        }
        let car = ((along / step.0) as usize, (across / step.1) as usize);
        Warp { width, height, car: (car.0.max(2), car.1.max(2)), samples }
    }

    /// The strip of a frame, with the light gain taken out.
    pub(super) fn apply(&self, frame: &Frame, gain: f32) -> Frame {
        let mut rgb = Vec::with_capacity(self.samples.len() * 3);
        // A fixed-point factor: one multiplication for each value.
        let factor = (256.0 / (4.0 * gain)) as u32;
        for four in &self.samples {
            for channel in 0..3 {
                let sum: u32 = four.iter().map(|&at| u32::from(frame.rgb[at + channel])).sum();
                rgb.push(((sum * factor) >> 8).min(255) as u8);
            }
        }
        Frame { width: self.width, height: self.height, t: frame.t, rgb }
    }
}
