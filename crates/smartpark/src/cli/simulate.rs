//! A simulated day of a car park, sent to a running server.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use smartpark_client::{
    replay::schedule,
    simulate::{Day, Faults, SimulatedFloor, WrongClock},
};

use super::{
    Context, Outcome, Usage,
    remote::{
        FloorLine, Remote, RemoteFloor, ServerArgs,
        pace::{PaceArgs, send_all},
    },
    signals::StopSignals,
};
use crate::{Clock, config::Span};

/// Send a simulated day of a car park to a running server
///
/// Cars come through the camera `gate` onto the first active floor of the server and drive up the
/// ramps (`ramp-1`, `ramp-2`, ...) to the first floor with room. The seed decides everything: the
/// same seed is the same day. You order what goes wrong: missed, doubled and late events, and
/// cameras whose clocks are off. In the end you see how many vehicles truly stand on each floor
/// beside what the server says. Exits with 1 if the server did not take every event
///
/// The events count like any others, so use a server that is there to try things out, and another
/// seed for each day
///
/// Examples:
///   smartpark simulate
///   smartpark simulate --speed max --missed 5 --clock-off ramp-1=-2min
///   smartpark simulate --dates as-sent --server https://parking.example --key-file key.txt
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Decides everything that is left to chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// When the day begins [default: yesterday at midnight, UTC]
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// How many cars come [default: as many as fill the park two and a half times]
    #[arg(long, value_name = "NUMBER")]
    cars: Option<u32>,
    /// Events in a thousand that no camera sees
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    missed: u32,
    /// Events in a thousand that are sent twice
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    doubled: u32,
    /// Events in a thousand that are sent late
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    late: u32,
    /// How late they are at most
    #[arg(long, value_name = "TIME", default_value = "30min")]
    delay: Span,
    /// A camera whose clock is ahead, or behind (-): gate=5min, ramp-1=-90s; can be repeated
    #[arg(long, value_name = "CAMERA=TIME")]
    clock_off: Vec<ClockOff>,
}

/// A camera, and by how much its clock is ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClockOff(WrongClock);

impl FromStr for ClockOff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "must be a camera and a time, such as gate=5min or ramp-1=-90s".to_owned();
        let (camera, time) = text.split_once('=').ok_or_else(wanted)?;
        let ahead: SignedDuration = time.parse().map_err(|_| wanted())?;
        if camera.is_empty() {
            return Err(wanted());
        }
        Ok(Self(WrongClock { camera_id: camera.to_owned(), ahead }))
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let mut signals = StopSignals::catch()?;
    let pace = args.pace;
    let now = Clock::system().now();
    let start = args.start.unwrap_or_else(|| yesterday(now));
    let faults = Faults {
        missed: args.missed,
        doubled: args.doubled,
        late: args.late,
        delay: args.delay.0,
        clocks: args.clock_off.into_iter().map(|ClockOff(clock)| clock).collect(),
    };
    let remote = Remote::new(args.server)?;
    let before = remote.floors().await?;
    let floors: Vec<_> = before.iter().filter_map(simulated).collect();
    anyhow::ensure!(
        !floors.is_empty(),
        "the server has no active floor with slots; add one first: \
         `smartpark floors add NAME --slots N`"
    );
    known_cameras(&faults, floors.len())?;
    let mut day = Day { faults, ..Day::new(args.seed, start, floors) };
    day.cars = args.cars.unwrap_or(day.cars);
    let simulated = day.simulate();
    let due = schedule(simulated.reports, pace.speed.0, pace.dates(now));
    let due = due.map_err(|fault| Usage(fault.to_string()))?;
    let mut summary = send_all(&remote, due, pace.is_backlog(), &mut signals).await?;
    summary.simulated(simulated.turned_away, simulated.faults);
    let after = remote.floors_after().await;
    // A day that the server has already brings no more vehicles.
    let is_repeat = summary.sent > 0 && summary.duplicates == summary.sent;
    // Of a day that broke off, only the whole is known.
    let is_complete = summary.complete;
    let parked = |id: i64| {
        let place = day.floors.iter().position(|floor| is_complete && floor.id == id)?;
        simulated.parked.get(place).map(|parked| if is_repeat { 0 } else { *parked })
    };
    summary.floors = FloorLine::all(&before, &after, parked);
    context.out.print(&summary, || summary.text())?;
    Ok(summary.code())
}

/// Midnight (UTC) at which the day before today began.
fn yesterday(now: Timestamp) -> Timestamp {
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let today = now.as_second().div_euclid(DAY_SECONDS);
    Timestamp::from_second((today - 1) * DAY_SECONDS).unwrap_or(now)
}

fn simulated(floor: &RemoteFloor) -> Option<SimulatedFloor> {
    let has_room = floor.is_active && floor.total_slots > 0;
    has_room.then_some(SimulatedFloor { id: floor.id, slots: floor.total_slots })
}

/// A clock of a camera that the day does not have would be off without any effect.
fn known_cameras(faults: &Faults, floors: usize) -> Result<(), Usage> {
    let ramps = (1..floors).map(|ramp| format!("ramp-{ramp}"));
    let cameras: Vec<String> = std::iter::once("gate".to_owned()).chain(ramps).collect();
    match faults.clocks.iter().find(|clock| !cameras.contains(&clock.camera_id)) {
        None => Ok(()),
        Some(WrongClock { camera_id, .. }) => Err(Usage(format!(
            "--clock-off: there is no camera {camera_id}; the cameras are {}",
            cameras.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_ahead_or_behind() {
        let off = |text: &str| {
            let ClockOff(clock) = text.parse().ok()?;
            Some((clock.camera_id, clock.ahead.as_secs()))
        };
        assert_eq!(off("gate=5min"), Some(("gate".to_owned(), 300)));
        assert_eq!(off("ramp-1=-90s"), Some(("ramp-1".to_owned(), -90)));
        for text in ["gate", "=5min", "gate=", "gate=soon"] {
            assert_eq!(off(text), None, "{text}");
        }
    }

    #[test]
    fn yesterday_begins_at_midnight() {
        let now = "2026-02-12T10:30:00Z".parse().unwrap();
        assert_eq!(yesterday(now).to_string(), "2026-02-11T00:00:00Z");
    }
}
