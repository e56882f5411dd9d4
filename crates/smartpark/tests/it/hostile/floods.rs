//! More than fits: bodies, answers that nobody takes, heads, connections that come and go. The
//! surplus is told so; what is small still gets through.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use smartpark::limits::{MAX_ANSWERS_BYTES, MAX_BODIES_BYTES, MAX_BODY_BYTES};

use super::{Besieged, CROWD, MOST_MEMORY, PLACES};
use crate::scrape::Scrape;

/// The answers on a connection whose client has sent all it had to say.
fn rest(mut stream: TcpStream) -> String {
    stream.shutdown(std::net::Shutdown::Write).ok();
    let mut answers = Vec::new();
    // What breaks off was told enough before.
    stream.read_to_end(&mut answers).ok();
    String::from_utf8_lossy(&answers).into_owned()
}

#[test]
fn bodies_beyond_the_memory_for_them_are_503_and_small_ones_are_taken() {
    let besieged = Besieged::new();
    let (length, bodies) = (MAX_BODY_BYTES, 40);
    assert!((length * bodies) as u64 > MOST_MEMORY, "no bound would be missed");
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let almost = vec![b' '; length - 1];
    let many: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            let mut stream = besieged.connect();
            // Who is refused is drained for a while and then cut off.
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&almost)).ok();
            stream
        };
        let threads: Vec<_> = (0..bodies).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    besieged.records("a small one");
    besieged.stays_small();
    // What there is for them is used.
    assert!(besieged.grown() > MAX_BODIES_BYTES as u64 / 2, "{}", besieged.grown());
    let answers: Vec<String> = many.into_iter().map(rest).collect();
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503 "));
    let told = refused.filter(|answer| answer.to_lowercase().contains("\r\nretry-after: "));
    assert!(told.count() >= 30, "{answers:?}");
    besieged.forgets();
}

#[test]
fn answers_that_nobody_takes_keep_nobody_out() {
    let besieged = Besieged::new();
    besieged.fill(100);
    for path in ["/events?limit=1000", "/events.csv"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let crowd = besieged.crowd(request.repeat(3).as_bytes());
        besieged.answers();
        besieged.records(path);
        besieged.stays_small();
        drop(crowd);
        besieged.forgets();
    }
}

/// Asks for a page of as many events as there may be, and then perhaps for more.
const PAGE: &str = "GET /events?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n";

impl Besieged {
    /// How many pages of events were answered, once there are no more from one event to the next.
    fn pages(&self) -> f64 {
        let series = r#"smartpark_http_requests_total{method="GET",route="/events",status="200"}"#;
        let mut before = None;
        for number in 0.. {
            self.records(&format!("event {number}"));
            let answer =
                self.ask(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let (_, told) = answer.split_once("\r\n\r\n").unwrap();
            let now = Scrape::of(told).get(series);
            if now.is_some() && now == before {
                break;
            }
            before = now;
        }
        before.unwrap()
    }
}

#[test]
fn pages_that_nobody_takes_are_not_made_ahead_and_all_of_them_come() {
    const PAGES: usize = 60;
    let besieged = Besieged::new();
    besieged.fill(200);
    let mut stream = besieged.connect();
    let last = PAGE.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
    stream.write_all([PAGE.repeat(PAGES - 1), last].concat().as_bytes()).unwrap();
    // What is on its way, and some that wait for it; the system alone would take a dozen.
    let ahead = besieged.pages();
    assert!(ahead <= 6.0, "{ahead}");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), PAGES);
}

#[test]
fn who_leaves_no_room_for_large_answers_is_told_once_and_let_go() {
    let besieged = Besieged::new();
    besieged.fill(1_000);
    let crowd: Vec<_> = (0..PLACES - 10).map(|_| besieged.connect()).collect();
    for mut stream in &crowd {
        stream.write_all(PAGE.repeat(4).as_bytes()).unwrap();
    }
    // Some were given a page, and are there still; all others are not asked again.
    let made = besieged.pages();
    assert!(made * 1e6 < 2.0 * MAX_ANSWERS_BYTES as f64, "{made}");
    let refused = crowd.into_iter().map(rest).filter(|answers| answers.contains("HTTP/1.1 503 "));
    let refused: Vec<_> = refused.collect();
    assert!(!refused.is_empty(), "there is room for all");
    for answers in refused {
        assert_eq!(answers.matches("HTTP/1.1 503 ").count(), 1, "{answers}");
        let (_, last) = answers.split_once("HTTP/1.1 503 ").unwrap();
        assert!(last.contains("\r\nconnection: close\r\n"), "{last}");
        assert!(last.contains("\r\nretry-after: "), "{last}");
        assert!(last.ends_with('}'), "{last}");
    }
    besieged.stays_small();
    besieged.forgets();
}

#[test]
fn heads_and_chunks_that_are_too_large_are_refused() {
    let besieged = Besieged::new();
    let many: String = (0..5_000).map(|number| format!("X{number}: y\r\n")).collect();
    let some: String = (0..200).map(|number| format!("X{number}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(20_000));
    let address = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "y".repeat(20_000));
    let extension = format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n1;{}\r\n[\r\n",
        "y".repeat(100_000)
    );
    let packed = "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                  Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x08xx";
    let head = |lines: &str| format!("GET /floors HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    let table = [
        (head(&many), " 431 "),
        (head(&some), " 431 "),
        (head(&long), " 431 "),
        (address, " 431 "),
        (extension, " 400 "),
        (packed.to_owned(), " 415 "),
    ];
    for (request, status) in table {
        let mut stream = besieged.connect();
        // It may be closed while it is still written to.
        stream.write_all(request.as_bytes()).ok();
        let answer = rest(stream);
        // Of a head that is still on its way when the answer is given the answer may be lost.
        let told = answer.split("\r\n").next().unwrap();
        assert!(told.is_empty() || told.contains(status), "{status}: {told}");
        besieged.answers();
    }
    besieged.stays_small();
    besieged.forgets();
}

#[test]
fn connections_that_come_and_go_leave_nothing() {
    let besieged = Besieged::new();
    for turn in 0..20 * CROWD {
        let mut stream = besieged.connect();
        if turn % 3 == 0 {
            stream.write_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n").ok();
        }
        if turn % PLACES == 0 {
            besieged.answers();
        }
    }
    besieged.stays_small();
    besieged.forgets();
}
