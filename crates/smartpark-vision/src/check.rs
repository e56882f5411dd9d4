//! `check`: opens a source for some seconds and says what comes.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::frame::luma;
use crate::source::{Capture, CaptureOptions, Source};

/// What a source sends.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// The source, without user and password.
    pub source: String,
    /// Width and height of the source picture.
    pub size: (usize, usize),
    /// Frames that came.
    pub frames: u64,
    /// Frames per second: of the arrival of a live source, of the media time of a file.
    pub fps: f64,
    /// Seconds from the call to the first frame.
    pub first_frame_s: f64,
    /// The longest time between two frames in seconds.
    pub longest_gap_s: f64,
    /// The mean brightness of the last frame, 0 to 255.
    pub brightness: f64,
}

/// Reads a source for `seconds`.
///
/// # Errors
/// Those of [`Capture`].
pub fn check(source: &Source, capture: &CaptureOptions, seconds: f64) -> Result<CheckReport> {
    let begun = Instant::now();
    let limited = CaptureOptions { seconds: Some(seconds), ..capture.clone() };
    let mut open = Capture::open(source, &limited)?;
    let mut report = CheckReport {
        source: source.to_string(),
        size: open.source_size(),
        frames: 0,
        fps: 0.0,
        first_frame_s: begun.elapsed().as_secs_f64(),
        longest_gap_s: 0.0,
        brightness: 0.0,
    };
    let (mut last, mut skipped) = (0.0, 0);
    while begun.elapsed() < Duration::from_secs_f64(seconds) + crate::limits::LIVE_SILENCE {
        let Some(frame) = open.next_frame()? else { break };
        report.frames += 1;
        report.longest_gap_s = report.longest_gap_s.max(frame.t - last);
        last = frame.t;
        let sum: u64 = frame.rgb.as_chunks::<3>().0.iter().map(|p| u64::from(luma(*p))).sum();
        report.brightness = sum as f64 / (frame.width * frame.height) as f64;
        skipped = open.stats().dropped;
        if source.is_live() && last >= seconds {
            break;
        }
    }
    if last > 0.0 {
        report.fps = (report.frames + skipped).saturating_sub(1) as f64 / last;
    }
    Ok(report)
}
