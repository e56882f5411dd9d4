//! The events that every side is given: four floors, eight cameras, a car every ten seconds.
//!
//! An event is a function of its number, so that all sides are given the same ones, and what is
//! stored can be told from how many were sent. Most runs name tracks in no order, as trackers do
//! that draw their names: a new row falls anywhere into the indexes, which is the most that it can
//! cost. Large databases are filled with counted tracks, or filling them would take hours.

use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use smartpark::{Direction, NewEvent, Timestamp, VehicleType};

/// The floors of an empty database that is seeded with `--seed floors`.
pub(crate) const FLOORS: u64 = 4;
const CAMERAS: u64 = 8;
/// Time between two events, in microseconds.
pub(crate) const SPACING: i64 = 10_000_000;
/// Some thirty cars come, then some thirty go: the counts move, and meet their limits.
const RUSH: u64 = 30;
/// A small site's past, so long that no run comes to its end: the first event of most runs.
const PAST: i64 = 20 * 365 * 86_400;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) camera_id: String,
    pub(crate) floor_id: i64,
    pub(crate) track_id: String,
    pub(crate) vehicle_type: VehicleType,
    pub(crate) direction: Direction,
    pub(crate) confidence: f64,
    /// Microseconds since 1970 UTC.
    pub(crate) at: i64,
}

/// How tracks are named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tracks {
    /// By a counter, as most trackers do.
    Counted,
    /// In no order.
    Drawn,
}

/// A stream of events, of which everybody takes the next.
#[derive(Debug)]
pub(crate) struct Traffic {
    begin: i64,
    tracks: Tracks,
    next: AtomicU64,
}

impl Traffic {
    /// Events that began long ago: there is room for any number of them before now.
    pub(crate) fn past() -> Self {
        Self::since(now() - PAST * 1_000_000)
    }

    /// As many events as `rows`, the last one just now, with counted tracks.
    pub(crate) fn until_now(rows: u64) -> Self {
        Self::until(now(), rows)
    }

    /// As many events as `rows`, the last one just before `end`, with counted tracks.
    pub(crate) fn until(end: i64, rows: u64) -> Self {
        let begin = end - place(rows) * SPACING;
        Self { begin, tracks: Tracks::Counted, next: AtomicU64::new(0) }
    }

    /// Events from `begin` on, with tracks in no order.
    pub(crate) fn since(begin: i64) -> Self {
        Self { begin, tracks: Tracks::Drawn, next: AtomicU64::new(0) }
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// The instant of an event, in microseconds since 1970 UTC.
    pub(crate) fn at(&self, number: u64) -> i64 {
        self.begin + place(number) * SPACING
    }

    /// The event with this number.
    fn event(&self, number: u64, tracks: Tracks) -> Seen {
        let camera = number % CAMERAS;
        let mixed = mix(number);
        let vehicle_type = match mixed % 20 {
            0 => VehicleType::Bus,
            1 | 2 => VehicleType::Truck,
            3..=5 => VehicleType::Motorcycle,
            _ => VehicleType::Car,
        };
        let is_entry = (number / RUSH).is_multiple_of(2);
        Seen {
            camera_id: format!("cam_{camera:03}"),
            floor_id: place(1 + camera % FLOORS),
            track_id: match tracks {
                Tracks::Counted => format!("track_{number}"),
                Tracks::Drawn => format!("track_{mixed:016x}"),
            },
            vehicle_type,
            direction: if is_entry { Direction::Entry } else { Direction::Exit },
            confidence: 0.92,
            at: self.at(number),
        }
    }

    /// The next events.
    pub(crate) fn take(&self, count: u64) -> impl Iterator<Item = Seen> {
        self.take_as(count, self.tracks)
    }

    /// The next events, with tracks named so.
    pub(crate) fn take_as(&self, count: u64, tracks: Tracks) -> impl Iterator<Item = Seen> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        (first..first + count).map(move |number| self.event(number, tracks))
    }

    /// A request that posts the next event.
    pub(crate) fn post_one(&self, request: &mut Vec<u8>) {
        let mut body = Vec::with_capacity(256);
        self.take(1).for_each(|seen| seen.write_json(&mut body));
        post("application/json", &body, request);
    }

    /// A request that posts the next events as an array.
    pub(crate) fn post_array(&self, count: u64, request: &mut Vec<u8>) {
        let mut body = vec![b'['];
        for seen in self.take(count) {
            seen.write_json(&mut body);
            body.push(b',');
        }
        body.pop();
        body.push(b']');
        post("application/json", &body, request);
    }

    /// A request that posts the next events, one a line.
    pub(crate) fn post_lines(&self, count: u64, request: &mut Vec<u8>) {
        let mut body = Vec::new();
        self.write_lines(count, &mut body);
        post("application/x-ndjson", &body, request);
    }

    /// The next events, one a line.
    pub(crate) fn write_lines(&self, count: u64, text: &mut Vec<u8>) {
        for seen in self.take(count) {
            seen.write_json(text);
            text.push(b'\n');
        }
    }
}

impl Seen {
    /// As the library takes it.
    pub(crate) fn into_new(self) -> NewEvent {
        let Self { camera_id, floor_id, track_id, vehicle_type, direction, confidence, at } = self;
        let new = NewEvent::new(camera_id, floor_id, track_id, vehicle_type, direction);
        NewEvent { confidence, ..new }.at(instant(at))
    }

    fn write_json(&self, text: &mut Vec<u8>) {
        let Self { camera_id, floor_id, track_id, confidence, .. } = self;
        let (vehicle, direction, at) =
            (vehicle_word(self.vehicle_type), direction_word(self.direction), instant(self.at));
        // A vector takes all that is written.
        let _ = write!(
            text,
            r#"{{"camera_id":"{camera_id}","floor_id":{floor_id},"track_id":"{track_id}","#
        );
        let _ = write!(
            text,
            r#""vehicle_type":"{vehicle}","direction":"{direction}","confidence":{confidence},"#
        );
        let _ = write!(text, r#""timestamp":"{at}"}}"#);
    }
}

fn vehicle_word(vehicle_type: VehicleType) -> &'static str {
    match vehicle_type {
        VehicleType::Car => "car",
        VehicleType::Motorcycle => "motorcycle",
        VehicleType::Bus => "bus",
        VehicleType::Truck => "truck",
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Entry => "entry",
        Direction::Exit => "exit",
    }
}

/// A request that posts `body`.
fn post(content_type: &str, body: &[u8], request: &mut Vec<u8>) {
    let length = body.len();
    let _ = write!(
        request,
        "POST /events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n"
    );
    request.extend_from_slice(body);
}

/// A request that asks for `path`.
pub(crate) fn get(path: &str, request: &mut Vec<u8>) {
    let _ = write!(request, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
}

/// A request that deletes `path`.
pub(crate) fn delete(path: &str, request: &mut Vec<u8>) {
    let _ = write!(request, "DELETE {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
}

/// The time now, in microseconds since 1970 UTC.
pub(crate) fn now() -> i64 {
    smartpark::Clock::system().now().as_microsecond()
}

/// An instant from microseconds.
pub(crate) fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).expect("the events of a benchmark lie in this century")
}

fn place(number: u64) -> i64 {
    i64::try_from(number).expect("no run has as many events")
}

/// Spreads numbers evenly, each to another one (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
