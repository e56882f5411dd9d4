//! A frame as planes of brightness and colour difference, and the slope of the brightness.

use crate::frame::Frame;

/// Planes of one size. Values are in levels of 8 bits, divided by the light gain.
#[derive(Debug, Clone, Default)]
pub struct Planes {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Brightness.
    pub y: Vec<f32>,
    /// Red minus brightness.
    pub u: Vec<f32>,
    /// Blue minus brightness.
    pub v: Vec<f32>,
    /// Slope of the brightness to the right, in levels per pixel.
    pub dx: Vec<f32>,
    /// Slope of the brightness downwards, in levels per pixel.
    pub dy: Vec<f32>,
}

impl Planes {
    /// Empty planes of a size.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Planes {
        let zeros = || vec![0.0; width * height];
        Planes { width, height, y: zeros(), u: zeros(), v: zeros(), dx: zeros(), dy: zeros() }
    }

    /// Fills the planes from a frame, divided by `gain`.
    pub fn load(&mut self, frame: &Frame, gain: f32) {
        let scale = 1.0 / gain;
        let pixels = frame.rgb.as_chunks::<3>().0;
        let out = self.y.iter_mut().zip(&mut self.u).zip(&mut self.v);
        for (((y, u), v), &[r, g, b]) in out.zip(pixels) {
            let (r, g, b) = (f32::from(r) * scale, f32::from(g) * scale, f32::from(b) * scale);
            let luma = 0.30 * r + 0.59 * g + 0.11 * b;
            *y = luma;
            *u = r - luma;
            *v = b - luma;
        }
        self.slopes();
    }

    /// Computes the slopes: the kernel of Sobel, divided by its weight.
    pub fn slopes(&mut self) {
        let w = self.width;
        for row in 1..self.height - 1 {
            let above = &self.y[(row - 1) * w..row * w];
            let here = &self.y[row * w..(row + 1) * w];
            let below = &self.y[(row + 1) * w..(row + 2) * w];
            let dx = &mut self.dx[row * w + 1..(row + 1) * w - 1];
            let dy = &mut self.dy[row * w + 1..(row + 1) * w - 1];
            let windows = above.windows(3).zip(here.windows(3)).zip(below.windows(3));
            for ((dx, dy), ((a, h), b)) in dx.iter_mut().zip(dy).zip(windows) {
                let (right, left) = (a[2] + 2.0 * h[2] + b[2], a[0] + 2.0 * h[0] + b[0]);
                let (down, up) = (b[0] + 2.0 * b[1] + b[2], a[0] + 2.0 * a[1] + a[2]);
                *dx = (right - left) * 0.125;
                *dy = (down - up) * 0.125;
            }
        }
    }
}
