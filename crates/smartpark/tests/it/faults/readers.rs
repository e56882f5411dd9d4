//! Who reads while the load goes on, until it is over. What was asked of a server that is gone is
//! no read.

use serde_json::{Value, json};

use super::{
    facts::RECOUNTED,
    journal::{FloorSeen, Moment, Read, Seen, finding},
    load::Load,
};
use crate::cli::{client::Client, garage::Random};

type Reader = fn(&Load);
pub(super) const ALL: [Reader; 5] = [floors, recommended, pages, events, counts];

/// How often a floor is recounted in a run.
const RECOUNTS: usize = 3;
/// How often each reader reads in a run at most; a walk over all pages takes longer than others.
const READS: usize = 150;
const WALKS: usize = 12;

/// Reads so many times, evenly among the posts that are answered, until the load is over.
fn again(load: &Load, times: usize, mut read: impl FnMut(&Client, Moment) -> Option<Option<Seen>>) {
    let client = Client::new(Some(&load.key));
    for part in 0..times {
        load.wait_for_part(part, times);
        if load.is_over() {
            return;
        }
        let begun = load.with(|journal| journal.moment());
        match read(&client, begun) {
            None => load.pause(),
            Some(None) => load.with(|journal| {
                journal.findings.push(finding("contract", "a read without its members"));
            }),
            Some(Some(seen)) => load.with(|journal| {
                let ended = journal.moment();
                journal.reads.push(Read { begun, ended, seen });
            }),
        }
    }
}

/// The body of an answer of success.
fn get(load: &Load, client: &Client, path: &str) -> Option<Value> {
    let answer = client.get(&load.url(path)).filter(|answer| answer.status != 503)?;
    if answer.status != 200 {
        let told = format!("{path}: {} {}", answer.status, answer.body);
        load.with(|journal| journal.findings.push(finding("contract", told)));
    }
    Some(answer.body)
}

fn all(floors: &Value) -> Option<Vec<FloorSeen>> {
    floors.as_array()?.iter().map(FloorSeen::of).collect()
}

/// All floors.
pub(super) fn see_floors(load: &Load, client: &Client) -> Option<Option<Seen>> {
    let body = get(load, client, "/floors?include_inactive=true")?;
    Some(all(&body["floors"]).map(Seen::Floors))
}

/// The recommended floor.
pub(super) fn see_recommended(load: &Load, client: &Client) -> Option<Option<Seen>> {
    let body = get(load, client, "/floors/recommended")?;
    let first = &body["floor"];
    let seen = || {
        let mut named = all(&body["alternatives"])?;
        let chosen = if first.is_null() { None } else { Some(FloorSeen::of(first)?) };
        let id = chosen.as_ref().map(|floor| floor.id);
        named.extend(chosen);
        Some(Seen::Recommended(id, named))
    };
    Some(seen())
}

/// All pages of the events from the first that is not of long ago.
pub(super) fn see_pages(load: &Load, client: &Client, limit: usize) -> Option<Option<Seen>> {
    let start = load.facts.cars[load.facts.old].at;
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(load, client, &format!("/events?start={start}&limit={limit}{cursor}"))?;
        let of = |event: &Value| {
            let key = ["camera_id", "track_id", "direction"].map(|name| event[name].as_str());
            let [camera, track, direction] = key;
            Some((event["id"].as_i64()?, format!("{} {} {}", camera?, track?, direction?)))
        };
        let Some(rows) = page["events"].as_array() else { return Some(None) };
        let Some(rows) = rows.iter().map(of).collect::<Option<Vec<_>>>() else { return Some(None) };
        events.extend(rows);
        match page["next_cursor"].as_str() {
            None => return Some(Some(Seen::Walk(events))),
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
}

fn floors(load: &Load) {
    again(load, READS, |client, _| see_floors(load, client));
}

fn recommended(load: &Load) {
    again(load, READS, |client, _| see_recommended(load, client));
}

fn pages(load: &Load) {
    let mut random = Random(17);
    again(load, WALKS, |client, _| see_pages(load, client, 200 + random.below(300)));
}

/// Events that were answered, right after.
fn events(load: &Load) {
    again(load, READS, |client, _| {
        let newest = load.with(|journal| {
            let told = journal.told.iter().enumerate().filter(|(_, told)| !told.answers.is_empty());
            told.max_by_key(|(_, told)| told.accepted)
                .map(|(place, told)| (place, told.answers[0].id))
        });
        let (place, id) = newest?;
        let answer = client.get(&load.url(&format!("/events/{id}")))?;
        let found = match answer.status {
            503 => return None,
            status => status == 200 && answer.body["id"] == id,
        };
        Some(Some(Seen::Event(place, found)))
    });
}

/// Recounts of one floor, and statistics meanwhile.
fn counts(load: &Load) {
    let client = Client::new(Some(&load.key));
    for part in 1..=RECOUNTS {
        load.wait_for_part(part, RECOUNTS + 1);
        let body = json!({"current_vehicles": part * 20, "reason": "counted"}).to_string();
        let url = load.url(&format!("/floors/{RECOUNTED}/count"));
        client.send("PUT", &url, Some(("application/json", body)));
        client.get(&load.url("/statistics?hours=24"));
    }
}
