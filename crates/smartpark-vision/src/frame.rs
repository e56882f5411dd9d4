//! One picture with its time.

/// A picture of 8-bit RGB samples, row by row, without padding.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Seconds from the first frame of the source: media time of a file, arrival time of a
    /// live source.
    pub t: f64,
    /// `width * height * 3` bytes: red, green, blue.
    pub rgb: Vec<u8>,
}

impl Frame {
    /// A frame of one colour.
    #[must_use]
    pub fn filled(width: usize, height: usize, t: f64, rgb: [u8; 3]) -> Frame {
        Frame { width, height, t, rgb: rgb.repeat(width * height) }
    }

    /// The three samples at column `x` of row `y`.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Sets the three samples at column `x` of row `y`; a place outside the picture is ignored.
    pub fn set(&mut self, x: i64, y: i64, rgb: [u8; 3]) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            self.rgb[at..at + 3].copy_from_slice(&rgb);
        }
    }

    /// The grey picture: `(77 R + 150 G + 29 B) / 256`, the weights of ITU-R BT.601.
    pub fn grey_into(&self, grey: &mut Vec<u8>) {
        grey.clear();
        grey.extend(self.rgb.as_chunks::<3>().0.iter().map(|p| luma(*p)));
    }
}

/// The brightness of one pixel, 0 to 255.
#[must_use]
pub fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8) as u8
}
