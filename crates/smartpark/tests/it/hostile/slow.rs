//! Clients that begin and do not go on, or do so a byte at a time: each kind fills all places three
//! times over, and whoever comes then is answered.

use std::{io::Write, net::TcpStream};

use super::{Besieged, PLACES};

/// Begins of requests that never end, by what they hold on to.
const BEGINS: [(&str, &[u8]); 9] = [
    ("nothing", b""),
    ("half a request line", b"GET /flo"),
    ("half a head", b"GET /floors HTTP/1.1\r\nHost: localhost\r\nAccept: a"),
    ("a hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("half a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM"),
    ("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    ("an answer that was given", b"GET /floors HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (
        "half a body",
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
          Content-Length: 100\r\n\r\n{\"camera_id\":",
    ),
    (
        "a body that is to be asked for",
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
          Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    ),
];

#[test]
fn whoever_begins_and_stops_keeps_nobody_out() {
    let besieged = Besieged::new();
    for (what, begin) in BEGINS {
        eprintln!("held: {what}");
        let crowd = besieged.crowd(begin);
        besieged.answers();
        besieged.records(what);
        besieged.stays_small();
        drop(crowd);
        besieged.forgets();
    }
    let (code, log) = besieged.server.stop();
    assert_eq!(code, Some(0), "{log}");
    // Nobody had to guess why there was so little room.
    assert!(log.contains(&format!("at most {PLACES} connections instead of")), "{log}");
}

#[test]
fn whoever_sends_a_byte_at_a_time_keeps_nobody_out() {
    let besieged = Besieged::new();
    let body = format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 9000\r\n\r\n{}",
        " ".repeat(1_000)
    );
    let head = format!("GET /floors HTTP/1.1\r\nX: {}", "x".repeat(1_000));
    for whole in [head, body] {
        let (begin, drips) = whole.as_bytes().split_at(whole.len() - 12);
        let mut crowd = besieged.crowd(begin);
        for (drop, byte) in drips.iter().enumerate() {
            let drip = |stream: &mut TcpStream| stream.write_all(&[*byte]).is_ok();
            // Who was sent away comes back.
            for stream in &mut crowd {
                if !drip(stream) {
                    *stream = besieged.connect();
                    stream.write_all(begin).ok();
                }
            }
            besieged.records(&format!("{drop} of {}", whole.len()));
        }
        besieged.stays_small();
        drop(crowd);
        besieged.forgets();
    }
}

#[test]
fn who_only_watches_and_never_reads_takes_little_and_makes_room_last() {
    let besieged = Besieged::new();
    let watch = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut watchers: Vec<_> = (0..PLACES / 2).map(|_| besieged.connect()).collect();
    for stream in &mut watchers {
        stream.write_all(watch).unwrap();
        let mut first = [0; 12];
        std::io::Read::read_exact(stream, &mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    let crowd = besieged.crowd(b"GET /flo");
    besieged.records("seen by all");
    // All of them are told of it, though the crowd wanted their places.
    for stream in &mut watchers {
        let mut told = Vec::new();
        while !String::from_utf8_lossy(&told).contains("seen by all") {
            let mut some = [0; 4_096];
            let length = std::io::Read::read(stream, &mut some).unwrap();
            assert!(length > 0, "a watcher had to make room");
            told.extend_from_slice(&some[..length]);
        }
    }
    besieged.stays_small();
    drop((crowd, watchers));
    besieged.forgets();
}
