//! From frames to crossings: one camera, one line, one method.

use std::fmt;
use std::str::FromStr;

use crate::blob::BlobCounter;
use crate::crossing::Crossing;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Line, Point};
use crate::health::{Health, State, StateChange};
use crate::model::{Detector, ModelCounter};
use crate::seg::{Light, WarmUp};
use crate::strip::Strip;

/// How vehicles are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The model if there is a detector, else outlines.
    #[default]
    Auto,
    /// Outlines in the difference to the background. Needs no model.
    Blob,
    /// A strip across the line. For overhead cameras on weak hardware.
    Strip,
    /// Boxes of a detector, woken by motion on the strip.
    Model,
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Method> {
        match text {
            "auto" => Ok(Method::Auto),
            "blob" => Ok(Method::Blob),
            "strip" => Ok(Method::Strip),
            "model" => Ok(Method::Model),
            other => Err(Error::Options(format!(
                "method {other:?} is unknown; use auto, blob, strip or model"
            ))),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Auto => "auto",
            Method::Blob => "blob",
            Method::Strip => "strip",
            Method::Model => "model",
        })
    }
}

/// Counts the crossings of one line and watches what the camera sees.
#[derive(Debug)]
pub struct Counter {
    engine: Engine,
    health: Health,
}

#[derive(Debug)]
enum Engine {
    Blob(Box<BlobCounter>),
    Strip(Box<Strip>),
    Model(Box<Strip>, Box<ModelCounter>),
}

/// What one frame gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Crossings that this frame confirmed.
    pub crossings: Vec<Crossing>,
    /// A change of the camera's state.
    pub change: Option<StateChange>,
}

impl Counter {
    /// A counter for a line in the pixels of the frames.
    ///
    /// # Errors
    /// [`Error::Options`] if the line does not fit into the frames, if there is no frame to start
    /// from, or if the method is *model* and there is no detector.
    pub fn new(
        line: Line,
        method: Method,
        warm_up: &WarmUp,
        masks: &[Vec<Point>],
        detector: Option<Box<dyn Detector>>,
    ) -> Result<Counter> {
        let none = || Error::Options("the source has no picture to start from".into());
        let first = warm_up.frames().first().ok_or_else(none)?;
        let (width, height) = (first.width, first.height);
        line.check(width, height)?;
        let engine = match (method, detector) {
            (Method::Model, None) => {
                return Err(Error::Options(
                    "method model needs a detector; name a model file or use method blob".into(),
                ));
            }
            (Method::Model | Method::Auto, Some(detector)) => Engine::Model(
                Box::new(Strip::new(line.clone(), warm_up).ok_or_else(none)?),
                Box::new(ModelCounter::new(line, width, height, detector)),
            ),
            (Method::Strip, _) => {
                Engine::Strip(Box::new(Strip::new(line, warm_up).ok_or_else(none)?))
            }
            (Method::Auto | Method::Blob, _) => {
                let mut blob = BlobCounter::new(line, warm_up).ok_or_else(none)?;
                blob.leave_out(inside(masks, width, height));
                Engine::Blob(Box::new(blob))
            }
        };
        let mut health = Health::default();
        health.learning(first.t);
        Ok(Counter { engine, health })
    }

    /// The same counter with what was known of the camera before it.
    #[must_use]
    pub fn with_health(mut self, health: Health) -> Counter {
        self.health = health;
        self
    }

    /// Ends the counter; gives what is known of the camera.
    #[must_use]
    pub fn into_health(self) -> Health {
        self.health
    }

    /// No frames come: tracks that have crossed count now.
    pub fn lost(&mut self, t: f64) -> Step {
        let crossings = self.finish();
        Step { crossings, change: self.health.lost(t) }
    }

    /// Takes the next frame. While the camera is blind nothing is counted.
    ///
    /// # Errors
    /// [`Error::Detector`] if the detector fails.
    pub fn push(&mut self, frame: &Frame) -> Result<Step> {
        let (at_bound, covered) = (self.light().at_bound(), self.covered());
        let change = self.health.observe(frame, at_bound, covered);
        let mut crossings = match &mut self.engine {
            Engine::Blob(blob) => blob.push(frame),
            Engine::Strip(strip) => strip.push(frame),
            Engine::Model(gate, model) => {
                gate.push(frame);
                model.push(frame, gate.covered() > 0.02)?
            }
        };
        if self.health.state() == State::Blind {
            crossings.clear();
        }
        Ok(Step { crossings, change })
    }

    /// The source is at its end: tracks that have crossed count now.
    pub fn finish(&mut self) -> Vec<Crossing> {
        if self.health.state() == State::Blind {
            return Vec::new();
        }
        match &mut self.engine {
            Engine::Blob(blob) => blob.finish(),
            Engine::Strip(strip) => strip.finish(),
            Engine::Model(_, model) => model.finish(),
        }
    }

    /// The method in use.
    #[must_use]
    pub fn method(&self) -> Method {
        match self.engine {
            Engine::Blob(_) => Method::Blob,
            Engine::Strip(_) => Method::Strip,
            Engine::Model(..) => Method::Model,
        }
    }

    /// The state of the camera.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The outlines and tracks, if that is the method.
    #[must_use]
    pub fn blob(&self) -> Option<&BlobCounter> {
        match &self.engine {
            Engine::Blob(blob) => Some(blob),
            _ => None,
        }
    }

    /// The light of the last frame.
    #[must_use]
    pub fn light(&self) -> &Light {
        match &self.engine {
            Engine::Blob(blob) => blob.light(),
            Engine::Strip(strip) | Engine::Model(strip, _) => strip.light(),
        }
    }

    /// The share of the line's band that things cover.
    #[must_use]
    pub fn covered(&self) -> f32 {
        match &self.engine {
            Engine::Blob(blob) => blob.covered(),
            Engine::Strip(strip) | Engine::Model(strip, _) => strip.covered(),
        }
    }
}

/// The pixels inside some polygons, by the rule of odd crossings.
fn inside(polygons: &[Vec<Point>], width: usize, height: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for at in 0..width * height {
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let is_in = |polygon: &Vec<Point>| {
            let next = polygon.iter().cycle().skip(1);
            let sides = polygon.iter().zip(next).filter(|(a, b)| {
                (a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x
            });
            sides.count() % 2 == 1
        };
        if polygons.iter().any(is_in) {
            found.push(at);
        }
    }
    found
}
