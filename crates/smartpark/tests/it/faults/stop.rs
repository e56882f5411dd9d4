//! A server that is told to stop under load: what it has begun it answers, and then it ends well.
//!
//! What it has begun is known twice. Some posts have been asked for their bodies, so the server has
//! their heads, and get the rest only after it was seen to stop. And whatever it has stored by its
//! end it had taken, wherever among the load that was: the judge looks who was answered.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    journal::{Stop, finding},
    load::{Load, Post},
    raw,
    trial::Trial,
};
use crate::cli::{Server, client::Answer};

/// How long a server that was told to stop may take.
const STOP: Duration = Duration::from_secs(10);
/// Posts that have begun when it is told.
const BEGUN: usize = 6;
/// What asks for a body.
const ASKED: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A post that the server has begun and not got whole.
struct Begun<'a> {
    post: &'a Post,
    server: u32,
    stream: TcpStream,
    rest: String,
}

impl<'a> Begun<'a> {
    /// The next post of the load, with half a body or with none of it.
    fn next(load: &'a Load, has_half: bool) -> Option<Self> {
        let post = load.next()?;
        let (kind, mut body) = load.content(post);
        let (server, _) = load.sent(post);
        let mut stream = connect(load);
        let key = &load.key;
        let head = format!(
            "POST /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut asked = [0; ASKED.len()];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(asked, ASKED, "{}", String::from_utf8_lossy(&asked));
        let rest = body.split_off(if has_half { body.len() / 2 } else { 0 });
        stream.write_all(body.as_bytes()).unwrap();
        Some(Self { post, server, stream, rest })
    }

    /// Sends the rest, and notes what comes of it.
    fn end(mut self, load: &Load) {
        let mut told = Vec::new();
        // An answer that breaks off is none.
        let sent = self.stream.write_all(self.rest.as_bytes());
        let ended = sent.and_then(|()| self.stream.read_to_end(&mut told));
        let answer = ended.ok().and_then(|_| answer(&told));
        if !load.told(self.post, self.server, answer) {
            let told = format!("begun, and answered {:?}", String::from_utf8_lossy(&told));
            load.with(|journal| journal.findings.push(finding("stop", told)));
        }
        load.with(|journal| journal.answered += 1);
    }
}

/// A connection to where the server is.
fn connect(load: &Load) -> TcpStream {
    let url = load.url("");
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(2 * STOP)).unwrap();
    stream
}

/// A whole answer of JSON.
fn answer(told: &[u8]) -> Option<Answer> {
    let (head, body) = std::str::from_utf8(told).ok()?.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let retry_after = head.to_lowercase().contains("\r\nretry-after: ");
    let body: Value = serde_json::from_str(body).ok()?;
    Some(Answer { status, retry_after, body })
}

impl Trial {
    /// Tells a server to stop while posts have begun, and notes what it did not do as it must.
    pub(crate) fn stop_under_load(&self, mut server: Server) {
        let load = &self.load;
        let mut idle = connect(load);
        idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut kept = Vec::new();
        while !kept.ends_with(b"}") {
            let mut some = [0; 1_024];
            let length = idle.read(&mut some).unwrap();
            assert!(length > 0, "{}", String::from_utf8_lossy(&kept));
            kept.extend_from_slice(&some[..length]);
        }
        let begun: Vec<_> = (0..BEGUN).filter_map(|it| Begun::next(load, it % 2 == 0)).collect();
        assert!(!begun.is_empty(), "all posts were sent before");
        let told = Instant::now();
        server.signal("TERM");
        let closed = idle.read(&mut [0; 1_024]);
        // From here on it is known to stop: the connection that has nothing to do is gone.
        if !matches!(closed, Ok(0)) {
            let kept = finding("stop", format!("an idle connection was not closed: {closed:?}"));
            load.with(|journal| journal.findings.push(kept));
        }
        begun.into_iter().for_each(|begun| begun.end(load));
        let ended = loop {
            let ended = server.ended();
            if ended.is_some() || told.elapsed() > STOP {
                break ended;
            }
            load.pause();
        };
        let last_id = raw::last_id(self.folder.url());
        load.with(|journal| {
            journal.stops.push(Stop { server: journal.servers, last_id });
            let after = told.elapsed();
            match ended {
                Some((Some(0), log)) if log.contains("stopped") => {}
                Some(other) => journal.findings.push(finding("stop", format!("{other:?}"))),
                None => journal.findings.push(finding("stop", format!("it runs after {after:?}"))),
            }
        });
    }
}
