//! One track: a vehicle, as far as it is known.

use crate::crossing::VehicleType;
use crate::flow::Pyramid;
use crate::geometry::{Line, Point, Rect};
use crate::sides::{Place, Sides};

/// Something that stood for this long before it moved is a part of the scene.
const STOOD_S: f64 = 1.5;

/// A vehicle through time.
#[derive(Debug, Clone)]
pub struct Track {
    /// The number of the track in this run.
    pub id: u64,
    /// The box now.
    pub rect: Rect,
    /// Pixels per second.
    pub velocity: (f32, f32),
    /// Frames in which it was seen.
    pub hits: u32,
    /// When it was first seen.
    pub born: f64,
    /// When it was last seen.
    pub seen: f64,
    /// Whether it shares an outline with another track now.
    pub shared: bool,
    /// Whether it has shared one near the line.
    pub was_shared: bool,
    /// The box in the frame before.
    pub before: Rect,
    /// Where the middle was when a detector last saw it.
    pub anchor: Point,
    /// The class that a detector gave it.
    pub class: Option<VehicleType>,
    /// Points that move with it.
    pub points: Vec<Point>,
    /// Widths near the line, in cars, while it had an outline of its own.
    pub widths: Vec<f32>,
    /// Lengths near the line, in cars.
    pub lengths: Vec<f32>,
    /// Width and length of the body on the line, in cars, also in a shared outline.
    pub bodies: Vec<[f32; 2]>,
    /// Speeds across the line near it, in cars per second.
    pub speeds: Vec<f32>,
    /// How far it has moved across the line since its last crossing or its birth, in pixels, as
    /// its points say.
    pub odometer: f32,
    /// Whether its points told its last step.
    pub stepped: bool,
    /// Whether it split from another track.
    pub split: bool,
    /// Crossings so far.
    pub crossings: u32,
    /// The side of the line.
    pub sides: Sides,
    /// The first place.
    pub first: Option<Place>,
    /// The largest distance from the first place, in pixels.
    pub travelled: f32,
    /// The same while it had an outline of its own.
    pub travelled_alone: f32,
    /// Whether the last place was inside the band.
    pub in_band: bool,
}

impl Track {
    /// A track at its first sight.
    #[must_use]
    pub fn new(id: u64, rect: Rect, t: f64) -> Track {
        Track {
            id,
            rect,
            velocity: (0.0, 0.0),
            hits: 1,
            born: t,
            seen: t,
            shared: false,
            was_shared: false,
            before: rect,
            anchor: rect.centre(),
            class: None,
            points: Vec::new(),
            widths: Vec::new(),
            lengths: Vec::new(),
            bodies: Vec::new(),
            speeds: Vec::new(),
            split: false,
            odometer: 0.0,
            stepped: false,
            crossings: 0,
            sides: Sides::default(),
            first: None,
            travelled: 0.0,
            travelled_alone: 0.0,
            in_band: false,
        }
    }

    /// Moves the points into the next frame and tells their median step, if enough are left.
    pub fn follow(&mut self, from: &Pyramid, to: &Pyramid, dt: f32) -> Option<(f32, f32)> {
        let guess = (self.velocity.0 * dt, self.velocity.1 * dt);
        let mut steps: Vec<(f32, f32)> = Vec::with_capacity(self.points.len());
        self.points.retain_mut(|p| match from.follow(to, *p, guess) {
            Some(q) => {
                steps.push((q.x - p.x, q.y - p.y));
                *p = q;
                true
            }
            None => false,
        });
        if steps.len() < 3 {
            return None;
        }
        let dx = median(steps.iter().map(|s| s.0));
        let dy = median(steps.iter().map(|s| s.1));
        // A point that moves otherwise belongs to something else.
        let limit = 1.5 + 0.35 * dx.hypot(dy);
        let mut steps = steps.into_iter();
        self.points.retain(|_| steps.next().is_some_and(|(x, y)| (x - dx).hypot(y - dy) <= limit));
        Some((dx, dy))
    }

    /// Notes how far the track has come from its first place.
    pub fn travel(&mut self, place: Place) {
        let first = *self.first.get_or_insert(place);
        let way = (place.along - first.along).hypot(place.across - first.across);
        self.travelled = self.travelled.max(way);
        if !self.shared {
            self.travelled_alone = self.travelled_alone.max(way);
        }
    }

    /// Whether it is a part of the scene, such as a shadow or a tree, as far as it has shown: it
    /// stood for a while and has moved by less than `least` pixels on its own. What moves in one
    /// outline with others may be carried by them.
    #[must_use]
    pub fn stands(&self, t: f64, least: f32) -> bool {
        !self.split
            && self.class.is_none()
            && t - self.born > STOOD_S
            && self.travelled_alone < least
    }

    /// Where the middle of the box is.
    #[must_use]
    pub fn place(&self, line: &Line, t: f64) -> Place {
        let (along, across) = line.place(self.rect.centre());
        Place { t, along, across }
    }

    /// Median width near the line in cars.
    #[must_use]
    pub fn width(&self) -> Option<f32> {
        (!self.widths.is_empty()).then(|| median(self.widths.iter().copied()))
    }

    /// Median length near the line in cars.
    #[must_use]
    pub fn length(&self) -> Option<f32> {
        (!self.lengths.is_empty()).then(|| median(self.lengths.iter().copied()))
    }

    /// Median width and length of the body on the line in cars.
    #[must_use]
    pub fn body(&self) -> Option<[f32; 2]> {
        let side = |i: usize| median(self.bodies.iter().map(|body| body[i]));
        (!self.bodies.is_empty()).then(|| [side(0), side(1)])
    }

    /// Median speed near the line in cars per second.
    #[must_use]
    pub fn speed(&self) -> f32 {
        if self.speeds.is_empty() { 0.0 } else { median(self.speeds.iter().copied()) }
    }
}

/// The median of some numbers; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
