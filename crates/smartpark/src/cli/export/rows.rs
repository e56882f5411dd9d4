//! Events as rows of a file.

use std::io::{self, Write};

use serde::Serialize;

use super::{super::input::Format, sink::Sink};
use crate::{AtLimit, Direction, Event, Timestamp, VehicleType, csv_cells::defuse};

/// The names of the columns: first what `import` reads.
const HEADER: [&str; 11] = [
    "camera_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
    "id",
    "created_at",
    "count_delta",
    "at_limit",
];

/// An event as an object, with the same names.
#[derive(Serialize)]
struct Object<'a> {
    camera_id: &'a str,
    /// The name: the id may be another one where it is read back.
    floor: &'a str,
    track_id: &'a str,
    vehicle_type: VehicleType,
    direction: Direction,
    confidence: f64,
    timestamp: Timestamp,
    id: i64,
    created_at: Timestamp,
    count_delta: i64,
    at_limit: Option<&'static str>,
}

/// Writes rows in one of the forms.
pub(super) enum Rows {
    /// Cells between commas. The header is written before the first row, or where there is none.
    Csv { writer: Box<csv::Writer<Sink>>, begun: bool },
    /// Objects line by line.
    Ndjson(Box<Sink>),
}

impl Rows {
    pub(super) fn new(sink: Sink, format: Format) -> Self {
        match format {
            Format::Csv => {
                Self::Csv { writer: Box::new(csv::Writer::from_writer(sink)), begun: false }
            }
            Format::Ndjson => Self::Ndjson(Box::new(sink)),
        }
    }

    /// Writes an event on the floor with this name.
    pub(super) fn write(&mut self, event: &Event, floor: &str) -> io::Result<()> {
        self.begin()?;
        let at_limit = event.at_limit.map(AtLimit::as_str);
        match self {
            Self::Csv { writer, .. } => {
                let cells = [
                    &*defuse(&event.camera_id),
                    &*defuse(floor),
                    &*defuse(&event.track_id),
                    event.vehicle_type.as_str(),
                    event.direction.as_str(),
                    &event.confidence.to_string(),
                    &event.timestamp.to_string(),
                    &event.id.to_string(),
                    &event.created_at.to_string(),
                    &event.count_delta.to_string(),
                    at_limit.unwrap_or_default(),
                ];
                Ok(writer.write_record(cells)?)
            }
            Self::Ndjson(sink) => {
                let object = Object {
                    camera_id: &event.camera_id,
                    floor,
                    track_id: &event.track_id,
                    vehicle_type: event.vehicle_type,
                    direction: event.direction,
                    confidence: event.confidence,
                    timestamp: event.timestamp,
                    id: event.id,
                    created_at: event.created_at,
                    count_delta: event.count_delta,
                    at_limit,
                };
                serde_json::to_writer(&mut **sink, &object)?;
                sink.write_all(b"\n")
            }
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        match self {
            Self::Csv { writer, begun } if !*begun => {
                *begun = true;
                Ok(writer.write_record(HEADER)?)
            }
            _ => Ok(()),
        }
    }

    /// Ends the rows; what is left is to finish the sink.
    pub(super) fn finish(mut self) -> io::Result<Sink> {
        self.begin()?;
        match self {
            Self::Csv { writer, .. } => writer.into_inner().map_err(|fault| fault.into_error()),
            Self::Ndjson(sink) => Ok(*sink),
        }
    }
}
