//! The load generator: connections that are kept, on few threads, and requests that are written
//! by the caller. Closed, each connection sends when it was answered: that shows how much is done
//! at most. Open, requests are due at a fixed rate whatever happens, and their time counts from
//! when they were due: that shows how long somebody waits. (A due time is met to a millisecond.)

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::machine::{cores, processor_time};

/// Writes the next request to the end of a buffer.
pub(crate) type Requests = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// When the one before was answered.
    Closed,
    /// So many a second.
    Open(f64),
}

/// What is to be sent.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    /// How long it is measured, in seconds; a sixth of that goes before, unmeasured.
    pub(crate) seconds: f64,
    pub(crate) requests: Requests,
    /// The status of every answer that counts.
    pub(crate) status: u16,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How long it was measured, in seconds.
    seconds: f64,
    connections: usize,
    /// How long each answer took that was asked for in this time, in seconds, sorted.
    times: Vec<f64>,
    /// Answers with another status, in all the time.
    pub(crate) refused: u64,
    /// How much of its threads' time the generator has used: near 1 it is what was measured.
    pub(crate) busy: f64,
}

impl Outcome {
    /// Answers a second that its connections were given while they waited for one: what is done
    /// where each answer takes long, and making the request takes long, too.
    pub(crate) fn capacity(&self) -> f64 {
        self.connections as f64 * self.times.len() as f64 / self.times.iter().sum::<f64>()
    }

    /// Answers a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// How long answers took at most in this part of all cases, in milliseconds.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let place = (self.times.len() as f64 * part) as usize;
        self.times.get(place.min(self.times.len().saturating_sub(1))).map_or(f64::NAN, |t| t * 1e3)
    }

    /// The same outcome, where every answer was as wanted.
    pub(crate) fn clean(self) -> Self {
        assert_eq!(self.refused, 0, "answers had another status than they should");
        self
    }
}

/// Sends requests and waits for the last answer.
pub(crate) fn run(load: &Load) -> Outcome {
    // The server beside it needs the other cores.
    let threads = (cores() / 2).clamp(1, load.connections);
    let (begin, used) = (Instant::now(), processor_time(std::process::id()));
    let done: Vec<Done> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || one_thread(load, thread, threads)))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let used = processor_time(std::process::id()).saturating_sub(used).as_secs_f64();
    let busy = used / begin.elapsed().as_secs_f64() / threads as f64;
    let mut times: Vec<f64> = done.iter().flat_map(|done| &done.times).copied().collect();
    times.sort_by(f64::total_cmp);
    let refused = done.iter().map(|done| done.refused).sum();
    Outcome { seconds: load.seconds, connections: load.connections, times, refused, busy }
}

/// What one connection has seen.
#[derive(Default)]
struct Done {
    times: Vec<f64>,
    refused: u64,
}

fn one_thread(load: &Load, thread: usize, threads: usize) -> Vec<Done> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime needs no more than a file").block_on(async {
        let mut connections = Vec::new();
        for number in (thread..load.connections).step_by(threads) {
            let connection = Connection::open(load.address).await;
            connections.push((number, connection.expect("the server accepts connections")));
        }
        let mut running = JoinSet::new();
        let begin = Instant::now();
        for (number, connection) in connections {
            running.spawn(one_connection(load.clone(), connection, number, begin));
        }
        let done = running.join_all().await;
        done.into_iter().map(|done| done.expect("the server answers every request")).collect()
    })
}

async fn one_connection(
    load: Load,
    mut connection: Connection,
    number: usize,
    begin: Instant,
) -> io::Result<Done> {
    let measured = begin + Duration::from_secs_f64(load.seconds / 6.0);
    let end = measured + Duration::from_secs_f64(load.seconds);
    let (mut done, mut request) = (Done::default(), Vec::new());
    for turn in 0_u32.. {
        let due = match load.pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => {
                let turns = f64::from(turn) * load.connections as f64 + number as f64;
                begin + Duration::from_secs_f64(turns / rate)
            }
        };
        // A look that is too short for any answer waits for one.
        if due >= end && !done.times.is_empty() {
            break;
        }
        if load.pace != Pace::Closed {
            tokio::time::sleep_until(due.into()).await;
        }
        request.clear();
        (load.requests)(&mut request);
        // Making the request is not the server's affair.
        let begun = if load.pace == Pace::Closed { Instant::now() } else { due };
        let status = connection.ask(&request).await?;
        let answered = Instant::now();
        if status != load.status {
            done.refused += 1;
        } else if begun >= measured {
            done.times.push((answered - begun).as_secs_f64());
        }
    }
    Ok(done)
}

/// A connection that is kept, and speaks just as much HTTP/1.1 as it needs.
pub(crate) struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbox: Vec::with_capacity(16 * 1_024) })
    }

    /// Sends a request and waits for the whole answer; its status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.inbox.clear();
        loop {
            if let Some((status, length)) = head(&self.inbox)
                && self.inbox.len() >= length
            {
                return Ok(status);
            }
            self.read().await?;
        }
    }

    /// Sends a request and waits for the whole answer; its status and body.
    pub(crate) async fn fetch(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let status = self.ask(request).await?;
        let body = self.inbox.windows(4).position(|four| four == b"\r\n\r\n");
        Ok((status, self.inbox.split_off(body.map_or(0, |place| place + 4))))
    }

    /// Sends a request and counts the bytes that come, for as long as any do.
    pub(crate) async fn watch(
        &mut self,
        request: &[u8],
        mut told: impl FnMut(usize),
    ) -> io::Result<()> {
        self.stream.write_all(request).await?;
        loop {
            self.inbox.clear();
            self.read().await?;
            told(self.inbox.len());
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The status of an answer whose head is there, and its length with its body.
fn head(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse::<usize>().ok());
    Some((status, end + 4 + length.unwrap_or(0)))
}

/// GET on a connection of its own; the body of the answer, which must be a success.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    crate::traffic::get(path, &mut request);
    once(address, &request)
}

/// A request on a connection of its own; the body of the answer, which must be a success.
pub(crate) fn once(address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, body) =
        runtime.block_on(async { Connection::open(address).await?.fetch(request).await })?;
    let refused = || io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&body)));
    if status / 100 == 2 { Ok(body) } else { Err(refused()) }
}
