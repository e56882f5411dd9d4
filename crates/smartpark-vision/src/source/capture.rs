//! Frames with their times from one run of the decoder.

use std::io::Read;
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::Source;
use super::child::DecoderChild;
use super::slot::{NewestFrame, SlotStats};
use super::stamps::Stamp;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::limits::{FILE_SILENCE, FRAMES_AHEAD, LIVE_SILENCE, MAX_FRAME_PIXELS, STOP_LOOK};

/// How a source is read.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureOptions {
    /// The largest width of a frame in pixels; a wider picture is scaled down.
    pub width: usize,
    /// The largest rate in frames per second; more frames are left out by the decoder.
    pub fps: Option<f64>,
    /// Seconds to skip at the beginning of a file.
    pub start: f64,
    /// Seconds to read at most.
    pub seconds: Option<f64>,
    /// The program that decodes: `ffmpeg` or a path.
    pub program: String,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        let program = "ffmpeg".into();
        CaptureOptions { width: 320, fps: None, start: 0.0, seconds: None, program }
    }
}

/// An open source.
#[derive(Debug)]
pub struct Capture {
    source: Source,
    child: DecoderChild,
    frames: Frames,
    source_size: (usize, usize),
    size: (usize, usize),
    failed: Receiver<String>,
}

/// The way from the reading thread to the counter.
#[derive(Debug)]
enum Frames {
    /// A file: in order, without drops; the decoder waits for the counter.
    Queue(Receiver<Frame>),
    /// A live source: the newest only.
    Newest(Arc<NewestFrame>),
}

/// The reading thread's end of that way.
enum Sink {
    Queue(SyncSender<Frame>),
    Newest(Arc<NewestFrame>),
}

impl Capture {
    /// Starts the decoder and waits for the size of the picture.
    ///
    /// # Errors
    /// [`Error::Start`] without `ffmpeg`, [`Error::Source`] if it cannot read the source,
    /// [`Error::Silent`] if nothing comes in time.
    pub fn open(source: &Source, options: &CaptureOptions) -> Result<Capture> {
        Capture::open_unless(source, options, None, &|| false)
    }

    /// As [`Capture::open`]. The times of a live source count from `epoch`. Ends early if `stop`
    /// becomes true.
    ///
    /// # Errors
    /// Those of [`Capture::open`], and [`Error::Stopped`].
    pub fn open_unless(
        source: &Source,
        options: &CaptureOptions,
        epoch: Option<Instant>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Capture> {
        let (mut child, pipe, stamps) = DecoderChild::start(source, options)?;
        let live = source.is_live();
        let limit = if live { LIVE_SILENCE } else { FILE_SILENCE };
        let Some((source_size, size, first)) = first_stamps(&stamps, limit, stop)? else {
            let gone = stamps.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Disconnected);
            child.end();
            return Err(if gone {
                Error::Source { source_name: source.to_string(), reason: child.last_words() }
            } else {
                silent(source, limit)
            });
        };
        let (sink, frames) = if live {
            let slot = Arc::new(NewestFrame::default());
            (Sink::Newest(Arc::clone(&slot)), Frames::Newest(slot))
        } else {
            let (sender, receiver) = sync_channel(FRAMES_AHEAD);
            (Sink::Queue(sender), Frames::Queue(receiver))
        };
        let (failure, failed) = channel();
        let mut reader = FrameReader { pipe, stamps, size, clock: Clock::new(live, epoch), sink };
        std::thread::spawn(move || {
            if let Err(reason) = reader.run(first) {
                // Nobody may be left to hear it.
                let _ = failure.send(reason);
            }
            if let Sink::Newest(slot) = &reader.sink {
                slot.close();
            }
        });
        Ok(Capture { source: source.clone(), child, frames, source_size, size, failed })
    }

    /// Width and height of the source picture: lines are drawn in its pixels.
    #[must_use]
    pub fn source_size(&self) -> (usize, usize) {
        self.source_size
    }

    /// Width and height of the frames.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The next frame, or the newest of a live source; `None` at the end of a file.
    ///
    /// # Errors
    /// [`Error::Source`] if the decoder failed or a live source ended, [`Error::Silent`] if no
    /// frame came in time. After an error the decoder is gone: open the source again.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        self.next_frame_unless(&|| false)
    }

    /// As [`Capture::next_frame`]. Ends early if `stop` becomes true.
    ///
    /// # Errors
    /// Those of [`Capture::next_frame`], and [`Error::Stopped`].
    pub fn next_frame_unless(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<Frame>> {
        let limit = if self.source.is_live() { LIVE_SILENCE } else { FILE_SILENCE };
        let deadline = Instant::now() + limit;
        loop {
            match self.frames.take(STOP_LOOK) {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => return self.ended(),
                Err(()) if stop() => return Err(Error::Stopped),
                Err(()) if Instant::now() >= deadline => {
                    self.child.end();
                    return Err(silent(&self.source, limit));
                }
                Err(()) => {}
            }
        }
    }

    /// The frames are at their end: tells a good end of a file from a failure.
    fn ended(&mut self) -> Result<Option<Frame>> {
        let error = |reason| Error::Source { source_name: self.source.to_string(), reason };
        if let Ok(reason) = self.failed.try_recv() {
            self.child.end();
            return Err(error(format!("{reason}; {}", self.child.last_words())));
        }
        let ended_well = self.child.finish();
        if self.source.is_live() || !ended_well {
            return Err(error(self.child.last_words()));
        }
        Ok(None)
    }

    /// How many frames came and how many were dropped; a file drops none.
    #[must_use]
    pub fn stats(&self) -> SlotStats {
        match &self.frames {
            Frames::Queue(_) => SlotStats::default(),
            Frames::Newest(slot) => slot.stats(),
        }
    }

    /// The process id of the decoder.
    #[must_use]
    pub fn decoder_id(&self) -> u32 {
        self.child.id()
    }
}

fn silent(source: &Source, limit: Duration) -> Error {
    Error::Silent { source_name: source.to_string(), seconds: limit.as_secs_f64() }
}

impl Frames {
    /// The next frame; `Ok(None)` if there are no more, `Err(())` if none came in time.
    fn take(&self, limit: Duration) -> std::result::Result<Option<Frame>, ()> {
        match self {
            Frames::Queue(queue) => match queue.recv_timeout(limit) {
                Ok(frame) => Ok(Some(frame)),
                Err(RecvTimeoutError::Disconnected) => Ok(None),
                Err(RecvTimeoutError::Timeout) => Err(()),
            },
            Frames::Newest(slot) => slot.take(limit),
        }
    }
}

type FirstStamps = ((usize, usize), (usize, usize), Stamp);

/// Waits for the first stamp before and the first one behind the scaler.
fn first_stamps(
    stamps: &Receiver<Stamp>,
    limit: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Option<FirstStamps>> {
    let deadline = Instant::now() + limit;
    let mut source_size = None;
    loop {
        let stamp = match stamps.recv_timeout(STOP_LOOK) {
            Ok(stamp) => stamp,
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if stop() => return Err(Error::Stopped),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => return Ok(None),
            Err(RecvTimeoutError::Timeout) => continue,
        };
        if !stamp.scaled {
            source_size.get_or_insert(stamp.size);
            continue;
        }
        let (width, height) = stamp.size;
        if width * height > MAX_FRAME_PIXELS || width < 16 || height < 16 {
            let text = format!("a frame of {width} x {height} pixels cannot be counted on");
            return Err(Error::Options(text));
        }
        return Ok(Some((source_size.unwrap_or(stamp.size), stamp.size, stamp)));
    }
}

/// The thread that reads raw frames and joins them with their stamps.
struct FrameReader {
    pipe: ChildStdout,
    stamps: Receiver<Stamp>,
    size: (usize, usize),
    clock: Clock,
    sink: Sink,
}

impl FrameReader {
    fn run(&mut self, first: Stamp) -> std::result::Result<(), String> {
        let (width, height) = self.size;
        let mut stamp = Some(first);
        loop {
            let mut rgb = vec![0; width * height * 3];
            if self.pipe.read_exact(&mut rgb).is_err() {
                return Ok(()); // The end of the pipe: the exit status tells whether it is good.
            }
            // The filter reports a frame before the muxer writes it, so this does not wait long.
            let Some(stamp) = stamp.take().or_else(|| self.next_stamp()) else {
                return Err("the decoder sent a frame without its time".into());
            };
            if stamp.size != self.size {
                return Err("the size of the picture changed".into());
            }
            let frame = Frame { width, height, t: self.clock.time_of(stamp), rgb };
            match &self.sink {
                Sink::Newest(slot) => slot.put(frame),
                Sink::Queue(queue) if queue.send(frame).is_err() => return Ok(()),
                Sink::Queue(_) => {}
            }
        }
    }

    fn next_stamp(&self) -> Option<Stamp> {
        loop {
            let stamp = self.stamps.recv_timeout(LIVE_SILENCE).ok()?;
            if stamp.scaled {
                return Some(stamp);
            }
        }
    }
}

/// Seconds from the first frame: media time of a file, arrival time of a live source.
struct Clock {
    live: bool,
    epoch: Option<Instant>,
    opened: Option<Instant>,
    first: Option<f64>,
    last: f64,
}

impl Clock {
    fn new(live: bool, epoch: Option<Instant>) -> Clock {
        Clock { live, epoch, opened: epoch, first: None, last: f64::NEG_INFINITY }
    }

    /// Times always grow: a stream without or with repeated times gets steps of a millisecond.
    fn time_of(&mut self, stamp: Stamp) -> f64 {
        let time = if self.live {
            let now = Instant::now();
            now.duration_since(*self.opened.get_or_insert(now)).as_secs_f64()
        } else {
            let media = stamp.time.unwrap_or(self.last);
            media - *self.first.get_or_insert(media)
        };
        let is_first = !self.last.is_finite();
        let time = match (is_first, self.live && self.epoch.is_some()) {
            (false, _) => time.max(self.last + 0.001),
            (true, true) => time,
            (true, false) => 0.0,
        };
        self.last = time;
        time
    }
}
