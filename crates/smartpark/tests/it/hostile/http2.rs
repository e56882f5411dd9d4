//! HTTP/2, spoken frame by frame by clients that mean no good.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use smartpark::limits::{MAX_ANSWERS_BYTES, MAX_DOWNLOADS, MAX_STREAMS};

use super::{Besieged, MOST_MEMORY, PATIENCE, PLACES};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What somebody sends on a connection that has begun.
type Flood = fn(&mut TcpStream);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The head of a GET, or where a body is to come of a POST, without indexes.
fn head(path: &str, has_body: bool) -> Vec<u8> {
    // Indexed: the method and the scheme http; then the path and the host as they are.
    let mut head = vec![if has_body { 0x83 } else { 0x82 }, 0x86];
    head.extend([0x04, u8::try_from(path.len()).unwrap()]);
    head.extend(path.as_bytes());
    head.extend([0x01, 9]);
    head.extend(b"localhost");
    if has_body {
        // content-type is number 31 of the static table.
        head.extend([0x0f, 0x10, 16]);
        head.extend(b"application/json");
    }
    head
}

/// Begins to speak; a window of zero for each answer, where that is wanted.
fn begin(besieged: &Besieged, takes_answers: bool) -> TcpStream {
    let mut stream = besieged.connect();
    stream.write_all(PREFACE).unwrap();
    let window: &[u8] = if takes_answers { &[] } else { &[0, 4, 0, 0, 0, 0] };
    stream.write_all(&frame(SETTINGS, 0, 0, window)).unwrap();
    stream
}

/// Sends until the server has had enough, or it is told all.
fn send(stream: &mut TcpStream, frames: impl Iterator<Item = Vec<u8>>) {
    for frame in frames {
        if stream.write_all(&frame).is_err() {
            return;
        }
    }
}

fn numbers(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// A request for the floors.
fn asked(number: u32) -> Vec<u8> {
    get("/floors", number)
}

/// One that is taken back at once.
fn reset(number: u32) -> Vec<u8> {
    [asked(number), frame(RESET, 0, number, &[0, 0, 0, 8])].concat()
}

/// A body that is sent in pieces of nothing.
fn empty(stream: &mut TcpStream) {
    let begun = frame(HEADERS, END_HEADERS, 1, &head("/events", true));
    send(stream, std::iter::once(begun).chain((0..20_000).map(|_| frame(DATA, 0, 1, &[]))));
}

/// A head that goes on and on.
fn endless(stream: &mut TcpStream) {
    let begun = frame(HEADERS, END_STREAM, 1, &head("/floors", false));
    let more = [&[0x00, 1, b'y', 127, 0x81, 0x07][..], &[b'y'; 1_024]].concat();
    let more = frame(CONTINUATION, 0, 1, &more);
    send(stream, std::iter::once(begun).chain((0..2_000).map(|_| more.clone())));
}

#[test]
fn floods_of_frames_end_their_own_connection_and_nothing_else() {
    let besieged = Besieged::new();
    let floods: [(&str, Flood); 6] = [
        ("resets", |it| send(it, numbers(20_000).map(reset))),
        ("streams", |it| send(it, numbers(20_000).map(asked))),
        ("pings", |it| send(it, (0..50_000).map(|_| frame(PING, 0, 0, &[7; 8])))),
        ("settings", |it| send(it, (0..50_000).map(|_| frame(SETTINGS, 0, 0, &[])))),
        ("empty data", empty),
        ("a head without end", endless),
    ];
    for (name, flood) in floods {
        eprintln!("flood: {name}");
        let mut streams: Vec<_> = (0..4).map(|_| begin(&besieged, true)).collect();
        std::thread::scope(|scope| {
            for stream in &mut streams {
                // They read nothing, so the server stops to listen to some of them.
                stream.set_write_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
                scope.spawn(move || flood(stream));
            }
            besieged.answers();
            besieged.records(name);
        });
        besieged.answers();
        besieged.stays_small();
        drop(streams);
        besieged.forgets();
    }
}

#[test]
fn streams_whose_answers_nobody_takes_keep_nobody_out() {
    let besieged = Besieged::new();
    let dripping = |number| {
        let begun = frame(HEADERS, END_HEADERS, number, &head("/events", true));
        [begun, frame(DATA, 0, number, b"{")].concat()
    };
    let shapes: [&dyn Fn(u32) -> Vec<u8>; 2] = [&asked, &dripping];
    for (shape, one) in shapes.iter().enumerate() {
        let mut crowd: Vec<_> = (0..2 * PLACES).map(|_| besieged.connect()).collect();
        for stream in &mut crowd {
            stream.write_all(PREFACE).ok();
            stream.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).ok();
            send(stream, numbers(100).map(one));
        }
        besieged.answers();
        besieged.records(&format!("beside shape {shape}"));
        besieged.stays_small();
        drop(crowd);
        besieged.forgets();
    }
}

/// A GET.
fn get(path: &str, number: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, number, &head(path, false))
}

/// A page of a megabyte.
fn page(number: u32) -> Vec<u8> {
    get("/events?limit=1000", number)
}

/// Whether each of so many requests was answered with 200, as far as the connection lasts.
fn answered(stream: &mut TcpStream, most: u32) -> Vec<bool> {
    let mut answered = Vec::new();
    while answered.len() < most as usize {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            break;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).is_err() {
            break;
        }
        if head[3] == HEADERS {
            // The status comes first; 200 is number 8 of the static table.
            answered.push(payload[0] == 0x88);
        }
    }
    answered
}

/// Nobody takes a byte of them, so each that is given stays in memory.
#[test]
fn large_pages_for_many_streams_take_what_there_is_for_answers_and_no_more() {
    let besieged = Besieged::new();
    besieged.fill(1_000);
    let asks = b"GET /events?limit=1000 HTTP/1.0\r\nHost: localhost\r\n\r\n";
    let page_bytes = besieged.ask(asks).len();
    let mut stream = begin(&besieged, false);
    send(&mut stream, numbers(MAX_STREAMS).map(page));
    let given = answered(&mut stream, MAX_STREAMS).iter().filter(|it| **it).count();
    let (taken, most) = (given * page_bytes, MAX_ANSWERS_BYTES);
    assert!((most / 2..=most).contains(&taken), "{given} pages of {page_bytes} bytes");
    assert!(besieged.grown() > most as u64 / 2, "{}", besieged.grown());
    besieged.answers();
    besieged.records("beside one connection");
    drop(stream);

    let connections = 5;
    let wanted = connections * MAX_STREAMS as usize * page_bytes;
    assert!(wanted as u64 > MOST_MEMORY, "no bound would be missed");
    let mut crowd: Vec<_> = (0..connections).map(|_| begin(&besieged, false)).collect();
    for stream in &mut crowd {
        send(stream, numbers(MAX_STREAMS).map(page));
    }
    for stream in &mut crowd {
        answered(stream, MAX_STREAMS);
        besieged.answers();
    }
    besieged.records("beside several");
    besieged.stays_small();
    drop(crowd);
    besieged.forgets();
}

/// Their tables are longer than what is made ahead of a client that takes nothing.
#[test]
fn one_download_more_than_there_may_be_is_told_when_to_come_back() {
    let besieged = Besieged::new();
    besieged.fill(1_000);
    let most = u32::try_from(MAX_DOWNLOADS).unwrap();
    let mut stream = begin(&besieged, false);
    send(&mut stream, numbers(most).map(|number| get("/events.csv", number)));
    assert_eq!(answered(&mut stream, most), [true; MAX_DOWNLOADS]);
    let request = b"GET /events.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let refused = besieged.ask(request);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{}", refused.len());
    assert!(refused.to_lowercase().contains("\r\nretry-after: "), "{refused}");
    besieged.records("beside downloads");
    stream.write_all(&frame(RESET, 0, 1, &[0, 0, 0, 8])).unwrap();
    // As soon as the server has seen that one has ended, there is room for one.
    let begun = std::time::Instant::now();
    while besieged.ask(request).starts_with("HTTP/1.1 503 ") {
        assert!(begun.elapsed() < PATIENCE, "the place is not given back");
    }
    drop(stream);
    besieged.forgets();
}

#[test]
fn what_is_spoken_here_is_understood() {
    let besieged = Besieged::new();
    let mut stream = begin(&besieged, true);
    stream.write_all(&asked(1)).unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("\"1F\"") {
        let mut some = [0; 1_024];
        let length = stream.read(&mut some).unwrap();
        assert!(length > 0, "{answer:?}");
        answer.extend_from_slice(&some[..length]);
    }
}
