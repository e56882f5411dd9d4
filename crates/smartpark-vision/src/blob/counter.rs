//! From frames to crossings by outlines.

use super::{Finder, Tracker};
use crate::crossing::Crossing;
use crate::frame::Frame;
use crate::geometry::Line;
use crate::seg::{Background, Class, Light, Planes, Segmenter, WarmUp};

/// A thing that stands still for this long may be a ghost.
const GHOST_S: f64 = 1.5;
/// A thing that appeared and never moved for this long is a part of the scene.
const NEVER_CAME_S: f64 = 4.0;

/// Counts the crossings of one line by outlines.
#[derive(Debug)]
pub struct BlobCounter {
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
    masked: Vec<usize>,
}

impl BlobCounter {
    /// A counter for a line in the pixels of the frames, from a warm-up; `None` without a frame.
    #[must_use]
    pub fn new(line: Line, warm_up: &WarmUp) -> Option<BlobCounter> {
        let background = warm_up.background()?;
        let (width, height) = (background.planes.width, background.planes.height);
        let (ex, ey) = line.unit();
        let [along, across] = line.car_box;
        let reach_x = 0.5 * (ex.abs() * along + ey.abs() * across);
        let reach_y = 0.5 * (ey.abs() * along + ex.abs() * across);
        Some(BlobCounter {
            light: Light::new(width, height, &background.planes.y),
            planes: Planes::new(width, height),
            segmenter: Segmenter::default(),
            finder: Finder::default(),
            tracker: Tracker::new(line.clone(), width, height),
            last: None,
            reach: (reach_x as usize, reach_y as usize),
            since_reference: 0.0,
            masked: Vec::new(),
            background,
            line,
        })
    }

    /// Leaves pixels out of the picture: clocks, texts, another carriageway.
    pub fn leave_out(&mut self, pixels: Vec<usize>) {
        self.masked = pixels;
    }

    /// The share of the car-wide band along the line that things cover.
    #[must_use]
    pub fn covered(&self) -> f32 {
        let (width, height) = (self.planes.width, self.planes.height);
        let [_, across] = self.line.car_box;
        let (mut set, mut all) = (0.0, 0.0_f32);
        for column in 0..self.line.length() as usize {
            for step in -2..=2 {
                let p = self.line.point(column as f32, step as f32 * across * 0.2);
                let (x, y) = (p.x as usize, p.y as usize);
                if p.x >= 0.0 && p.y >= 0.0 && x < width && y < height {
                    all += 1.0;
                    let at = y * width + x;
                    set += self.segmenter.mask.get(at).map_or(0.0, |&m| f32::from(m));
                }
            }
        }
        set / all.max(1.0)
    }

    /// The light of the last frame.
    #[must_use]
    pub fn light(&self) -> &Light {
        &self.light
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &Frame) -> Vec<Crossing> {
        let dt = self.last.map_or(0.0, |last| (frame.t - last) as f32);
        self.last = Some(frame.t);
        let gain = self.light.measure(frame);
        self.planes.load(frame, gain);
        self.segmenter.classify(&self.planes, &self.background, self.reach);
        for &at in &self.masked {
            self.segmenter.mask[at] = 0;
            self.segmenter.classes[at] = Class::Road;
        }
        let blobs = self.finder.find(&self.segmenter.mask, frame.width, &self.line);
        let found = self.tracker.step(&self.planes, &self.finder, &blobs, frame.t);
        self.clear_ghosts(frame.t);
        self.background.learn(&self.planes, &self.segmenter.classes, dt);
        self.since_reference += dt;
        if self.since_reference > 1.0 {
            self.since_reference = 0.0;
            self.light.refer_to(frame.width, frame.height, &self.background.planes.y);
        }
        found
    }

    /// Takes things into the background that never moved and that have fewer edges than the
    /// background there: a vehicle of the warm-up has left, and what is seen is the road.
    fn clear_ghosts(&mut self, t: f64) {
        let car = self.line.car_box[0].min(self.line.car_box[1]);
        for track in &self.tracker.tracks {
            let stands = t - track.born > GHOST_S && track.travelled < 0.25 * car;
            // What has not come from anywhere for this long has not come at all.
            let never_came = stands && !track.split && t - track.born > NEVER_CAME_S;
            if never_came && track.seen == t {
                self.background.absorb(&self.planes, &self.segmenter.mask, &track.rect);
            } else if stands && track.seen == t {
                self.background.absorb_ghost(&self.planes, &self.segmenter.mask, &track.rect);
            }
        }
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
