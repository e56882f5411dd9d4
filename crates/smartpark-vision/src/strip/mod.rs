//! Method *strip*: a narrow band across the line, at the full frame rate, for little work.
//!
//! The band is 1.6 car boxes wide and is warped to about 20 pixels per car, so it has some 3 000
//! pixels whatever the camera. A vehicle is a run of columns that it covers on the line. Where it
//! came from is the half of the band that was covered when the run began, where it went is the
//! half that is covered when the run ends, and how far it moved is the sum of its shifts. The idea
//! of counting on a virtual line in space and time is that of Z. Liu and others ("A video-based
//! vehicle counting method with a virtual line", and the many "virtual loop" detectors before).

mod run;
mod warp;

use crate::crossing::{Crossing, Direction, Evidence, VehicleType, is_person};
use crate::frame::Frame;
use crate::geometry::Line;
use crate::seg::{Background, Light, Planes, Segmenter, WarmUp};
use run::{Outcome, Run};
use warp::Warp;

/// Columns that are this many cars apart belong to one run.
const GAP: f32 = 0.15;
/// A run narrower than this many cars is not followed.
const LEAST_WIDTH: f32 = 0.15;
/// A run is over when the line has been free for this long.
const FREE_S: f64 = 0.15;
/// Confidence of the strip, and what an open direction takes from it.
const CONFIDENCE: f64 = 0.7;
const DOUBTFUL: f64 = 0.2;

/// Counts one line by its strip.
#[derive(Debug)]
pub struct Strip {
    line: Line,
    warp: Warp,
    light: Light,
    background: Background,
    planes: Planes,
    segmenter: Segmenter,
    runs: Vec<Run>,
    last: Option<f64>,
    next_id: u64,
}

impl Strip {
    /// A strip for a line in the pixels of the frames; `None` without a warm-up frame.
    #[must_use]
    pub fn new(line: Line, warm_up: &WarmUp) -> Option<Strip> {
        let first = warm_up.frames().first()?;
        let warp = Warp::new(&line, first.width, first.height);
        let whole = warm_up.brightness();
        let mut narrow = WarmUp::default();
        let mut light = Light::new(first.width, first.height, &whole);
        for frame in warm_up.frames() {
            let gain = light.measure(frame);
            narrow.add(warp.apply(frame, gain));
        }
        let background = narrow.background_without_light()?;
        Some(Strip {
            planes: Planes::new(warp.width, warp.height),
            segmenter: Segmenter::default(),
            runs: Vec::new(),
            last: None,
            next_id: 1,
            line,
            warp,
            light,
            background,
        })
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &Frame) -> Vec<Crossing> {
        let dt = self.last.map_or(0.0, |last| (frame.t - last) as f32);
        self.last = Some(frame.t);
        let gain = self.light.measure(frame);
        let narrow = self.warp.apply(frame, gain);
        self.planes.load(&narrow, 1.0);
        let reach = (self.warp.car.0 / 2, self.warp.car.1 / 2);
        self.segmenter.classify(&self.planes, &self.background, reach);
        let crossings = self.follow(frame.t);
        self.background.learn(&self.planes, &self.segmenter.classes, dt);
        crossings
    }

    /// The source is at its end: a run that left one half counts now.
    pub fn finish(&mut self) -> Vec<Crossing> {
        let runs = std::mem::take(&mut self.runs);
        runs.into_iter().filter_map(|run| self.judge(&run, true)).collect()
    }

    /// The share of the strip that things cover.
    #[must_use]
    pub fn covered(&self) -> f32 {
        let mask = &self.segmenter.mask;
        mask.iter().map(|&m| f32::from(m)).sum::<f32>() / mask.len().max(1) as f32
    }

    /// The light gain of the last frame, and whether it is at its bound.
    #[must_use]
    pub fn light(&self) -> &Light {
        &self.light
    }

    /// Joins the covered columns to runs and moves the runs on.
    fn follow(&mut self, t: f64) -> Vec<Crossing> {
        let car = self.warp.car;
        let spans = spans(
            &self.segmenter.mask,
            self.warp.width,
            self.warp.height,
            (GAP * car.0 as f32) as usize,
            ((LEAST_WIDTH * car.0 as f32) as usize).max(1),
        );
        let mut taken = vec![false; spans.len()];
        for run in &mut self.runs {
            let own = run.claim(&spans);
            for &i in &own {
                taken[i] = true;
            }
            let span = own.iter().map(|&i| spans[i]).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            run.step(span, &self.planes, &self.segmenter.mask, t);
        }
        for (span, _) in spans.iter().zip(&taken).filter(|(_, taken)| !**taken) {
            let run = Run::new(self.next_id, *span, &self.planes, &self.segmenter.mask, t);
            self.next_id += 1;
            self.runs.push(run);
        }
        let (over, open): (Vec<Run>, Vec<Run>) =
            std::mem::take(&mut self.runs).into_iter().partition(|r| t - r.seen > FREE_S);
        self.runs = open;
        over.iter().filter_map(|run| self.judge(run, false)).collect()
    }

    /// What a run that is over was.
    fn judge(&self, run: &Run, at_end: bool) -> Option<Crossing> {
        let (car_along, car_across) = (self.warp.car.0 as f32, self.warp.car.1 as f32);
        let Outcome { to_right, t, column, certain } = run.outcome(car_across, at_end)?;
        let width = run.width() / car_along;
        let length = run.travel().abs() / car_across;
        let speed = length / (run.seen - run.born).max(0.05) as f32;
        if is_person(&self.line, width, length.max(width), speed) {
            return None;
        }
        let along = column / self.warp.width as f32 * self.line.length();
        let entry = to_right != self.line.swap;
        Some(Crossing {
            line_id: self.line.id.clone(),
            track: run.id,
            number: 1,
            direction: if entry { Direction::Entry } else { Direction::Exit },
            t,
            along,
            vehicle_type: VehicleType::of_size(width, length),
            evidence: Evidence { width, length, speed, split: false },
            confidence: CONFIDENCE - if certain { 0.0 } else { DOUBTFUL },
        })
    }
}

/// The runs of columns that are covered on the line: first and last column.
fn spans(
    mask: &[u8],
    width: usize,
    height: usize,
    gap: usize,
    least: usize,
) -> Vec<(usize, usize)> {
    let middle = height / 2;
    let mut found: Vec<(usize, usize)> = Vec::new();
    for x in 0..width {
        let rows = [middle - 1, middle, (middle + 1).min(height - 1)];
        if rows.iter().filter(|&&y| mask[y * width + x] == 1).count() < 2 {
            continue;
        }
        match found.last_mut() {
            Some(last) if x - last.1 <= gap + 1 => last.1 = x,
            _ => found.push((x, x)),
        }
    }
    found.retain(|s| s.1 - s.0 + 1 >= least);
    found
}
