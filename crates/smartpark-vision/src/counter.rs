//! From frames to crossings: one camera, one line, one method.

use crate::blob::{Finder, Tracker};
use crate::crossing::Crossing;
use crate::frame::Frame;
use crate::geometry::Line;
use crate::seg::{Background, Light, Planes, Segmenter, WarmUp};

/// Counts the crossings of one line.
#[derive(Debug)]
pub struct Counter {
    line: Line,
    background: Background,
    light: Light,
    planes: Planes,
    segmenter: Segmenter,
    finder: Finder,
    /// The tracks, for drawing.
    pub tracker: Tracker,
    last: Option<f64>,
    reach: (usize, usize),
    since_reference: f32,
}

impl Counter {
    /// A counter for a line in the pixels of the frames, from a warm-up; `None` without a frame.
    #[must_use]
    pub fn new(line: Line, warm_up: &WarmUp) -> Option<Counter> {
        let background = warm_up.background()?;
        let (width, height) = (background.planes.width, background.planes.height);
        let (ex, ey) = line.unit();
        let [along, across] = line.car_box;
        let reach_x = 0.5 * (ex.abs() * along + ey.abs() * across);
        let reach_y = 0.5 * (ey.abs() * along + ex.abs() * across);
        Some(Counter {
            light: Light::new(width, height, &background.planes.y),
            planes: Planes::new(width, height),
            segmenter: Segmenter::default(),
            finder: Finder::default(),
            tracker: Tracker::new(line.clone(), width, height),
            last: None,
            reach: (reach_x as usize, reach_y as usize),
            since_reference: 0.0,
            background,
            line,
        })
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &Frame) -> Vec<Crossing> {
        let dt = self.last.map_or(0.0, |last| (frame.t - last) as f32);
        self.last = Some(frame.t);
        let gain = self.light.measure(frame);
        self.planes.load(frame, gain);
        self.segmenter.classify(&self.planes, &self.background, self.reach);
        let blobs = self.finder.find(&self.segmenter.mask, frame.width, &self.line);
        let found = self.tracker.step(&self.planes, &self.finder, &blobs, frame.t);
        self.background.learn(&self.planes, &self.segmenter.classes, dt);
        self.since_reference += dt;
        if self.since_reference > 1.0 {
            self.since_reference = 0.0;
            self.light.refer_to(frame.width, frame.height, &self.background.planes.y);
        }
        found
    }

    /// The source is at its end.
    pub fn finish(&mut self) -> Vec<Crossing> {
        self.tracker.finish()
    }

    /// The class of each pixel of the last frame.
    #[must_use]
    pub fn segmenter(&self) -> &Segmenter {
        &self.segmenter
    }
}
