//! Messages of other people's devices.
//!
//! [`translate`] turns one message of one camera into [`Finding`]s in the order in which they
//! stand in the message. Direction comes from the configuration only; nothing is guessed. Track
//! and time come from the message only, so a message that comes twice makes the same events.
//! Plates, faces and pictures are never copied out of the message.

mod axis;
mod counters;
mod dahua;
mod decimal;
mod frigate;
mod hikvision;
mod instant;
mod json;
mod kinds;
mod multipart;
mod onvif;
mod opendatacam;
mod own;
mod refusal;
mod route;
mod telraam;
mod tree;
mod unifi;
mod xml;
mod xovis;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use dahua::{DahuaPart, DahuaStream};
pub use frigate::{Advance, Sighting};
pub use own::own_events;
pub use refusal::{NotCounted, Reason};
pub use route::{Routed, matches, route};

use crate::{
    Direction, VehicleType,
    config::{Camera, Floor, Input},
    limits::{MAX_FILE_BYTES, MAX_MESSAGE_BYTES, MAX_MESSAGE_EVENTS, MAX_NAME_CHARS},
};

pub use smartpark_core::DEFAULT_CONFIDENCE;

/// One message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The MQTT topic; `None` for a message by HTTP or from a file.
    pub topic: Option<&'a str>,
    /// Whether the broker kept it from before (MQTT's retain flag).
    pub retained: bool,
    /// The `Content-Type` of an HTTP body.
    pub content_type: Option<&'a str>,
    /// The name of the file that is imported.
    pub file_name: Option<&'a str>,
    /// The bytes.
    pub body: &'a [u8],
    /// When it came. Used only for messages that carry no time.
    pub arrived: Timestamp,
}

/// A vehicle that crossed a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// The camera's id in the configuration, or in SmartPark's own event.
    pub camera_id: String,
    /// The floor whose line was crossed.
    pub floor: Floor,
    /// The floor on the other side of a ramp: there the same vehicle goes the opposite way.
    pub from: Option<Floor>,
    /// The vehicle's track, 1 to 100 characters.
    pub track_id: String,
    /// What kind of vehicle.
    pub vehicle_type: VehicleType,
    /// Which way, seen from `floor`.
    pub direction: Direction,
    /// How sure the device is, 0 to 1.
    pub confidence: f64,
    /// When, in whole microseconds.
    pub timestamp: Timestamp,
    /// The sender also sends the event of the other side of a ramp, so none is to be added.
    pub is_paired: bool,
    /// The position in the message, if the message is a list of SmartPark's own events.
    pub element: Option<usize>,
}

impl Crossing {
    /// The events of this crossing: one, or on a ramp two of the same track and time.
    pub fn events(&self) -> impl Iterator<Item = Self> {
        let here =
            Self { from: None, is_paired: self.is_paired || self.from.is_some(), ..self.clone() };
        let there = self.from.clone().map(|floor| Self {
            floor,
            direction: opposite(self.direction),
            ..here.clone()
        });
        std::iter::once(here).chain(there)
    }
}

const fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Entry => Direction::Exit,
        Direction::Exit => Direction::Entry,
    }
}

/// A counter of a device: its readings are numbers that run on, or numbers of one interval.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CounterName {
    /// The name that its tracks begin with.
    pub name: String,
    /// What its units are.
    pub direction: Direction,
    /// Their type.
    pub vehicle_type: VehicleType,
}

impl CounterName {
    /// The key of the counter's state, beside the camera's id.
    #[must_use]
    pub fn key(&self) -> String {
        shortened(&format!("counter/{}/{}", self.direction, self.name))
    }
}

/// Where a running number stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The counter.
    pub counter: CounterName,
    /// What the device changes with each reset; empty if it has nothing of the kind.
    pub epoch: String,
    /// The device's time, or the time of arrival.
    pub time: Timestamp,
    /// Whether `time` is the device's.
    pub is_timed: bool,
    /// Whether the broker kept the message from before, so it may be older than others.
    pub is_retained: bool,
    /// The number.
    pub value: u64,
}

/// How many passed within one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalReading {
    /// The counter.
    pub counter: CounterName,
    /// The beginning.
    pub start: Timestamp,
    /// The end.
    pub end: Timestamp,
    /// The number.
    pub value: u64,
}

/// One thing in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// An event.
    Crossing(Crossing),
    /// What Frigate tells of one object; [`Sighting::advance`] turns it into events.
    Sighting(Sighting),
    /// A running number; [`count_reading`](crate::counter::count_reading) turns it into events.
    Reading(Reading),
    /// The number of an interval; [`count_interval`](crate::counter::count_interval) turns it
    /// into events.
    Interval(IntervalReading),
    /// Something that makes no event.
    NotCounted(NotCounted),
    /// A sign of life without further content.
    Alive,
}

impl From<Result<Finding, NotCounted>> for Finding {
    fn from(result: Result<Finding, NotCounted>) -> Self {
        result.unwrap_or_else(Finding::NotCounted)
    }
}

/// Translates one message of `camera`. The caller has checked that the message is the camera's:
/// by its topic ([`route`]) or because it came to `/inputs/<camera>`.
#[must_use]
pub fn translate(camera: &Camera, message: &Message<'_>) -> Vec<Finding> {
    let limit = match camera.input {
        Input::OpenDataCam(_) => MAX_FILE_BYTES,
        _ => MAX_MESSAGE_BYTES,
    };
    if message.body.len() > limit {
        let detail = format!("the message is larger than {limit} bytes");
        return vec![Finding::NotCounted(NotCounted::new(Reason::TooLarge, detail))];
    }
    if message.retained
        && !matches!(camera.input, Input::Counter(_))
        && !is_counter(camera, message)
    {
        return vec![Finding::NotCounted(retained())];
    }
    let found = match &camera.input {
        Input::Frigate(frigate) => frigate::translate(camera, frigate, message),
        Input::Axis(axis) => axis::translate(camera, axis, message),
        Input::Hikvision(hikvision) => hikvision::translate(camera, hikvision, message),
        Input::Dahua(dahua) => dahua::translate(camera, dahua, message),
        Input::Onvif(onvif) => onvif::translate(camera, onvif, message),
        Input::Unifi(unifi) => unifi::translate(camera, unifi, message),
        Input::Xovis(xovis) => xovis::translate(camera, xovis, message),
        Input::Counter(counter) => counters::translate(camera, counter, message),
        Input::OpenDataCam(odc) => opendatacam::translate(camera, odc, message),
        Input::Video(_) => Err(NotCounted::new(
            Reason::NoCrossing,
            "SmartPark watches a camera with `video` itself; it sends no messages",
        )),
    };
    let findings = found.unwrap_or_else(|refusal| vec![Finding::NotCounted(refusal)]);
    if !matches!(camera.input, Input::OpenDataCam(_)) && findings.len() > MAX_MESSAGE_EVENTS {
        return vec![Finding::NotCounted(too_many())];
    }
    findings
}

/// Whether a retained message tells of a running number, which is a reading like any other.
fn is_counter(camera: &Camera, message: &Message<'_>) -> bool {
    match camera.input {
        Input::Axis(_) => true,
        Input::Onvif(_) => message.topic.is_some_and(|topic| topic.contains("/CountAggregation/")),
        _ => false,
    }
}

fn retained() -> NotCounted {
    NotCounted::new(Reason::NotSubscribed, "retained message on a topic of events")
}

fn too_many() -> NotCounted {
    let detail = format!("the message makes more than {MAX_MESSAGE_EVENTS} events");
    NotCounted::new(Reason::TooLarge, detail)
}

/// An identifier of at most [`MAX_NAME_CHARS`] characters: a longer one keeps its beginning and
/// ends in a hash of all of it. Control characters become spaces.
pub(crate) fn shortened(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().nth(MAX_NAME_CHARS).is_none() {
        return clean;
    }
    let hash = Sha256::digest(text.as_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = clean.chars().take(MAX_NAME_CHARS - hash.len() - 1).collect();
    format!("{kept}~{hash}")
}
