//! The loop of one camera: opens the source, feeds the [`Watch`], opens the source again after a
//! failure. It runs until it is told to stop, or to the end of a film.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::error::{Error, Result};
use crate::film::{MOST_FPS, warm_up};
use crate::limits::{NUMBERS_INTERVAL_S, STEADY_S};
use crate::source::{Capture, CaptureOptions, SlotStats, Source};
use crate::watch::{Sighting, Watch, WatchOptions};

/// Tells cameras to stop.
#[derive(Debug, Default)]
pub struct StopSignal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl StopSignal {
    /// Tells all that wait or look to stop.
    pub fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a time, or until it is set. Returns whether it is set.
    pub fn wait(&self, time: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_set, time, |is_set| !*is_set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A camera and how it is read.
#[derive(Debug)]
pub struct LiveCamera {
    /// Where pictures come from.
    pub source: Source,
    /// Width and rate of the frames.
    pub capture: CaptureOptions,
    /// Lines, masks and method.
    pub watch: WatchOptions,
    /// How fast a film plays: 1 is its own speed.
    pub speed: f64,
    /// A random number from 0 to 1, for the jitter of the waits.
    pub random: fn() -> f64,
}

/// What the loop tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A crossing or a change of state. The age is how many seconds ago it happened.
    Sighting {
        /// What was seen.
        sighting: Sighting,
        /// Seconds from then to now.
        age: f64,
    },
    /// The source cannot be read; it will be tried again after the wait.
    Trouble {
        /// Why, without user and password.
        reason: String,
        /// The wait.
        wait: Duration,
    },
    /// How the source is, once a minute.
    Numbers(Numbers),
}

/// Numbers of one camera since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// Frames that came.
    pub received: u64,
    /// Frames that were looked at.
    pub counted: u64,
    /// How often the source was opened.
    pub opened: u64,
    /// Seconds since the camera was started.
    pub seconds: f64,
}

/// Watches a camera until `stop` is set, or until a film ends.
///
/// # Errors
/// Those of [`Capture::open`] and [`Watch::frame`] for a film. A live camera is tried again after
/// every failure.
pub fn watch(
    camera: LiveCamera,
    stop: &StopSignal,
    mut report: impl FnMut(Report),
) -> Result<Numbers> {
    let LiveCamera { source, mut capture, watch, speed, random } = camera;
    capture.fps.get_or_insert(MOST_FPS);
    let mut run = Run {
        is_film: !source.is_live(),
        source,
        capture,
        watch: Watch::new(watch),
        speed,
        stop,
        begun: Instant::now(),
        numbers: Numbers::default(),
        told_numbers: 0.0,
    };
    if run.is_film {
        run.film(&mut report)?;
    } else {
        run.live(random, &mut report);
    }
    run.numbers.seconds = run.now();
    Ok(run.numbers)
}

/// A loop that runs.
struct Run<'a> {
    is_film: bool,
    source: Source,
    capture: CaptureOptions,
    watch: Watch,
    speed: f64,
    stop: &'a StopSignal,
    begun: Instant,
    numbers: Numbers,
    told_numbers: f64,
}

type Reporter<'a> = &'a mut dyn FnMut(Report);

impl Run<'_> {
    /// Seconds since the start.
    fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn live(&mut self, random: fn() -> f64, report: Reporter<'_>) {
        let mut backoff = Backoff::default();
        while !self.stop.is_set() {
            let opened = self.now();
            let Err(failure) = self.session(report) else { continue };
            if matches!(failure, Error::Stopped) {
                break;
            }
            let now = self.now();
            let told = self.watch.lost(now);
            self.tell_all(told, now, report);
            if now - opened > STEADY_S {
                backoff.reset();
            }
            let wait = backoff.next_wait(random());
            report(Report::Trouble { reason: failure.to_string(), wait });
            self.stop.wait(wait);
        }
        let (last, now) = (self.watch.finish(), self.now());
        self.tell_all(last, now, report);
    }

    /// One run of the decoder.
    fn session(&mut self, report: Reporter<'_>) -> Result<()> {
        let stop = self.stop;
        let must_stop = || stop.is_set();
        let (source, options) = (&self.source, &self.capture);
        let mut open = Capture::open_unless(source, options, Some(self.begun), &must_stop)?;
        self.numbers.opened += 1;
        let before = self.numbers;
        self.watch.opened(open.source_size(), open.size(), self.now())?;
        while let Some(frame) = open.next_frame_unless(&must_stop)? {
            if must_stop() {
                return Err(Error::Stopped);
            }
            let told = self.watch.frame(&frame)?;
            let SlotStats { received, .. } = open.stats();
            self.numbers.received = before.received + received;
            self.numbers.counted += 1;
            let now = self.now();
            self.tell_all(told, now, report);
            self.tell_numbers(report);
        }
        Ok(())
    }

    /// Plays a film once. A frame is looked at when its time has come.
    fn film(&mut self, report: Reporter<'_>) -> Result<()> {
        let stop = self.stop;
        let must_stop = || stop.is_set();
        let learnt = warm_up(&self.source, &self.capture)?;
        let mut open = Capture::open_unless(&self.source, &self.capture, None, &must_stop)?;
        self.numbers.opened += 1;
        self.watch.opened(open.source_size(), open.size(), 0.0)?;
        self.watch.learnt(learnt)?;
        self.begun = Instant::now();
        let mut last = 0.0;
        while let Some(frame) = open.next_frame_unless(&must_stop)? {
            let early = frame.t / self.speed - self.now();
            if early > 0.0 && self.stop.wait(Duration::from_secs_f64(early)) {
                return Err(Error::Stopped);
            }
            last = frame.t;
            let told = self.watch.frame(&frame)?;
            self.numbers.received += 1;
            self.numbers.counted += 1;
            self.tell_all(told, last, report);
            self.tell_numbers(report);
        }
        let told = self.watch.finish();
        self.tell_all(told, last, report);
        Ok(())
    }

    /// Tells sightings. `now` is on the clock of the frames.
    fn tell_all(&self, told: Vec<Sighting>, now: f64, report: Reporter<'_>) {
        for sighting in told {
            let t = match &sighting {
                Sighting::Crossing { crossing, .. } => crossing.t,
                Sighting::Change { change, .. } => change.t,
            };
            let age = (now - t).max(0.0) / if self.is_film { self.speed } else { 1.0 };
            report(Report::Sighting { sighting, age });
        }
    }

    fn tell_numbers(&mut self, report: Reporter<'_>) {
        self.numbers.seconds = self.now();
        if self.numbers.seconds - self.told_numbers >= NUMBERS_INTERVAL_S {
            self.told_numbers = self.numbers.seconds;
            report(Report::Numbers(self.numbers));
        }
    }
}
