//! Reading the input tables.

use super::{
    super::{
        table::Table,
        values::{one_of, topic_filter},
    },
    Access, Axis, AxisReport, CounterRules, Dahua, Directions, Frigate, Hikvision, HikvisionEvent,
    Input, Onvif, OpenDataCam, Unifi, Xovis, XovisSource,
};
use crate::limits::MAX_WRAPS_AT;

fn topic(table: &Table<'_, '_>) -> Option<String> {
    table.parsed("topic", topic_filter)
}

pub(super) fn frigate(table: &Table<'_, '_>) -> Option<Input> {
    let topic = topic(table).unwrap_or_else(|| "frigate/events".to_owned());
    let camera = table.required("camera");
    let (outside, inside) = (table.texts("outside"), table.texts("inside"));
    for (key, zones) in [("outside", &outside), ("inside", &inside)] {
        if zones.is_empty() {
            table.fault(key, "name at least one zone: a crossing is a change of side");
        }
    }
    if let Some(zone) = outside.iter().find(|zone| inside.contains(zone)) {
        table.fault("inside", &format!("{zone} also stands in outside"));
    }
    Some(Input::Frigate(Frigate { topic, camera: camera?, outside, inside }))
}

pub(super) fn axis(table: &Table<'_, '_>) -> Input {
    let report = table.text("report").map_or(AxisReport::ObjectAnalytics, AxisReport::RetailData);
    let topic = topic(table).unwrap_or_else(|| "axis/+/event/#".to_owned());
    let directions = Directions::read(table);
    Input::Axis(Axis { topic, report, directions, rules: CounterRules::read(table) })
}

pub(super) fn hikvision(table: &Table<'_, '_>) -> Option<Input> {
    table.require("event");
    let events = [
        ("linedetection", HikvisionEvent::LineDetection),
        ("ANPR", HikvisionEvent::Anpr),
        ("PeopleCounting", HikvisionEvent::PeopleCounting { is_total: true }),
    ];
    let event = table.parsed("event", |text| one_of(text, &events));
    let method =
        table.parsed("method", |text| one_of(text, &[("realTime", true), ("timeRange", false)]));
    let event = match (event, method) {
        (Some(HikvisionEvent::PeopleCounting { .. }), Some(is_total)) => {
            Some(HikvisionEvent::PeopleCounting { is_total })
        }
        (Some(HikvisionEvent::PeopleCounting { .. }), None) => event,
        (event, Some(_)) => {
            table.fault("method", "only stands beside event = \"PeopleCounting\"");
            event
        }
        (event, None) => event,
    };
    let directions = Directions::read(table);
    let rules = CounterRules::read(table);
    Some(Input::Hikvision(Hikvision { event: event?, directions, rules }))
}

pub(super) fn dahua(table: &Table<'_, '_>) -> Input {
    let access = Access::read(table);
    let channel = table.whole("channel", 0..=MAX_WRAPS_AT);
    let rule = table.whole("rule", 0..=MAX_WRAPS_AT);
    let directions = Directions::read(table);
    for (word, _) in directions.all() {
        if !["LeftToRight", "RightToLeft"].contains(&word) {
            let detail = "must be LeftToRight or RightToLeft, as the camera calls them";
            table.fault(
                if directions.entry.contains(&word.into()) { "entry" } else { "exit" },
                detail,
            );
        }
    }
    Input::Dahua(Dahua { access, channel, rule, directions })
}

pub(super) fn onvif(table: &Table<'_, '_>) -> Input {
    let (topic, access) = (topic(table), Access::read(table));
    if topic.is_none() && access.url.is_none() {
        table.fault("topic", "name the topic (MQTT) or the url (pull point) of the camera");
    }
    let directions = Directions::read(table);
    Input::Onvif(Onvif { topic, access, directions, rules: CounterRules::read(table) })
}

pub(super) fn unifi(table: &Table<'_, '_>) -> Option<Input> {
    let (camera, line) = (table.required("camera"), table.required("line"));
    let access = Access::read(table);
    let directions = Directions::read(table);
    if directions.all().any(|(word, _)| word != "a2b" && word != "b2a") {
        table.fault("entry", "must be a2b or b2a: from side A to B of the line, or back");
    }
    Some(Input::Unifi(Unifi { access, camera: camera?, line: line?, directions }))
}

pub(super) fn xovis(table: &Table<'_, '_>) -> Option<Input> {
    let (line, logic) = (table.text("line"), table.text("logic"));
    let source = match (line, logic) {
        (Some(line), None) => Some(XovisSource::Line(line)),
        (None, Some(logic)) => Some(XovisSource::Logic(logic)),
        _ => {
            table.fault("line", "name either the line (events) or the logic (interval counts)");
            None
        }
    };
    let directions = Directions::read(table);
    Some(Input::Xovis(Xovis { source: source?, directions }))
}

pub(super) fn opendatacam(table: &Table<'_, '_>) -> Option<Input> {
    let area = table.required("area");
    let directions = Directions::read(table);
    Some(Input::OpenDataCam(OpenDataCam { area: area?, directions }))
}
