//! Pictures for people: a still with the line drawn in, and the slit picture of a film.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use crate::error::{Error, Result};
use crate::film::{CountOptions, MOST_FPS};
use crate::frame::Frame;
use crate::geometry::{Line, Point};
use crate::limits::MOST_SLIT_ROWS;
use crate::source::{Capture, CaptureOptions, Source};

const LINE: [u8; 3] = [255, 60, 60];
const BAND: [u8; 3] = [255, 200, 0];
const CAR: [u8; 3] = [0, 220, 255];
const ARROW: [u8; 3] = [60, 255, 60];

/// The newest frame of a source at its full size.
///
/// # Errors
/// Those of [`Capture`].
pub fn still(source: &Source, capture: &CaptureOptions) -> Result<Frame> {
    let full = CaptureOptions { width: 1920, ..capture.clone() };
    let mut open = Capture::open(source, &full)?;
    open.next_frame()?.ok_or_else(|| Error::Options("the source has no picture".into()))
}

/// Draws a line into a picture: the line, the band around it in which nothing changes, the car box
/// at its middle and an arrow in the direction of an entry. The line is in the picture's pixels.
pub fn draw_line(picture: &mut Frame, line: &Line) {
    let length = line.length();
    let [along, across] = line.car_box;
    let band = (0.12 * along.min(across)).max(2.0);
    for side in [-band, band] {
        stroke(picture, line.point(0.0, side), line.point(length, side), BAND);
    }
    let (a, b) = (0.5 * (length - along), 0.5 * (length + along));
    let corners = [(a, -0.5), (b, -0.5), (b, 0.5), (a, 0.5)]
        .map(|(along, half)| line.point(along, half * across));
    for i in 0..4 {
        stroke(picture, corners[i], corners[(i + 1) % 4], CAR);
    }
    let way = if line.swap { -1.0 } else { 1.0 } * 0.5 * across;
    let tip = line.point(0.5 * length, way);
    stroke(picture, line.point(0.5 * length, 0.0), tip, ARROW);
    let head = 0.12 * along;
    for side in [-head, head] {
        stroke(picture, line.point(0.5 * length + side, 0.7 * way), tip, ARROW);
    }
    for thick in [-1.0, 0.0, 1.0] {
        stroke(picture, line.point(0.0, thick), line.point(length, thick), LINE);
    }
}

/// A line of one pixel.
fn stroke(picture: &mut Frame, from: Point, to: Point, colour: [u8; 3]) {
    let steps = (to.x - from.x).abs().max((to.y - from.y).abs()).ceil().clamp(1.0, 10_000.0);
    for i in 0..=steps as usize {
        let part = i as f32 / steps;
        let x = from.x + part * (to.x - from.x);
        let y = from.y + part * (to.y - from.y);
        picture.set(x.round() as i64, y.round() as i64, colour);
    }
}

/// The slit picture of a film: one row for each frame, read along the line. A vehicle is a shape
/// in it, so a person can count a truth by eye. Gives the picture and the time of each row.
///
/// # Errors
/// Those of [`Capture`], and [`Error::Options`] if the line does not fit.
pub fn slit(options: &CountOptions) -> Result<(Frame, Vec<f64>)> {
    let mut capture = CaptureOptions { width: 1920, ..options.capture.clone() };
    capture.fps.get_or_insert(MOST_FPS);
    let mut film = Capture::open(&options.source, &capture)?;
    let ((from_w, from_h), (to_w, to_h)) = (film.source_size(), film.size());
    options.line.check(from_w, from_h)?;
    let line = options.line.scaled(to_w as f32 / from_w as f32, to_h as f32 / from_h as f32);
    let width = (line.length() as usize).max(1);
    let (mut rgb, mut times) = (Vec::new(), Vec::new());
    while let Some(frame) = film.next_frame()? {
        if times.len() == MOST_SLIT_ROWS {
            break;
        }
        for along in 0..width {
            let p = line.point(along as f32 + 0.5, 0.0);
            let x = (p.x.max(0.0) as usize).min(frame.width - 1);
            let y = (p.y.max(0.0) as usize).min(frame.height - 1);
            rgb.extend(frame.pixel(x, y));
        }
        times.push(frame.t);
    }
    Ok((Frame { width, height: times.len(), t: 0.0, rgb }, times))
}

/// Writes a picture as PNG.
///
/// # Errors
/// [`Error::Write`] if the file cannot be written or the picture is empty.
pub fn write_png(picture: &Frame, path: &Path) -> Result<()> {
    let failed = |cause: io::Error| Error::Write { path: path.to_owned(), cause };
    let file = File::create(path).map_err(failed)?;
    let (width, height) = (picture.width as u32, picture.height as u32);
    let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|e| failed(io::Error::other(e)))?;
    writer.write_image_data(&picture.rgb).map_err(|e| failed(io::Error::other(e)))?;
    writer.finish().map_err(|e| failed(io::Error::other(e)))
}
