//! What a camera's configuration says about a device's words, and the events that come of them.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{
    Crossing, DEFAULT_CONFIDENCE, Finding,
    decimal::Decimal,
    instant::instant,
    json::Json,
    refusal::{NotCounted, Reason},
    shortened,
};
use crate::{
    Direction, VehicleType,
    config::Camera,
    words::{self, VehicleWord},
};

/// What one word means, the most special last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Unknown,
    Ignored,
    Plain(VehicleType),
    Special(VehicleType),
}

impl Camera {
    /// The type that the most special of a device's words means; no word at all means
    /// `default_type`.
    pub(crate) fn vehicle_type<'a>(
        &self,
        words: impl IntoIterator<Item = Cow<'a, str>>,
    ) -> Result<VehicleType, NotCounted> {
        let mut best: Option<(Meaning, Cow<'a, str>)> = None;
        for word in words {
            let meaning = self.meaning(&word);
            if best.as_ref().is_none_or(|(known, _)| rank(meaning) > rank(*known)) {
                best = Some((meaning, word));
            }
        }
        match best {
            None => Ok(self.default_type),
            Some((Meaning::Plain(kind) | Meaning::Special(kind), _)) => Ok(kind),
            Some((Meaning::Ignored, word)) => {
                Err(NotCounted::word(Reason::IgnoredType, "type", &word, "is ignored"))
            }
            Some((Meaning::Unknown, word)) => {
                Err(NotCounted::word(Reason::UnknownType, "type", &word, "is not known"))
            }
        }
    }

    fn meaning(&self, word: &str) -> Meaning {
        let word = word.trim().to_lowercase();
        if let Some(kind) = self.types.get(&word) {
            return Meaning::Special(*kind);
        }
        if self.ignore.contains(&word) {
            return Meaning::Ignored;
        }
        match words::vehicle(&word) {
            Some(VehicleWord::Plain) => Meaning::Plain(self.default_type),
            Some(VehicleWord::Of(kind)) => Meaning::Special(kind),
            Some(VehicleWord::NoVehicle) => Meaning::Ignored,
            None => Meaning::Unknown,
        }
    }

    /// The device's time with this camera's `clock_offset`; `path` names it in a refusal.
    pub(crate) fn instant(&self, text: &str, path: &str) -> Result<Timestamp, NotCounted> {
        let read = instant(text, &self.time_zone)
            .and_then(|instant| instant.checked_add(self.clock_offset).ok());
        let detail = || format!("{path} is not a time that can be read");
        read.ok_or_else(|| NotCounted::new(Reason::NotANumber, detail()))
    }

    /// The time in a member of a message.
    pub(crate) fn json_instant(
        &self,
        value: Option<Json<'_>>,
        path: &str,
    ) -> Result<Timestamp, NotCounted> {
        let text = value.filter(|value| !value.is_null()).and_then(Json::scalar);
        self.instant(&text.ok_or_else(|| NotCounted::missing(path))?, path)
    }

    /// An event of this camera, if the device is sure enough. `name` is what the device calls its
    /// confidence.
    pub(crate) fn crossing(
        &self,
        direction: Direction,
        track: &str,
        vehicle_type: VehicleType,
        (name, confidence): (&str, f64),
        timestamp: Timestamp,
    ) -> Result<Finding, NotCounted> {
        self.confident(name, confidence)?;
        Ok(Finding::Crossing(Crossing {
            camera_id: self.id.clone(),
            floor: self.floor.clone(),
            from: self.from.clone(),
            track_id: shortened(track),
            vehicle_type,
            direction,
            confidence,
            timestamp,
            is_paired: false,
            element: None,
        }))
    }

    pub(crate) fn confident(&self, name: &str, confidence: f64) -> Result<(), NotCounted> {
        if confidence >= self.min_confidence {
            return Ok(());
        }
        let detail = format!("{name} below min_confidence {}", self.min_confidence);
        Err(NotCounted::new(Reason::LowConfidence, detail))
    }
}

/// Order among meanings; vehicles of equal rank keep the first word.
const fn rank(meaning: Meaning) -> u8 {
    match meaning {
        Meaning::Unknown => 0,
        Meaning::Ignored => 1,
        Meaning::Plain(_) => 2,
        Meaning::Special(VehicleType::Car) => 3,
        Meaning::Special(_) => 4,
    }
}

/// A device's confidence; [`DEFAULT_CONFIDENCE`] if it is absent, 0 or not from 0 to 1.
pub(crate) fn confidence(value: Option<Json<'_>>) -> f64 {
    fraction(value, 0)
}

/// The same for a device that sends percent.
pub(crate) fn percent(value: Option<Json<'_>>) -> f64 {
    fraction(value, -2)
}

#[expect(clippy::cast_precision_loss, reason = "a fraction of a million is exact enough")]
fn fraction(value: Option<Json<'_>>, power: i32) -> f64 {
    const MILLION: i128 = 1_000_000;
    let read =
        value.and_then(Json::scalar).and_then(|text| Decimal::parse(&text)?.scaled(6 + power));
    match read {
        Some(millionths) if (1..=MILLION).contains(&millionths) => {
            millionths as f64 / MILLION as f64
        }
        _ => DEFAULT_CONFIDENCE,
    }
}
