//! What a simulation or a replay came to.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;
use smartpark_client::simulate::FaultCounts;

use super::{
    super::output::{count, table},
    RemoteFloor,
};
use crate::NewEvent;

/// What was sent and what the server said, as programs read it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Summary {
    server: String,
    /// How many events there were to send.
    pub(super) events: usize,
    /// How many of them the server answered for.
    pub(in crate::cli) sent: usize,
    pub(super) recorded: usize,
    pub(in crate::cli) duplicates: usize,
    pub(super) refused: usize,
    /// The first refused ones, each with its reason.
    pub(super) refusals: Vec<RefusedEvent>,
    /// Whether the server answered for all.
    pub(in crate::cli) complete: bool,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Simulation>,
    pub(in crate::cli) floors: Vec<FloorLine>,
}

/// An event that the server refused.
#[derive(Debug, Serialize)]
pub(super) struct RefusedEvent {
    camera_id: String,
    track_id: String,
    reason: String,
}

/// What a simulated day did beside its events.
#[derive(Debug, Serialize)]
struct Simulation {
    /// Cars that found no room.
    turned_away: u32,
    /// Events that no camera saw.
    missed: u32,
    /// Events that were sent twice.
    doubled: u32,
    /// Events that were sent late.
    late: u32,
}

/// A floor before and after.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FloorLine {
    id: i64,
    name: String,
    /// Vehicles there before, as the server says.
    before: i64,
    /// Vehicles there after, as the server says.
    after: i64,
    /// Vehicles that truly stand there now: those before and those that came and stayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<i64>,
}

impl FloorLine {
    /// The floors before and after; `parked` is how many vehicles truly came to each and stayed.
    pub(in crate::cli) fn all(
        before: &[RemoteFloor],
        after: &[RemoteFloor],
        parked: impl Fn(i64) -> Option<u32>,
    ) -> Vec<Self> {
        let line = |floor: &RemoteFloor| {
            let before = before.iter().find(|it| it.id == floor.id);
            let before = before.map_or(0, |it| it.current_vehicles);
            Self {
                id: floor.id,
                name: floor.name.clone(),
                before,
                after: floor.current_vehicles,
                truth: parked(floor.id).map(|parked| before + i64::from(parked)),
            }
        };
        after.iter().map(line).collect()
    }
}

impl Summary {
    pub(super) fn new(server: &str, events: usize) -> Self {
        Self {
            server: server.to_owned(),
            events,
            sent: 0,
            recorded: 0,
            duplicates: 0,
            refused: 0,
            refusals: Vec::new(),
            complete: false,
            seconds: 0.0,
            simulated: None,
            floors: Vec::new(),
        }
    }

    pub(super) fn refuse(&mut self, event: &NewEvent, reason: &str) {
        self.refusals.push(RefusedEvent {
            camera_id: event.camera_id.clone(),
            track_id: event.track_id.clone(),
            reason: reason.to_owned(),
        });
    }

    pub(super) fn finish(&mut self, took: Duration) {
        self.complete = self.sent == self.events;
        self.seconds = took.as_secs_f64();
    }

    /// Adds what a simulated day did beside its events.
    pub(in crate::cli) fn simulated(&mut self, turned_away: u32, faults: FaultCounts) {
        let FaultCounts { missed, doubled, late } = faults;
        self.simulated = Some(Simulation { turned_away, missed, doubled, late });
    }

    /// Good if the server took everything.
    pub(in crate::cli) fn code(&self) -> ExitCode {
        let is_good = self.complete && self.refused == 0;
        if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// In words.
    pub(in crate::cli) fn text(&self) -> String {
        let mut text = format!(
            "Sent        {} of {}\nRecorded    {}\nDuplicates  {}\nRefused     {}\nin {:.1} s",
            self.sent,
            count(self.events as u64, "event"),
            self.recorded,
            self.duplicates,
            self.refused,
            self.seconds,
        );
        for RefusedEvent { camera_id, track_id, reason } in &self.refusals {
            text.push_str(&format!("\n  refused: {camera_id} {track_id}: {reason}"));
        }
        if let Some(Simulation { turned_away, missed, doubled, late }) = &self.simulated {
            text.push_str(&format!(
                "\n{turned_away} cars found no room; {missed} events missed, {doubled} sent \
                 twice, {late} late"
            ));
        }
        if !self.floors.is_empty() {
            text.push_str("\n\n");
            text.push_str(&self.floor_table());
        }
        text
    }

    fn floor_table(&self) -> String {
        let name = |floor: &FloorLine| format!("{} ({})", floor.name, floor.id);
        if self.floors.iter().all(|floor| floor.truth.is_none()) {
            let row = |floor: &FloorLine| {
                [name(floor), floor.before.to_string(), floor.after.to_string()]
            };
            return table(&["Floor", ">Before", ">After"], self.floors.iter().map(row));
        }
        let row = |floor: &FloorLine| {
            let truth = floor.truth.map_or_else(|| "-".to_owned(), |truth| truth.to_string());
            let apart = floor.truth.map_or_else(String::new, |truth| match floor.after - truth {
                0 => "0".to_owned(),
                apart => format!("{apart:+}"),
            });
            [name(floor), truth, floor.after.to_string(), apart]
        };
        let titles = ["Floor", ">Truly parked", ">Server says", ">Difference"];
        table(&titles, self.floors.iter().map(row))
    }
}
