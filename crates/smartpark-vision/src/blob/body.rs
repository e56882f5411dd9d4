//! The body of a thing: its outline without what hangs on it.
//!
//! A box says little about a thing that casts a shadow or that walks beside another one. The
//! columns of the outline across the line say more: a shadow on the ground makes low columns, and
//! two people make high columns with a gap between them. The body is the widest run of high
//! columns.

use super::find::Finder;
use crate::geometry::{Line, Point, Rect};

/// A column is high from this share of the highest one on.
const HIGH: f32 = 0.45;
/// A gap of this many cars does not end a run: outlines have holes.
const GAP: f32 = 0.06;
/// Columns that may be higher than the rest: an aerial, a pole, noise.
const HIGHEST_LEFT_OUT: usize = 2;

/// The size of a body in cars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Body {
    /// Along the line.
    pub(super) width: f32,
    /// Across the line.
    pub(super) length: f32,
}

/// The body in the part of a blob that lies in a box; `None` if the blob has no pixel there.
pub(super) fn body(
    finder: &Finder,
    blob: usize,
    rect: &Rect,
    line: &Line,
    picture_width: usize,
) -> Option<Body> {
    let (along, _) = line.extent(rect);
    let from = along[0].floor();
    let mut columns = vec![[f32::MAX, f32::MIN]; (along[1] - from) as usize + 1];
    for y in rect.y0.max(0.0) as usize..rect.y1.max(0.0) as usize {
        for x in rect.x0.max(0.0) as usize..(rect.x1.max(0.0) as usize).min(picture_width) {
            if finder.at(y * picture_width + x) != Some(blob) {
                continue;
            }
            let (a, d) = line.place(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            if let Some(column) = columns.get_mut((a - from) as usize) {
                *column = [column[0].min(d), column[1].max(d)];
            }
        }
    }
    let heights: Vec<f32> = columns.iter().map(|c| (c[1] - c[0] + 1.0).max(0.0)).collect();
    let mut sorted = heights.clone();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let highest = *sorted.get(HIGHEST_LEFT_OUT)?;
    if highest <= 0.0 {
        return None;
    }
    let [car_along, car_across] = line.car_box;
    let width = widest(&heights, HIGH * highest, (GAP * car_along) as usize);
    Some(Body { width: width as f32 / car_along, length: highest / car_across })
}

/// The widest run of columns of at least `least`, over gaps of at most `gap` columns.
fn widest(heights: &[f32], least: f32, gap: usize) -> usize {
    let (mut widest, mut begun, mut last) = (0, None, 0);
    for (at, &height) in heights.iter().enumerate() {
        if height < least {
            continue;
        }
        let from = match begun {
            Some(from) if at - last <= gap + 1 => from,
            _ => at,
        };
        (begun, last) = (Some(from), at);
        widest = widest.max(at - from + 1);
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::widest;

    #[test]
    fn a_low_column_ends_a_run_and_a_small_gap_does_not() {
        let heights = [9.0, 9.0, 1.0, 9.0, 1.0, 1.0, 1.0, 9.0, 9.0];
        assert_eq!(widest(&heights, 5.0, 0), 2);
        assert_eq!(widest(&heights, 5.0, 1), 4);
        assert_eq!(widest(&heights, 5.0, 3), 9);
        assert_eq!(widest(&[1.0, 2.0], 5.0, 1), 0);
    }
}
