//! One light gain for the whole picture.

use crate::frame::{Frame, luma};

const COLUMNS: usize = 40;
const ROWS: usize = 22;
/// The gain is kept in these bounds; at a bound the camera counts as blind after a while.
const LEAST: f32 = 0.4;
const MOST: f32 = 2.5;

/// The ratio of the light now to the light of the background.
///
/// The median over a thumbnail of the whole frame: a lorry that covers less than half of the
/// picture does not move it.
#[derive(Debug, Clone, Default)]
pub struct Light {
    reference: Vec<f32>,
    thumbnail: Vec<f32>,
    ratios: Vec<f32>,
    gain: f32,
}

impl Light {
    /// Starts from the brightness plane of the background.
    #[must_use]
    pub fn new(width: usize, height: usize, brightness: &[f32]) -> Light {
        let mut light = Light { gain: 1.0, ..Light::default() };
        light.refer_to(width, height, brightness);
        light
    }

    /// Takes the background as it is now for the reference.
    pub fn refer_to(&mut self, width: usize, height: usize, brightness: &[f32]) {
        let sample = |x, y| brightness[y * width + x];
        thumbnail(width, height, sample, &mut self.reference);
    }

    /// Measures the gain of a frame.
    pub fn measure(&mut self, frame: &Frame) -> f32 {
        let sample = |x, y| f32::from(luma(frame.pixel(x, y)));
        thumbnail(frame.width, frame.height, sample, &mut self.thumbnail);
        self.ratios.clear();
        let pairs = self.thumbnail.iter().zip(&self.reference);
        // Black and burnt-out places say nothing about the gain.
        let usable = pairs.filter(|&(&now, &then)| then > 4.0 && now < 250.0);
        self.ratios.extend(usable.map(|(now, then)| now / then));
        if self.ratios.len() >= COLUMNS * ROWS / 8 {
            let middle = self.ratios.len() / 2;
            let (_, median, _) = self.ratios.select_nth_unstable_by(middle, f32::total_cmp);
            self.gain = median.clamp(LEAST, MOST);
        }
        self.gain
    }

    /// The last gain.
    #[must_use]
    pub fn gain(&self) -> f32 {
        self.gain
    }

    /// Whether the last gain is at a bound.
    #[must_use]
    pub fn at_bound(&self) -> bool {
        self.gain <= LEAST || self.gain >= MOST
    }
}

/// Means of four samples in each cell of the thumbnail.
fn thumbnail(
    width: usize,
    height: usize,
    sample: impl Fn(usize, usize) -> f32,
    out: &mut Vec<f32>,
) {
    out.clear();
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let mut sum = 0.0;
            for (i, j) in [(1, 1), (3, 1), (1, 3), (3, 3)] {
                let x = (column * 4 + i) * width / (COLUMNS * 4);
                let y = (row * 4 + j) * height / (ROWS * 4);
                sum += sample(x, y);
            }
            out.push(sum * 0.25);
        }
    }
}
