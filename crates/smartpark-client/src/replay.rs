//! Events of a file or of a simulated day, sent again at a speed. Pure: it says when each is due.
//!
//! The times of the events are a choice of their own. At 600 times the speed a day takes 144 s, so
//! events that keep their distance lie either before or after what the clock says. The server
//! refuses those after, so [`Dates::EndingAt`] moves them all by one step into the past, and
//! [`Dates::AsSent`] gives each the time at which it is sent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use smartpark_core::{NewEvent, whole_micros};

use crate::simulate::Report;

/// Which times the events carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// Their own.
    Keep,
    /// Their own, all moved by the same time, so that the last one happens then.
    EndingAt(Timestamp),
    /// Squeezed by the speed: each happens when it is sent, if the first is sent at this time. Late
    /// events stay late, in proportion.
    AsSent(Timestamp),
}

/// An event that is due some time after the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// When it is to be sent, since the start.
    pub after: Duration,
    /// The event to send.
    pub event: NewEvent,
}

/// Why a replay cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The speed is not a number above 0.
    #[error("the speed must be a number above 0, such as 600 for ten minutes a second")]
    Speed,
    /// An event has no time, so its place is not known.
    #[error("event {0} has no timestamp, so it cannot be replayed")]
    NoTime(usize),
    /// Times lie outside of the years that can be written.
    #[error("the times of the events would leave the years that can be written")]
    Range,
}

/// Events of a file: each is sent when it happened.
///
/// # Errors
/// [`ReplayError::NoTime`] with the place of the event, from 1.
pub fn reports(events: Vec<NewEvent>) -> Result<Vec<Report>, ReplayError> {
    let report = |(place, event): (usize, NewEvent)| {
        let sent_at = event.timestamp.ok_or(ReplayError::NoTime(place + 1))?;
        Ok(Report { sent_at, event })
    };
    events.into_iter().enumerate().map(report).collect()
}

/// When each report is due at this speed (600: ten minutes a second), in that order. Reports of one
/// instant keep their order.
///
/// # Errors
/// [`ReplayError::Speed`], [`ReplayError::NoTime`], [`ReplayError::Range`].
pub fn schedule(
    mut reports: Vec<Report>,
    speed: f64,
    dates: Dates,
) -> Result<Vec<Due>, ReplayError> {
    if !speed.is_finite() || speed <= 0.0 {
        return Err(ReplayError::Speed);
    }
    reports.sort_by_key(|report| report.sent_at);
    let Some(start) = reports.first().map(|report| report.sent_at) else { return Ok(Vec::new()) };
    let times: Option<Vec<Timestamp>> =
        reports.iter().map(|report| report.event.timestamp).collect();
    let times = times.ok_or(ReplayError::NoTime(0))?;
    let squeezed = |at: Timestamp| {
        let seconds = at.duration_since(start).as_secs_f64() / speed;
        SignedDuration::try_from_secs_f64(seconds).map_err(|_| ReplayError::Range)
    };
    let last = times.iter().max().copied().unwrap_or(start);
    let dated = |at: Timestamp| match dates {
        Dates::Keep => Ok(at),
        Dates::EndingAt(end) => moved(at, end.duration_since(last)),
        Dates::AsSent(now) => moved(now, squeezed(at)?),
    };
    let due = |report: Report| {
        let mut event = report.event;
        event.timestamp = event.timestamp.map(dated).transpose()?.map(whole_micros);
        let after = Duration::try_from(squeezed(report.sent_at)?);
        Ok(Due { after: after.map_err(|_| ReplayError::Range)?, event })
    };
    reports.into_iter().map(due).collect()
}

fn moved(at: Timestamp, by: SignedDuration) -> Result<Timestamp, ReplayError> {
    at.checked_add(by).map_err(|_| ReplayError::Range)
}

#[cfg(test)]
mod tests {
    use smartpark_core::{Direction, VehicleType};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn event(track: &str, text: &str) -> NewEvent {
        NewEvent::new("gate", 1, track, VehicleType::Car, Direction::Entry).at(at(text))
    }

    /// The schedule of a file with two events an hour apart, the later one first.
    fn of_file(speed: f64, dates: Dates) -> Vec<(f64, String, String)> {
        let file = vec![event("b", "2020-01-01T11:00:00Z"), event("a", "2020-01-01T10:00:00Z")];
        let due = schedule(reports(file).unwrap(), speed, dates).unwrap();
        let shown = |due: Due| {
            let at = due.event.timestamp.unwrap().to_string();
            (due.after.as_secs_f64(), due.event.track_id, at)
        };
        due.into_iter().map(shown).collect()
    }

    fn expected(rows: [(f64, &str, &str); 2]) -> Vec<(f64, String, String)> {
        rows.map(|(after, track, at)| (after, track.to_owned(), at.to_owned())).to_vec()
    }

    #[test]
    fn a_speed_shortens_the_pauses() {
        let kept = [(0.0, "a", "2020-01-01T10:00:00Z"), (6.0, "b", "2020-01-01T11:00:00Z")];
        assert_eq!(of_file(600.0, Dates::Keep), expected(kept));
        let slow = of_file(0.5, Dates::Keep);
        assert_eq!(slow[1].0, 7_200.0);
    }

    #[test]
    fn times_are_kept_moved_or_squeezed() {
        let now = at("2026-02-12T12:00:00Z");
        let moved = [(0.0, "a", "2026-02-12T11:00:00Z"), (6.0, "b", "2026-02-12T12:00:00Z")];
        assert_eq!(of_file(600.0, Dates::EndingAt(now)), expected(moved));
        let squeezed = [(0.0, "a", "2026-02-12T12:00:00Z"), (6.0, "b", "2026-02-12T12:00:06Z")];
        assert_eq!(of_file(600.0, Dates::AsSent(now)), expected(squeezed));
    }

    #[test]
    fn what_cannot_be_replayed_is_told() {
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(schedule(Vec::new(), speed, Dates::Keep), Err(ReplayError::Speed));
        }
        let timeless = NewEvent { timestamp: None, ..event("a", "2020-01-01T10:00:00Z") };
        assert_eq!(reports(vec![timeless]), Err(ReplayError::NoTime(1)));
        let file = reports(vec![event("a", "2020-01-01T10:00:00Z")]).unwrap();
        assert_eq!(schedule(Vec::new(), 1.0, Dates::Keep), Ok(Vec::new()));
        let far = Dates::AsSent(Timestamp::MAX);
        let two = vec![event("a", "2020-01-01T10:00:00Z"), event("b", "2020-01-01T11:00:00Z")];
        assert_eq!(schedule(reports(two).unwrap(), 1.0, far), Err(ReplayError::Range));
        assert!(schedule(file, 1e-300, Dates::Keep).is_ok());
    }
}
