//! The first background, from frames spread over the warm-up.

use super::{Background, Planes};
use crate::frame::{Frame, luma};

/// The share of the samples of a pixel that must agree on the background.
///
/// Less than half: on a busy lane the road is seen in the minority of the frames. The value of a
/// pixel is the middle of the shortest interval that holds this share (the "shorth" of robust
/// statistics), which is the median wherever the road is seen most of the time.
const SHARE: f32 = 0.4;
/// The quantile at `SHARE` of the absolute normal deviation, in standard deviations.
const QUANTILE: f32 = 0.524;

/// Collects frames for the first background.
#[derive(Debug, Default)]
pub struct WarmUp {
    frames: Vec<Frame>,
}

impl WarmUp {
    /// Adds a frame.
    pub fn add(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frames so far.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The median brightness of each pixel: the reference of the light.
    #[must_use]
    pub fn brightness(&self) -> Vec<f32> {
        let count = self.frames.first().map_or(0, |f| f.width * f.height);
        let mut all = Vec::with_capacity(self.frames.len());
        let mut median = |at: usize| {
            all.clear();
            let pixel = |f: &Frame| luma([f.rgb[at * 3], f.rgb[at * 3 + 1], f.rgb[at * 3 + 2]]);
            all.extend(self.frames.iter().map(pixel));
            let middle = all.len() / 2;
            f32::from(*all.select_nth_unstable(middle).1)
        };
        (0..count).map(&mut median).collect()
    }

    /// Builds the background; `None` without a frame.
    #[must_use]
    pub fn background(&self) -> Option<Background> {
        self.build(&self.gains())
    }

    /// Builds the background of frames from which the light gain is already taken.
    #[must_use]
    pub fn background_without_light(&self) -> Option<Background> {
        self.build(&vec![1.0; self.frames.len()])
    }

    fn build(&self, gains: &[f32]) -> Option<Background> {
        let first = self.frames.first()?;
        let (width, height) = (first.width, first.height);
        let count = self.frames.len();
        let held = ((count as f32 * SHARE).ceil() as usize).clamp(1, count);
        let mut background = Background::new(Planes::new(width, height));
        let mut samples: Vec<[f32; 3]> = Vec::with_capacity(count);
        let mut off: Vec<f32> = Vec::with_capacity(count);
        for at in 0..width * height {
            samples.clear();
            for (frame, gain) in self.frames.iter().zip(gains) {
                let rgb = [0, 1, 2].map(|c| f32::from(frame.rgb[at * 3 + c]) / gain);
                let y = 0.30 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2];
                samples.push([y, rgb[0] - y, rgb[2] - y]);
            }
            samples.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
            let best = (0..=count - held)
                .min_by(|&i, &j| {
                    let spread = |k: usize| samples[k + held - 1][0] - samples[k][0];
                    spread(i).total_cmp(&spread(j))
                })
                .unwrap_or(0);
            let inner = &samples[best..best + held];
            let mean = [0, 1, 2].map(|c| inner.iter().map(|s| s[c]).sum::<f32>() / held as f32);
            let mut noise = |distance: &dyn Fn(&[f32; 3]) -> f32| {
                off.clear();
                off.extend(samples.iter().map(distance));
                off.select_nth_unstable_by(held - 1, f32::total_cmp);
                off[held - 1] / QUANTILE
            };
            let noise_y = noise(&|s| (s[0] - mean[0]).abs());
            let noise_c = noise(&|s| (s[1] - mean[1]).abs().max((s[2] - mean[2]).abs()));
            background.set(at, mean, noise_y, noise_c);
        }
        background.planes.slopes();
        Some(background)
    }

    /// The light of each frame against the middle one, from a coarse grid.
    fn gains(&self) -> Vec<f32> {
        let means: Vec<f32> = self.frames.iter().map(grid_median).collect();
        let mut sorted = means.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let middle = sorted[sorted.len() / 2].max(1.0);
        means.iter().map(|m| (m.max(1.0) / middle).clamp(0.4, 2.5)).collect()
    }
}

/// The median brightness of a frame on a coarse grid.
fn grid_median(frame: &Frame) -> f32 {
    let step = (frame.width / 40).max(1);
    let mut all: Vec<u8> = Vec::new();
    for y in (step / 2..frame.height).step_by(step) {
        for x in (step / 2..frame.width).step_by(step) {
            all.push(luma(frame.pixel(x, y)));
        }
    }
    let middle = all.len() / 2;
    f32::from(*all.select_nth_unstable(middle).1)
}
