//! The queries of events, statistics and history: what another reading of them says, or a problem
//! that names what does not fit and repeats no value.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use smartpark::{
    EventFilter, Timestamp,
    http::fuzzing::{Judged, read_history, read_listing, read_statistics},
};
use smartpark_fuzz::{DIRECTIONS, VEHICLE_TYPES, problem, query::Query};

/// 2026-02-12T12:00:00Z.
const NOW: i64 = 1_770_897_600;

fuzz_target!(|text: &str| {
    // What is no address is not a request either.
    let Ok(uri) = format!("/?{text}").parse() else { return };
    let listing = read_listing(&uri, last);
    // A fragment is no part of a query.
    let text = text.split('#').next().unwrap_or_default();
    check_listing(text, listing);
    check_window(text, "floor_id", i64::MAX, read_statistics(&uri, last));
    let history = read_history(&uri, last);
    if let Ok((start, ..)) = &history {
        assert!(start.as_second() <= NOW, "{text}");
    }
    let history = history.map(|(start, end, step)| (start, end, step.map(i64::from)));
    check_window(text, "step", 2_678_400, history);
});

fn last(hours: u32) -> (Timestamp, Timestamp) {
    let at = |second| Timestamp::from_second(second).expect("in range");
    (at(NOW - i64::from(hours) * 3_600), at(NOW))
}

type Listing = (EventFilter, u32, Option<smartpark::Cursor>);

fn check_listing(text: &str, read: Judged<Listing>) {
    const KNOWN: [&str; 12] = [
        "floor_id",
        "camera_id",
        "track_id",
        "vehicle_type",
        "direction",
        "start",
        "end",
        "period",
        "hours",
        "at_limit",
        "limit",
        "cursor",
    ];
    let mut query = Query::read(text, &KNOWN);
    let floor_id = query.number("floor_id", 1, i64::MAX);
    let (camera_id, track_id) = (query.name("camera_id"), query.name("track_id"));
    let vehicle_type = query.word("vehicle_type", &VEHICLE_TYPES);
    let direction = query.word("direction", &DIRECTIONS);
    let period = query.period(NOW);
    let (mut start, mut end) = (query.bound("start", NOW), query.bound("end", NOW));
    if query.has("period") && ["hours", "start", "end"].iter().any(|name| query.has(name)) {
        query.bad.push("period");
    }
    if let Some((first, after)) = period {
        (start, end) = (Some(first), Some(after));
    }
    let at_limit = query.word("at_limit", &["true", "false"]).map(|word| word == "true");
    let hours = query.number("hours", 1, 876_600);
    let limit = query.number("limit", 1, 1_000).unwrap_or(100);
    let cursor = query.cursor("cursor");
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        query.bad.push("end");
    }
    if let Some(hours) = hours {
        if query.has("start") || query.has("end") {
            query.bad.push("hours");
        }
        let (first, now) = last(u32::try_from(hours).expect("in range"));
        (start, end) = (Some(first), Some(now));
    }
    match read {
        Ok((filter, asked, after)) => {
            assert!(query.fits(), "{text} is taken in spite of {query:?}");
            let (it, way) = (filter.vehicle_type, filter.direction);
            assert_eq!(it.map(|it| it.as_str()), vehicle_type, "{text}");
            assert_eq!(way.map(|way| way.as_str()), direction, "{text}");
            let expected = EventFilter {
                floor_id,
                camera_id,
                track_id,
                start,
                end,
                at_limit,
                vehicle_type: it,
                direction: way,
            };
            assert_eq!((filter, i64::from(asked), after), (expected, limit, cursor), "{text}");
        }
        Err(document) => {
            let bad = check_refused(text, &document, &query);
            assert_eq!(bad, query.bad.iter().map(|name| format!("?{name}")).collect(), "{text}");
        }
    }
}

fn check_window(
    text: &str,
    other: &'static str,
    most: i64,
    read: Judged<(Timestamp, Timestamp, Option<i64>)>,
) {
    let mut query = Query::read(text, &["hours", "start", "end", "period", other]);
    let number = match other {
        "step" if query.is("step", &["day", "week", "month"]) => None,
        "step" => query.number(other, 60, most),
        _ => query.number(other, 1, most),
    };
    let period = query.period(NOW);
    let (mut start, mut end) = (query.bound("start", NOW), query.bound("end", NOW));
    let two_periods =
        period.is_some() && ["hours", "start", "end"].iter().any(|name| query.has(name));
    if let Some((first, after)) = period {
        (start, end) = (Some(first), Some(after));
    }
    let hours = query.number("hours", 1, 876_600);
    let usual = last(hours.map_or(24, |hours| u32::try_from(hours).expect("in range")));
    let expected = (start.unwrap_or(usual.0), end.unwrap_or(usual.1));
    let (has_start, has_end) = (query.has("start"), query.has("end"));
    let two_windows = two_periods || query.has("hours") && (has_start || has_end);
    let ahead = other == "step" && usual.1 < expected.0;
    let fits = query.fits() && !two_windows && !(has_end && !has_start) && !ahead;
    match read {
        Ok(read) => {
            assert!(fits && expected.0 <= expected.1, "{text} is taken in spite of {query:?}");
            assert_eq!(read, (expected.0, expected.1, number), "{text}");
        }
        Err(document) => {
            assert!(!fits || expected.1 < expected.0, "{text} is refused: {document}");
            check_refused(text, &document, &query);
        }
    }
}

/// The known parameters that a document names.
fn check_refused(text: &str, document: &str, query: &Query) -> BTreeSet<String> {
    let faults = problem::faults(document, 422, "invalid-fields");
    assert!(!faults.is_empty(), "{document}");
    problem::assert_repeats_no_value(document, query.unknown.iter().map(String::as_str));
    assert!(faults.iter().all(|(pointer, _)| pointer.starts_with('?')), "{document}");
    let (strange, known): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|(_, detail)| detail == "is not a known parameter");
    assert_eq!(strange.is_empty(), query.unknown.is_empty(), "{text}: {document}");
    known.into_iter().map(|(pointer, _)| pointer).collect()
}
