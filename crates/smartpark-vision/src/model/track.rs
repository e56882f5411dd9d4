//! Tracks of a detector's boxes.
//!
//! Two-pass association as in Y. Zhang and others, "ByteTrack" (ECCV 2022): strong boxes first,
//! then weak ones for the tracks that are left. A track that comes back gets its velocity from
//! where it was seen, not from where it was thought, as in J. Cao and others, "OC-SORT" (CVPR
//! 2023). All times are in seconds, so the rate of the frames does not matter.

use super::{Crop, Detection, Detector, START_SCORE, clean};
use crate::blob::Track;
use crate::crossing::{Crossing, Judge};
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::Line;
use crate::limits::DETECTOR_SLEEP_S;

/// A track without a box coasts for this long.
const COAST_S: f64 = 1.0;
/// Boxes nearer than this many cars may be the same vehicle.
const NEAR: f32 = 0.8;
/// Half of the band around the line, as a share of the smaller side of the box, and in pixels.
const BAND: (f32, f32) = (0.12, 1.0);

/// Counts one line by a detector's boxes.
pub struct ModelCounter {
    line: Line,
    crop: Crop,
    detector: Box<dyn Detector>,
    tracks: Vec<Track>,
    scores: Vec<(u64, Vec<f32>)>,
    judge: Judge,
    next_id: u64,
    last: Option<f64>,
    moved: f64,
    size: (f32, f32),
}

impl std::fmt::Debug for ModelCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelCounter").field("tracks", &self.tracks).finish_non_exhaustive()
    }
}

impl ModelCounter {
    /// A counter for a line in the pixels of frames of a size.
    #[must_use]
    pub fn new(line: Line, width: usize, height: usize, detector: Box<dyn Detector>) -> Self {
        ModelCounter {
            crop: Crop::around(&line, width, height, detector.side()),
            judge: Judge::new(line.clone()),
            line,
            detector,
            tracks: Vec::new(),
            scores: Vec::new(),
            next_id: 1,
            last: None,
            moved: f64::NEG_INFINITY,
            size: (width as f32, height as f32),
        }
    }

    /// Takes the next frame. `moving` wakes the detector; it sleeps two seconds after the last
    /// motion.
    ///
    /// # Errors
    /// [`crate::Error::Detector`] if the detector fails.
    pub fn push(&mut self, frame: &Frame, moving: bool) -> Result<Vec<Crossing>> {
        if moving {
            self.moved = frame.t;
        }
        if frame.t - self.moved > DETECTOR_SLEEP_S {
            return Ok(self.step(&[], frame.t));
        }
        let side = self.detector.side();
        let mut found = self.detector.detect(&self.crop.apply(frame), side, side)?;
        for d in &mut found {
            d.rect = self.crop.back(&d.rect);
        }
        let car_area = self.line.car_box[0] * self.line.car_box[1];
        Ok(self.step(&clean(found, car_area), frame.t))
    }

    /// The source is at its end.
    pub fn finish(&mut self) -> Vec<Crossing> {
        let tracks = std::mem::take(&mut self.tracks);
        tracks.into_iter().filter_map(|track| self.ended(track)).collect()
    }

    fn step(&mut self, found: &[Detection], t: f64) -> Vec<Crossing> {
        let dt = self.last.map_or(0.0, |last| (t - last) as f32);
        self.last = Some(t);
        for track in &mut self.tracks {
            track.before = track.rect;
            track.rect = track.rect.moved(track.velocity.0 * dt, track.velocity.1 * dt);
        }
        let mut free: Vec<usize> = (0..self.tracks.len()).collect();
        let (strong, weak): (Vec<_>, Vec<_>) = found.iter().partition(|d| d.score >= START_SCORE);
        for (detections, births) in [(strong, true), (weak, false)] {
            for d in detections {
                match self.nearest(&free, d) {
                    Some(i) => {
                        free.retain(|&f| f != i);
                        self.measure(i, d, t);
                    }
                    None if births => self.birth(d, t),
                    None => {}
                }
            }
        }
        self.judge_all(t)
    }

    /// The free track that fits a box best: by common area, then by distance.
    fn nearest(&self, free: &[usize], d: &Detection) -> Option<usize> {
        let score = |&i: &usize| {
            let rect = &self.tracks[i].rect;
            let (a, b) = (self.line.place(rect.centre()), self.line.place(d.rect.centre()));
            let [along, across] = self.line.car_box;
            let distance = ((a.0 - b.0) / along).hypot((a.1 - b.1) / across);
            rect.iou(&d.rect) + (NEAR - distance).max(0.0) * 0.5
        };
        free.iter().copied().filter(|i| score(i) > 0.1).max_by(|a, b| score(a).total_cmp(&score(b)))
    }

    fn measure(&mut self, i: usize, d: &Detection, t: f64) {
        let track = &mut self.tracks[i];
        let gap = (t - track.seen).max(1e-3) as f32;
        let (from, to) = (track.anchor, d.rect.centre());
        let keep = if track.hits < 3 { 0.2 } else { 0.6 };
        track.velocity.0 = keep * track.velocity.0 + (1.0 - keep) * (to.x - from.x) / gap;
        track.velocity.1 = keep * track.velocity.1 + (1.0 - keep) * (to.y - from.y) / gap;
        track.odometer += self.line.place(to).1 - self.line.place(from).1;
        track.anchor = to;
        track.rect = d.rect;
        track.seen = t;
        track.hits += 1;
        track.class = Some(d.class);
        if let Some((_, scores)) = self.scores.iter_mut().find(|(id, _)| *id == track.id) {
            scores.push(d.score);
            scores.sort_by(|a, b| b.total_cmp(a));
            scores.truncate(3);
        }
    }

    fn birth(&mut self, d: &Detection, t: f64) {
        let mut track = Track::new(self.next_id, d.rect, t);
        track.class = Some(d.class);
        self.scores.push((self.next_id, vec![d.score]));
        self.next_id += 1;
        self.tracks.push(track);
    }

    fn judge_all(&mut self, t: f64) -> Vec<Crossing> {
        let mut found = Vec::new();
        let mut living = Vec::new();
        for mut track in std::mem::take(&mut self.tracks) {
            if track.seen == t {
                let place = track.place(&self.line, t);
                let least = BAND.0 * track.rect.width().min(track.rect.height());
                self.judge.observe(&mut track, place, self.size, 1.0);
                if let Some(flip) = track.sides.step(place, least.max(BAND.1)) {
                    let crossing = self.judge.flip(&mut track, flip);
                    found.extend(crossing.map(|c| self.scored(c)));
                }
            } else if t - track.seen > COAST_S {
                found.extend(self.ended(track));
                continue;
            }
            living.push(track);
        }
        let alive = |id: u64| living.iter().any(|track| track.id == id);
        self.scores.retain(|(id, _)| alive(*id));
        self.tracks = living;
        found
    }

    fn ended(&mut self, mut track: Track) -> Option<Crossing> {
        let flip = track.sides.end()?;
        let crossing = self.judge.flip(&mut track, flip)?;
        Some(self.scored(crossing))
    }

    /// The confidence of the model: the mean of the three best scores.
    fn scored(&self, mut crossing: Crossing) -> Crossing {
        if let Some((_, scores)) = self.scores.iter().find(|(id, _)| *id == crossing.track) {
            let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
            crossing.confidence = f64::from(mean);
        }
        crossing
    }
}
