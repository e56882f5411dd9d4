//! Points, boxes and the counting line.

use crate::error::{Error, Result};

/// A place in the picture in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// A point.
    #[must_use]
    pub fn new(x: f32, y: f32) -> Point {
        Point { x, y }
    }
}

/// A box with sides along the axes; `x1` and `y1` lie outside.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left side.
    pub x0: f32,
    /// Upper side.
    pub y0: f32,
    /// Right side.
    pub x1: f32,
    /// Lower side.
    pub y1: f32,
}

impl Rect {
    /// The middle.
    #[must_use]
    pub fn centre(&self) -> Point {
        Point::new((self.x0 + self.x1) * 0.5, (self.y0 + self.y1) * 0.5)
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.y1 - self.y0
    }

    /// Area in square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// The common part of two boxes; its area is 0 if there is none.
    #[must_use]
    pub fn common(&self, other: &Rect) -> Rect {
        let (x0, y0) = (self.x0.max(other.x0), self.y0.max(other.y0));
        let (x1, y1) = (self.x1.min(other.x1), self.y1.min(other.y1));
        Rect { x0, y0, x1: x1.max(x0), y1: y1.max(y0) }
    }

    /// The smallest box around both.
    #[must_use]
    pub fn around(&self, other: &Rect) -> Rect {
        Rect {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Common area over the area of both together.
    #[must_use]
    pub fn iou(&self, other: &Rect) -> f32 {
        let common = self.common(other).area();
        common / (self.area() + other.area() - common).max(1e-6)
    }

    /// The box moved by a step.
    #[must_use]
    pub fn moved(&self, dx: f32, dy: f32) -> Rect {
        Rect { x0: self.x0 + dx, y0: self.y0 + dy, x1: self.x1 + dx, y1: self.y1 + dy }
    }

    /// The four corners.
    #[must_use]
    pub fn corners(&self) -> [Point; 4] {
        [(self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1)]
            .map(|(x, y)| Point::new(x, y))
    }
}

/// A counting line in pixels, with the size of a car on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The name in events.
    pub id: String,
    /// One end.
    pub p1: Point,
    /// The other end.
    pub p2: Point,
    /// What a car on the line covers: along the line and across it.
    pub car_box: [f32; 2],
    /// Turns entry and exit round.
    pub swap: bool,
}

impl Line {
    /// Checks the line against the picture that it is drawn in.
    ///
    /// # Errors
    /// [`Error::Options`] with advice if the line or the car box cannot be counted with.
    pub fn check(&self, width: usize, height: usize) -> Result<()> {
        let name = &self.id;
        let refuse = |text: String| Err(Error::Options(text));
        let inside = |p: Point| {
            (-0.5..=width as f32).contains(&p.x) && (-0.5..=height as f32).contains(&p.y)
        };
        let [along, across] = self.car_box;
        if !(along >= 4.0 && across >= 4.0) || along > 1e5 || across > 1e5 {
            return refuse(format!(
                "line {name}: car_box must give the size of a car on the line in pixels, \
                 [along the line, across it], each at least 4"
            ));
        }
        if !inside(self.p1) || !inside(self.p2) {
            return refuse(format!(
                "line {name}: ({}, {}) to ({}, {}) leaves the picture of {width} x {height}; \
                 draw it inside",
                self.p1.x, self.p1.y, self.p2.x, self.p2.y
            ));
        }
        if self.length() < 0.7 * along {
            return refuse(format!(
                "line {name} is {:.0} pixels long, shorter than 0.7 car ({:.0}); \
                 draw it over the whole lane or correct car_box",
                self.length(),
                0.7 * along
            ));
        }
        Ok(())
    }

    /// The line in a picture that is scaled by `sx` and `sy`.
    #[must_use]
    pub fn scaled(&self, sx: f32, sy: f32) -> Line {
        let scale = |p: Point| Point::new(p.x * sx, p.y * sy);
        let (ex, ey) = self.unit();
        // Each side of the car box scales as its own direction does.
        let along = (ex * sx).hypot(ey * sy);
        let across = (ey * sx).hypot(ex * sy);
        let [a, b] = self.car_box;
        Line {
            p1: scale(self.p1),
            p2: scale(self.p2),
            car_box: [a * along, b * across],
            ..self.clone()
        }
    }

    /// Length in pixels.
    #[must_use]
    pub fn length(&self) -> f32 {
        (self.p2.x - self.p1.x).hypot(self.p2.y - self.p1.y)
    }

    /// The direction from `p1` to `p2`, of length 1.
    #[must_use]
    pub fn unit(&self) -> (f32, f32) {
        let length = self.length().max(1e-6);
        ((self.p2.x - self.p1.x) / length, (self.p2.y - self.p1.y) / length)
    }

    /// Where a point lies: along the line from `p1`, and across it. Across is positive on the
    /// right of `p1 -> p2` as seen in the picture, so entry goes from negative to positive.
    #[must_use]
    pub fn place(&self, p: Point) -> (f32, f32) {
        let (ex, ey) = self.unit();
        let (x, y) = (p.x - self.p1.x, p.y - self.p1.y);
        (x * ex + y * ey, ex * y - ey * x)
    }

    /// The point at a place along and across the line.
    #[must_use]
    pub fn point(&self, along: f32, across: f32) -> Point {
        let (ex, ey) = self.unit();
        Point::new(self.p1.x + along * ex - across * ey, self.p1.y + along * ey + across * ex)
    }

    /// What a box covers along and across the line: `[from, to]` each.
    #[must_use]
    pub fn extent(&self, rect: &Rect) -> ([f32; 2], [f32; 2]) {
        let mut along = [f32::MAX, f32::MIN];
        let mut across = [f32::MAX, f32::MIN];
        for corner in rect.corners() {
            let (a, d) = self.place(corner);
            along = [along[0].min(a), along[1].max(a)];
            across = [across[0].min(d), across[1].max(d)];
        }
        (along, across)
    }
}
