//! Frigate: zones become crossings.
//!
//! A message tells where an object was (`before`) and is (`after`). A set of zones gives a side of
//! the line: outside, inside or neither. An event is a change of side. The last side of each object
//! is a small state that the caller keeps; it is written together with the events, so a message
//! that comes twice or out of order changes nothing.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{
    Finding, Message,
    json::{Json, Object},
    kinds::confidence,
    refusal::{NotCounted, Reason, displayable},
    shortened,
};
use crate::{
    Direction,
    config::{Camera, Frigate},
    limits::SIDE_KEPT,
};

/// On which side of the line an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Outside,
    Inside,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Outside => Self::Inside,
            Self::Inside => Self::Outside,
        }
    }
}

/// One half of a message: where an object was at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Sight {
    time: Timestamp,
    side: Option<Side>,
    label: String,
    confidence: f64,
}

/// What one message tells of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    id: String,
    /// `None` if it was not published: Frigate was not sure of the object yet.
    before: Option<Sight>,
    after: Sight,
    /// The side in `entered_zones` from which the object came, if `before` was not published.
    came_from: Option<Side>,
    is_end: bool,
}

/// What a sighting does.
#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    /// Events and what is not counted, in order.
    pub findings: Vec<Finding>,
    /// The object's new state; `None` leaves the old one.
    pub state: Option<Vec<u8>>,
    /// From when on the state may be deleted: the object has ended.
    pub forget_after: Option<Timestamp>,
}

pub(crate) fn translate(
    camera: &Camera,
    frigate: &Frigate,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let json = Json::parse(message.body)?;
    let after = json.get("after").filter(|after| !after.is_null());
    let after = after.and_then(Json::object).ok_or_else(|| NotCounted::missing("after"))?;
    let name = after.scalar("camera").ok_or_else(|| NotCounted::missing("after.camera"))?;
    if name != frigate.camera {
        let what = "no camera is configured for frigate camera";
        return Err(NotCounted::word(Reason::NotConfigured, what, &name, ""));
    }
    let id = after.scalar("id").ok_or_else(|| NotCounted::missing("after.id"))?;
    let before = json.get("before").and_then(Json::object);
    let published =
        before.filter(|before| !before.get("false_positive").is_some_and(Json::is_true));
    let sight = sight(camera, frigate, &after, "after")?;
    // Frigate keeps the label of an object; one look spares a state for what is never counted.
    camera.vehicle_type([Cow::Borrowed(sight.label.as_str())])?;
    let came_from = match published {
        Some(_) => None,
        None => came_from(frigate, &after, sight.side),
    };
    let before = match &published {
        Some(before) => self::sight(camera, frigate, before, "before").ok(),
        None => None,
    };
    let kind = json.get("type").and_then(Json::text);
    Ok(vec![Finding::Sighting(Sighting {
        id: id.into_owned(),
        before,
        after: sight,
        came_from,
        is_end: kind.is_some_and(|kind| kind == "end"),
    })])
}

fn sight(
    camera: &Camera,
    frigate: &Frigate,
    object: &Object<'_>,
    half: &str,
) -> Result<Sight, NotCounted> {
    let time = camera.json_instant(object.get("frame_time"), &format!("{half}.frame_time"))?;
    let zones = zones(object, "current_zones");
    Ok(Sight {
        time,
        side: side(frigate, zones.iter().map(AsRef::as_ref)),
        label: displayable(&object.scalar("label").unwrap_or_default()),
        confidence: confidence(object.get("top_score")),
    })
}

fn zones<'a>(object: &Object<'a>, name: &str) -> Vec<Cow<'a, str>> {
    let list = object.get(name).and_then(Json::list).unwrap_or_default();
    list.into_iter().filter_map(Json::text).collect()
}

/// Only outside zones give outside, only inside zones inside; none or both give no side.
fn side<'a>(frigate: &Frigate, zones: impl Iterator<Item = &'a str>) -> Option<Side> {
    let (mut outside, mut inside) = (false, false);
    for zone in zones {
        outside |= frigate.outside.iter().any(|known| known == zone);
        inside |= frigate.inside.iter().any(|known| known == zone);
    }
    match (outside, inside) {
        (true, false) => Some(Side::Outside),
        (false, true) => Some(Side::Inside),
        _ => None,
    }
}

/// The side of the last entered zone that is not on the present side.
fn came_from(frigate: &Frigate, after: &Object<'_>, now: Option<Side>) -> Option<Side> {
    let entered = zones(after, "entered_zones");
    let mut sides =
        entered.iter().rev().filter_map(|zone| side(frigate, std::iter::once(zone.as_ref())));
    match now {
        Some(now) => sides.find(|side| *side == now.other()),
        None => sides.next(),
    }
}

/// The last side and time of one object, as it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    side: Option<Side>,
    micros: i64,
}

impl Kept {
    /// Text of one line: version, side, microseconds. What cannot be read counts as no state.
    fn read(state: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(state).ok()?;
        let (side, micros) = text.strip_prefix("1 ")?.split_once(' ')?;
        let side = match side {
            "outside" => Some(Side::Outside),
            "inside" => Some(Side::Inside),
            "none" => None,
            _ => return None,
        };
        Some(Self { side, micros: micros.parse().ok()? })
    }

    fn write(self) -> Vec<u8> {
        let side = match self.side {
            Some(Side::Outside) => "outside",
            Some(Side::Inside) => "inside",
            None => "none",
        };
        format!("1 {side} {}", self.micros).into_bytes()
    }
}

impl Sighting {
    /// The key of the object's state, beside the camera's id.
    #[must_use]
    pub fn key(&self) -> String {
        shortened(&format!("frigate/{}", self.id))
    }

    /// When the object was seen last.
    #[must_use]
    pub fn seen_at(&self) -> Timestamp {
        self.after.time
    }

    /// The events of this sighting, given what was kept of the object.
    #[must_use]
    pub fn advance(&self, camera: &Camera, state: Option<&[u8]>) -> Advance {
        let known = state.and_then(Kept::read);
        let mut findings = Vec::new();
        if known.is_some_and(|known| self.after.time.as_microsecond() < known.micros) {
            let detail = "older than the last message of this object";
            findings.push(Finding::NotCounted(NotCounted::new(Reason::Repeat, detail)));
            return Advance { findings, state: None, forget_after: None };
        }
        let mut kept = known.unwrap_or(Kept { side: self.came_from, micros: i64::MIN });
        if let Some(before) = &self.before {
            if known.is_some_and(|known| before.time.as_microsecond() > known.micros) {
                let detail = "a message of this object was lost; this one made up for it";
                findings.push(Finding::NotCounted(NotCounted::new(Reason::LostMessage, detail)));
            }
            if before.time.as_microsecond() >= kept.micros {
                self.see(camera, before, &mut kept, &mut findings);
            }
        }
        self.see(camera, &self.after, &mut kept, &mut findings);
        let forget_after =
            self.is_end.then(|| self.after.time.checked_add(SIDE_KEPT).unwrap_or(Timestamp::MAX));
        Advance { findings, state: Some(kept.write()), forget_after }
    }

    /// One half of the message: a side that differs from the last one is a crossing.
    fn see(&self, camera: &Camera, sight: &Sight, kept: &mut Kept, findings: &mut Vec<Finding>) {
        kept.micros = sight.time.as_microsecond();
        let Some(side) = sight.side else { return };
        if kept.side.replace(side).is_some_and(|last| last != side) {
            findings.push(self.crossing(camera, sight, side).into());
        }
    }

    fn crossing(&self, camera: &Camera, sight: &Sight, side: Side) -> Result<Finding, NotCounted> {
        let direction = match side {
            Side::Inside => Direction::Entry,
            Side::Outside => Direction::Exit,
        };
        let kind = camera.vehicle_type([Cow::Borrowed(sight.label.as_str())])?;
        camera.crossing(direction, &self.id, kind, ("top_score", sight.confidence), sight.time)
    }
}
