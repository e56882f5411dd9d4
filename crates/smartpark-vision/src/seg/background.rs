//! The background: mean and noise of each pixel.

use super::{Class, Planes};
use crate::geometry::Rect;

/// Seconds in which a place without motion is learnt.
const LEARN_S: f32 = 25.0;
/// Seconds in which a changed light that stays still is learnt.
const LAMP_LEARN_S: f32 = 0.4;
/// Seconds that a changed light must stay still before it is learnt.
const LAMP_STILL_S: f32 = 1.5;
/// Seconds after which a thing that does not move is the background.
const ABSORB_S: f32 = 90.0;
/// A ghost has this many times less edges than the background behind it.
const GHOST_EDGES: f32 = 1.4;
/// Bounds of the noise, in levels.
const NOISE: (f32, f32) = (1.2, 16.0);

/// Mean and noise of each pixel, and for how long it has been covered or changed.
#[derive(Debug, Clone)]
pub struct Background {
    /// The means, with their slopes.
    pub planes: Planes,
    /// Standard deviation of the brightness, in levels.
    pub noise_y: Vec<f32>,
    /// Standard deviation of the colour differences, in levels.
    pub noise_c: Vec<f32>,
    /// The brightness of the previous frame.
    previous: Vec<f32>,
    /// Seconds for which the light of a pixel has been changed and still.
    still: Vec<f32>,
    /// Seconds for which a pixel has been covered.
    covered: Vec<f32>,
    since_slopes: f32,
}

impl Background {
    pub(super) fn new(planes: Planes) -> Background {
        let count = planes.y.len();
        let zeros = vec![0.0; count];
        Background {
            planes,
            noise_y: zeros.clone(),
            noise_c: zeros.clone(),
            previous: zeros.clone(),
            still: zeros.clone(),
            covered: zeros,
            since_slopes: 0.0,
        }
    }

    pub(super) fn set(&mut self, at: usize, mean: [f32; 3], noise_y: f32, noise_c: f32) {
        [self.planes.y[at], self.planes.u[at], self.planes.v[at]] = mean;
        self.noise_y[at] = noise_y.clamp(NOISE.0, NOISE.1);
        self.noise_c[at] = noise_c.clamp(NOISE.0, NOISE.1);
        self.previous[at] = mean[0];
    }

    /// Learns from a classified frame that came `dt` seconds after the one before.
    pub fn learn(&mut self, now: &Planes, classes: &[Class], dt: f32) {
        let slow = (dt / LEARN_S).min(1.0);
        let lamp = (dt / LAMP_LEARN_S).min(1.0);
        for (at, &class) in classes.iter().enumerate() {
            let y = now.y[at];
            let (rate, noise_rate) = match class {
                Class::Road => {
                    self.still[at] = 0.0;
                    self.covered[at] = 0.0;
                    (slow, slow)
                }
                Class::Shade | Class::Glare => {
                    self.covered[at] = 0.0;
                    let calm = (y - self.previous[at]).abs() < 3.0 * self.noise_y[at] + 2.0;
                    self.still[at] = if calm { self.still[at] + dt } else { 0.0 };
                    // Only light that came is a lamp. A shadow may belong to a vehicle that waits,
                    // and
                    // the road behind it must not be forgotten.
                    let is_lamp = class == Class::Glare && self.still[at] > LAMP_STILL_S;
                    (if is_lamp { lamp } else { 0.5 * slow }, 0.0)
                }
                Class::Thing => {
                    self.still[at] = 0.0;
                    self.covered[at] += dt;
                    (if self.covered[at] > ABSORB_S { 1.0 } else { 0.0 }, 0.0)
                }
            };
            self.previous[at] = y;
            if rate > 0.0 {
                self.pull(now, at, rate, noise_rate);
            }
        }
        self.since_slopes += dt;
        if self.since_slopes > 0.5 {
            self.since_slopes = 0.0;
            self.planes.slopes();
        }
    }

    /// Takes the masked pixels of a box into the background if the frame has clearly fewer edges
    /// there than the background. Tells whether it did.
    pub fn absorb_ghost(&mut self, now: &Planes, mask: &[u8], rect: &Rect) -> bool {
        let (mut seen, mut known) = (0.0, 0.0);
        for at in places(now, mask, rect) {
            seen += now.dx[at].abs() + now.dy[at].abs();
            known += self.planes.dx[at].abs() + self.planes.dy[at].abs();
        }
        let is_ghost = known >= GHOST_EDGES * seen;
        if is_ghost {
            self.absorb(now, mask, rect);
        }
        is_ghost
    }

    /// Takes the masked pixels of a box into the background.
    pub fn absorb(&mut self, now: &Planes, mask: &[u8], rect: &Rect) {
        for at in places(now, mask, rect) {
            self.pull(now, at, 1.0, 0.0);
        }
        self.since_slopes = f32::MAX;
    }

    fn pull(&mut self, now: &Planes, at: usize, rate: f32, noise_rate: f32) {
        let off = now.y[at] - self.planes.y[at];
        let (off_u, off_v) = (now.u[at] - self.planes.u[at], now.v[at] - self.planes.v[at]);
        self.planes.y[at] += rate * off;
        self.planes.u[at] += rate * off_u;
        self.planes.v[at] += rate * off_v;
        if noise_rate > 0.0 {
            // 1.25: the mean absolute deviation of a normal distribution in standard deviations.
            let noise_y = self.noise_y[at] + noise_rate * (1.25 * off.abs() - self.noise_y[at]);
            let off_c = off_u.abs().max(off_v.abs());
            let noise_c = self.noise_c[at] + noise_rate * (1.25 * off_c - self.noise_c[at]);
            self.noise_y[at] = noise_y.clamp(NOISE.0, NOISE.1);
            self.noise_c[at] = noise_c.clamp(NOISE.0, NOISE.1);
        }
    }
}

/// The masked pixels of a box.
fn places<'a>(now: &Planes, mask: &'a [u8], rect: &Rect) -> impl Iterator<Item = usize> + 'a {
    let width = now.width;
    let (x0, x1) = (rect.x0.max(0.0) as usize, (rect.x1.max(0.0) as usize).min(width));
    let (y0, y1) = (rect.y0.max(0.0) as usize, (rect.y1.max(0.0) as usize).min(now.height));
    (y0..y1)
        .flat_map(move |y| (x0..x1).map(move |x| y * width + x))
        .filter(move |&at| mask[at] == 1)
}
