//! UniFi Protect: the event list with metadata. Only there stand the line and the direction.

use std::borrow::Cow;

use super::{
    Finding, Message,
    decimal::Decimal,
    json::{Json, Object},
    kinds::percent,
    refusal::{NotCounted, Reason},
    too_many,
};
use crate::{
    Direction, VehicleType,
    config::{Camera, Unifi},
    limits::MAX_MESSAGE_EVENTS,
};

/// The ways over a line: the name in the configuration and the member of `linesStatus`.
const WAYS: [(&str, &str); 2] = [("a2b", "crosslineA2BAdd"), ("b2a", "crosslineB2AAdd")];

pub(crate) fn translate(
    camera: &Camera,
    unifi: &Unifi,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let json = Json::parse(message.body)?;
    let events = json.list().or_else(|| json.get("data").and_then(Json::list));
    let mut findings = Vec::new();
    for (at, event) in events.unwrap_or_else(|| vec![json]).into_iter().enumerate() {
        match event_findings(camera, unifi, event) {
            Ok(found) => findings.extend(found),
            Err(refusal) => findings.push(Finding::NotCounted(refusal.at(at))),
        }
    }
    Ok(findings)
}

fn event_findings(
    camera: &Camera,
    unifi: &Unifi,
    event: Json<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let event = event.object().ok_or_else(|| NotCounted::missing("id"))?;
    if event.get("alarm").is_some() {
        let detail = "UniFi's webhooks and public event list carry neither line nor direction: \
                      read the event list with metadata";
        return Err(NotCounted::new(Reason::NoDirection, detail));
    }
    let kind = event.scalar("type").unwrap_or_default();
    if kind != "smartDetectLine" {
        return Err(NotCounted::not_configured("event", &kind));
    }
    let device = event.scalar("camera").unwrap_or_default();
    if device != unifi.camera {
        return Err(NotCounted::not_configured("camera", &device));
    }
    let metadata = event.get("metadata").and_then(Json::object);
    let lines = metadata.as_ref().and_then(|metadata| metadata.get("linesStatus"));
    let lines = lines.and_then(Json::object).ok_or_else(|| {
        let detail = "no linesStatus: which line and way is not known";
        NotCounted::new(Reason::NoDirection, detail)
    })?;
    let mut findings = Vec::new();
    let mut has_vehicle = false;
    for (line, status) in lines.members() {
        let Some(vehicle) = status.get("vehicle").and_then(Json::object) else { continue };
        has_vehicle = true;
        if line != unifi.line {
            findings.push(Finding::NotCounted(NotCounted::not_configured("line", line)));
            continue;
        }
        let vehicle_type = vehicle_type(camera, metadata.as_ref())?;
        for (way, member) in WAYS {
            let added = vehicle.get(member).map_or(Ok(0), added)?;
            if added > 0 {
                crossings(camera, unifi, &event, (way, added), vehicle_type, &mut findings)?;
            }
        }
    }
    if has_vehicle {
        Ok(findings)
    } else {
        Err(NotCounted::new(Reason::IgnoredType, "no vehicle in linesStatus"))
    }
}

fn crossings(
    camera: &Camera,
    unifi: &Unifi,
    event: &Object<'_>,
    (way, added): (&str, usize),
    vehicle_type: VehicleType,
    findings: &mut Vec<Finding>,
) -> Result<(), NotCounted> {
    let direction: Option<Direction> = unifi.directions.of(way);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("way", way))?;
    let id = event.scalar("id").ok_or_else(|| NotCounted::missing("id"))?;
    let time = camera.json_instant(event.get("start"), "start")?;
    let score = ("score", percent(event.get("score")));
    for number in 1..=added {
        let track = format!("{id}/{}/{way}/{number}", unifi.line);
        findings.push(camera.crossing(direction, &track, vehicle_type, score, time).into());
    }
    Ok(())
}

fn added(value: Json<'_>) -> Result<usize, NotCounted> {
    let count = value.scalar().and_then(|text| Decimal::parse(&text)?.count());
    let refusal = || NotCounted::new(Reason::NotANumber, "not a whole number");
    let count = usize::try_from(count.ok_or_else(refusal)?).map_err(|_| too_many())?;
    if count > MAX_MESSAGE_EVENTS { Err(too_many()) } else { Ok(count) }
}

/// The type of the vehicles that were pictured. The name of such a picture is the plate: it is not
/// read.
fn vehicle_type(camera: &Camera, metadata: Option<&Object<'_>>) -> Result<VehicleType, NotCounted> {
    let pictures = metadata.and_then(|metadata| metadata.get("detectedThumbnails")?.list());
    let words: Vec<Cow<'_, str>> = pictures
        .unwrap_or_default()
        .into_iter()
        .filter(|picture| picture.get("type").and_then(Json::text).is_some_and(|t| t == "vehicle"))
        .filter_map(|picture| picture.pointer("/attributes/vehicleType/val")?.text())
        .collect();
    camera.vehicle_type(words)
}
