//! On which side of the line a track is, and when it changed sides.
//!
//! The rules are those of the crate's documentation: a side is confirmed by frames beyond a band
//! around the line, a flip between confirmed sides is a crossing, and its moment is the
//! interpolated moment at which the middle of the vehicle was on the line.

/// A side is confirmed by this many frames beyond the band …
const CONFIRMING_FRAMES: u32 = 2;
/// … that lie at least this long apart.
const CONFIRMING_S: f64 = 0.08;

/// A side of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left of `p1 -> p2`: across is negative.
    Left,
    /// Right of `p1 -> p2`: across is positive.
    Right,
}

impl Side {
    /// The side of a signed distance.
    #[must_use]
    pub fn of(across: f32) -> Side {
        if across < 0.0 { Side::Left } else { Side::Right }
    }
}

/// Where a track was at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Seconds.
    pub t: f64,
    /// Along the line from its first end, in pixels.
    pub along: f32,
    /// Across the line, in pixels.
    pub across: f32,
}

/// A change from one confirmed side to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flip {
    /// The moment on the line.
    pub t: f64,
    /// The place on the line, in pixels from its first end.
    pub along: f32,
    /// The side that the track is on now.
    pub to: Side,
}

/// The sides of one track.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    origin: Option<Side>,
    last: Option<Place>,
    /// The last moment at which the sign changed.
    on_line: Option<Place>,
    candidate: Option<(Side, f64, u32)>,
}

impl Sides {
    /// Sides of a track that was a part of another one: it has that one's origin.
    #[must_use]
    pub fn inherit(&self, place: Place, on_line: Option<Place>) -> Sides {
        Sides { origin: self.origin, last: Some(place), on_line, candidate: None }
    }

    /// The confirmed side.
    #[must_use]
    pub fn origin(&self) -> Option<Side> {
        self.origin
    }

    /// Takes the next place; gives the flip that it confirms.
    pub fn step(&mut self, place: Place, band: f32) -> Option<Flip> {
        if let Some(last) = self.last
            && (last.across < 0.0) != (place.across < 0.0)
        {
            self.on_line = Some(between(last, place));
        }
        self.last = Some(place);
        if place.across.abs() <= band {
            return None;
        }
        let side = Side::of(place.across);
        let (since, frames) = match self.candidate {
            Some((s, since, frames)) if s == side => (since, frames + 1),
            _ => (place.t, 1),
        };
        self.candidate = Some((side, since, frames));
        let confirmed = frames >= CONFIRMING_FRAMES && place.t - since >= CONFIRMING_S - 1e-6;
        if confirmed { self.confirm(side, place) } else { None }
    }

    /// The track ends: one frame beyond the band is enough then.
    pub fn end(&mut self) -> Option<Flip> {
        let (side, _, _) = self.candidate?;
        let last = self.last?;
        (Side::of(last.across) == side).then(|| self.confirm(side, last))?
    }

    fn confirm(&mut self, side: Side, place: Place) -> Option<Flip> {
        let before = self.origin.replace(side)?;
        if before == side {
            return None;
        }
        let on = self.on_line.take().unwrap_or(place);
        Some(Flip { t: on.t, along: on.along, to: side })
    }
}

/// The place on the line between two places on different sides.
#[must_use]
pub fn between(a: Place, b: Place) -> Place {
    let whole = b.across - a.across;
    let part = if whole == 0.0 { 1.0 } else { (-a.across / whole).clamp(0.0, 1.0) };
    Place {
        t: a.t + f64::from(part) * (b.t - a.t),
        along: a.along + part * (b.along - a.along),
        across: 0.0,
    }
}
