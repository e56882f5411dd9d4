//! What people and programs read: tables, JSON and short notes.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::{Event, Floor, Recorded, Statistics, Timestamp, VehicleTypeCounts};

/// Where results go: standard output, as JSON for programs or as text for people.
pub(super) struct Out {
    /// Whether programs read it.
    pub(super) json: bool,
}

impl Out {
    /// Prints one result: `value` for programs, what `text` makes for people.
    pub(super) fn print(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let mut written = if self.json { serde_json::to_string(value)? } else { text() };
        if !written.is_empty() {
            written.push('\n');
        }
        Ok(write(written.as_bytes())?)
    }
}

/// Writes to standard output; a reader that went away is an error, not a panic.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a line to standard error. Where that is closed, nobody wants to know.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether somebody sits in front of standard error.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// A table; the columns whose titles begin with `>` hold numbers and stand at the right.
pub(super) fn table<R>(titles: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(titles.iter().map(|title| title.trim_start_matches('>')));
    for row in rows {
        table.add_row(row);
    }
    for (column, title) in table.column_iter_mut().zip(titles) {
        column.set_padding((0, 2));
        if title.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// "1 event", "2 events".
pub(super) fn count(number: u64, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{s}")
}

/// A database URL for people: without what may be a password.
pub(super) fn shown_url(url: &str) -> &str {
    if url.starts_with("sqlite:") { url } else { "the database" }
}

/// A floor as programs read it, as over HTTP.
#[derive(Serialize)]
pub(super) struct FloorView<'a> {
    id: i64,
    name: &'a str,
    description: Option<&'a str>,
    total_slots: i64,
    current_vehicles: i64,
    available_slots: i64,
    occupancy_percentage: f64,
    is_active: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a Floor> for FloorView<'a> {
    fn from(floor: &'a Floor) -> Self {
        Self {
            id: floor.id,
            name: &floor.name,
            description: floor.description.as_deref(),
            total_slots: floor.total_slots,
            current_vehicles: floor.current_vehicles,
            available_slots: floor.available_slots(),
            occupancy_percentage: floor.occupancy_percentage(),
            is_active: floor.is_active,
            created_at: floor.created_at,
            updated_at: floor.updated_at,
        }
    }
}

/// An event as programs read it, as over HTTP.
#[derive(Serialize)]
pub(super) struct EventView<'a> {
    id: i64,
    camera_id: &'a str,
    floor_id: i64,
    track_id: &'a str,
    vehicle_type: &'static str,
    direction: &'static str,
    confidence: f64,
    timestamp: Timestamp,
    created_at: Timestamp,
    count_delta: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_limit: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    absorbed: bool,
}

impl<'a> From<&'a Event> for EventView<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id,
            camera_id: &event.camera_id,
            floor_id: event.floor_id,
            track_id: &event.track_id,
            vehicle_type: event.vehicle_type.as_str(),
            direction: event.direction.as_str(),
            confidence: event.confidence,
            timestamp: event.timestamp,
            created_at: event.created_at,
            count_delta: event.count_delta,
            at_limit: event.at_limit.map(crate::AtLimit::as_str),
            absorbed: event.is_absorbed(),
        }
    }
}

/// The answer to an event as programs read it, as over HTTP.
#[derive(Serialize)]
pub(super) struct RecordedView<'a> {
    event: EventView<'a>,
    floor: FloorView<'a>,
    duplicate: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differs: &'a [&'static str],
}

impl<'a> From<&'a Recorded> for RecordedView<'a> {
    fn from(recorded: &'a Recorded) -> Self {
        Self {
            event: (&recorded.event).into(),
            floor: (&recorded.floor).into(),
            duplicate: recorded.duplicate,
            differs: &recorded.differs,
        }
    }
}

type ByName = std::collections::BTreeMap<String, u64>;

/// Statistics as programs read them, as over HTTP.
#[derive(Serialize)]
pub(super) struct StatisticsView<'a> {
    start: Timestamp,
    end: Timestamp,
    total_events: u64,
    entries: u64,
    exits: u64,
    by_vehicle_type: VehicleTypeCounts,
    by_floor: &'a ByName,
    by_camera: &'a ByName,
    at_limit: u64,
    at_limit_by_floor: &'a ByName,
    at_limit_by_camera: &'a ByName,
    peak_hour: Option<PeakView>,
}

/// The busiest hour as programs read it.
#[derive(Serialize)]
struct PeakView {
    start: Timestamp,
    events: u64,
}

impl<'a> From<&'a Statistics> for StatisticsView<'a> {
    fn from(stats: &'a Statistics) -> Self {
        let peak = stats.peak_hour.map(|peak| PeakView { start: peak.start, events: peak.events });
        Self {
            start: stats.start,
            end: stats.end,
            total_events: stats.total_events,
            entries: stats.entries,
            exits: stats.exits,
            by_vehicle_type: stats.by_vehicle_type,
            by_floor: &stats.by_floor,
            by_camera: &stats.by_camera,
            at_limit: stats.at_limit,
            at_limit_by_floor: &stats.at_limit_by_floor,
            at_limit_by_camera: &stats.at_limit_by_camera,
            peak_hour: peak,
        }
    }
}
