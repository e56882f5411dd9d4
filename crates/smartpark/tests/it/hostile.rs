//! Hostile and clumsy clients against the real program. There are always more of them than there
//! are places; whoever comes after them must be answered, the memory must stay bounded, and when
//! they have gone nothing of them may be left.

mod floods;
mod http2;
mod slow;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::cli::{Folder, Server, program::after};

/// Files that the server may open: few, so that the tests need few, too.
const FILES: usize = 228;
/// The places that this leaves, of which some are told to leave at a time.
const PLACES: usize = FILES - smartpark::limits::SPARE_FILES;
/// More than there are places.
const CROWD: usize = 3 * PLACES;
/// Files that the server opens for itself in its own time, like connections to its database.
const OWN_FILES: usize = 16;
/// What the process may take whatever happens, in bytes.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;
/// How long the tests wait for what must happen: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// A request that anybody may make.
const GOOD: &[u8] = b"GET /floors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A server with [`PLACES`], and what it was before anybody came.
struct Besieged {
    server: Server,
    address: SocketAddr,
    files: usize,
    kibibytes: u64,
    _folder: Folder,
}

impl Besieged {
    fn new() -> Self {
        let folder = Folder::with_floors(&[("1F", 1_000)]);
        let serve = folder.command(&["serve", "--seed", "none", "--listen", "127.0.0.1:0"]);
        let server = Server::spawn(after(&format!("ulimit -n {FILES}"), &serve));
        let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
        let besieged = Self { server, address, files: 0, kibibytes: 0, _folder: folder };
        besieged.answers();
        let (files, kibibytes) = (besieged.server.open_files(), besieged.server.status("VmRSS"));
        Self { files, kibibytes, ..besieged }
    }

    /// Stores so many events whose names are as long as they may be, of a kilobyte each.
    fn fill(&self, count: usize) {
        let now = smartpark::Clock::system().now();
        let name = "\u{1f697}".repeat(90);
        let event = |number: usize| {
            let at = now - Duration::from_millis(number as u64);
            format!(
                r#"{{"camera_id":"{name}","floor_id":1,"track_id":"{name}{number}",
                    "vehicle_type":"car","direction":"entry","confidence":0.9,"timestamp":"{at}"}}"#
            )
        };
        let events: Vec<_> = (0..count).map(event).collect();
        let answer = self.ask(&posted(&format!("[{}]", events.join(","))));
        assert!(answer.contains(&format!("\"recorded\":{count},")), "{answer}");
    }

    /// A connection that is spoken byte by byte.
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// So many connections that begin so and go no further.
    fn crowd(&self, begin: &[u8]) -> Vec<TcpStream> {
        let one = |_| {
            let mut stream = self.connect();
            // Who had to make room already is none the less one of the crowd.
            stream.write_all(begin).ok();
            stream
        };
        (0..CROWD).map(one).collect()
    }

    /// What a client that behaves is answered; it may try again as all clients do.
    fn ask(&self, request: &[u8]) -> String {
        let begin = Instant::now();
        loop {
            let (mut stream, mut answer) = (self.connect(), Vec::new());
            let asked = stream.write_all(request).and_then(|()| stream.read_to_end(&mut answer));
            match asked {
                Ok(length) if length > 0 => return String::from_utf8_lossy(&answer).into_owned(),
                _ => assert!(begin.elapsed() < PATIENCE, "nobody answers: {asked:?}"),
            }
        }
    }

    /// A client that behaves is answered.
    #[track_caller]
    fn answers(&self) {
        let answer = self.ask(GOOD);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// A camera's event is recorded.
    #[track_caller]
    fn records(&self, track: &str) {
        let answer = self.ask(&post(track));
        // One that was sent again because its connection broke may be recorded already.
        let recorded = ["HTTP/1.1 201 ", "HTTP/1.1 200 "].iter().any(|it| answer.starts_with(it));
        assert!(recorded, "{answer}");
    }

    /// The most memory that it ever took, in bytes.
    #[track_caller]
    fn stays_small(&self) {
        let kibibytes = self.server.status("VmHWM");
        assert!(kibibytes * 1024 < MOST_MEMORY, "{kibibytes} KiB");
    }

    /// By how much that is more than it took when it began, in bytes.
    fn grown(&self) -> u64 {
        (self.server.status("VmHWM") - self.kibibytes) * 1024
    }

    /// All that the clients held is given back once they have gone.
    #[track_caller]
    fn forgets(&self) {
        let begin = Instant::now();
        while self.server.open_files() > self.files + OWN_FILES {
            assert!(begin.elapsed() < PATIENCE, "{} files are open", self.server.open_files());
            std::thread::yield_now();
        }
    }
}

/// A camera's event.
fn post(track: &str) -> Vec<u8> {
    let now = smartpark::Clock::system().now();
    let body = format!(
        r#"{{"camera_id":"cam","floor_id":1,"track_id":"{track}","vehicle_type":"car",
            "direction":"entry","confidence":0.9,"timestamp":"{now}"}}"#
    );
    posted(&body)
}

/// A request that posts this, and is the last on its connection.
fn posted(body: &str) -> Vec<u8> {
    format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
