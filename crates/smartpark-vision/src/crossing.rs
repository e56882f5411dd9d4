//! When a flip of sides is a crossing of a vehicle, and what is said of it.

use serde::{Deserialize, Serialize};

use crate::blob::Track;
use crate::geometry::Line;
use crate::sides::{Flip, Place, Side};

/// The direction over a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the left of `p1 -> p2` to its right as seen in the picture.
    Entry,
    /// The other way.
    Exit,
}

/// The class of a vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VehicleType {
    /// A car.
    Car,
    /// A truck, a van or a bus.
    Truck,
    /// A motorcycle.
    Motorcycle,
}

/// A vehicle has crossed a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// The line.
    pub line_id: String,
    /// The number of the track in this run.
    pub track: u64,
    /// The number of the crossing in the track, from 1.
    pub number: u32,
    /// The direction.
    pub direction: Direction,
    /// Seconds from the first frame at which the middle of the vehicle was on the line.
    pub t: f64,
    /// Where, in pixels of the frames from the line's first end.
    pub along: f32,
    /// The class.
    pub vehicle_type: VehicleType,
    /// 0 to 1.
    pub confidence: f64,
    /// What the rules looked at.
    pub evidence: Evidence,
}

/// What a crossing rests on, for people who ask why it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// Width along the line in cars.
    pub width: f32,
    /// Length across the line in cars.
    pub length: f32,
    /// Speed in cars per second.
    pub speed: f32,
    /// Whether the track split from another one.
    pub split: bool,
}

/// The point of crossing may lie this share of the line beyond its ends.
const BEYOND_ENDS: f32 = 0.06;
/// Narrower than this many cars is not a vehicle.
const NARROWEST: f32 = 0.37;
/// Narrower than this many cars is a vehicle only if it is fast …
const NARROW: f32 = 0.7;
/// … in cars per second, if it is slim as a person, …
const FAST: f32 = 1.1;
/// … or if it has the shape of a car.
const WALKING: f32 = 0.4;
/// Slim: the width is less than this share of the length, both in cars.
const SLIM: f32 = 0.62;
/// Wider than this, and not slim, is a vehicle at any speed.
const CAR_SHAPED: f32 = 0.55;
/// A track must have moved by this many cars in the direction of its crossing: a box also moves
/// when an outline grows or shrinks.
const LEAST_WAY: f32 = 0.3;
/// What stood for a while must have moved by this many cars on its own.
const LEAST_ALONE: f32 = 0.25;
/// A camera looks down if a car covers this many times more across the line than along it.
const FROM_ABOVE: f32 = 1.4;
/// From above, longer and wider than these many cars is a vehicle.
const LONG: f32 = 0.75;
const THIN: f32 = 0.15;
/// A smaller area, in cars, is not a vehicle.
const SMALLEST: f32 = 0.15;
/// Another crossing nearer than this many cars along the line, and closer in time than this many
/// cars of travel, is a fragment of the same vehicle.
const FRAGMENT: f32 = 0.6;
/// Size of a motorcycle at most and of a truck at least, in cars.
const MOTORCYCLE: f32 = 0.55;
const TRUCK: f32 = 1.6;
/// Confidence without a model.
const CONFIDENCE: f64 = 0.7;
const SHARED_OUTLINE: f64 = 0.2;

/// Applies the rules that need more than the track's places.
#[derive(Debug)]
pub struct Judge {
    line: Line,
    recent: Vec<Recent>,
}

#[derive(Debug, Clone, Copy)]
struct Recent {
    t: f64,
    along: f32,
    direction: Direction,
    track: u64,
}

impl Judge {
    /// A judge for a line.
    #[must_use]
    pub fn new(line: Line) -> Judge {
        Judge { line, recent: Vec::new() }
    }

    /// Takes size and speed of a track near the line. `size` is that of the picture.
    pub fn observe(&mut self, track: &mut Track, place: Place, size: (f32, f32), near: f32) {
        let [car_along, car_across] = self.line.car_box;
        if place.across.abs() > near * car_across {
            return;
        }
        let (ex, ey) = self.line.unit();
        let across = ex * track.velocity.1 - ey * track.velocity.0;
        let along = ex * track.velocity.0 + ey * track.velocity.1;
        track.speeds.push((across / car_across).hypot(along / car_along));
        if track.shared {
            track.was_shared = true;
            return;
        }
        let rect = &track.rect;
        let cut =
            rect.x0 < 1.0 || rect.y0 < 1.0 || rect.x1 > size.0 - 1.0 || rect.y1 > size.1 - 1.0;
        let (along, across) = self.line.extent(rect);
        let length = (across[1] - across[0]) / car_across;
        if !cut || length >= 1.0 {
            track.widths.push((along[1] - along[0]) / car_along);
            track.lengths.push(length);
        }
    }

    /// The crossing of a flip, if the flip is one.
    pub fn flip(&mut self, track: &mut Track, flip: Flip) -> Option<Crossing> {
        let length = self.line.length();
        let margin = BEYOND_ENDS * length;
        if !(-margin..=length + margin).contains(&flip.along) {
            return None;
        }
        let right = flip.to == Side::Right;
        let direction = if right != self.line.swap { Direction::Entry } else { Direction::Exit };
        let speed = track.speed();
        let width = track.width().unwrap_or_else(|| {
            let (along, _) = self.line.extent(&track.rect);
            (along[1] - along[0]) / self.line.car_box[0]
        });
        let length = track.length().unwrap_or(width);
        let [width, length] = track.body().unwrap_or([width, length]);
        let narrow_piece = width < NARROW && track.split;
        // A detector has already told people from vehicles.
        let person = track.class.is_none() && is_person(&self.line, width, length, speed);
        if person || (narrow_piece && speed < FAST) {
            return None;
        }
        let way = if right { track.odometer } else { -track.odometer };
        if way < LEAST_WAY * self.line.car_box[1] {
            return None;
        }
        let [along, across] = self.line.car_box;
        if track.stands(flip.t, LEAST_ALONE * along.min(across)) {
            return None;
        }
        track.odometer = 0.0;
        if self.is_fragment(track, flip, direction, speed) {
            return None;
        }
        let (t, along) = (flip.t, flip.along);
        self.recent.retain(|r| (r.t - t).abs() < 30.0);
        self.recent.push(Recent { t, along, direction, track: track.id });
        track.crossings += 1;
        Some(Crossing {
            line_id: self.line.id.clone(),
            track: track.id,
            number: track.crossings,
            direction,
            t: flip.t,
            along: flip.along,
            vehicle_type: vehicle_type(track),
            evidence: Evidence { width, length, speed, split: track.split },
            confidence: CONFIDENCE - if track.was_shared { SHARED_OUTLINE } else { 0.0 },
        })
    }

    /// Whether another track has just made this crossing.
    fn is_fragment(&self, track: &Track, flip: Flip, direction: Direction, speed: f32) -> bool {
        let [along, _] = self.line.car_box;
        let time = f64::from(FRAGMENT / speed.max(0.2));
        self.recent.iter().any(|r| {
            r.track != track.id
                && r.direction == direction
                && (r.along - flip.along).abs() < FRAGMENT * along
                && (r.t - flip.t).abs() < time
        })
    }
}

/// Whether something is too narrow and too slow for a vehicle.
///
/// A person is slimmer than the shape of a car and walks; a car far away on the line keeps its
/// shape, and a motorcycle is faster than a person.
pub(crate) fn is_person(line: &Line, width: f32, length: f32, speed: f32) -> bool {
    // Seen from above a person is short, and a long thing is a vehicle even if the sides of it
    // have the colour of the road.
    if line.car_box[1] > FROM_ABOVE * line.car_box[0] && length > LONG && width > THIN {
        return false;
    }
    let slim = width < SLIM * length;
    let car_shaped = !slim && width > CAR_SHAPED;
    width < NARROWEST
        || (width < NARROW && !car_shaped && speed < if slim { FAST } else { WALKING })
        || width * length < SMALLEST
}

/// The class of a track by its size.
fn vehicle_type(track: &Track) -> VehicleType {
    if let Some(class) = track.class {
        return class;
    }
    match (track.width(), track.length()) {
        (Some(width), Some(length)) => VehicleType::of_size(width, length),
        _ => VehicleType::Car,
    }
}

impl VehicleType {
    /// The class by size, both sides in cars.
    #[must_use]
    pub fn of_size(width: f32, length: f32) -> VehicleType {
        let size = (width * length).sqrt();
        if size < MOTORCYCLE {
            VehicleType::Motorcycle
        } else if size > TRUCK {
            VehicleType::Truck
        } else {
            VehicleType::Car
        }
    }
}
