//! What a camera is able to see: a pure machine that is told about frames and tells states.

use serde::{Deserialize, Serialize};

use crate::frame::Frame;

/// The state of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The source is being opened.
    Starting,
    /// The first background is being learnt; nothing is counted.
    Learning,
    /// Vehicles are counted.
    Counting,
    /// Pictures come but show nothing that can be counted on.
    Blind,
    /// No pictures come.
    Lost,
}

/// Why a camera is blind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blindness {
    /// The picture is nearly black.
    Dark,
    /// The picture is nearly white.
    Bright,
    /// The picture has no contrast.
    Flat,
    /// The same picture comes again and again.
    Frozen,
    /// Something has covered the line for two minutes.
    Covered,
    /// The light changed more than can be made up for.
    Light,
}

/// A change of the state, to be logged once and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// The new state.
    pub state: State,
    /// Why, if the camera is blind.
    pub reason: Option<Blindness>,
    /// Seconds from the first frame at which the state began.
    pub t: f64,
    /// The span in which nothing was counted, when that span is over: somebody should recount.
    pub not_counted: Option<(f64, f64)>,
}

/// Darker and brighter means than these are blind.
const MEAN: (f32, f32) = (8.0, 247.0);
/// Less variance than this is blind.
const VARIANCE: f32 = 15.0;
/// The same picture for this long is blind.
const FROZEN_S: f64 = 5.0;
/// A covered line for this long is blind.
const COVERED_S: f64 = 120.0;
/// The share of the line's band that counts as covered.
const COVERED_SHARE: f32 = 0.9;
/// A gain at its bound for this long is blind.
const GAIN_S: f64 = 10.0;

/// Watches one camera.
#[derive(Debug, Clone)]
pub struct Health {
    state: State,
    reason: Option<Blindness>,
    blind_since: Option<f64>,
    last_rgb: Vec<u8>,
    changed: f64,
    uncovered: f64,
    light_good: f64,
    brightness: f32,
    turned: f64,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            state: State::Starting,
            reason: None,
            blind_since: None,
            last_rgb: Vec::new(),
            changed: 0.0,
            uncovered: 0.0,
            light_good: 0.0,
            brightness: 0.0,
            turned: 0.0,
        }
    }
}

impl Health {
    /// The state now.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The reason of blindness.
    #[must_use]
    pub fn reason(&self) -> Option<Blindness> {
        self.reason
    }

    /// The mean brightness of the last frame, 0 to 255.
    #[must_use]
    pub fn brightness(&self) -> f32 {
        self.brightness
    }

    /// The first frame has come, or the background is learnt anew.
    pub fn learning(&mut self, t: f64) -> Option<StateChange> {
        self.uncovered = t;
        self.light_good = t;
        self.changed = t;
        self.turn(State::Learning, None, t)
    }

    /// No frame came in time.
    pub fn lost(&mut self, t: f64) -> Option<StateChange> {
        self.turn(State::Lost, None, t)
    }

    /// Takes a frame of the time of learning. Says why such a picture must not be learnt from.
    pub fn observe_learning(&mut self, frame: &Frame) -> Option<StateChange> {
        (self.uncovered, self.light_good) = (frame.t, frame.t);
        match self.look(frame) {
            Some(reason) => self.turn(State::Blind, Some(reason), frame.t),
            None => self.turn(State::Learning, None, frame.t),
        }
    }

    /// Takes a frame, whether the light gain is at its bound, and the share of the line's band
    /// that is covered. Both come from the frame before if this one is not counted.
    pub fn observe(
        &mut self,
        frame: &Frame,
        gain_at_bound: bool,
        covered: f32,
    ) -> Option<StateChange> {
        let t = frame.t;
        if covered < COVERED_SHARE {
            self.uncovered = t;
        }
        if !gain_at_bound {
            self.light_good = t;
        }
        let reason = self.look(frame).or({
            if t - self.uncovered >= COVERED_S {
                Some(Blindness::Covered)
            } else if t - self.light_good >= GAIN_S {
                Some(Blindness::Light)
            } else {
                None
            }
        });
        let state = if reason.is_some() { State::Blind } else { State::Counting };
        self.turn(state, reason, t)
    }

    /// Why nothing can be seen in a frame.
    fn look(&mut self, frame: &Frame) -> Option<Blindness> {
        let t = frame.t;
        let (mean, variance) = contrast(frame);
        self.brightness = mean;
        if frame.rgb != self.last_rgb {
            self.changed = t;
            self.last_rgb.clear();
            self.last_rgb.extend_from_slice(&frame.rgb);
        }
        if mean < MEAN.0 {
            Some(Blindness::Dark)
        } else if mean > MEAN.1 {
            Some(Blindness::Bright)
        } else if variance < VARIANCE {
            Some(Blindness::Flat)
        } else if t - self.changed >= FROZEN_S {
            Some(Blindness::Frozen)
        } else {
            None
        }
    }

    /// Seconds since the state turned.
    #[must_use]
    pub fn state_age(&self, t: f64) -> f64 {
        t - self.turned
    }

    fn turn(&mut self, state: State, reason: Option<Blindness>, t: f64) -> Option<StateChange> {
        if state == self.state {
            return None;
        }
        let sees = |s: State| s == State::Counting;
        let mut not_counted = None;
        if sees(self.state) {
            self.blind_since = Some(t);
        } else if sees(state) {
            not_counted = self.blind_since.take().map(|since| (since, t));
        }
        (self.state, self.reason, self.turned) = (state, reason, t);
        Some(StateChange { state, reason, t, not_counted })
    }
}

/// Mean and variance of the brightness on a grid.
fn contrast(frame: &Frame) -> (f32, f32) {
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0_f32);
    for y in (1..frame.height).step_by(4) {
        for x in (1..frame.width).step_by(4) {
            let value = f32::from(crate::frame::luma(frame.pixel(x, y)));
            sum += value;
            squares += value * value;
            count += 1.0;
        }
    }
    let mean = sum / count.max(1.0);
    (mean, squares / count.max(1.0) - mean * mean)
}
