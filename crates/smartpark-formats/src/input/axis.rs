//! Axis: Object Analytics over MQTT (running totals by class) and Retail Data by HTTP (intervals).

use std::borrow::Cow;

use super::{
    CounterName, Finding, IntervalReading, Message, Reading,
    counters::count,
    json::{Json, Object},
    refusal::{NotCounted, Reason},
};
use crate::{
    Direction,
    config::{Axis, AxisReport, Camera},
};

pub(crate) fn translate(
    camera: &Camera,
    axis: &Axis,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let json = Json::parse(message.body)?;
    match &axis.report {
        AxisReport::ObjectAnalytics => scenario(camera, axis, json),
        AxisReport::RetailData(kind) => retail(camera, axis, kind, json),
    }
}

/// A crossline counting scenario: `Device1Scenario1` and one total a class.
fn scenario(camera: &Camera, axis: &Axis, json: Json<'_>) -> Result<Vec<Finding>, NotCounted> {
    let topic = json.get("topic").and_then(Json::text);
    let topic = topic.ok_or_else(|| NotCounted::missing("topic"))?;
    let scenario = topic.rsplit('/').next().unwrap_or_default();
    let direction = axis.directions.of(scenario);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("scenario", scenario))?;
    let data = json.pointer("/message/data").and_then(Json::object);
    let data = data.ok_or_else(|| NotCounted::missing("message.data"))?;
    let totals: Vec<(&str, Json<'_>)> = data
        .members()
        .filter_map(|(name, value)| name.strip_prefix("total").map(|class| (class, value)))
        .collect();
    if totals.is_empty() {
        let verdict = "tells no totals: choose a crossline counting scenario";
        return Err(NotCounted::word(Reason::NoCrossing, "scenario", scenario, verdict));
    }
    let time = camera.json_instant(json.get("timestamp"), "timestamp")?;
    let epoch = data.scalar("startTime").unwrap_or_default().into_owned();
    let has_classes = totals.iter().any(|(class, _)| !class.is_empty());
    let mut findings = Vec::new();
    for (class, value) in totals.iter().filter(|(class, _)| !(has_classes && class.is_empty())) {
        findings.extend(class_reading(camera, (scenario, direction), class, *value).map(|found| {
            found
                .map(|(counter, value)| {
                    // A message with a time of its own is put in its place, retained or not.
                    let (epoch, is_timed) = (epoch.clone(), true);
                    Finding::Reading(Reading {
                        counter,
                        epoch,
                        time,
                        is_timed,
                        is_retained: false,
                        value,
                    })
                })
                .into()
        }));
    }
    findings.extend(sum_differs(&data, &totals));
    Ok(findings)
}

/// The reading of one class; `None` for a class that is ignored and, as usual, never counted.
fn class_reading(
    camera: &Camera,
    (scenario, direction): (&str, Direction),
    class: &str,
    value: Json<'_>,
) -> Option<Result<(CounterName, u64), NotCounted>> {
    let vehicle_type = match camera.vehicle_type(class.split('/').map(Cow::Borrowed)) {
        Ok(kind) => kind,
        Err(refusal) if refusal.reason == Reason::IgnoredType => return None,
        Err(refusal) => return Some(Err(refusal)),
    };
    let name = format!("{scenario}/total{class}");
    let counter = CounterName { name, direction, vehicle_type };
    Some(count(value).map(|value| (counter, value)))
}

/// The sum over all classes is only compared with `total`.
fn sum_differs(data: &Object<'_>, totals: &[(&str, Json<'_>)]) -> Option<Finding> {
    let total = data.get("total").and_then(|total| count(total).ok())?;
    let mut classes = totals.iter().filter(|(class, _)| !class.is_empty()).peekable();
    classes.peek()?;
    let sum: u64 = classes.filter_map(|(_, value)| count(*value).ok()).sum();
    let detail = format!("total is {total}, but the classes add up to {sum}");
    (sum != total).then(|| Finding::NotCounted(NotCounted::new(Reason::Implausible, detail)))
}

/// Interval counts of one kind of measurement, such as `people-counts`.
fn retail(
    camera: &Camera,
    axis: &Axis,
    kind: &str,
    json: Json<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let measurements = json.pointer("/data/measurements").and_then(Json::list);
    let measurements = measurements.ok_or_else(|| NotCounted::missing("data.measurements"))?;
    let mut findings = Vec::new();
    for measurement in measurements {
        let Some(measurement) = measurement.object() else { continue };
        let named = measurement.scalar("kind").unwrap_or_default();
        if named != kind {
            let refusal = NotCounted::not_configured("measurement", &named);
            findings.push(Finding::NotCounted(refusal));
            continue;
        }
        let start = camera.json_instant(measurement.get("utcFrom"), "utcFrom")?;
        let end = camera.json_instant(measurement.get("utcTo"), "utcTo")?;
        for item in measurement.get("items").and_then(Json::list).unwrap_or_default() {
            let interval = item_count(camera, axis, kind, item).map(|(counter, value)| {
                Finding::Interval(IntervalReading { counter, start, end, value })
            });
            findings.push(interval.into());
        }
    }
    Ok(findings)
}

fn item_count(
    camera: &Camera,
    axis: &Axis,
    kind: &str,
    item: Json<'_>,
) -> Result<(CounterName, u64), NotCounted> {
    let way = item.get("direction").and_then(Json::text);
    let way = way.ok_or_else(|| NotCounted::missing("items.direction"))?;
    let direction = axis.directions.of(&way);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("direction", &way))?;
    let value = item.get("count").ok_or_else(|| NotCounted::missing("items.count"))?;
    let name = format!("{kind}/{way}");
    Ok((CounterName { name, direction, vehicle_type: camera.default_type }, count(value)?))
}
