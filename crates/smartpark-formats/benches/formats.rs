//! How long a feed of 2 000 car parks takes, and how many messages a second are translated.
//!
//! Each figure is a mean of time on a processor, so that other programs on the machine disturb it
//! least. `cargo bench -p smartpark-formats` measures; without `--bench` each runs once.

#[path = "../tests/feeds/sites.rs"]
mod sites;

use std::{env, hint::black_box, time::Duration};

use serde_json::Value;
use smartpark_formats::{
    config::Connections,
    counter::{count_interval, count_reading},
    feed::{
        NgsiForm, SiteView, datex2_light, geojson, ngsi, parkapi_v1_index, parkapi_v3, siri_fm,
    },
    input::{Finding, Message, own_events, route, translate},
};

const SITES: usize = 2_000;
const MESSAGES: u32 = 200;

fn main() {
    let runs = if env::args().any(|argument| argument == "--bench") { 100 } else { 1 };
    feeds(runs);
    messages(runs);
}

/// The mean of so many runs, in time on a processor: other programs do not count.
fn mean(runs: u32, mut run: impl FnMut()) -> Duration {
    let start = processor_time();
    (0..runs).for_each(|_| run());
    processor_time().saturating_sub(start) / runs
}

/// How long this thread has run: what Linux says, elsewhere the clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn processor_time() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match told.split(' ').next().and_then(|nanos| nanos.parse().ok()) {
        Some(nanos) => Duration::from_nanos(nanos),
        None => START.get_or_init(std::time::Instant::now).elapsed(),
    }
}

fn feeds(runs: u32) {
    let now = sites::NOW.parse().expect("a time");
    let kinds = sites::sites();
    let sites: Vec<SiteView> = (0..SITES)
        .map(|number| SiteView {
            id: format!("site-{number}"),
            ..kinds[number % kinds.len()].clone()
        })
        .collect();
    let feeds: [(&str, &dyn Fn() -> Vec<u8>); 8] = [
        ("datex2-light", &|| datex2_light(&sites, false, now)),
        ("parkapi-v1 index", &|| parkapi_v1_index(&sites, "1", "https://garage.example/")),
        ("parkapi-v3", &|| parkapi_v3(&sites)),
        ("siri-fm", &|| siri_fm(&sites, now)),
        ("ngsi-ld normalized", &|| ngsi(&sites, NgsiForm::Normalized)),
        ("ngsi-ld keyValues", &|| ngsi(&sites, NgsiForm::KeyValues)),
        ("ngsi-v2", &|| ngsi(&sites, NgsiForm::V2)),
        ("geojson", &|| geojson(&sites)),
    ];
    for (name, feed) in feeds {
        let bytes = feed().len();
        let time = mean(runs, || drop(black_box(feed())));
        println!("{SITES} sites as {name}: {time:?} of one processor, {bytes} bytes");
    }
}

fn message<'a>(topic: Option<&'a str>, body: &'a [u8]) -> Message<'a> {
    let arrived = sites::NOW.parse().expect("a time");
    Message { topic, retained: false, content_type: None, file_name: None, body, arrived }
}

/// The first message of a file of MQTT messages: its topic and its payload.
fn first(lines: &str) -> (String, Vec<u8>) {
    let line: Value = serde_json::from_str(lines.lines().nth(1).expect("a line")).expect("JSON");
    let body = line["payload"].to_string().into_bytes();
    (line["topic"].as_str().expect("a topic").to_owned(), body)
}

fn messages(runs: u32) {
    let text = include_str!("../tests/payloads/smartpark.toml");
    let connections = Connections::parse(text, &[]).expect("a configuration");
    let over_mqtt = [
        ("frigate", include_str!("../tests/payloads/frigate/enter-with-gap.ndjson")),
        ("axis", include_str!("../tests/payloads/axis/aoa-recorded.ndjson")),
        ("onvif", include_str!("../tests/payloads/onvif/line-detector-mqtt.ndjson")),
        ("ttn counter", include_str!("../tests/payloads/milesight/vs133-ttn.ndjson")),
    ];
    for (name, lines) in over_mqtt {
        let (topic, body) = first(lines);
        report(name, body.len(), runs, || {
            for routed in route(&connections, &message(Some(&topic), &body)) {
                let Some(camera) = routed.camera else { continue };
                for finding in routed.findings {
                    match finding {
                        Finding::Sighting(sighting) => {
                            drop(black_box(sighting.advance(camera, None)))
                        }
                        Finding::Reading(it) => drop(black_box(count_reading(camera, &it, None))),
                        Finding::Interval(it) => drop(black_box(count_interval(camera, &it, None))),
                        other => drop(black_box(other)),
                    }
                }
            }
        });
    }
    let (topic, body) = first(include_str!("../tests/payloads/own/mqtt-events.ndjson"));
    report("own", body.len(), runs, || {
        drop(black_box(own_events(&message(Some(&topic), &body))));
    });
    let body = include_bytes!("../tests/payloads/hikvision/line-multipart.txt");
    let camera = connections.camera("hik-ramp").expect("a camera");
    report("hikvision", body.len(), runs, || {
        drop(black_box(translate(camera, &message(None, body))));
    });
    let body = include_bytes!("../tests/payloads/xovis/v3-events.json");
    let camera = connections.camera("xovis-door").expect("a camera");
    report("xovis", body.len(), runs, || {
        drop(black_box(translate(camera, &message(None, body))));
    });
}

fn report(name: &str, bytes: usize, runs: u32, mut one: impl FnMut()) {
    let time = mean(runs, || (0..MESSAGES).for_each(|_| one()));
    let rate = f64::from(MESSAGES) / time.as_secs_f64().max(1e-9);
    println!("{name}: {rate:.0} messages of {bytes} bytes a second of one processor");
}
