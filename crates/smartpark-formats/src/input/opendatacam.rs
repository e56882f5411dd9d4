//! OpenDataCam: a recording, exported as JSON or CSV and imported as a file.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    DEFAULT_CONFIDENCE, Finding, Message,
    json::{Json, Object},
    refusal::{NotCounted, Reason},
};
use crate::config::{Camera, OpenDataCam};

/// One row, whichever form it came in.
struct Row<'a> {
    time: Cow<'a, str>,
    area: Cow<'a, str>,
    kind: Cow<'a, str>,
    id: Cow<'a, str>,
    way: Cow<'a, str>,
}

pub(crate) fn translate(
    camera: &Camera,
    odc: &OpenDataCam,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let first = message.body.iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[')) {
        return csv(camera, odc, message);
    }
    let json = Json::parse(message.body)?;
    let mut findings = Vec::new();
    for recording in json.list().unwrap_or_else(|| vec![json]) {
        findings.extend(self::recording(camera, odc, recording)?);
    }
    Ok(findings)
}

fn recording(
    camera: &Camera,
    odc: &OpenDataCam,
    json: Json<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let recording = json.object().ok_or_else(|| NotCounted::missing("_id"))?;
    let id = recording.scalar("_id").ok_or_else(|| NotCounted::missing("_id"))?;
    let areas = area_names(&recording);
    let history = recording.get("counterHistory").and_then(Json::list);
    let history = history.ok_or_else(|| NotCounted::missing("counterHistory"))?;
    let rows = history.into_iter().flat_map(|item| item.list().unwrap_or_else(|| vec![item]));
    let finding = |item: Json<'_>| {
        let item = item.object().ok_or_else(|| NotCounted::missing("counterHistory.id"))?;
        let member = |name: &str| {
            let missing = || NotCounted::missing(format_args!("counterHistory.{name}"));
            item.scalar(name).ok_or_else(missing)
        };
        let row = Row {
            time: member("timestamp")?,
            area: member("area")?,
            kind: item.scalar("name").unwrap_or_default(),
            id: member("id")?,
            way: member("countingDirection")?,
        };
        crossing(camera, odc, &id, &areas, &row)
    };
    Ok(rows.map(|row| finding(row).into()).collect())
}

/// Names of the areas by their ids.
fn area_names(recording: &Object<'_>) -> BTreeMap<String, String> {
    let areas = recording.get("areas").and_then(Json::object);
    let areas = areas.iter().flat_map(Object::members);
    areas
        .filter_map(|(id, area)| Some((id.to_owned(), area.get("name")?.text()?.into_owned())))
        .collect()
}

/// Ids of tracks begin again with each recording. A table does not name its recording: the name of
/// the file does, and for a file of another name the time of the first row stands in.
fn csv(
    camera: &Camera,
    odc: &OpenDataCam,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let unreadable = |_| NotCounted::new(Reason::Unreadable, "neither JSON nor a table");
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(message.body);
    let header = table.headers().map_err(unreadable)?.clone();
    let column = |names: &[&str]| {
        let found = header.iter().position(|cell| {
            let cell: String = cell.chars().filter(char::is_ascii_alphanumeric).collect();
            names.iter().any(|name| cell.eq_ignore_ascii_case(name))
        });
        found.ok_or_else(|| NotCounted::missing(format_args!("the column {}", names[0])))
    };
    let columns = [
        column(&["timestamp"])?,
        column(&["counterarea", "area"])?,
        column(&["objectclass", "name"])?,
        column(&["uniqueid", "id"])?,
        column(&["countingdirection"])?,
    ];
    let mut recording = message.file_name.and_then(recording_in);
    let mut findings = Vec::new();
    for record in table.records() {
        let Ok(record) = record else {
            let refusal = NotCounted::new(Reason::Unreadable, "a row does not fit the header");
            findings.push(Finding::NotCounted(refusal));
            continue;
        };
        let [time, area, kind, id, way] =
            columns.map(|column| Cow::Borrowed(record.get(column).unwrap_or_default()));
        let recording = recording.get_or_insert_with(|| format!("csv:{time}"));
        let row = Row { time, area, kind, id, way };
        findings.push(crossing(camera, odc, recording, &BTreeMap::new(), &row).into());
    }
    Ok(findings)
}

/// The recording in `counterData-2019-04-26-5cc3400252340f451cd7397a.csv`.
fn recording_in(file_name: &str) -> Option<String> {
    let name = file_name.rsplit(['/', '\\']).next()?.strip_prefix("counterData-")?;
    let id = name.splitn(4, '-').nth(3)?.strip_suffix(".csv")?;
    (!id.is_empty()).then(|| id.to_owned())
}

fn crossing(
    camera: &Camera,
    odc: &OpenDataCam,
    recording: &str,
    areas: &BTreeMap<String, String>,
    row: &Row<'_>,
) -> Result<Finding, NotCounted> {
    let area = areas.get(row.area.as_ref()).map_or(row.area.as_ref(), String::as_str);
    if odc.area != area && odc.area != row.area {
        return Err(NotCounted::not_configured("area", area));
    }
    let direction = odc.directions.of(&row.way);
    let direction = direction.ok_or_else(|| NotCounted::not_configured("direction", &row.way))?;
    let vehicle_type = camera.vehicle_type([row.kind.clone()])?;
    let time = camera.instant(&row.time, "timestamp")?;
    let track = format!("{recording}/{area}/{}", row.id);
    camera.crossing(direction, &track, vehicle_type, ("confidence", DEFAULT_CONFIDENCE), time)
}
