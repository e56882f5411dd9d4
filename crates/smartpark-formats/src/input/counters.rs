//! Any device with a number: LoRaWAN, Shelly, ESPHome, DeepStream, Roboflow.
//!
//! JSON Pointers in the configuration say where the numbers and the time stand.

use jiff::Timestamp;

use super::{
    CounterName, Finding, IntervalReading, Message, Reading,
    decimal::Decimal,
    json::Json,
    refusal::{NotCounted, Reason},
    telraam,
};
use crate::{
    Direction,
    config::{Camera, Counter, CounterKind, Pointers},
};

pub(crate) fn translate(
    camera: &Camera,
    counter: &Counter,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    if counter.is_bare() {
        return bare(camera, counter, message);
    }
    let json = Json::parse(message.body)?;
    if telraam::is_report(json) {
        return Err(telraam::refusal());
    }
    let holds = counter.conditions.iter().all(|(pointer, wanted)| {
        json.pointer(pointer).and_then(Json::scalar).is_some_and(|value| value == *wanted)
    });
    if !holds {
        let detail = "the message is of another device: `where` does not hold";
        return Err(NotCounted::new(Reason::NotConfigured, detail));
    }
    let mut findings = one(camera, counter, &counter.pointers, json, message);
    if let Some(history) = &counter.history {
        let list = json.pointer(&history.list).and_then(Json::list).unwrap_or_default();
        for item in list {
            findings.extend(one(camera, counter, &history.pointers, item, message));
        }
    }
    if findings.is_empty() {
        let detail = "no configured counter in this message";
        return Err(NotCounted::new(Reason::NotConfigured, detail));
    }
    Ok(findings)
}

/// A payload that is the number itself.
fn bare(
    camera: &Camera,
    counter: &Counter,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let text = std::str::from_utf8(message.body).unwrap_or_default();
    let text = text.trim().trim_matches('"');
    let value = Decimal::parse(text).and_then(Decimal::count).ok_or_else(not_whole)?;
    let named = counter.pointers.of(message.topic).map(|(direction, _)| direction);
    let time = (arrived(message)?, false);
    let readings = named.map(|direction| {
        let counter = counter_name(camera, counter, direction, "");
        let (time, is_timed) = time;
        let (epoch, is_retained) = (String::new(), message.retained);
        Finding::Reading(Reading { counter, epoch, time, is_timed, is_retained, value })
    });
    Ok(readings.collect())
}

/// The readings that one object holds.
fn one(
    camera: &Camera,
    counter: &Counter,
    pointers: &Pointers,
    json: Json<'_>,
    message: &Message<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (direction, pointer) in pointers.of(message.topic) {
        let Some(value) = json.pointer(pointer).filter(|value| !value.is_null()) else { continue };
        // The history of a counter belongs to the counter, whatever its members are called.
        let named = counter.pointers.pointer(direction).unwrap_or(pointer);
        let name = counter_name(camera, counter, direction, named);
        let reading = count(value)
            .and_then(|value| reading(camera, counter, pointers, name, (json, value), message));
        findings.push(reading.into());
    }
    findings
}

fn reading(
    camera: &Camera,
    config: &Counter,
    pointers: &Pointers,
    counter: CounterName,
    (json, value): (Json<'_>, u64),
    message: &Message<'_>,
) -> Result<Finding, NotCounted> {
    let at = |pointer: &Option<String>| {
        let pointer = pointer.as_deref()?;
        let value = json.pointer(pointer).filter(|value| !value.is_null())?;
        Some(camera.json_instant(Some(value), pointer))
    };
    let time = at(&pointers.time).transpose()?;
    if config.kind == CounterKind::Interval {
        let start = at(&pointers.start).transpose()?;
        let start = start.ok_or_else(|| NotCounted::missing("the start of the interval"))?;
        let end = time.ok_or_else(|| NotCounted::missing("the end of the interval"))?;
        return Ok(Finding::Interval(IntervalReading { counter, start, end, value }));
    }
    let epoch = pointers.epoch.as_deref().and_then(|pointer| json.pointer(pointer)?.scalar());
    let epoch = epoch.unwrap_or_default().into_owned();
    let (time, is_timed) = match time {
        Some(time) => (time, true),
        None => (arrived(message)?, false),
    };
    let is_retained = message.retained;
    Ok(Finding::Reading(Reading { counter, epoch, time, is_timed, is_retained, value }))
}

/// The counter of one pointer: its name ends in the last part of the pointer.
fn counter_name(
    camera: &Camera,
    counter: &Counter,
    direction: Direction,
    pointer: &str,
) -> CounterName {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let last = last.replace("~1", "/").replace("~0", "~");
    let name = match last.as_str() {
        "" => counter.name.clone(),
        last => format!("{}/{last}", counter.name),
    };
    CounterName { name, direction, vehicle_type: camera.default_type }
}

fn arrived(message: &Message<'_>) -> Result<Timestamp, NotCounted> {
    let cut = super::instant::whole_micros(message.arrived);
    cut.ok_or_else(|| NotCounted::new(Reason::NotANumber, "the time of arrival is out of range"))
}

/// The value of a counter: a whole number, also as a string or with a fraction of zeros.
pub(crate) fn count(value: Json<'_>) -> Result<u64, NotCounted> {
    value.scalar().and_then(|text| Decimal::parse(&text)?.count()).ok_or_else(not_whole)
}

fn not_whole() -> NotCounted {
    NotCounted::new(Reason::NotANumber, "not a whole number")
}
