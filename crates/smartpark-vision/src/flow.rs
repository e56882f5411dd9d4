//! Points that are followed from frame to frame.
//!
//! The pyramidal method of B. Lucas and T. Kanade (1981) as written down by J.-Y. Bouguet
//! ("Pyramidal implementation of the Lucas Kanade feature tracker", 2000), on points chosen as in
//! J. Shi and C. Tomasi, "Good features to track" (CVPR 1994). Points give a vehicle's motion
//! without its outline, so two vehicles in one outline keep their own motion.

use crate::geometry::{Point, Rect};
use crate::seg::Planes;

/// Half of the window's side: 7 x 7 pixels.
const HALF: i32 = 3;
const STEPS: usize = 6;
/// The largest mean difference of a window, in levels, that still is the same point.
const LARGEST_RESIDUAL: f32 = 14.0;
/// The least smaller eigenvalue of a corner, for each pixel of the window.
const LEAST_CORNER: f32 = 4.0;

/// A brightness plane and its half-size and quarter-size copies.
#[derive(Debug, Clone, Default)]
pub struct Pyramid {
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    width: usize,
    height: usize,
    y: Vec<f32>,
}

impl Pyramid {
    /// Fills the pyramid from the planes of a frame.
    pub fn load(&mut self, planes: &Planes) {
        self.levels.resize_with(3, Level::default);
        let base = &mut self.levels[0];
        (base.width, base.height) = (planes.width, planes.height);
        base.y.clear();
        base.y.extend_from_slice(&planes.y);
        for i in 1..self.levels.len() {
            let (done, rest) = self.levels.split_at_mut(i);
            rest[0].halve(&done[i - 1]);
        }
    }

    /// Follows a point into `next`; `None` if it is lost. `guess` is the expected step.
    #[must_use]
    pub fn follow(&self, next: &Pyramid, p: Point, guess: (f32, f32)) -> Option<Point> {
        let mut step = (guess.0 / 8.0, guess.1 / 8.0);
        let mut residual = 0.0;
        for (i, (from, to)) in self.levels.iter().zip(&next.levels).enumerate().rev() {
            let scale = 0.5_f32.powi(i as i32);
            step = (step.0 * 2.0, step.1 * 2.0);
            let at = Point::new(p.x * scale, p.y * scale);
            (step, residual) = match from.follow(to, at, step) {
                Some(found) => found,
                // A small level has no texture to hold on to: go on with the guess.
                None if i > 0 => (step, residual),
                None => return None,
            };
        }
        let base = self.levels.first()?;
        let found = Point::new(p.x + step.0, p.y + step.1);
        let inside = found.x >= HALF as f32
            && found.y >= HALF as f32
            && found.x < base.width as f32 - HALF as f32 - 1.0
            && found.y < base.height as f32 - HALF as f32 - 1.0;
        (inside && residual < LARGEST_RESIDUAL).then_some(found)
    }
}

impl Level {
    fn halve(&mut self, from: &Level) {
        self.width = from.width / 2;
        self.height = from.height / 2;
        self.y.clear();
        for row in 0..self.height {
            let upper = &from.y[row * 2 * from.width..][..self.width * 2];
            let lower = &from.y[(row * 2 + 1) * from.width..][..self.width * 2];
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            self.y.extend(pairs.map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) * 0.25));
        }
    }

    /// The value between four pixels; the place must lie inside.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (ix, iy) = (x as usize, y as usize);
        let (fx, fy) = (x - ix as f32, y - iy as f32);
        let above = &self.y[iy * self.width + ix..][..2];
        let below = &self.y[(iy + 1) * self.width + ix..][..2];
        let top = above[0] + fx * (above[1] - above[0]);
        let bottom = below[0] + fx * (below[1] - below[0]);
        top + fy * (bottom - top)
    }

    fn holds(&self, p: Point, margin: f32) -> bool {
        p.x >= margin
            && p.y >= margin
            && p.x < self.width as f32 - margin - 1.0
            && p.y < self.height as f32 - margin - 1.0
    }

    /// One level: the step and the mean difference of the windows.
    fn follow(&self, to: &Level, p: Point, step: (f32, f32)) -> Option<((f32, f32), f32)> {
        let margin = HALF as f32 + 1.0;
        if !self.holds(p, margin) {
            return None;
        }
        const SIDE: usize = HALF as usize * 2 + 1;
        let mut window = [[0.0_f32; 3]; SIDE * SIDE];
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (i, w) in window.iter_mut().enumerate() {
            let x = p.x + (i % SIDE) as f32 - HALF as f32;
            let y = p.y + (i / SIDE) as f32 - HALF as f32;
            let gx = (self.at(x + 1.0, y) - self.at(x - 1.0, y)) * 0.5;
            let gy = (self.at(x, y + 1.0) - self.at(x, y - 1.0)) * 0.5;
            *w = [self.at(x, y), gx, gy];
            xx += gx * gx;
            xy += gx * gy;
            yy += gy * gy;
        }
        let determinant = xx * yy - xy * xy;
        let least = (xx + yy) * 0.5 - ((xx - yy) * 0.5).hypot(xy);
        if least < 0.25 * LEAST_CORNER * (SIDE * SIDE) as f32 || determinant <= 0.0 {
            return None;
        }
        let (mut dx, mut dy) = step;
        let mut residual = 0.0;
        for _ in 0..STEPS {
            let q = Point::new(p.x + dx, p.y + dy);
            if !to.holds(q, margin) {
                return None;
            }
            let (mut bx, mut by) = (0.0, 0.0);
            residual = 0.0;
            for (i, w) in window.iter().enumerate() {
                let x = q.x + (i % SIDE) as f32 - HALF as f32;
                let y = q.y + (i / SIDE) as f32 - HALF as f32;
                let off = w[0] - to.at(x, y);
                bx += off * w[1];
                by += off * w[2];
                residual += off.abs();
            }
            residual /= (SIDE * SIDE) as f32;
            let mx = (yy * bx - xy * by) / determinant;
            let my = (xx * by - xy * bx) / determinant;
            dx += mx;
            dy += my;
            if mx.abs() + my.abs() < 0.03 {
                break;
            }
        }
        Some(((dx, dy), residual))
    }
}

/// Chooses corners inside a mask: at most one in each cell of the box, the best first.
pub fn corners(
    planes: &Planes,
    inside: impl Fn(usize, usize) -> bool,
    rect: &Rect,
    most: usize,
    out: &mut Vec<Point>,
) {
    let margin = HALF as usize + 2;
    let (w, h) = (planes.width, planes.height);
    let x0 = (rect.x0.max(0.0) as usize).max(margin);
    let y0 = (rect.y0.max(0.0) as usize).max(margin);
    let x1 = (rect.x1.max(0.0) as usize).min(w - margin);
    let y1 = (rect.y1.max(0.0) as usize).min(h - margin);
    let cells = (most as f32).sqrt().ceil().max(1.0);
    let cell = ((rect.width() / cells).min(rect.height() / cells).max(3.0)) as usize;
    let mut found: Vec<(f32, Point)> = Vec::new();
    for cy in (y0..y1).step_by(cell) {
        for cx in (x0..x1).step_by(cell) {
            let mut best: Option<(f32, Point)> = None;
            for y in (cy..(cy + cell).min(y1)).step_by(2) {
                for x in (cx..(cx + cell).min(x1)).step_by(2) {
                    if !inside(x, y) {
                        continue;
                    }
                    let score = corner_score(planes, x, y);
                    if score > LEAST_CORNER && best.is_none_or(|(s, _)| score > s) {
                        best = Some((score, Point::new(x as f32, y as f32)));
                    }
                }
            }
            found.extend(best);
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    out.extend(found.into_iter().take(most).map(|(_, p)| p));
}

/// The smaller eigenvalue of the structure of a 5 x 5 window, for each pixel.
fn corner_score(planes: &Planes, x: usize, y: usize) -> f32 {
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for row in y - 2..=y + 2 {
        let range = row * planes.width + x - 2..row * planes.width + x + 3;
        for (dx, dy) in planes.dx[range.clone()].iter().zip(&planes.dy[range]) {
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    }
    ((xx + yy) * 0.5 - ((xx - yy) * 0.5).hypot(xy)) / 25.0
}
