//! Hikvision: line crossings, number plate readers and counters, as XML, JSON or multipart.
//!
//! Of a plate reader only direction and type are read. The plate is never looked at.

use std::borrow::Cow;

use super::{
    CounterName, DEFAULT_CONFIDENCE, Finding, IntervalReading, Message, Reading,
    decimal::Decimal,
    multipart,
    refusal::{NotCounted, Reason},
    tree::Tree,
};
use crate::config::{Camera, Hikvision, HikvisionEvent};

/// Events that a device sends as a sign of life.
const SIGNS_OF_LIFE: [&str; 2] = ["videoloss", "heartbeat"];

pub(crate) fn translate(
    camera: &Camera,
    hikvision: &Hikvision,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let root = if multipart::is_multipart(message.content_type, message.body) {
        let parts = multipart::parts(message.content_type, message.body)?;
        let described = parts.into_iter().map(Tree::parse).find(Result::is_ok);
        let nothing = || NotCounted::new(Reason::Unreadable, "no part holds XML or JSON");
        described.ok_or_else(nothing)??
    } else {
        Tree::parse(message.body)?
    };
    let alert = root.find("EventNotificationAlert").unwrap_or(&root);
    let kind = alert.value("eventType").ok_or_else(|| NotCounted::missing("eventType"))?;
    let is_active = !alert.value("eventState").is_some_and(|s| s.eq_ignore_ascii_case("inactive"));
    if !is_active && SIGNS_OF_LIFE.iter().any(|sign| kind.eq_ignore_ascii_case(sign)) {
        return Ok(vec![Finding::Alive]);
    }
    if !kind.eq_ignore_ascii_case(hikvision.event.as_str()) {
        return Err(NotCounted::not_configured("event", kind));
    }
    if !is_active {
        return Err(NotCounted::new(Reason::NoCrossing, "eventState inactive"));
    }
    match hikvision.event {
        HikvisionEvent::LineDetection => lines(camera, hikvision, alert, kind),
        HikvisionEvent::Anpr => plate_reader(camera, hikvision, alert).map(|found| vec![found]),
        HikvisionEvent::PeopleCounting { is_total } => counting(camera, hikvision, alert, is_total),
    }
}

/// One crossing for each region that was crossed.
fn lines(
    camera: &Camera,
    hikvision: &Hikvision,
    alert: &Tree,
    kind: &str,
) -> Result<Vec<Finding>, NotCounted> {
    let time = time(camera, alert.value("dateTime"), "dateTime")?;
    let channel = channel(alert);
    let mut regions = Vec::new();
    alert.find_all(&|element| element.child("regionID").is_some(), &mut regions);
    if regions.is_empty() {
        return Err(NotCounted::missing("regionID"));
    }
    let crossing = |region: &Tree| {
        let id = region.value("regionID").ok_or_else(|| NotCounted::missing("regionID"))?;
        let direction = hikvision.directions.of(id);
        let direction = direction.ok_or_else(|| NotCounted::not_configured("region", id))?;
        let target = region.value("detectionTarget").map(Cow::Borrowed);
        let vehicle_type = camera.vehicle_type(target)?;
        let track = match region.child("TargetRect").and_then(rectangle) {
            Some(rectangle) => format!("{channel}/{kind}/{id}/{rectangle}"),
            None => format!("{channel}/{kind}/{id}"),
        };
        camera.crossing(direction, &track, vehicle_type, sure(), time)
    };
    Ok(regions.into_iter().map(|region| crossing(region).into()).collect())
}

/// `X,Y,width,height` as the device wrote them: times are whole seconds, so this tells two cars of
/// one second apart.
fn rectangle(target: &Tree) -> Option<String> {
    let part = |upper: &str, lower: &str| target.value(upper).or_else(|| target.value(lower));
    let (x, y) = (part("X", "x")?, part("Y", "y")?);
    let (width, height) = (part("width", "Width")?, part("height", "Height")?);
    Some(format!("{x},{y},{width},{height}"))
}

fn plate_reader(
    camera: &Camera,
    hikvision: &Hikvision,
    alert: &Tree,
) -> Result<Finding, NotCounted> {
    let anpr = alert.child("ANPR").ok_or_else(|| NotCounted::missing("ANPR"))?;
    let way = anpr.value("direction").ok_or_else(|| NotCounted::missing("ANPR.direction"))?;
    let direction = hikvision.directions.of(way).ok_or_else(|| {
        if way.eq_ignore_ascii_case("unknown") {
            NotCounted::new(Reason::NoDirection, "direction unknown")
        } else {
            NotCounted::not_configured("direction", way)
        }
    })?;
    let time = time(camera, alert.value("dateTime"), "dateTime")?;
    let vehicle_type = camera.vehicle_type(anpr.value("vehicleType").map(Cow::Borrowed))?;
    let channel = channel(alert);
    let index = || anpr.child("vehicleInfo").and_then(|info| info.value("index"));
    let track = match (alert.value("UUID").or_else(|| anpr.value("UUID")), index()) {
        (Some(uuid), _) => format!("anpr/{channel}/{uuid}"),
        (None, Some(index)) => format!("anpr/{channel}/index:{index}"),
        (None, None) => return Err(NotCounted::missing("UUID, and vehicleInfo.index,")),
    };
    camera.crossing(direction, &track, vehicle_type, sure(), time)
}

fn counting(
    camera: &Camera,
    hikvision: &Hikvision,
    alert: &Tree,
    is_total: bool,
) -> Result<Vec<Finding>, NotCounted> {
    let counting = alert.child("peopleCounting");
    let counting = counting.ok_or_else(|| NotCounted::missing("peopleCounting"))?;
    let wanted = if is_total { "realTime" } else { "timeRange" };
    let method = counting.value("statisticalMethods").unwrap_or_default();
    if !method.eq_ignore_ascii_case(wanted) {
        return Err(NotCounted::not_configured("method", method));
    }
    let channel = channel(alert);
    let region = counting.value("regionsID").or_else(|| counting.value("regionID"));
    let region = region.unwrap_or("1");
    let times = |name: &str, member: &str| {
        let value = counting.child(name).and_then(|times| times.value(member));
        time(camera, value, &format!("{name}.{member}"))
    };
    let (start, end) = if is_total {
        let now = times("RealTime", "time")?;
        (now, now)
    } else {
        (times("TimeRange", "startTime")?, times("TimeRange", "endTime")?)
    };
    let mut findings = Vec::new();
    for (word, direction) in hikvision.directions.all() {
        let Some(text) = counting.value(word) else { continue };
        let name = format!("{channel}/{region}/{word}");
        let counter = CounterName { name, direction, vehicle_type: camera.default_type };
        let found = number(text, word).map(|value| {
            if is_total {
                let (epoch, time) = (String::new(), end);
                Finding::Reading(Reading {
                    counter,
                    epoch,
                    time,
                    is_timed: true,
                    is_retained: false,
                    value,
                })
            } else {
                Finding::Interval(IntervalReading { counter, start, end, value })
            }
        });
        findings.push(found.into());
    }
    if findings.is_empty() {
        let detail = "no configured counter in this message";
        return Err(NotCounted::new(Reason::NotConfigured, detail));
    }
    Ok(findings)
}

fn number(text: &str, word: &str) -> Result<u64, NotCounted> {
    let detail = || NotCounted::new(Reason::NotANumber, format!("{word} is not a whole number"));
    Decimal::parse(text).and_then(Decimal::count).ok_or_else(detail)
}

fn channel(alert: &Tree) -> &str {
    alert.value("channelID").or_else(|| alert.value("dynChannelID")).unwrap_or("1")
}

fn time(camera: &Camera, text: Option<&str>, path: &str) -> Result<jiff::Timestamp, NotCounted> {
    camera.instant(text.ok_or_else(|| NotCounted::missing(path))?, path)
}

/// The device says nothing about how sure it is of the vehicle.
const fn sure() -> (&'static str, f64) {
    ("confidence", DEFAULT_CONFIDENCE)
}
