//! The events of a file that are not stored: by digests where all of an hour are, and else one by
//! one.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use anyhow::Context as _;
use serde_json::json;

use super::{
    super::{
        Context, Outcome,
        input::shown,
        output::{self, count, note},
    },
    FileArgs, batches, reading_failed, rules,
};
use crate::{
    Direction, EventDigest, EventFilter, NewEvent, SmartPark, Timestamp,
    limits::{MAX_DIGEST_HOURS, MAX_PAGE_ROWS},
};

/// List the events of a file that are not stored
///
/// Takes the files that `import` takes, and holds the file's events in memory. Prints each that
/// is missing as one object a line, as it may be posted to /events or imported, and changes
/// nothing. Rows that are no event are named with their line and passed over; then the exit code
/// is 1. Events before the retention horizon are left out: they are gone and would be refused
///
/// Examples:
///   smartpark missing box.csv.gz
///   smartpark missing box.ndjson > again.ndjson
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    file: FileArgs,
}

/// What tells an event from others of its camera: time, track, direction.
type Key = (i64, String, Direction);

/// The events of a camera, by the hours since 1970 in which they happened.
type Hours = BTreeMap<i64, BTreeMap<Key, NewEvent>>;

const HOUR_SECONDS: u32 = 3_600;
const HOUR: i64 = HOUR_SECONDS as i64 * 1_000_000;

pub(in crate::cli) async fn run(args: Args, context: &Context) -> Outcome {
    args.file.columns()?;
    let park = context.connect().await?;
    let rules = rules(&park, &args.file).await?;
    let source = args.file.open()?;
    let (mut cameras, mut is_good) = (BTreeMap::<String, Hours>::new(), true);
    let mut batches = batches(source, rules)?;
    while let Some(batch) = batches.recv().await {
        let cannot =
            |fault| anyhow::anyhow!("{}: {}", shown(&args.file.file), reading_failed(&fault));
        for row in batch.map_err(cannot)? {
            match row.event {
                Ok(event) => event.into_iter().for_each(|event| keep(&mut cameras, event)),
                Err(reason) => {
                    is_good = false;
                    note(&format!("line {}: {reason}", row.line));
                }
            }
        }
    }
    let (mut all, mut missing) = (0, 0);
    for (camera, hours) in &cameras {
        all += hours.values().map(BTreeMap::len).sum::<usize>();
        missing += list(&park, camera, hours).await?;
    }
    park.close().await;
    let all = count(all as u64, "event");
    note(&format!("{missing} of {all} are not stored"));
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn keep(cameras: &mut BTreeMap<String, Hours>, event: NewEvent) {
    // Rows without a time are no events here.
    let Some(at) = event.timestamp.map(Timestamp::as_microsecond) else { return };
    let hours = cameras.entry(event.camera_id.clone()).or_default();
    let key = (at, event.track_id.clone(), event.direction);
    hours.entry(at.div_euclid(HOUR)).or_default().entry(key).or_insert(event);
}

/// Prints the events of a camera that are not stored; returns how many.
async fn list(park: &SmartPark, camera: &str, hours: &Hours) -> anyhow::Result<usize> {
    let (mut missing, mut next) = (0, hours.keys().next().copied());
    while let Some(first) = next {
        let past = first + i64::from(MAX_DIGEST_HOURS);
        let last = hours.range(..past).next_back().map_or(first, |(hour, _)| *hour);
        let (start, end) = (instant(first)?, instant(last + 1)?);
        let events = park.events();
        let stored = events.get_event_digests(camera, start, end, HOUR_SECONDS).await?;
        let horizon = stored.horizon.map_or(i64::MIN, Timestamp::as_microsecond);
        for (hour, slice) in (first..).zip(&stored.slices) {
            let own = hours.get(&hour).into_iter().flatten();
            let own: Vec<_> = own.filter(|((at, ..), _)| *at >= horizon).collect();
            if (slice.events, slice.digest) == (own.len() as u64, digest(camera, &own)) {
                continue;
            }
            let there = stored_keys(park, camera, slice.start, instant(hour + 1)?).await?;
            for (_, event) in own.iter().filter(|(key, _)| !there.contains(*key)) {
                output::write(line(event).as_bytes())?;
                missing += 1;
            }
        }
        next = hours.range(last + 1..).next().map(|(hour, _)| *hour);
    }
    Ok(missing)
}

fn instant(hour: i64) -> anyhow::Result<Timestamp> {
    Timestamp::from_microsecond(hour * HOUR).context("a time at the end of all times")
}

fn digest(camera: &str, events: &[(&Key, &NewEvent)]) -> EventDigest {
    let mut digest = EventDigest::default();
    for (_, event) in events {
        let at = event.timestamp.unwrap_or_default();
        digest.add(camera, &event.track_id, event.direction, at);
    }
    digest
}

async fn stored_keys(
    park: &SmartPark,
    camera: &str,
    start: Timestamp,
    end: Timestamp,
) -> crate::Result<BTreeSet<Key>> {
    let filter = EventFilter {
        camera_id: Some(camera.to_owned()),
        start: Some(start),
        end: Some(end),
        ..EventFilter::default()
    };
    let (mut keys, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = park.events().get_events(filter.clone(), MAX_PAGE_ROWS, cursor).await?;
        let key = |event: crate::Event| {
            (event.timestamp.as_microsecond(), event.track_id, event.direction)
        };
        keys.extend(page.events.into_iter().map(key));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(keys);
        }
    }
}

/// An event as one line, as it may be posted or imported.
pub(in crate::cli) fn line(event: &NewEvent) -> String {
    let object = json!({
        "camera_id": event.camera_id,
        "floor_id": event.floor_id,
        "track_id": event.track_id,
        "vehicle_type": event.vehicle_type,
        "direction": event.direction,
        "confidence": event.confidence,
        "timestamp": event.timestamp,
    });
    format!("{object}\n")
}
