//! Boxes and pixels of an outline that several tracks share.

use super::find::{Blob, Finder};
use super::track::Track;
use crate::geometry::{Point, Rect};

/// A blob of less than this share of a track's box is a scrap of it.
const SCRAP: f32 = 0.2;
/// What the points say of a scrap, beside what they say of a whole outline.
const STUCK: f32 = 0.2;

/// Shares the pixels of a blob out to the tracks in it: each pixel goes to the nearest box.
/// Gives the box around each track's pixels, or its own box if it got none.
pub(super) fn partition(
    boxes: &[Rect],
    finder: &Finder,
    blob: &Blob,
    j: usize,
    width: usize,
) -> Vec<Rect> {
    let none = Rect { x0: f32::MAX, y0: f32::MAX, x1: f32::MIN, y1: f32::MIN };
    let mut parts = vec![none; boxes.len()];
    for y in (blob.rect.y0 as usize..blob.rect.y1 as usize).step_by(2) {
        for x in (blob.rect.x0 as usize..blob.rect.x1 as usize).step_by(2) {
            if finder.at(y * width + x) != Some(j) {
                continue;
            }
            let (x, y) = (x as f32, y as f32);
            let nearest = (0..boxes.len())
                .min_by(|&a, &b| away(&boxes[a], x, y).total_cmp(&away(&boxes[b], x, y)));
            if let Some(n) = nearest {
                let part = &mut parts[n];
                *part = part.around(&Rect { x0: x, y0: y, x1: x + 2.0, y1: y + 2.0 });
            }
        }
    }
    let pairs = parts.into_iter().zip(boxes);
    pairs.map(|(part, own)| if part.x1 > part.x0 { part } else { *own }).collect()
}

/// How much a track and a blob belong together: common area, and the track's points in the blob.
pub(super) fn affinity(track: &Track, blob: &Blob, j: usize, finder: &Finder, width: usize) -> f32 {
    let common = track.rect.common(&blob.rect).area();
    // A scrap inside a large box overlaps it wholly, and the points may have stuck to it.
    let scrap = SCRAP * track.rect.area();
    let is_scrap = blob.rect.area() < scrap;
    let overlap = common / track.rect.area().min(blob.rect.area()).max(scrap).max(1.0);
    if track.points.is_empty() {
        return overlap;
    }
    let at = |p: &&Point| finder.at(p.y as usize * width + p.x as usize) == Some(j);
    let inside = track.points.iter().filter(at).count() as f32 / track.points.len() as f32;
    0.5 * overlap + if is_scrap { STUCK * inside } else { inside }
}

/// How far a pixel lies outside of a box; inside, how far it is from the middle, as a tie.
pub(super) fn away(rect: &Rect, x: f32, y: f32) -> f32 {
    let dx = (rect.x0 - x).max(x - rect.x1).max(0.0);
    let dy = (rect.y0 - y).max(y - rect.y1).max(0.0);
    let middle = rect.centre();
    let size = (rect.width() + rect.height()).max(1.0);
    dx + dy + 0.5 * ((middle.x - x).abs() + (middle.y - y).abs()) / size
}

/// A box whose sides move towards another one's by at most `step` pixels.
pub(super) fn toward(rect: &Rect, goal: &Rect, step: f32) -> Rect {
    let near = |a: f32, b: f32| a + (b - a).clamp(-step, step);
    Rect {
        x0: near(rect.x0, goal.x0),
        y0: near(rect.y0, goal.y0),
        x1: near(rect.x1, goal.x1),
        y1: near(rect.y1, goal.y1),
    }
}

/// A box moved, and if needed shrunk, into a larger one.
pub(super) fn into(rect: &Rect, outer: &Rect) -> Rect {
    let span = |a0: f32, a1: f32, b0: f32, b1: f32| {
        let size = (a1 - a0).min(b1 - b0);
        let from = a0.clamp(b0, b1 - size);
        (from, from + size)
    };
    let (x0, x1) = span(rect.x0, rect.x1, outer.x0, outer.x1);
    let (y0, y1) = span(rect.y0, rect.y1, outer.y0, outer.y1);
    Rect { x0, y0, x1, y1 }
}

/// The middle part of a box.
pub(super) fn inner(rect: &Rect) -> Rect {
    let (dx, dy) = (rect.width() * 0.2, rect.height() * 0.2);
    Rect { x0: rect.x0 + dx, y0: rect.y0 + dy, x1: rect.x1 - dx, y1: rect.y1 - dy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Line;

    #[test]
    fn a_track_stays_with_its_outline_though_its_points_stuck_to_a_scrap() {
        let (width, height) = (64, 40);
        let line = Line {
            id: "L1".into(),
            p1: Point::new(0.0, 20.0),
            p2: Point::new(64.0, 20.0),
            car_box: [20.0, 20.0],
            swap: false,
        };
        let mut mask = vec![0; width * height];
        let mut fill = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
            y.for_each(|y| mask[y * width + x.start..y * width + x.end].fill(1));
        };
        fill(2..50, 2..22);
        fill(20..27, 28..33);
        let mut finder = Finder::default();
        let blobs = finder.find(&mask, width, &line);
        assert_eq!(blobs.len(), 2, "{blobs:?}");
        let mut track = Track::new(1, Rect { x0: 2.0, y0: 2.0, x1: 50.0, y1: 34.0 }, 0.0);
        track.points = (21..26).map(|x| Point::new(x as f32, 30.0)).collect();
        let score = |j: usize| affinity(&track, &blobs[j], j, &finder, width);
        assert!(score(0) > score(1), "{} {}", score(0), score(1));
    }
}
