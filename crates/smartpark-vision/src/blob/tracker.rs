//! Tracks from frame to frame, and the crossings that they make.

use super::body::{Body, body};
use super::find::{Blob, Finder};
use super::share::{affinity, inner, into, partition, toward};
use super::track::Track;
use crate::crossing::{Crossing, Judge};
use crate::flow::{Pyramid, corners};
use crate::geometry::{Line, Point, Rect};
use crate::seg::Planes;
use crate::sides::Place;

/// A track that is not seen coasts for this long …
const COAST_S: f64 = 0.7;
/// … and for this long inside the band.
const COAST_IN_BAND_S: f64 = 3.0;
/// Points that a track keeps.
const POINTS: usize = 16;
/// Half of the band around the line: the larger of this many pixels …
const BAND_PIXELS: f32 = 1.0;
/// … and this share of the smaller side of the box.
const BAND_SHARE: f32 = 0.12;
/// A side of a box in a shared outline moves by this many pixels in a twelfth of a second.
const SIDE_STEP: f32 = 1.0;
/// A track that has moved by this many cars is not a part of the scene.
const CAME: f32 = 0.5;
/// Sizes and speeds are taken within this many cars of the line.
const NEAR: f32 = 0.9;
/// The body is measured within this many cars of the line.
const ON_LINE: f32 = 0.25;

/// Follows the blobs of one camera over one line.
#[derive(Debug)]
pub struct Tracker {
    line: Line,
    /// The living tracks.
    pub tracks: Vec<Track>,
    judge: Judge,
    next_id: u64,
    last: Pyramid,
    now: Pyramid,
    time: Option<f64>,
    size: (f32, f32),
}

impl Tracker {
    /// A tracker for a line in the pixels of the frames.
    #[must_use]
    pub fn new(line: Line, width: usize, height: usize) -> Tracker {
        Tracker {
            judge: Judge::new(line.clone()),
            line,
            tracks: Vec::new(),
            next_id: 1,
            last: Pyramid::default(),
            now: Pyramid::default(),
            time: None,
            size: (width as f32, height as f32),
        }
    }

    /// Takes the blobs of a frame at `t`; gives the crossings that they confirm.
    pub fn step(
        &mut self,
        planes: &Planes,
        finder: &Finder,
        blobs: &[Blob],
        t: f64,
    ) -> Vec<Crossing> {
        let dt = self.time.map_or(0.0, |last| (t - last) as f32).max(1e-3);
        std::mem::swap(&mut self.last, &mut self.now);
        self.now.load(planes);
        if self.time.replace(t).is_none() {
            std::mem::swap(&mut self.last, &mut self.now);
            self.now.load(planes);
        }
        self.predict(dt);
        let (owners, claims) = self.associate(finder, blobs, planes.width, t, dt);
        self.births(blobs, owners, t);
        self.drop_doubles(blobs, &claims);
        self.refill(planes, finder);
        self.judge_all(t)
    }

    /// Ends all tracks: the source is at its end.
    pub fn finish(&mut self) -> Vec<Crossing> {
        let mut found = Vec::new();
        for mut track in std::mem::take(&mut self.tracks) {
            if let Some(flip) = track.sides.end() {
                found.extend(self.judge.flip(&mut track, flip));
            }
        }
        found
    }

    /// Moves all boxes by their points, or by their velocity.
    fn predict(&mut self, dt: f32) {
        let (ex, ey) = self.line.unit();
        for track in &mut self.tracks {
            let step = track.follow(&self.last, &self.now, dt);
            let (dx, dy) = step.unwrap_or((track.velocity.0 * dt, track.velocity.1 * dt));
            track.rect = track.rect.moved(dx, dy);
            if step.is_some() {
                track.odometer += ex * dy - ey * dx;
            }
            track.stepped = step.is_some();
            if step.is_some() {
                let keep = if track.hits < 4 { 0.3 } else { 0.7_f32.powf(dt * 12.0) };
                track.velocity.0 = keep * track.velocity.0 + (1.0 - keep) * dx / dt;
                track.velocity.1 = keep * track.velocity.1 + (1.0 - keep) * dy / dt;
            }
        }
    }

    /// Gives each track its blob. Returns for each blob the track of which it is a piece or from
    /// which it split, and whether any track has it.
    fn associate(
        &mut self,
        finder: &Finder,
        blobs: &[Blob],
        width: usize,
        t: f64,
        dt: f32,
    ) -> (Vec<Owner>, Vec<Vec<usize>>) {
        let mut owners = vec![Owner::None; blobs.len()];
        let mut claims: Vec<Vec<usize>> = vec![Vec::new(); blobs.len()];
        let mut free: Vec<usize> = Vec::new();
        for (i, track) in self.tracks.iter().enumerate() {
            let best = blobs
                .iter()
                .enumerate()
                .map(|(j, blob)| (affinity(track, blob, j, finder, width), j))
                .filter(|(score, _)| *score > 0.3)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            match best {
                Some((_, j)) => claims[j].push(i),
                None => free.push(i),
            }
        }
        // Second pass: a track without a blob takes the nearest one that nobody claims.
        for i in free {
            let near = blobs
                .iter()
                .enumerate()
                .filter(|(j, _)| claims[*j].is_empty())
                .map(|(j, blob)| (self.distance(&self.tracks[i].rect, &blob.rect), j))
                .filter(|(distance, _)| *distance < 0.8)
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, j)) = near {
                claims[j].push(i);
            }
        }
        for (j, claim) in claims.iter().enumerate() {
            let grown = |i: &usize| self.has_swallowed(&self.tracks[*i], &blobs[j]);
            let parts = if claim.len() > 1 || claim.iter().any(grown) {
                {
                    let boxes: Vec<Rect> = claim.iter().map(|&i| self.tracks[i].rect).collect();
                    partition(&boxes, finder, &blobs[j], j, width)
                }
            } else {
                Vec::new()
            };
            for (n, &i) in claim.iter().enumerate() {
                owners[j] = Owner::Track;
                self.measure(i, &blobs[j], parts.get(n).copied(), t, dt);
                self.measure_body(i, finder, j, width);
            }
        }
        self.pieces(blobs, &claims, &mut owners, t, dt);
        (owners, claims)
    }

    /// Of two tracks that share a blob and lie on each other, only one is a vehicle. So is only
    /// one if the blob is no larger than one car.
    fn drop_doubles(&mut self, blobs: &[Blob], claims: &[Vec<usize>]) {
        let [along, across] = self.line.car_box;
        let tiny = |t: &Track| t.shared && t.rect.area() < 0.06 * along * across;
        let mut dead: Vec<bool> = self.tracks.iter().map(tiny).collect();
        for (blob, claim) in blobs.iter().zip(claims) {
            for (n, &i) in claim.iter().enumerate() {
                for &j in &claim[n + 1..] {
                    if dead[i] || dead[j] {
                        continue;
                    }
                    let (a, b) = (&self.tracks[i], &self.tracks[j]);
                    let common = a.rect.common(&b.rect).area();
                    let one_car = blob.along < 1.25 && blob.across < 1.25;
                    let share = common / a.rect.area().min(b.rect.area()).max(1.0);
                    let alike = a.rect.iou(&b.rect) > 0.6;
                    let empty = share > 0.8 && a.points.len().min(b.points.len()) < 3;
                    if alike || empty || (one_car && share > 0.3) {
                        // A vehicle drives over leaves and shadows that have been there before.
                        let came = |t: &Track| t.travelled > CAME * along.min(across);
                        let worth = |t: &Track| (came(t), t.points.len().min(6), t.hits);
                        let loser = if worth(a) >= worth(b) { j } else { i };
                        dead[loser] = true;
                    }
                }
            }
        }
        let mut dead = dead.into_iter();
        self.tracks.retain(|_| !dead.next().unwrap_or(false));
    }

    /// Blobs that nobody claims: pieces of a track that has another blob, or split from one.
    fn pieces(
        &mut self,
        blobs: &[Blob],
        claims: &[Vec<usize>],
        owners: &mut [Owner],
        t: f64,
        dt: f32,
    ) {
        for j in 0..blobs.len() {
            if !claims[j].is_empty() {
                continue;
            }
            let blob = &blobs[j];
            let parent = (0..self.tracks.len())
                .filter(|&i| self.tracks[i].seen == t)
                .map(|i| (self.tracks[i].before.common(&blob.rect).area() / blob.rect.area(), i))
                .filter(|(share, _)| *share > 0.5)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, i)) = parent else { continue };
            let whole = self.tracks[i].rect.around(&blob.rect);
            let (along, across) = self.line.extent(&whole);
            let [car_along, car_across] = self.line.car_box;
            let fits =
                along[1] - along[0] < 1.25 * car_along && across[1] - across[0] < 1.25 * car_across;
            if fits && !self.tracks[i].shared {
                let joined = Blob { rect: whole, ..blob.clone() };
                self.measure(i, &joined, None, t, dt);
                owners[j] = Owner::Track;
            } else {
                owners[j] = Owner::Split(i);
            }
        }
    }

    /// The distance of two middles in cars.
    fn distance(&self, a: &Rect, b: &Rect) -> f32 {
        let (a, b) = (self.line.place(a.centre()), self.line.place(b.centre()));
        let [along, across] = self.line.car_box;
        ((a.0 - b.0) / along).hypot((a.1 - b.1) / across)
    }

    /// Whether a blob is too large to be what this track was a frame ago.
    fn has_swallowed(&self, track: &Track, blob: &Blob) -> bool {
        let [along, across] = self.line.car_box;
        let area = track.rect.area();
        track.hits > 3 && area > 0.25 * along * across && blob.rect.area() > 1.6 * area
    }

    /// Takes a blob, or its part of a shared blob, for what track `i` shows now.
    fn measure(&mut self, i: usize, blob: &Blob, part: Option<Rect>, t: f64, dt: f32) {
        let track = &mut self.tracks[i];
        let predicted = track.rect;
        let shared = part.is_some();
        track.shared = shared;
        track.rect = match part {
            // The sides move a little towards the part, so that a box can grow and shrink.
            Some(part) => toward(&into(&predicted, &blob.rect), &part, SIDE_STEP * dt * 12.0),
            None => blob.rect,
        };
        if !track.stepped && !shared {
            let (a, b) = (predicted.centre(), track.rect.centre());
            let before = self.line.place(track.before.centre()).1;
            track.odometer += self.line.place(b).1 - before;
            let keep = 0.6;
            track.velocity.0 += (1.0 - keep) * (b.x - a.x) / dt;
            track.velocity.1 += (1.0 - keep) * (b.y - a.y) / dt;
        }
        if track.seen < t {
            track.hits += 1;
        }
        track.seen = t;
    }

    /// Measures the body of track `i` in blob `j` while it is on the line.
    fn measure_body(&mut self, i: usize, finder: &Finder, j: usize, width: usize) {
        let rect = self.tracks[i].rect;
        let (_, across) = self.line.place(rect.centre());
        if across.abs() > ON_LINE * self.line.car_box[1] {
            return;
        }
        if let Some(Body { width, length }) = body(finder, j, &rect, &self.line, width) {
            self.tracks[i].bodies.push([width, length]);
        }
    }

    /// New tracks from the blobs that are left.
    fn births(&mut self, blobs: &[Blob], owners: Vec<Owner>, t: f64) {
        for (blob, owner) in blobs.iter().zip(owners) {
            if owner == Owner::Track {
                continue;
            }
            let id = self.next_id;
            self.next_id += 1;
            let mut track = Track::new(id, blob.rect, t);
            if let Owner::Split(parent) = owner {
                let parent = &self.tracks[parent];
                let vehicle = blob.along > 0.5 && blob.across > 0.4;
                if vehicle {
                    track.velocity = parent.velocity;
                    track.was_shared = true;
                    track.split = true;
                    track.odometer = parent.odometer;
                    inherit(&self.line, parent, &mut track, t);
                }
            }
            self.tracks.push(track);
        }
    }

    /// Gives each track with an outline of its own new points.
    fn refill(&mut self, planes: &Planes, finder: &Finder) {
        let width = planes.width;
        let mut fresh: Vec<Point> = Vec::new();
        for track in &mut self.tracks {
            track.before = track.rect;
            track.points.retain(|p| finder.at(p.y as usize * width + p.x as usize).is_some());
            if track.points.len() > POINTS / 2 {
                continue;
            }
            fresh.clear();
            let inside = |x: usize, y: usize| finder.at(y * width + x).is_some();
            let rect = if track.shared { inner(&track.rect) } else { track.rect };
            corners(planes, inside, &rect, POINTS, &mut fresh);
            for p in &fresh {
                let apart = |q: &Point| (q.x - p.x).hypot(q.y - p.y) > 3.0;
                if track.points.len() < POINTS && track.points.iter().all(apart) {
                    track.points.push(*p);
                }
            }
        }
    }

    /// Moves the sides of all tracks on; ends those that are gone.
    fn judge_all(&mut self, t: f64) -> Vec<Crossing> {
        let mut found = Vec::new();
        let mut living = Vec::with_capacity(self.tracks.len());
        for mut track in std::mem::take(&mut self.tracks) {
            let place = track.place(&self.line, t);
            let band = band(&track.rect);
            track.travel(place);
            track.in_band = place.across.abs() <= band;
            if track.seen == t {
                self.judge.observe(&mut track, place, self.size, NEAR);
                if let Some(flip) = track.sides.step(place, band) {
                    found.extend(self.judge.flip(&mut track, flip));
                }
            }
            let patience = if track.in_band { COAST_IN_BAND_S } else { COAST_S };
            if t - track.seen > patience {
                if let Some(flip) = track.sides.end() {
                    found.extend(self.judge.flip(&mut track, flip));
                }
                continue;
            }
            living.push(track);
        }
        self.tracks = living;
        found
    }
}

/// What a blob is to the tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    None,
    Track,
    Split(usize),
}

/// Half of the width of the band around the line for a box.
fn band(rect: &Rect) -> f32 {
    (BAND_SHARE * rect.width().min(rect.height())).max(BAND_PIXELS)
}

/// Gives a track that split from another one its origin, and the moment at which it must have
/// been on the line.
fn inherit(line: &Line, parent: &Track, track: &mut Track, t: f64) {
    let place = track.place(line, t);
    let (ex, ey) = line.unit();
    let speed = ex * parent.velocity.1 - ey * parent.velocity.0;
    let mut back = f64::from(place.across / if speed == 0.0 { f32::MAX } else { speed });
    if !(0.0..=2.0).contains(&back) {
        back = 0.0;
    }
    let on_line = Place { t: t - back, along: place.along, across: 0.0 };
    track.sides = parent.sides.inherit(place, Some(on_line));
}
