//! What goes wrong between a line and the server, to order.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use smartpark_core::NewEvent;

use super::{FaultCounts, Report, after, random::Random};

/// What goes wrong, each so many times in a thousand events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// No camera sees the car.
    pub missed: u32,
    /// The event is sent a second time within a minute.
    pub doubled: u32,
    /// The event is sent late, as by a box that was offline.
    pub late: u32,
    /// How late at most.
    pub delay: Duration,
    /// Cameras whose clocks are off.
    pub clocks: Vec<WrongClock>,
}

/// A camera whose clock is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongClock {
    /// The camera: `gate`, or `ramp-1` for the ramp from the first floor to the second.
    pub camera_id: String,
    /// By how much it is ahead; behind if negative.
    pub ahead: SignedDuration,
}

/// How long a camera takes to send an event when nothing is wrong.
const USUAL_DELAY: Duration = Duration::from_millis(300);

pub(super) fn apply(
    faults: &Faults,
    events: Vec<NewEvent>,
    random: &mut Random,
) -> (Vec<Report>, FaultCounts) {
    let (mut reports, mut counts) = (Vec::with_capacity(events.len()), FaultCounts::default());
    for mut event in events {
        let happened = event.timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
        if random.happens(faults.missed) {
            counts.missed += 1;
            continue;
        }
        let mut sent_at = after(happened, USUAL_DELAY);
        if random.happens(faults.late) {
            counts.late += 1;
            let most = u64::try_from(faults.delay.as_millis()).unwrap_or(u64::MAX - 1);
            sent_at = after(sent_at, Duration::from_millis(random.between(0, most)));
        }
        let clock = faults.clocks.iter().find(|clock| clock.camera_id == event.camera_id);
        if let Some(clock) = clock {
            event.timestamp = happened.checked_add(clock.ahead).ok();
        }
        if random.happens(faults.doubled) {
            counts.doubled += 1;
            let again = after(sent_at, Duration::from_millis(random.between(1_000, 60_000)));
            reports.push(Report { sent_at: again, event: event.clone() });
        }
        reports.push(Report { sent_at, event });
    }
    (reports, counts)
}
