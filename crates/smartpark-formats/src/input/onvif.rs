//! ONVIF: events of the rule engine, over MQTT as JSON or from a pull point as SOAP.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{
    CounterName, DEFAULT_CONFIDENCE, Finding, Message, Reading,
    decimal::Decimal,
    json::{Json, Object},
    refusal::{NotCounted, Reason},
    tree::Tree,
    xml,
};
use crate::config::{Camera, Onvif};

/// One event, whichever way it came.
struct Notice<'a> {
    topic: Cow<'a, str>,
    time: Result<Timestamp, NotCounted>,
    rule: Option<Cow<'a, str>>,
    object: Option<Cow<'a, str>>,
    classes: Vec<Cow<'a, str>>,
    count: Option<Cow<'a, str>>,
}

pub(crate) fn translate(
    camera: &Camera,
    onvif: &Onvif,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    match message.topic {
        Some(topic) => {
            let json = Json::parse(message.body)?;
            let notice = from_json(camera, topic, json)?;
            finding(camera, onvif, notice).map(|found| vec![found])
        }
        None => {
            let root = xml::parse(message.body)?;
            let mut notices = Vec::new();
            root.find_all(&|element| element.name == "NotificationMessage", &mut notices);
            let notices = notices.into_iter().map(|notice| from_xml(camera, notice));
            Ok(notices
                .map(|notice| notice.and_then(|notice| finding(camera, onvif, notice)).into())
                .collect())
        }
    }
}

fn from_json<'a>(
    camera: &Camera,
    topic: &'a str,
    json: Json<'a>,
) -> Result<Notice<'a>, NotCounted> {
    let message = json.object().ok_or_else(|| NotCounted::missing("UtcTime"))?;
    let part = |name: &str| message.get(name).and_then(Json::object);
    let (source, data) = (part("Source"), part("Data"));
    let text = |part: &Option<Object<'a>>, name: &str| part.as_ref()?.scalar(name);
    let classes = data.as_ref().and_then(|data| data.set("ClassTypes"));
    let classes = match classes.and_then(Json::list) {
        Some(list) => list.into_iter().filter_map(Json::text).collect(),
        None => classes.and_then(Json::text).map_or_else(Vec::new, split),
    };
    Ok(Notice {
        topic: Cow::Borrowed(topic),
        time: camera.json_instant(message.get("UtcTime"), "UtcTime"),
        rule: text(&source, "Rule"),
        object: text(&data, "ObjectId"),
        classes,
        count: text(&data, "Count"),
    })
}

fn from_xml<'a>(camera: &Camera, notice: &'a Tree) -> Result<Notice<'a>, NotCounted> {
    let topic = notice.value("Topic").ok_or_else(|| NotCounted::missing("Topic"))?;
    let message = notice.child("Message").and_then(|outer| outer.child("Message"));
    let message = message.ok_or_else(|| NotCounted::missing("Message"))?;
    let time = message.attribute("UtcTime").ok_or_else(|| NotCounted::missing("UtcTime"));
    let item = |part: &str, name: &str| {
        let items = message.child(part).map_or(&[][..], |part| &part.children);
        let item = items
            .iter()
            .find(|item| item.name == "SimpleItem" && item.attribute("Name") == Some(name));
        item.and_then(|item| item.attribute("Value")).map(Cow::Borrowed)
    };
    Ok(Notice {
        topic: Cow::Borrowed(topic),
        time: time.and_then(|time| camera.instant(time, "UtcTime")),
        rule: item("Source", "Rule"),
        object: item("Data", "ObjectId"),
        classes: item("Data", "ClassTypes").map_or_else(Vec::new, split),
        count: item("Data", "Count"),
    })
}

/// `Vehicle Truck` and `Vehicle,Truck` are lists of words.
fn split(words: Cow<'_, str>) -> Vec<Cow<'_, str>> {
    let words = words.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    words.filter(|word| !word.is_empty()).map(|word| Cow::Owned(word.to_owned())).collect()
}

fn finding(camera: &Camera, onvif: &Onvif, notice: Notice<'_>) -> Result<Finding, NotCounted> {
    let is = |name: &str| notice.topic.contains(&format!("RuleEngine/{name}"));
    let (is_line, is_counter) = (is("LineDetector/Crossed"), is("CountAggregation/Counter"));
    let is_net = is("CountAggregation/OccupancyCounter");
    if !(is_line || is_counter || is_net) {
        let name = notice.topic.split_once("onvif-ej/").map_or(&*notice.topic, |(_, name)| name);
        return Err(NotCounted::word(Reason::NotConfigured, "event", name, "is not counted"));
    }
    let rule = notice.rule.ok_or_else(|| NotCounted::missing("Source.Rule"))?;
    let direction = onvif.directions.of(&rule);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("rule", &rule))?;
    if is_net {
        let detail = "OccupancyCounter is a net number, which is never counted";
        return Err(NotCounted::new(Reason::NoCrossing, detail));
    }
    if is_counter {
        let count = notice.count.ok_or_else(|| NotCounted::missing("Data.Count"))?;
        let value = Decimal::parse(&count).and_then(Decimal::count);
        let refusal = || NotCounted::new(Reason::NotANumber, "not a whole number");
        let vehicle_type = camera.default_type;
        let counter = CounterName { name: rule.into_owned(), direction, vehicle_type };
        let (epoch, time, value) = (String::new(), notice.time?, value.ok_or_else(refusal)?);
        return Ok(Finding::Reading(Reading {
            counter,
            epoch,
            time,
            is_timed: true,
            is_retained: false,
            value,
        }));
    }
    let vehicle_type = camera.vehicle_type(notice.classes)?;
    let track = match &notice.object {
        Some(object) => format!("{rule}/{object}"),
        None => rule.into_owned(),
    };
    let confidence = ("confidence", DEFAULT_CONFIDENCE);
    camera.crossing(direction, &track, vehicle_type, confidence, notice.time?)
}
