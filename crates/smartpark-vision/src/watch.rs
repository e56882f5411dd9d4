//! Watching one live camera: a pure machine that is told about frames and losses, and tells
//! crossings and changes of state.
//!
//! The machine learns the background first, then counts each line. It keeps what it has learnt
//! over a short loss of the source, and learns anew after a long one.

use std::fmt;

use crate::counter::{Counter, Method, Step};
use crate::crossing::Crossing;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Line, Point};
use crate::health::{Blindness, Health, State, StateChange};
use crate::limits::{LEAST_WARM_UP_FRAMES, RELEARN_S, WARM_UP_FRAMES};
use crate::model::Detector;
use crate::seg::WarmUp;

/// Makes a detector for one line.
pub type DetectorMaker = Box<dyn FnMut() -> Result<Box<dyn Detector>> + Send>;
/// Makes the name of a run: unique over restarts, for the tracks of one counter.
pub type RunNamer = Box<dyn FnMut() -> String + Send>;

/// How a camera is watched.
pub struct WatchOptions {
    /// The lines, in pixels of the source picture.
    pub lines: Vec<Line>,
    /// Parts of the picture that are left out, in pixels of the source picture.
    pub masks: Vec<Vec<Point>>,
    /// The method.
    pub method: Method,
    /// Seconds of learning before the first frame counts.
    pub warm_up_s: f64,
    /// Makes detectors for the method *model*.
    pub detector: Option<DetectorMaker>,
    /// Names runs.
    pub run: RunNamer,
}

impl fmt::Debug for WatchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchOptions").field("lines", &self.lines).finish_non_exhaustive()
    }
}

/// What the machine tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// A vehicle crossed a line.
    Crossing {
        /// The number of the line in the options, from 0.
        line: usize,
        /// The run that the track belongs to.
        run: String,
        /// The crossing; its time is on the clock of the frames.
        crossing: Crossing,
    },
    /// What a line's counter can see has changed.
    Change {
        /// The number of the line in the options, from 0.
        line: usize,
        /// The change.
        change: StateChange,
    },
}

/// One line with its counter, if it has learnt the background.
#[derive(Debug, Default)]
struct Watched {
    /// Without a counter this is what is known of the camera.
    health: Health,
    counter: Option<(String, Counter)>,
}

/// Sizes of the source picture and of the frames.
type Sizes = ((usize, usize), (usize, usize));

/// Watches one camera.
#[derive(Debug)]
pub struct Watch {
    options: WatchOptions,
    watched: Vec<Watched>,
    sizes: Option<Sizes>,
    warm_up: WarmUp,
    learning_since: Option<f64>,
    last_learning: f64,
    next_sample: f64,
    lost_since: Option<f64>,
}

impl Watch {
    /// A machine that has seen nothing yet.
    #[must_use]
    pub fn new(options: WatchOptions) -> Watch {
        let watched = options.lines.iter().map(|_| Watched::default()).collect();
        Watch {
            options,
            watched,
            sizes: None,
            warm_up: WarmUp::default(),
            learning_since: None,
            last_learning: 0.0,
            next_sample: 0.0,
            lost_since: None,
        }
    }

    /// The source is open. A picture of another size, and a loss of more than a minute, make the
    /// machine learn anew.
    ///
    /// # Errors
    /// [`Error::Options`] if a line does not fit into the source picture.
    pub fn opened(&mut self, source: (usize, usize), frames: (usize, usize), t: f64) -> Result<()> {
        for line in &self.options.lines {
            line.check(source.0, source.1)?;
        }
        let sizes = Some((source, frames));
        let is_long = self.lost_since.take().is_some_and(|since| t - since > RELEARN_S);
        if self.sizes != sizes || is_long {
            self.sizes = sizes;
            self.learn();
        }
        Ok(())
    }

    /// Takes the background from a warm-up instead of from the first seconds.
    ///
    /// # Errors
    /// Those of [`Counter::new`].
    pub fn learnt(&mut self, warm_up: WarmUp) -> Result<()> {
        self.warm_up = warm_up;
        self.start_counters()
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`Error::Detector`] if the detector fails, and those of [`Counter::new`].
    pub fn frame(&mut self, frame: &Frame) -> Result<Vec<Sighting>> {
        if self.watched.iter().all(|watched| watched.counter.is_some()) {
            return self.count(frame);
        }
        let mut told = Vec::new();
        let mut sees = true;
        for (line, watched) in self.watched.iter_mut().enumerate() {
            let change = watched.health.observe_learning(frame);
            told.extend(change.map(|change| Sighting::Change { line, change }));
            sees &= watched.health.state() == State::Learning;
        }
        let gone = frame.t - std::mem::replace(&mut self.last_learning, frame.t);
        if !sees {
            // A moment without sight is not learnt from; the time of learning is longer by it.
            self.learning_since = self.learning_since.map(|since| since + gone);
            let is_long = |watched: &Watched| watched.health.state_age(frame.t) > RELEARN_S;
            if self.watched.iter().any(is_long) {
                self.learn();
            }
            return Ok(told);
        }
        let since = *self.learning_since.get_or_insert(frame.t);
        let spacing = self.options.warm_up_s / WARM_UP_FRAMES as f64;
        if frame.t >= self.next_sample {
            self.next_sample = frame.t + spacing;
            self.warm_up.add(frame.clone());
        }
        let has_learnt = frame.t - since >= self.options.warm_up_s;
        if has_learnt && self.warm_up.len() >= LEAST_WARM_UP_FRAMES {
            self.start_counters()?;
        }
        Ok(told)
    }

    /// No frames come. Tracks that have crossed count now.
    pub fn lost(&mut self, t: f64) -> Vec<Sighting> {
        self.lost_since.get_or_insert(t);
        let mut told = Vec::new();
        for (line, watched) in self.watched.iter_mut().enumerate() {
            let (run, step) = match &mut watched.counter {
                Some((run, counter)) => (run.clone(), counter.lost(t)),
                None => {
                    let change = watched.health.lost(t);
                    (String::new(), Step { crossings: Vec::new(), change })
                }
            };
            told.extend(sightings(line, &run, step));
        }
        if self.learning_since.is_some() {
            self.learn();
        }
        told
    }

    /// The source has ended, or the program stops: tracks that have crossed count now.
    pub fn finish(&mut self) -> Vec<Sighting> {
        let mut told = Vec::new();
        for (line, watched) in self.watched.iter_mut().enumerate() {
            if let Some((run, counter)) = &mut watched.counter {
                let step = Step { crossings: counter.finish(), change: None };
                told.extend(sightings(line, run, step));
            }
        }
        told
    }

    /// The state of each line.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        let state = |watched: &Watched| match &watched.counter {
            Some((_, counter)) => counter.health().state(),
            None => watched.health.state(),
        };
        self.watched.iter().map(state).collect()
    }

    fn count(&mut self, frame: &Frame) -> Result<Vec<Sighting>> {
        let mut told = Vec::new();
        let mut must_learn = false;
        for (line, watched) in self.watched.iter_mut().enumerate() {
            let Some((run, counter)) = &mut watched.counter else { continue };
            let step = counter.push(frame)?;
            told.extend(sightings(line, run, step));
            let health = counter.health();
            // A lorry that stands on the line leaves; behind it the background is still good.
            must_learn |= health.state() == State::Blind
                && health.reason() != Some(Blindness::Covered)
                && health.state_age(frame.t) > RELEARN_S;
        }
        if must_learn {
            self.learn();
        }
        Ok(told)
    }

    /// Forgets the background. What is known of the camera stays.
    fn learn(&mut self) {
        self.warm_up = WarmUp::default();
        self.learning_since = None;
        self.next_sample = f64::NEG_INFINITY;
        for watched in &mut self.watched {
            if let Some((_, counter)) = watched.counter.take() {
                watched.health = counter.into_health();
            }
        }
    }

    fn start_counters(&mut self) -> Result<()> {
        let warm_up = std::mem::take(&mut self.warm_up);
        self.learning_since = None;
        let none = || Error::Options("the source has no picture to start from".into());
        let ((from_w, from_h), (to_w, to_h)) = self.sizes.ok_or_else(none)?;
        let (sx, sy) = (to_w as f32 / from_w as f32, to_h as f32 / from_h as f32);
        let scale = |p: &Point| Point::new(p.x * sx, p.y * sy);
        let masks: Vec<Vec<Point>> =
            self.options.masks.iter().map(|mask| mask.iter().map(scale).collect()).collect();
        for (line, watched) in self.options.lines.iter().zip(&mut self.watched) {
            let detector = match &mut self.options.detector {
                Some(make) => Some(make()?),
                None => None,
            };
            let (line, method) = (line.scaled(sx, sy), self.options.method);
            let counter = Counter::new(line, method, &warm_up, &masks, detector)?;
            let counter = counter.with_health(std::mem::take(&mut watched.health));
            watched.counter = Some(((self.options.run)(), counter));
        }
        Ok(())
    }
}

/// What a step of a line tells.
fn sightings(line: usize, run: &str, step: Step) -> impl Iterator<Item = Sighting> {
    let run = run.to_owned();
    let crossings = step.crossings.into_iter().map(move |crossing| {
        let run = run.clone();
        Sighting::Crossing { line, run, crossing }
    });
    crossings.chain(step.change.map(|change| Sighting::Change { line, change }))
}
