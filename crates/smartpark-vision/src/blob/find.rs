//! Outlines: connected parts of the mask, with the pieces of one vehicle merged.

use crate::components::Components;
use crate::geometry::{Line, Rect};

/// An outline that may be one vehicle, a part of one, or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Blob {
    /// The box around it.
    pub rect: Rect,
    /// Pixels of the mask in it.
    pub area: usize,
    /// The labels of its parts.
    pub labels: Vec<u16>,
    /// Extent along the line, in cars.
    pub along: f32,
    /// Extent across the line, in cars.
    pub across: f32,
}

/// A part smaller than this share of a car is dirt.
const LEAST_PART: f32 = 0.02;
/// A blob smaller than this share of a car is not followed.
const LEAST_BLOB: f32 = 0.05;
/// Parts nearer than this share of a car may be one vehicle.
const GAP: f32 = 0.22;
/// Merged parts are not larger than this many cars.
const LARGEST_MERGED: f32 = 1.12;

/// Finds the blobs of a mask.
#[derive(Debug, Default)]
pub struct Finder {
    /// The parts of the last mask and their labels.
    pub components: Components,
    /// The blob of each label; `usize::MAX` for none.
    pub blob_of: Vec<usize>,
}

impl Finder {
    /// The blobs of a mask of `width` pixels a row, from the largest.
    pub fn find(&mut self, mask: &[u8], width: usize, line: &Line) -> Vec<Blob> {
        let [along, across] = line.car_box;
        let car = along * across;
        let least = ((car * LEAST_PART) as usize).max(4);
        let parts = self.components.find(mask, width, least);
        let labels = parts.iter().map(|p| usize::from(p.label)).max().unwrap_or(0) + 1;
        let mut blobs: Vec<Blob> = parts
            .into_iter()
            .map(|p| {
                sized(
                    line,
                    Blob {
                        rect: p.rect,
                        area: p.area,
                        labels: vec![p.label],
                        along: 0.0,
                        across: 0.0,
                    },
                )
            })
            .collect();
        while let Some((i, j)) = mergeable(line, &blobs) {
            let other = blobs.swap_remove(j);
            let blob = &mut blobs[i];
            blob.rect = blob.rect.around(&other.rect);
            blob.area += other.area;
            blob.labels.extend(other.labels);
            *blob = sized(line, blob.clone());
        }
        blobs.retain(|b| b.area as f32 >= car * LEAST_BLOB);
        blobs.sort_by(|a, b| b.area.cmp(&a.area).then(a.rect.x0.total_cmp(&b.rect.x0)));
        self.blob_of.clear();
        self.blob_of.resize(labels, usize::MAX);
        for (i, blob) in blobs.iter().enumerate() {
            for &label in &blob.labels {
                self.blob_of[usize::from(label)] = i;
            }
        }
        blobs
    }

    /// The blob at a pixel, if there is one.
    #[must_use]
    pub fn at(&self, pixel: usize) -> Option<usize> {
        let label = usize::from(*self.components.labels.get(pixel)?);
        self.blob_of.get(label).copied().filter(|&b| label > 0 && b != usize::MAX)
    }
}

/// Fills in the size in cars.
fn sized(line: &Line, mut blob: Blob) -> Blob {
    let (along, across) = line.extent(&blob.rect);
    blob.along = (along[1] - along[0]) / line.car_box[0];
    blob.across = (across[1] - across[0]) / line.car_box[1];
    blob
}

/// The nearest two blobs that may be one vehicle.
fn mergeable(line: &Line, blobs: &[Blob]) -> Option<(usize, usize)> {
    let mut best: Option<(f32, (usize, usize))> = None;
    for i in 0..blobs.len() {
        for j in i + 1..blobs.len() {
            let (a, b) = (&blobs[i].rect, &blobs[j].rect);
            let gap_x = (a.x0.max(b.x0) - a.x1.min(b.x1)).max(0.0);
            let gap_y = (a.y0.max(b.y0) - a.y1.min(b.y1)).max(0.0);
            let (ex, ey) = line.unit();
            // Gaps along the axes, as shares of what a car covers in that direction.
            let car_x = ex.abs() * line.car_box[0] + ey.abs() * line.car_box[1];
            let car_y = ey.abs() * line.car_box[0] + ex.abs() * line.car_box[1];
            let gap = (gap_x / car_x).max(gap_y / car_y);
            if gap > GAP {
                continue;
            }
            let (along, across) = line.extent(&a.around(b));
            let fits = (along[1] - along[0]) / line.car_box[0] <= LARGEST_MERGED
                && (across[1] - across[0]) / line.car_box[1] <= LARGEST_MERGED;
            if fits && best.is_none_or(|(g, _)| gap < g) {
                best = Some((gap, (i, j)));
            }
        }
    }
    best.map(|(_, pair)| pair)
}
