//! Classes of pixels: road, shade, glare, thing.

use super::fill;
use super::{Background, Planes};

/// What a pixel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Class {
    /// The background, within its noise.
    #[default]
    Road = 0,
    /// The background, darker: a shadow.
    Shade = 1,
    /// The background, brighter: headlights, a lamp, the sun.
    Glare = 2,
    /// Something in front of the background.
    Thing = 3,
}

/// A change counts from this many standard deviations on.
const SIGMAS: f32 = 2.6;
/// The least change of the brightness, in levels.
const LEAST_Y: f32 = 7.0;
/// The least change of the colour, in levels.
const LEAST_C: f32 = 6.0;
/// The least change of the slope, in levels per pixel.
const LEAST_SLOPE: f32 = 4.0;
/// Darker than this share of the background is not a shadow.
const DARKEST_SHADOW: f32 = 0.42;

/// Classifies frames against a background.
#[derive(Debug, Default)]
pub struct Segmenter {
    /// The class of each pixel of the last frame.
    pub classes: Vec<Class>,
    /// 1 for each pixel of a thing, after cleaning and filling.
    pub mask: Vec<u8>,
    /// 1 for each pixel that differs from the background at all.
    pub changed: Vec<u8>,
    inner: Vec<u8>,
    edge: Vec<u8>,
    scratch: Vec<u8>,
    shadows: Shadows,
}

/// How dark the shadows of this scene are.
///
/// A grey vehicle has the colour of the road and few edges, so one pixel of it looks like a
/// shadow. All shadows of the sun have about the same darkness, though: if most of the shade that
/// is seen has one darkness, shade of another darkness belongs to a vehicle.
#[derive(Debug, Default)]
struct Shadows {
    counts: Vec<f32>,
    usual: Option<(f32, f32)>,
}

/// Bins of the darkness between nothing and all of the light.
const BINS: usize = 40;
/// Pixels of shade that must be seen before it is judged by its darkness.
const SHADE_SEEN: f32 = 2000.0;
/// The share of them that must lie within two bins of the most frequent one.
const SHADE_AGREES: f32 = 0.5;
/// How far shade may be from the usual darkness.
const SHADE_WIDTH: f32 = 0.10;

impl Shadows {
    fn add(&mut self, ratio: f32) {
        self.counts.resize(BINS, 0.0);
        let bin = ((ratio * BINS as f32) as usize).min(BINS - 1);
        self.counts[bin] += 1.0;
    }

    fn settle(&mut self) {
        let sum: f32 = self.counts.iter().sum();
        self.usual = None;
        if sum > SHADE_SEEN {
            let around = |i: usize| -> f32 {
                self.counts[i.saturating_sub(2)..(i + 3).min(BINS)].iter().sum()
            };
            let best = (0..BINS).max_by(|&a, &b| around(a).total_cmp(&around(b))).unwrap_or(0);
            if around(best) > SHADE_AGREES * sum {
                let middle = (best as f32 + 0.5) / BINS as f32;
                self.usual = Some((middle - SHADE_WIDTH, middle + SHADE_WIDTH));
            }
        }
        if sum > 40.0 * SHADE_SEEN {
            self.counts.iter_mut().for_each(|count| *count *= 0.5);
        }
    }

    /// Whether inner shade of this darkness is not a shadow.
    fn is_body(&self, ratio: f32) -> bool {
        self.usual.is_some_and(|(from, to)| ratio < from || (ratio > to && ratio < 0.9))
    }
}

impl Segmenter {
    /// Classifies `now`. `reach` is the largest gap, in pixels, that is filled inside a thing.
    pub fn classify(&mut self, now: &Planes, background: &Background, reach: (usize, usize)) {
        let (width, height) = (now.width, now.height);
        let count = width * height;
        for plane in [&mut self.changed, &mut self.inner, &mut self.edge, &mut self.mask] {
            plane.resize(count, 0);
        }
        self.classes.resize(count, Class::Road);
        self.judge(now, background);
        fill::erode(&self.changed, width, height, 2, &mut self.inner, &mut self.scratch);
        self.shadows.settle();
        for at in 0..count {
            if self.classes[at] == Class::Shade && self.inner[at] == 1 {
                let ratio = (now.y[at] + 2.0) / (background.planes.y[at] + 2.0);
                if self.shadows.is_body(ratio) {
                    self.classes[at] = Class::Thing;
                }
                if self.edge[at] == 0 {
                    self.shadows.add(ratio);
                }
            }
            // A shadow has edges of its own at its rim only: an edge counts inside a change.
            let thing = self.classes[at] == Class::Thing
                || (self.edge[at] == 1
                    && (self.inner[at] == 1 || self.classes[at] == Class::Glare));
            self.mask[at] = u8::from(thing);
        }
        fill::majority(&mut self.mask, width, height, 4, &mut self.scratch);
        fill::enclosed(&mut self.mask, &self.changed, width, height, reach, &mut self.scratch);
        fill::majority(&mut self.mask, width, height, 5, &mut self.scratch);
        for at in 0..count {
            if self.mask[at] == 1 {
                self.classes[at] = Class::Thing;
            } else if self.classes[at] == Class::Thing {
                self.classes[at] =
                    if now.y[at] < background.planes.y[at] { Class::Shade } else { Class::Glare };
            }
        }
    }

    /// The first judgement of each pixel alone.
    fn judge(&mut self, now: &Planes, background: &Background) {
        let model = &background.planes;
        for at in 0..self.classes.len() {
            let (y, base) = (now.y[at], model.y[at]);
            let off = y - base;
            let limit = (SIGMAS * background.noise_y[at]).max(LEAST_Y);
            let limit_c = (SIGMAS * background.noise_c[at]).max(LEAST_C);
            let off_c = (now.u[at] - model.u[at]).abs().max((now.v[at] - model.v[at]).abs());
            let changed = off.abs() > limit || off_c > limit_c;
            self.changed[at] = u8::from(changed);
            if !changed {
                self.classes[at] = Class::Road;
                self.edge[at] = 0;
                continue;
            }
            let ratio = (y + 2.0) / (base + 2.0);
            let colour = (now.u[at] - ratio * model.u[at])
                .abs()
                .max((now.v[at] - ratio * model.v[at]).abs());
            let slope = (now.dx[at] - ratio * model.dx[at]).abs()
                + (now.dy[at] - ratio * model.dy[at]).abs();
            let limit_slope = (1.0 * background.noise_y[at]).max(LEAST_SLOPE) * ratio.max(1.0);
            self.edge[at] = u8::from(slope > limit_slope);
            let strange = colour > limit_c * ratio.max(1.0) || ratio < DARKEST_SHADOW;
            self.classes[at] = if strange {
                Class::Thing
            } else if off < 0.0 {
                Class::Shade
            } else {
                Class::Glare
            };
        }
    }
}
