//! Cleaning and filling of masks of 0 and 1.

/// Keeps a pixel if all pixels within `radius` columns and rows are set.
pub(super) fn erode(
    mask: &[u8],
    width: usize,
    height: usize,
    radius: usize,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) {
    scratch.clear();
    scratch.extend_from_slice(mask);
    out.clear();
    out.extend_from_slice(mask);
    for row in 0..height {
        let line = &mask[row * width..(row + 1) * width];
        let to = &mut scratch[row * width..(row + 1) * width];
        for shift in 1..=radius {
            for x in shift..width {
                to[x] &= line[x - shift];
            }
            for x in 0..width - shift {
                to[x] &= line[x + shift];
            }
        }
    }
    out.copy_from_slice(scratch);
    for shift in 1..=radius {
        let step = shift * width;
        for at in step..width * height {
            out[at] &= scratch[at - step];
        }
        for at in 0..width * height - step {
            out[at] &= scratch[at + step];
        }
    }
}

/// Keeps or sets a pixel if at least `least` of the nine around it are set.
pub(super) fn majority(
    mask: &mut [u8],
    width: usize,
    height: usize,
    least: u8,
    scratch: &mut Vec<u8>,
) {
    scratch.clear();
    scratch.resize(width * height, 0);
    for row in 0..height {
        let line = &mask[row * width..(row + 1) * width];
        let sums = &mut scratch[row * width..(row + 1) * width];
        for x in 1..width - 1 {
            sums[x] = line[x - 1] + line[x] + line[x + 1];
        }
        sums[0] = line[0] * 2 + line[1];
        sums[width - 1] = line[width - 1] * 2 + line[width - 2];
    }
    for row in 0..height {
        let above = row.saturating_sub(1) * width;
        let below = (row + 1).min(height - 1) * width;
        for x in 0..width {
            let sum = scratch[above + x] + scratch[row * width + x] + scratch[below + x];
            mask[row * width + x] = u8::from(sum >= least);
        }
    }
}

/// Sets the changed pixels that have a set pixel on all four sides, within `reach` columns and
/// rows of changed pixels. The border of the picture counts as set: a vehicle may leave it.
pub(super) fn enclosed(
    mask: &mut [u8],
    changed: &[u8],
    width: usize,
    height: usize,
    reach: (usize, usize),
    scratch: &mut Vec<u8>,
) {
    scratch.clear();
    scratch.resize(width * height, 0);
    for row in 0..height {
        let range = row * width..(row + 1) * width;
        let (mask, changed) = (&mask[range.clone()], &changed[range.clone()]);
        let sides = &mut scratch[range];
        sweep(width, reach.0, |i| (mask[i], changed[i]), |i| sides[i] |= 1);
        let back = |i: usize| width - 1 - i;
        sweep(width, reach.0, |i| (mask[back(i)], changed[back(i)]), |i| sides[back(i)] |= 2);
    }
    // Columns: one distance for each column, swept over the rows, so that memory is read in order.
    let mut since = vec![0_usize; width];
    for (bit, down) in [(4, true), (8, false)] {
        since.fill(0);
        for step in 0..height {
            let row = if down { step } else { height - 1 - step };
            for (x, since) in since.iter_mut().enumerate() {
                let at = row * width + x;
                let open = changed[at] == 1 && mask[at] == 0;
                *since = match (mask[at] == 1, open) {
                    (true, _) => 0,
                    (false, true) => *since + 1,
                    (false, false) => usize::MAX / 2,
                };
                if open && *since <= reach.1 {
                    scratch[at] |= bit;
                }
            }
        }
    }
    for (pixel, &sides) in mask.iter_mut().zip(scratch.iter()) {
        *pixel |= u8::from(sides == 15);
    }
}

/// One sweep along a row: marks the open pixels within `reach` of a set one.
fn sweep(
    length: usize,
    reach: usize,
    pixel: impl Fn(usize) -> (u8, u8),
    mut mark: impl FnMut(usize),
) {
    let mut since = 0;
    for i in 0..length {
        let (set, changed) = pixel(i);
        if set == 1 {
            since = 0;
        } else if changed == 1 {
            since += 1;
            if since <= reach {
                mark(i);
            }
        } else {
            since = usize::MAX / 2;
        }
    }
}
