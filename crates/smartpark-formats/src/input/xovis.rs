//! Xovis: line events of version 3 and 5, and the interval counts of logics.

use std::borrow::Cow;

use super::{
    CounterName, DEFAULT_CONFIDENCE, Finding, IntervalReading, Message,
    counters::count,
    json::{Json, Object},
    refusal::{NotCounted, Reason},
};
use crate::config::{Camera, Xovis, XovisSource};

/// What version 5 calls the two ways over a line.
const V5_WAYS: [(&str, &str); 2] =
    [("LINE_CROSS_FORWARD", "forward"), ("LINE_CROSS_BACKWARD", "backward")];

pub(crate) fn translate(
    camera: &Camera,
    xovis: &Xovis,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let json = Json::parse(message.body)?;
    match &xovis.source {
        XovisSource::Logic(name) => logics(camera, xovis, name, json),
        XovisSource::Line(line) => {
            if let Some(frames) = json.pointer("/live_data/frames").and_then(Json::list) {
                return Ok(frames
                    .into_iter()
                    .flat_map(|frame| frame_findings(camera, xovis, line, frame))
                    .collect());
            }
            let values = json.list().or_else(|| json.get("values").and_then(Json::list));
            let values = values.ok_or_else(|| NotCounted::missing("values or live_data"))?;
            Ok(values
                .into_iter()
                .enumerate()
                .map(|(at, value)| {
                    v3_event(camera, xovis, line, value).map_err(|refusal| refusal.at(at)).into()
                })
                .collect())
        }
    }
}

/// `LineCount` is the crossing. `LineCrossing` tells of the same one and would double it.
fn v3_event(
    camera: &Camera,
    xovis: &Xovis,
    line: &str,
    event: Json<'_>,
) -> Result<Finding, NotCounted> {
    let event = event.object().ok_or_else(|| NotCounted::missing("type"))?;
    let kind = event.scalar("type").ok_or_else(|| NotCounted::missing("type"))?;
    match kind.as_ref() {
        "LineCount" => {}
        "LineCrossing" => {
            let detail = "LineCrossing: LineCount is counted";
            return Err(NotCounted::new(Reason::NoCrossing, detail));
        }
        other => return Err(NotCounted::word(Reason::NoCrossing, "", other, "")),
    }
    let name = event.get("countItem").and_then(|item| item.get("name")?.text());
    let name = name.ok_or_else(|| NotCounted::missing("countItem.name"))?;
    if name != line {
        return Err(NotCounted::not_configured("line", &name));
    }
    let way = event.scalar("direction").ok_or_else(|| NotCounted::missing("direction"))?;
    let direction = xovis.directions.of(&way);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("direction", &way))?;
    let object = event.get("object").and_then(|object| object.get("id")?.scalar());
    let object = object.ok_or_else(|| NotCounted::missing("object.id"))?;
    let vehicle_type = camera.vehicle_type(event.get("objectType").and_then(Json::text))?;
    let time = camera.json_instant(event.get("timestamp"), "timestamp")?;
    let confidence = ("confidence", DEFAULT_CONFIDENCE);
    camera.crossing(direction, &format!("{name}/{object}"), vehicle_type, confidence, time)
}

fn frame_findings(camera: &Camera, xovis: &Xovis, line: &str, frame: Json<'_>) -> Vec<Finding> {
    let Some(frame) = frame.object() else { return Vec::new() };
    let objects = frame.get("tracked_objects").and_then(Json::list).unwrap_or_default();
    let events = frame.get("events").and_then(Json::list).unwrap_or_default();
    events
        .into_iter()
        .map(|event| v5_event(camera, xovis, line, &frame, &objects, event).into())
        .collect()
}

fn v5_event(
    camera: &Camera,
    xovis: &Xovis,
    line: &str,
    frame: &Object<'_>,
    objects: &[Json<'_>],
    event: Json<'_>,
) -> Result<Finding, NotCounted> {
    let kind = event.get("type").and_then(Json::text);
    let kind = kind.ok_or_else(|| NotCounted::missing("events.type"))?;
    let way = V5_WAYS.iter().find(|(name, _)| *name == kind).map(|(_, way)| *way);
    let way = way.ok_or_else(|| NotCounted::word(Reason::NoCrossing, "", &kind, ""))?;
    let attributes = event.get("attributes").and_then(Json::object);
    let attributes = attributes.ok_or_else(|| NotCounted::missing("events.attributes"))?;
    let attribute = |name: &str| {
        let missing = || NotCounted::missing(format_args!("events.attributes.{name}"));
        attributes.scalar(name).ok_or_else(missing)
    };
    let name = attribute("geometry_name")?;
    if name != line {
        return Err(NotCounted::not_configured("line", &name));
    }
    let direction = xovis.directions.of(way);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("direction", way))?;
    let (track, number) = (attribute("track_id")?, attribute("sequence_number")?);
    let object = objects
        .iter()
        .find(|object| object.get("track_id").and_then(Json::scalar).is_some_and(|id| id == track));
    let word = object.and_then(|object| object.get("type")?.text());
    let vehicle_type = camera.vehicle_type(word)?;
    let time = camera.json_instant(frame.get("time"), "frames.time")?;
    let track = format!("{name}/{track}/{number}");
    let confidence = ("confidence", DEFAULT_CONFIDENCE);
    camera.crossing(direction, &track, vehicle_type, confidence, time)
}

/// Other logics in the message, and other counts such as `balance`, are someone else's numbers.
fn logics(
    camera: &Camera,
    xovis: &Xovis,
    wanted: &str,
    json: Json<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let logics = json.pointer("/logics_data/logics").and_then(Json::list);
    let logics = logics.ok_or_else(|| NotCounted::missing("logics_data.logics"))?;
    let is_wanted =
        |logic: &Json<'_>| logic.get("name").and_then(Json::text).is_some_and(|n| n == wanted);
    let logic = logics.into_iter().find(is_wanted);
    let absent = || {
        let verdict = "is not in this message";
        NotCounted::word(Reason::NotConfigured, "logic", wanted, verdict)
    };
    let records = logic.ok_or_else(absent)?.get("records").and_then(Json::list);
    let mut findings = Vec::new();
    for record in records.unwrap_or_default() {
        match record_findings(camera, xovis, wanted, record) {
            Ok(found) => findings.extend(found),
            Err(refusal) => findings.push(Finding::NotCounted(refusal)),
        }
    }
    Ok(findings)
}

fn record_findings(
    camera: &Camera,
    xovis: &Xovis,
    logic: &str,
    record: Json<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let start = camera.json_instant(record.get("from"), "records.from")?;
    let end = camera.json_instant(record.get("to"), "records.to")?;
    let counts = record.get("counts").and_then(Json::list).unwrap_or_default();
    let interval = |item: Json<'_>| {
        let name: Cow<'_, str> = item.get("name").and_then(Json::text)?;
        let direction = xovis.directions.of(&name)?;
        let value = item.get("value").ok_or_else(|| NotCounted::missing("counts.value"));
        let name = format!("{logic}/{name}");
        let counter = CounterName { name, direction, vehicle_type: camera.default_type };
        let found = value
            .and_then(count)
            .map(|value| Finding::Interval(IntervalReading { counter, start, end, value }));
        Some(found.into())
    };
    Ok(counts.into_iter().filter_map(interval).collect())
}
