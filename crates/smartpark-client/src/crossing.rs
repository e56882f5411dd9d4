//! A crossing as a camera program reports it, and the events that it makes.

use jiff::Timestamp;
use serde::Serialize;
use smartpark_core::{
    DEFAULT_CONFIDENCE, Direction, FieldError, NewEvent, VehicleType, name_fault, whole_micros,
};

use crate::{Error, Result};

/// A floor by its id or by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloorRef {
    /// The id, as `GET /floors` shows it.
    Id(i64),
    /// The name. The client asks the server for the id; until the server knows the name the event
    /// stays in the spool.
    Name(String),
}

impl From<i64> for FloorRef {
    fn from(id: i64) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for FloorRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for FloorRef {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

/// One vehicle that crossed one line once.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// The camera: 1–100 characters.
    pub camera_id: String,
    /// The floor whose line was crossed.
    pub floor: FloorRef,
    /// For a ramp between two floors: the floor on the other side of the line, which gets an event
    /// in the opposite direction.
    pub from: Option<FloorRef>,
    /// The vehicle's track at that camera: 1–100 characters. A crossing that is reported again
    /// must carry the same track.
    pub track_id: String,
    /// What kind of vehicle.
    pub vehicle_type: VehicleType,
    /// Which way, seen from `floor`.
    pub direction: Direction,
    /// How sure the camera is, from 0 to 1.
    pub confidence: f64,
    /// When the vehicle was on the line. Without one the client takes the time at which it gets the
    /// crossing, once: a retry carries the same time.
    pub timestamp: Option<Timestamp>,
}

impl Crossing {
    /// A car that crossed now, with the usual confidence.
    #[must_use]
    pub fn new(
        camera_id: impl Into<String>,
        floor: impl Into<FloorRef>,
        track_id: impl Into<String>,
        direction: Direction,
    ) -> Self {
        Self {
            camera_id: camera_id.into(),
            floor: floor.into(),
            from: None,
            track_id: track_id.into(),
            vehicle_type: VehicleType::Car,
            direction,
            confidence: DEFAULT_CONFIDENCE,
            timestamp: None,
        }
    }

    /// The same crossing at this time.
    #[must_use]
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The same crossing, on a ramp that leads to another floor.
    #[must_use]
    pub fn from_floor(mut self, floor: impl Into<FloorRef>) -> Self {
        self.from = Some(floor.into());
        self
    }

    /// The events of this crossing: one, or two for a ramp.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every field that does not fit.
    pub(crate) fn events(&self, now: Timestamp) -> Result<Vec<SpoolEvent>> {
        self.check()?;
        let timestamp = whole_micros(self.timestamp.unwrap_or(now));
        let mut events = vec![self.event(&self.floor, self.direction, timestamp)?];
        if let Some(from) = &self.from {
            let opposite = match self.direction {
                Direction::Entry => Direction::Exit,
                Direction::Exit => Direction::Entry,
            };
            events.push(self.event(from, opposite, timestamp)?);
        }
        Ok(events)
    }

    fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        name_fault("camera_id", &self.camera_id, &mut faults);
        name_fault("track_id", &self.track_id, &mut faults);
        check_floor("floor", &self.floor, &mut faults);
        if let Some(from) = &self.from {
            check_floor("from", from, &mut faults);
            if *from == self.floor {
                faults.push(FieldError::new("from", "must be another floor than floor"));
            }
        }
        if !(0.0..=1.0).contains(&self.confidence) {
            faults.push(FieldError::new("confidence", "must be a number from 0 to 1"));
        }
        if let Some(at) = self.timestamp
            && !(0..=9999).contains(&jiff::tz::Offset::UTC.to_datetime(at).year())
        {
            faults.push(FieldError::new("timestamp", "must lie in the years 0000 to 9999"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    fn event(
        &self,
        floor: &FloorRef,
        direction: Direction,
        timestamp: Timestamp,
    ) -> Result<SpoolEvent> {
        let (floor_id, floor_name) = match floor {
            FloorRef::Id(id) => (Some(*id), None),
            FloorRef::Name(name) => (None, Some(name.clone())),
        };
        let body = Body {
            floor_id,
            camera_id: &self.camera_id,
            track_id: &self.track_id,
            vehicle_type: self.vehicle_type,
            direction,
            confidence: self.confidence,
            timestamp,
        };
        let body = serde_json::to_string(&body);
        let body = body.map_err(|error| {
            Error::Invalid(vec![FieldError::new("the crossing", error.to_string())])
        })?;
        Ok(SpoolEvent {
            camera_id: self.camera_id.clone(),
            track_id: self.track_id.clone(),
            direction,
            micros: timestamp.as_microsecond(),
            floor_name,
            body,
        })
    }
}

/// An event on its way to the spool. Camera, track, direction and time are its key.
#[derive(Clone, Debug)]
pub(crate) struct SpoolEvent {
    pub(crate) camera_id: String,
    pub(crate) track_id: String,
    pub(crate) direction: Direction,
    /// Microseconds since 1970 UTC.
    pub(crate) micros: i64,
    /// The floor's name, while its id is not known.
    pub(crate) floor_name: Option<String>,
    /// The line that is sent. Without a floor id it begins with [`NO_FLOOR`].
    pub(crate) body: String,
}

/// How the body of an event begins whose floor is only known by name.
pub(crate) const NO_FLOOR: &str = "{\"floor_id\":null,";

/// The members as they are sent. `floor_id` stands first, for [`NO_FLOOR`].
#[derive(Serialize)]
struct Body<'a> {
    floor_id: Option<i64>,
    camera_id: &'a str,
    track_id: &'a str,
    vehicle_type: VehicleType,
    direction: Direction,
    confidence: f64,
    timestamp: Timestamp,
}

fn check_floor(field: &'static str, floor: &FloorRef, faults: &mut Vec<FieldError>) {
    match floor {
        FloorRef::Id(id) if *id < 1 => {
            faults.push(FieldError::new(field, "must be an id of 1 or more, or a name"));
        }
        FloorRef::Id(_) => {}
        FloorRef::Name(name) => name_fault(field, name, faults),
    }
}

impl From<NewEvent> for Crossing {
    /// The crossing of an event. What has no time happened when the client gets it.
    fn from(event: NewEvent) -> Self {
        let NewEvent {
            camera_id,
            floor_id,
            track_id,
            vehicle_type,
            direction,
            confidence,
            timestamp,
        } = event;
        let floor = FloorRef::Id(floor_id);
        Self {
            vehicle_type,
            confidence,
            timestamp,
            ..Self::new(camera_id, floor, track_id, direction)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-02-12T10:30:45.123456789Z".parse().unwrap()
    }

    #[test]
    fn a_crossing_is_one_event_with_the_time_fixed() {
        let crossing = Crossing::new("ramp", 2, "t1", Direction::Entry);
        let events = crossing.events(now()).unwrap();
        let expected = "{\"floor_id\":2,\"camera_id\":\"ramp\",\"track_id\":\"t1\",\
                        \"vehicle_type\":\"car\",\"direction\":\"entry\",\"confidence\":0.8,\
                        \"timestamp\":\"2026-02-12T10:30:45.123456Z\"}";
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].body, expected);
    }

    #[test]
    fn a_ramp_is_two_events_of_one_moment() {
        let crossing = Crossing::new("ramp", "Level 1", "t1", Direction::Exit).from_floor(7);
        let events = crossing.events(now()).unwrap();
        let shown: Vec<_> = events
            .iter()
            .map(|event| (event.floor_name.as_deref(), event.direction, event.micros))
            .collect();
        let micros = 1_770_892_245_123_456;
        let expected =
            [(Some("Level 1"), Direction::Exit, micros), (None, Direction::Entry, micros)];
        assert_eq!(shown, expected);
        assert!(events[0].body.starts_with(NO_FLOOR));
    }

    #[test]
    fn every_field_that_does_not_fit_is_named() {
        let mut crossing = Crossing::new("", 0, "a\nb", Direction::Entry).from_floor("");
        crossing.confidence = f64::NAN;
        let Err(Error::Invalid(faults)) = crossing.events(now()) else { panic!("it fits") };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(fields, ["camera_id", "track_id", "floor", "from", "confidence"]);
    }
}
