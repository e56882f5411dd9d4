//! Which delivered events the server no longer has: by digests of the hours in which they happened
//! (`GET /events/digest`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use smartpark_core::EventDigest;

use crate::{
    limits::COMPARED_HOURS,
    spool::{Delivered, DifferingSlice, instant},
};

const HOUR_MICROS: i64 = 3_600_000_000;
/// How often the events of an hour are sent again while neither side changes. More than once: a
/// server may be restored twice from the same backup.
const MAX_SENT: u32 = 3;

/// The hours to ask for: from the first until before the second, counted from 1970. The window that
/// the server answers at once, up to the newest event.
pub(crate) fn window(events: &[Delivered]) -> Option<(i64, i64)> {
    let hour = |event: &Delivered| event.micros.div_euclid(HOUR_MICROS);
    let last = events.iter().map(hour).max()?;
    let first = events.iter().map(hour).filter(|hour| *hour > last - COMPARED_HOURS).min()?;
    Some((first, last + 1))
}

/// The path that asks for the digests of these hours.
pub(crate) fn path(camera: &str, (start, end): (i64, i64)) -> Option<String> {
    let instant = |hour: i64| Timestamp::from_microsecond(hour.checked_mul(HOUR_MICROS)?).ok();
    let (start, end) = (instant(start)?, instant(end)?);
    let camera = percent_encoded(camera);
    Some(format!("/events/digest?camera_id={camera}&start={start}&end={end}&step=3600"))
}

/// The server's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Digests {
    horizon: Option<Timestamp>,
    slices: Vec<Slice>,
}

#[derive(Debug, Deserialize)]
struct Slice {
    start: Timestamp,
    events: u64,
    digest: String,
}

/// What a comparison of one camera came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The events to be sent again.
    pub(crate) again: Vec<i64>,
    /// The hours that differ, to be remembered.
    pub(crate) slices: Vec<DifferingSlice>,
}

/// Compares the events of a camera with the server's answer about a window of hours. None if the
/// answer is about something else.
pub(crate) fn compare(
    camera: &str,
    events: &[Delivered],
    hours: (i64, i64),
    digests: &Digests,
    before: &[DifferingSlice],
) -> Option<Comparison> {
    // The server has forgotten what lies before, and would refuse it.
    let horizon = digests.horizon.map_or(i64::MIN, Timestamp::as_microsecond);
    let mut own: BTreeMap<i64, Vec<&Delivered>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.micros >= horizon) {
        own.entry(event.micros.div_euclid(HOUR_MICROS)).or_default().push(event);
    }
    let starts = digests.slices.iter().map(|slice| slice.start.as_microsecond());
    if !starts.eq((hours.0..hours.1).map(|hour| hour * HOUR_MICROS)) {
        return None;
    }
    let mut comparison = Comparison { again: Vec::new(), slices: Vec::new() };
    for (hour, slice) in (hours.0..).zip(&digests.slices) {
        let Some(own) = own.get(&hour) else { continue };
        let theirs = format!("{} {}", slice.events, slice.digest);
        let ours = format!("{} {}", own.len(), digest(camera, own));
        if theirs == ours {
            continue;
        }
        let start = hour * HOUR_MICROS;
        let same = |known: &&DifferingSlice| {
            (known.start, &known.theirs, &known.ours) == (start, &theirs, &ours)
        };
        let sent = before.iter().find(same).map_or(0, |known| known.sent);
        if sent < MAX_SENT {
            comparison.again.extend(own.iter().map(|event| event.id));
        }
        let sent = MAX_SENT.min(sent + 1);
        comparison.slices.push(DifferingSlice { start, theirs, ours, sent });
    }
    Some(comparison)
}

fn digest(camera: &str, events: &[&Delivered]) -> String {
    let mut digest = EventDigest::default();
    for event in events {
        digest.add(camera, &event.track_id, event.direction, instant(event.micros));
    }
    digest.to_string()
}

/// A value in a query.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use smartpark_core::Direction;

    use super::*;

    fn event(id: i64, track: &str, micros: i64) -> Delivered {
        Delivered { id, track_id: track.into(), direction: Direction::Entry, micros }
    }

    fn answer(horizon: Option<&str>, slices: &[(i64, u64, String)]) -> Digests {
        let slice = |(hour, events, digest): &(i64, u64, String)| Slice {
            start: Timestamp::from_microsecond(hour * HOUR_MICROS).unwrap(),
            events: *events,
            digest: digest.clone(),
        };
        let horizon = horizon.map(|at| at.parse().unwrap());
        Digests { horizon, slices: slices.iter().map(slice).collect() }
    }

    const NONE: &str = "00000000000000000000000000000000";

    #[test]
    fn the_digest_is_the_servers() {
        let event = Delivered {
            direction: Direction::Entry,
            ..event(1, "track_12345", 1_770_892_245_000_000)
        };
        assert_eq!(digest("cam_001", &[&event]), "3da7286f4a43cf98d86b5ef26821cdb3");
        assert_eq!(digest("cam_001", &[]), NONE);
    }

    #[test]
    fn hours_that_differ_are_sent_again_until_it_is_known_to_be_in_vain() {
        let events = [event(1, "a", 5), event(2, "b", HOUR_MICROS), event(3, "c", HOUR_MICROS + 7)];
        let hours = window(&events).unwrap();
        assert_eq!(hours, (0, 2));
        let first = digest("c", &[&events[0]]);
        let digests = answer(None, &[(0, 1, first), (1, 0, NONE.into())]);
        let mut known = Vec::new();
        for sent in [1, 2, 3] {
            let comparison = compare("c", &events, hours, &digests, &known).unwrap();
            assert_eq!(comparison.again, [2, 3]);
            assert_eq!(comparison.slices.len(), 1);
            assert_eq!(comparison.slices[0].sent, sent);
            known = comparison.slices;
        }
        let comparison = compare("c", &events, hours, &digests, &known).unwrap();
        assert_eq!(comparison.again, [0; 0]);
        // Once the server changes, the client compares again.
        let changed = answer(None, &[(0, 0, NONE.into()), (1, 0, NONE.into())]);
        let comparison = compare("c", &events, hours, &changed, &known).unwrap();
        assert_eq!(comparison.again, [1]);
    }

    #[test]
    fn what_the_server_forgot_on_purpose_is_not_sent_again() {
        let events = [event(1, "a", 0), event(2, "b", 1_000_000)];
        let rest = digest("c", &[&events[1]]);
        let digests = answer(Some("1970-01-01T00:00:01Z"), &[(0, 1, rest)]);
        let comparison = compare("c", &events, (0, 1), &digests, &[]).unwrap();
        assert_eq!(comparison, Comparison { again: vec![], slices: vec![] });
    }

    #[test]
    fn an_answer_about_another_window_is_none() {
        let events = [event(1, "a", 0)];
        for slices in
            [vec![], vec![(1, 0, NONE.into())], vec![(0, 0, NONE.into()), (1, 0, NONE.into())]]
        {
            assert_eq!(compare("c", &events, (0, 1), &answer(None, &slices), &[]), None);
        }
    }

    #[test]
    fn the_window_ends_at_the_newest_event_and_is_bounded() {
        let at = |hour: i64| event(hour, "a", hour * HOUR_MICROS);
        assert_eq!(window(&[]), None);
        assert_eq!(window(&[at(-5), at(3)]), Some((-5, 4)));
        assert_eq!(window(&[at(0), at(1), at(COMPARED_HOURS)]), Some((1, COMPARED_HOURS + 1)));
        let path = path("cam ü&1", (0, 1)).unwrap();
        let expected = "/events/digest?camera_id=cam%20%C3%BC%261&start=1970-01-01T00:00:00Z\
                        &end=1970-01-01T01:00:00Z&step=3600";
        assert_eq!(path, expected);
    }
}
