//! Counting a film: `count`, and what `play` needs.

use jiff::Timestamp;

use crate::counter::{Counter, Method};
use crate::error::Result;
use crate::event::{Event, EventContext, ulid};
use crate::frame::Frame;
use crate::geometry::{Line, Point};
use crate::health::StateChange;
use crate::limits::{WARM_UP_FILE_S, WARM_UP_FRAMES};
use crate::model::Detector;
use crate::seg::WarmUp;
use crate::source::{Capture, CaptureOptions, Source};

/// How a film is counted. The fields are those of the command line and of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct CountOptions {
    /// The film.
    pub source: Source,
    /// The line in the pixels of the film.
    pub line: Line,
    /// Parts of the picture that are left out, in the pixels of the film.
    pub masks: Vec<Vec<Point>>,
    /// The method.
    pub method: Method,
    /// Width, rate and range of the film.
    pub capture: CaptureOptions,
    /// The camera in the events.
    pub camera_id: String,
    /// The floor in the events.
    pub floor_id: i64,
    /// The moment of the first frame.
    pub start: Timestamp,
    /// The name of the run in track identities. `None` makes one from source, line and start, so
    /// that the same film gives the same bytes.
    pub run: Option<String>,
}

/// The most frames per second that are counted, unless the options say otherwise.
pub const MOST_FPS: f64 = 30.0;

/// What was counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountReport {
    /// Frames that were counted on.
    pub frames: u64,
    /// Seconds from the first to the last frame.
    pub seconds: f64,
    /// Events.
    pub events: u64,
    /// Changes of the camera's state.
    pub changes: Vec<StateChange>,
}

/// Counts a film from beginning to end and gives each event as it is found.
///
/// The film is opened twice: first for frames that give the background, then for all frames. So a
/// vehicle in the first second counts.
///
/// # Errors
/// All errors of [`Capture`] and [`Counter`], and those of `on_event`.
pub fn count(
    options: &CountOptions,
    detector: Option<Box<dyn Detector>>,
    mut on_event: impl FnMut(&Event) -> Result<()>,
) -> Result<CountReport> {
    let warm_up = warm_up(&options.source, &options.capture)?;
    let mut film = open(options)?;
    let mut counter = counter(options, &film, &warm_up, detector)?;
    let context = options.context();
    let mut report = CountReport::default();
    let mut give = |crossings: &[crate::Crossing], report: &mut CountReport| -> Result<()> {
        for crossing in crossings {
            report.events += 1;
            on_event(&context.event(crossing))?;
        }
        Ok(())
    };
    while let Some(frame) = film.next_frame()? {
        let step = counter.push(&frame)?;
        report.frames += 1;
        report.seconds = frame.t;
        report.changes.extend(step.change);
        give(&step.crossings, &mut report)?;
    }
    let last = counter.finish();
    give(&last, &mut report)?;
    Ok(report)
}

/// Opens a film as the options say.
///
/// # Errors
/// Those of [`Capture::open`].
pub fn open(options: &CountOptions) -> Result<Capture> {
    let mut capture = options.capture.clone();
    capture.fps.get_or_insert(MOST_FPS);
    Capture::open(&options.source, &capture)
}

/// A counter for an open film.
///
/// # Errors
/// Those of [`Counter::new`].
pub fn counter(
    options: &CountOptions,
    film: &Capture,
    warm_up: &WarmUp,
    detector: Option<Box<dyn Detector>>,
) -> Result<Counter> {
    let ((from_w, from_h), (to_w, to_h)) = (film.source_size(), film.size());
    options.line.check(from_w, from_h)?;
    let (sx, sy) = (to_w as f32 / from_w as f32, to_h as f32 / from_h as f32);
    let line = options.line.scaled(sx, sy);
    let scale = |p: &Point| Point::new(p.x * sx, p.y * sy);
    let masks: Vec<Vec<Point>> =
        options.masks.iter().map(|m| m.iter().map(scale).collect()).collect();
    Counter::new(line, options.method, warm_up, &masks, detector)
}

/// The frames that give the background of a film.
///
/// # Errors
/// Those of [`Capture`].
pub fn warm_up(source: &Source, capture: &CaptureOptions) -> Result<WarmUp> {
    let seconds = capture.seconds.unwrap_or(WARM_UP_FILE_S).min(WARM_UP_FILE_S);
    let mut sparse = capture.clone();
    sparse.seconds = Some(seconds);
    // The length of the film is not known: take more frames than needed, and thin them out.
    sparse.fps = Some(4.0);
    let mut film = Capture::open(source, &sparse)?;
    let mut frames: Vec<Frame> = Vec::new();
    let mut step = 1;
    let mut number = 0_usize;
    while let Some(frame) = film.next_frame()? {
        if number.is_multiple_of(step) {
            frames.push(frame);
        }
        number += 1;
        if frames.len() > 2 * WARM_UP_FRAMES {
            let mut even = [true, false].into_iter().cycle();
            frames.retain(|_| even.next().unwrap_or(true));
            step *= 2;
        }
    }
    let mut warm_up = WarmUp::default();
    frames.into_iter().for_each(|frame| warm_up.add(frame));
    Ok(warm_up)
}

impl CountOptions {
    /// What the events of this film say besides the crossings.
    #[must_use]
    pub fn context(&self) -> EventContext {
        EventContext {
            camera_id: self.camera_id.clone(),
            floor_id: self.floor_id,
            run: self.run.clone().unwrap_or_else(|| self.film_run()),
            start: self.start,
            with_t: true,
        }
    }

    /// A name of 26 letters from what is counted: FNV-1a in the alphabet of ULIDs.
    fn film_run(&self) -> String {
        let text = format!("{} {:?} {} {}", self.source, self.line, self.start, self.method);
        let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        for byte in text.bytes() {
            hash =
                (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        ulid(hash)
    }
}
