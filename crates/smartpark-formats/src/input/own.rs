//! SmartPark's own events, over MQTT: one object, an array, or one object a line.

use smartpark_core::intake::{RawEvent, Scalar};

use super::{
    Crossing, Finding, Message,
    json::Json,
    refusal::{NotCounted, Reason},
    retained, too_many,
};
use crate::{
    config::Floor,
    limits::{MAX_MESSAGE_BYTES, MAX_MESSAGE_EVENTS},
};

/// The members of an event.
const MEMBERS: [&str; 9] = [
    "camera_id",
    "floor_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
    "paired",
];

/// Translates one message on a topic of `mqtt.events`. Unlike `POST /events`, an event must carry
/// its timestamp: without one a message that is delivered again could not be recognised.
#[must_use]
pub fn own_events(message: &Message<'_>) -> Vec<Finding> {
    if message.retained {
        return vec![Finding::NotCounted(retained())];
    }
    if message.body.len() > MAX_MESSAGE_BYTES {
        let detail = format!("the message is larger than {MAX_MESSAGE_BYTES} bytes");
        return vec![Finding::NotCounted(NotCounted::new(Reason::TooLarge, detail))];
    }
    match Json::parse(message.body) {
        Ok(json) => match json.list() {
            Some(list) if list.len() > MAX_MESSAGE_EVENTS => {
                vec![Finding::NotCounted(too_many())]
            }
            Some(list) => {
                list.into_iter().enumerate().map(|(at, json)| element(json, at)).collect()
            }
            None => vec![event(json).map(Finding::Crossing).into()],
        },
        Err(refusal) => lines(message.body).unwrap_or_else(|| vec![Finding::NotCounted(refusal)]),
    }
}

/// One object a line; `None` if there is only one line.
fn lines(body: &[u8]) -> Option<Vec<Finding>> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    if lines.len() < 2 {
        return None;
    }
    if lines.len() > MAX_MESSAGE_EVENTS {
        return Some(vec![Finding::NotCounted(too_many())]);
    }
    let read = |(at, line): (usize, &&[u8])| match Json::parse(line) {
        Ok(json) => element(json, at),
        Err(refusal) => Finding::NotCounted(numbered(refusal, at)),
    };
    Some(lines.iter().enumerate().map(read).collect())
}

fn element(json: Json<'_>, at: usize) -> Finding {
    match event(json) {
        Ok(crossing) => Finding::Crossing(Crossing { element: Some(at), ..crossing }),
        Err(refusal) => Finding::NotCounted(numbered(refusal, at)),
    }
}

fn numbered(mut refusal: NotCounted, at: usize) -> NotCounted {
    refusal.detail = format!("element {at}: {}", refusal.detail);
    refusal.at(at)
}

/// Judged by the same rules as `POST /events`, except that a floor may be named by its name.
fn event(json: Json<'_>) -> Result<Crossing, NotCounted> {
    let misfit = |detail: String| NotCounted::new(Reason::Missing, detail);
    let object = json.object().ok_or_else(|| misfit("must be a JSON object".to_owned()))?;
    if let Some((name, _)) = object.members().find(|(name, _)| !MEMBERS.contains(name)) {
        return Err(NotCounted::word(Reason::Missing, "field", name, "is not known"));
    }
    if object.set("timestamp").is_none() {
        return Err(NotCounted::new(Reason::Missing, "timestamp is required on MQTT"));
    }
    let floor = object.set("floor");
    if floor.is_some() && object.set("floor_id").is_some() {
        return Err(misfit("floor_id and floor exclude each other".to_owned()));
    }
    let name = floor.map(|floor| floor.text().filter(|name| !name.is_empty()));
    let name = match name {
        Some(None) => return Err(misfit("floor must be the name of a floor".to_owned())),
        Some(Some(name)) => Some(name.into_owned()),
        None => None,
    };
    let paired = object.set("paired").map(scalar);
    if paired.as_ref().is_some_and(|paired| !matches!(paired, Scalar::Bool(_))) {
        return Err(misfit("paired must be true or false".to_owned()));
    }
    let member = |name: &str| object.get(name).map(scalar);
    let raw = RawEvent {
        camera_id: member("camera_id"),
        floor_id: if name.is_some() { Some(Scalar::Int(1)) } else { member("floor_id") },
        track_id: member("track_id"),
        vehicle_type: member("vehicle_type"),
        direction: member("direction"),
        confidence: member("confidence"),
        timestamp: member("timestamp"),
        ..RawEvent::default()
    };
    let event = raw.judge().map_err(|unfit| {
        let faults: Vec<String> = unfit.faults.iter().map(ToString::to_string).collect();
        misfit(faults.join("; "))
    })?;
    Ok(Crossing {
        camera_id: event.camera_id,
        floor: name.map_or(Floor::Id(event.floor_id), Floor::Name),
        from: None,
        track_id: event.track_id,
        vehicle_type: event.vehicle_type,
        direction: event.direction,
        confidence: event.confidence,
        timestamp: event.timestamp.ok_or_else(|| NotCounted::missing("timestamp"))?,
        is_paired: paired == Some(Scalar::Bool(true)),
        element: None,
    })
}

fn scalar(value: Json<'_>) -> Scalar<'_> {
    if let Some(text) = value.text() {
        return Scalar::Text(text);
    }
    match value.scalar().as_deref() {
        None if value.is_null() => Scalar::Null,
        None => Scalar::Nested,
        Some("true") => Scalar::Bool(true),
        Some("false") => Scalar::Bool(false),
        Some(number) => match number.parse() {
            Ok(int) => Scalar::Int(int),
            Err(_) => Scalar::Float(number.parse().unwrap_or(f64::NAN)),
        },
    }
}
