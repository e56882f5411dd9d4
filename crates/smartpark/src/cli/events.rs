//! The commands on events: record, events, stats.

use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, tz::TimeZone};
use serde::Serialize;

use super::{
    Context, Counting, Outcome,
    floors::{find, instant},
    output::{count, table},
    window::WindowArgs,
    words::{direction, vehicle_type},
};
use crate::{
    Cursor, Direction, Event, EventFilter, EventPage, NewEvent, Recorded, SmartPark, Statistics,
    Timestamp, VehicleType,
    http::{
        RecordedView,
        views::{EventView, StatisticsView},
    },
    limits::{DEFAULT_PAGE_ROWS, DEFAULT_STATISTICS_HOURS, MAX_PAGE_ROWS},
    zone::written,
};

/// Record one event, once
///
/// A repeat (same camera, track, direction and timestamp) is answered with the first event and
/// changes nothing. Without a timestamp the clock's is used
///
/// Example:
///   smartpark record --camera-id cam_001 --floor "Ground Floor" --track-id t1 --direction entry
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RecordArgs {
    /// The camera, 1 to 100 characters
    #[arg(long, value_name = "ID")]
    camera_id: String,
    /// The floor's id or name
    #[arg(long, allow_hyphen_values = true)]
    floor: String,
    /// The vehicle's track at that camera, 1 to 100 characters
    #[arg(long, value_name = "ID")]
    track_id: String,
    /// What kind of vehicle
    #[arg(long, value_name = "TYPE", default_value = "car", value_parser = vehicle_type())]
    vehicle_type: VehicleType,
    /// Which way it went
    #[arg(long, value_name = "WAY", value_parser = direction())]
    direction: Direction,
    /// How sure the camera is, 0 to 1 [default: 0.8]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    confidence: Option<f64>,
    /// When the camera saw it, with an offset or Z [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    timestamp: Option<Timestamp>,
    #[command(flatten)]
    pub(super) counting: Counting,
}

/// List events, newest first
///
/// All that is named must hold. A page that is not the last names the cursor of the next
///
/// Examples:
///   smartpark events --floor "Ground Floor" --hours 2
///   smartpark events --start 2026-02-12T00:00:00Z --end 2026-02-13T00:00:00Z --limit 1000
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// How many on the page, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PAGE_ROWS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE_ROWS)))]
    limit: u32,
    /// Go on after an earlier page
    #[arg(long)]
    cursor: Option<Cursor>,
}

/// Which events.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only of this floor (id or name)
    #[arg(long, allow_hyphen_values = true)]
    floor: Option<String>,
    /// Only of this camera
    #[arg(long, value_name = "ID")]
    camera_id: Option<String>,
    /// Only of this track
    #[arg(long, value_name = "ID")]
    track_id: Option<String>,
    /// Only of this type
    #[arg(long, value_name = "TYPE", value_parser = vehicle_type())]
    vehicle_type: Option<VehicleType>,
    /// Only in this direction
    #[arg(long, value_name = "WAY", value_parser = direction())]
    direction: Option<Direction>,
    #[command(flatten)]
    window: WindowArgs,
}

impl FilterArgs {
    /// The filter that the flags say, and the zone in which times are shown.
    pub(super) async fn filter(self, park: &SmartPark) -> anyhow::Result<(EventFilter, TimeZone)> {
        let floor_id = match &self.floor {
            Some(named) => Some(find(park, named).await?.id),
            None => None,
        };
        let window = self.window.read(park).await?;
        let last = window.hours.map(|hours| park.events().window(hours)).transpose()?;
        let filter = EventFilter {
            floor_id,
            camera_id: self.camera_id,
            track_id: self.track_id,
            vehicle_type: self.vehicle_type,
            direction: self.direction,
            start: window.start.or(last.map(|(start, _)| start)),
            end: window.end.or(last.map(|(_, end)| end)),
            at_limit: None,
        };
        Ok((filter, window.zone))
    }
}

/// Show what happened in a window of time: entries, exits, by type, floor and camera
///
/// Entries to full and exits from empty floors are named as "at limit": a camera that has many
/// of them misses vehicles
///
/// Examples:
///   smartpark stats --hours 24 --floor "Ground Floor"
///   smartpark stats --period yesterday
///   smartpark stats --start 2026-11-01 --end 2026-12-01
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StatsArgs {
    #[command(flatten)]
    window: WindowArgs,
    /// Only of this floor (id or name)
    #[arg(long, allow_hyphen_values = true)]
    floor: Option<String>,
}

#[derive(Serialize)]
struct PageView {
    events: Vec<EventView>,
    next_cursor: Option<String>,
}

pub(super) async fn record(args: RecordArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let floor = find(&park, &args.floor).await?;
    let mut event =
        NewEvent::new(args.camera_id, floor.id, args.track_id, args.vehicle_type, args.direction);
    event.timestamp = args.timestamp;
    event.confidence = args.confidence.unwrap_or(event.confidence);
    let recorded = park.events().record_event(event).await?;
    context.out.print(&RecordedView::from(recorded.clone()), || recorded_text(&recorded))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn recorded_text(recorded: &Recorded) -> String {
    let Recorded { event, floor, .. } = recorded;
    let what = if recorded.duplicate {
        format!("Event {} was recorded before; nothing changed", event.id)
    } else {
        format!("Recorded event {}", event.id)
    };
    let effect = match event.at_limit {
        Some(limit) => format!("\nThe floor was {} then, so the count stays", limit.as_str()),
        None if event.is_absorbed() => {
            "\nA limit or a recount later in time absorbs it, so the count stays".to_owned()
        }
        None => String::new(),
    };
    let differs = match recorded.differs.join(", ") {
        none if none.is_empty() => none,
        fields => format!("\nThe first one stands; this one differs in {fields}"),
    };
    format!(
        "{what}{effect}{differs}\n{}: {} of {} slots are free",
        floor.name,
        floor.available_slots(),
        floor.total_slots
    )
}

pub(super) async fn list(args: EventsArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let (filter, zone) = args.filter.filter(&park).await?;
    let page = park.events().get_events(filter, args.limit, args.cursor).await?;
    let view = PageView {
        events: page.events.iter().cloned().map(Into::into).collect(),
        next_cursor: page.next_cursor.map(|cursor| cursor.to_string()),
    };
    context.out.print(&view, || events_text(&page, &zone))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn events_text(page: &EventPage, zone: &TimeZone) -> String {
    if page.events.is_empty() {
        return "No events".to_owned();
    }
    let titles =
        [">Id", "Timestamp", "Camera", ">Floor", "Track", "Type", "Way", ">Sure", ">Count", ""];
    let text = table(&titles, page.events.iter().map(|event| event_row(event, zone)));
    match page.next_cursor {
        Some(cursor) => format!("{text}\n\nThe next page: the same with --cursor {cursor}"),
        None => text,
    }
}

fn event_row(event: &Event, zone: &TimeZone) -> [String; 10] {
    let note = match event.at_limit {
        Some(limit) => limit.as_str(),
        None if event.is_absorbed() => "absorbed",
        None => "",
    };
    [
        event.id.to_string(),
        written(event.timestamp, zone),
        event.camera_id.clone(),
        event.floor_id.to_string(),
        event.track_id.clone(),
        event.vehicle_type.to_string(),
        event.direction.to_string(),
        format!("{:.2}", event.confidence),
        format!("{:+}", event.count_delta),
        note.to_owned(),
    ]
}

pub(super) async fn stats(args: StatsArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let floor_id = match &args.floor {
        Some(named) => Some(find(&park, named).await?.id),
        None => None,
    };
    let window = args.window.read(&park).await?;
    let events = park.events();
    let (start, end) = window.or_last(DEFAULT_STATISTICS_HOURS, |hours| events.window(hours))?;
    let stats = events.get_event_statistics_between(start, end, floor_id).await?;
    let hours = window.hours.unwrap_or(DEFAULT_STATISTICS_HOURS);
    let hours = window.start.is_none().then_some(hours);
    let when = match hours {
        Some(hours) => format!("In the last {}", count(hours.into(), "hour")),
        None => format!("From {} to {}", written(start, &window.zone), written(end, &window.zone)),
    };
    let view = StatisticsView::new(stats.clone(), hours);
    context.out.print(&view, || stats_text(&stats, &when, &window.zone))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn stats_text(stats: &Statistics, when: &str, zone: &TimeZone) -> String {
    let types = stats.by_vehicle_type;
    let mut text = format!(
        "{when}: {} ({} in, {} out), {} of them at a limit\n\
         Car {}, motorcycle {}, bus {}, truck {}\n",
        count(stats.total_events, "event"),
        stats.entries,
        stats.exits,
        stats.at_limit,
        types.car,
        types.motorcycle,
        types.bus,
        types.truck,
    );
    if let Some(peak) = stats.peak_hour {
        let end = peak.start.saturating_add(SignedDuration::from_hours(1)).unwrap_or(peak.start);
        let events = count(peak.events, "event");
        let (start, end) = (written(peak.start, zone), written(end, zone));
        text.push_str(&format!("Busiest hour {start} to {end}: {events}\n"));
    }
    let row = |name: &String, events: u64, at_limit: Option<&u64>| {
        [name.clone(), events.to_string(), at_limit.map_or(0, |n| *n).to_string()]
    };
    let floors = stats.by_floor.iter();
    let floors = floors.map(|(name, n)| row(name, *n, stats.at_limit_by_floor.get(name)));
    let cameras = stats.by_camera.iter();
    let cameras = cameras.map(|(name, n)| row(name, *n, stats.at_limit_by_camera.get(name)));
    format!(
        "{text}\n{}\n\n{}",
        table(&["Floor", ">Events", ">At limit"], floors),
        table(&["Camera", ">Events", ">At limit"], cameras),
    )
}
