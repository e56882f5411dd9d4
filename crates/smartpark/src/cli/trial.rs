//! Recorded messages of a device, tried out on a camera of the configuration.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use smartpark_formats::{
    config::{Camera, Connections},
    input::Crossing,
    trial::{
        Trial, TrialOutcome,
        recording::{RecordedMessage, messages},
    },
};

use super::{
    Context, Outcome, Usage,
    config_check::{listed, read},
    output::{count, note, table},
};
use crate::{Clock, Direction, Timestamp, VehicleType};

/// Try out the messages of cameras and counters
///
/// Example:
///   smartpark input try north-gate recorded.ndjson
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: InputCommand,
}

#[derive(Debug, Subcommand)]
enum InputCommand {
    Try(TryArgs),
}

/// Show which events recorded messages of a device would make, and what would not be counted
///
/// Reads the camera's entry ([[camera]]) in the configuration file and the messages in FILE, and
/// records nothing. FILE holds one body as the device posts it, a JSON array with one post an
/// element, the event stream of a Dahua camera, or MQTT messages: one JSON object a line with
/// topic, payload and, if the broker kept it, "retain": true
///
/// The floors are checked against the database if there is one. Messages that carry no time of
/// their own are taken to come a second apart. Exits with 1 if no message made an event
///
/// Examples:
///   smartpark input try north-gate alarm.xml
///   mosquitto_sub -t frigate/events -F '{"topic":"%t","payload":%p}' > f.ndjson
///   smartpark input try ramp f.ndjson --json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct TryArgs {
    /// The camera's id in the configuration file
    camera: String,
    /// The file with its messages
    file: PathBuf,
}

/// What came of a file, as programs read it.
#[derive(Serialize)]
struct Tried {
    camera: String,
    messages: usize,
    events: Vec<EventView>,
    not_counted: Vec<NotCountedView>,
}

/// An event that would be recorded.
#[derive(Serialize)]
struct EventView {
    /// The message that made it, from 1.
    message: usize,
    camera_id: String,
    floor: String,
    track_id: String,
    vehicle_type: VehicleType,
    direction: Direction,
    confidence: f64,
    timestamp: Timestamp,
}

/// Something that would not be counted.
#[derive(Serialize)]
struct NotCountedView {
    /// The message, from 1.
    message: usize,
    reason: String,
    detail: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let InputCommand::Try(TryArgs { camera, file }) = args.command;
    let config = read(context.config.clone())?;
    let connections =
        config.connections().map_err(|faults| Usage(listed(&config.path, &faults)))?;
    let camera = connections.camera(&camera).ok_or_else(|| unknown(&connections, &camera))?;
    let bytes =
        std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let messages = messages(camera, &name, &bytes)
        .map_err(|fault| anyhow::anyhow!("{}: {fault}", file.display()))?;
    let trial = trial(context, &config.path).await;
    let tried = tried(trial, &connections, camera, &messages);
    context.out.print(&tried, || tried.text())?;
    Ok(if tried.events.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn unknown(connections: &Connections, camera: &str) -> Usage {
    let ids: Vec<&str> = connections.cameras.iter().map(|camera| camera.id.as_str()).collect();
    let known = match ids.as_slice() {
        [] => "it has no [[camera]] at all".to_owned(),
        ids => format!("it has {}", ids.join(", ")),
    };
    Usage(format!("the configuration has no camera {camera}; {known}"))
}

/// A trial with the floors of the database, if there is one.
async fn trial(context: &Context, config: &Path) -> Trial {
    let floors = async {
        let park = context.connect().await?;
        let floors = park.floors().get_all_floors().await;
        park.close().await;
        floors
    };
    match floors.await {
        Ok(floors) => {
            Trial::with_floors(floors.into_iter().map(|floor| (floor.id, floor.name)).collect())
        }
        Err(fault) => {
            let config = config.display();
            note(&format!("the floors of {config} are taken as they stand there: {fault}"));
            Trial::new()
        }
    }
}

fn tried(
    mut trial: Trial,
    connections: &Connections,
    camera: &Camera,
    messages: &[RecordedMessage],
) -> Tried {
    let mut arrived = Clock::system().now();
    let mut tried = Tried {
        camera: camera.id.clone(),
        messages: messages.len(),
        events: Vec::new(),
        not_counted: Vec::new(),
    };
    for (place, message) in messages.iter().enumerate() {
        let received = trial.receive(connections, camera, message, arrived);
        let is_own = |routed: Option<&Camera>| routed.is_none_or(|it| it.id == camera.id);
        if let Some((Some(other), _)) = received.first()
            && !received.iter().any(|(routed, _)| is_own(*routed))
        {
            tried.not_counted.push(NotCountedView {
                message: place + 1,
                reason: "other_camera".to_owned(),
                detail: format!("the message is for camera {}", other.id),
            });
        }
        let own = received.into_iter().filter(|(routed, _)| is_own(*routed));
        for outcome in own.flat_map(|(_, outcomes)| outcomes) {
            tried.add(place + 1, outcome);
        }
        arrived = arrived.checked_add(Duration::from_secs(1)).unwrap_or(arrived);
    }
    tried
}

impl Tried {
    fn add(&mut self, message: usize, outcome: TrialOutcome) {
        match outcome {
            TrialOutcome::Event(event) => self.events.push(EventView::new(message, event)),
            TrialOutcome::NotCounted { reason, detail, .. } => {
                self.not_counted.push(NotCountedView { message, reason: reason.into(), detail });
            }
        }
    }

    /// In words.
    fn text(&self) -> String {
        let events = count(self.events.len() as u64, "event");
        let messages = count(self.messages as u64, "message");
        let mut text = format!("{messages} of {} would make {events}", self.camera);
        if !self.events.is_empty() {
            let titles = [">Message", "Time", "Floor", "Direction", "Type", "Camera", "Track"];
            text.push_str("\n\n");
            text.push_str(&table(&titles, self.events.iter().map(EventView::row)));
        }
        if !self.not_counted.is_empty() {
            text.push_str("\n\nNot counted:");
        }
        for NotCountedView { message, reason, detail } in &self.not_counted {
            text.push_str(&format!("\n  message {message}: {detail} ({reason})"));
        }
        text
    }
}

impl EventView {
    fn new(message: usize, event: Crossing) -> Self {
        Self {
            message,
            camera_id: event.camera_id,
            floor: event.floor.to_string(),
            track_id: event.track_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            confidence: event.confidence,
            timestamp: event.timestamp,
        }
    }

    fn row(&self) -> [String; 7] {
        [
            self.message.to_string(),
            self.timestamp.to_string(),
            self.floor.clone(),
            self.direction.to_string(),
            self.vehicle_type.to_string(),
            self.camera_id.clone(),
            self.track_id.clone(),
        ]
    }
}
