//! How long clients that behave wait while ten thousand others hold on to what they can: the same
//! questions in interleaved rounds, alone, beside each kind of crowd, and while the same crowd
//! besets another server on this machine: what that costs is the machine's, not the server's.
//!
//! `cargo bench --bench hostile` prints the medians, the 99th percentiles, their ratios to those
//! without a crowd, and the most memory that the server took. With `-- --test` it only shows that
//! it runs; `-- 2000` takes another number of clients, `-- drip` only the shapes with that in
//! their name.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, runtime::Runtime, task::JoinSet};

const HEAD: &str = "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
/// How often one of a crowd that drips sends its next byte.
const DRIP: Duration = Duration::from_secs(1);

/// A kind of client: what it sends first, how large a part of the crowd comes, and whether it goes
/// on a byte at a time.
struct Shape {
    name: &'static str,
    begin: String,
    part: usize,
    drips: bool,
}

fn shapes() -> Vec<Shape> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let held = |name, begin| Shape { name, begin, part: 1, drips: false };
    let body = format!("{HEAD}Content-Length: 100000\r\n\r\n[");
    vec![
        held("idle after an answer", get("/health/live")),
        held("connected and silent", String::new()),
        held("half a head", "GET /floors HTTP/1.1\r\nHost".into()),
        Shape {
            drips: true,
            ..held("a head a byte a second", "GET /floors HTTP/1.1\r\nX: ".into())
        },
        Shape { drips: true, ..held("a body a byte a second", body) },
        Shape { part: 5, ..held("answers not taken", get("/events?limit=1000").repeat(50)) },
        Shape { part: 5, ..held("streams not read", get("/stream")) },
    ]
}

fn main() {
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let crowd = chosen.as_ref().and_then(|chosen| chosen.parse().ok());
    let name = chosen.filter(|_| crowd.is_none()).unwrap_or_default();
    let crowd = crowd.unwrap_or(if is_test { 50 } else { 10_000 });
    let (rounds, seconds) = if is_test { (1, 0.1) } else { (3, 3.0) };
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: files.maximum, ..files };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).expect("it is allowed");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("it can be written");
    let database = |name| format!("sqlite://{}/{name}.db", folder.path().display());
    let servers = ["hostile", "other"].map(|name| Server::start(&database(name)));
    servers.iter().for_each(|server| fill(server.address));
    println!("{crowd} clients; milliseconds, median and 99th percentile; ratio to no crowd");
    for shape in shapes().iter().filter(|shape| shape.name.contains(&name)) {
        measure(&servers, shape, crowd / shape.part, rounds, seconds);
    }
}

/// Rounds of clients that behave at the first server, beside nobody, beside so many at the second
/// one and beside as many at the first, and what they come to.
fn measure(servers: &[Server; 2], shape: &Shape, crowd: usize, rounds: usize, seconds: f64) {
    let [server, other] = servers;
    let mut found = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for (found, beset) in found.iter_mut().zip([None, Some(other), Some(server)]) {
            let _crowd = beset.map(|beset| Crowd::come(beset.address, shape, crowd));
            found.push(good(server.address, seconds));
        }
    }
    for (kind, name) in ["GET, kept", "GET, new connection", "POST, kept"].iter().enumerate() {
        let figure = |rounds: &[[Times; 3]], part| {
            let mut rounds: Vec<f64> = rounds.iter().map(|it| it[kind].at(part)).collect();
            rounds.sort_by(f64::total_cmp);
            rounds[rounds.len() / 2]
        };
        let [alone, elsewhere, beside] =
            found.each_ref().map(|it| [figure(it, 0.5), figure(it, 0.99)]);
        let ratios = |it: [f64; 2]| {
            let [median, p99] = [it[0] / alone[0], it[1] / alone[1]];
            format!("{:6.2} {:6.2}  x{median:.2} x{p99:.2}", it[0], it[1])
        };
        println!(
            "{:24} {name:20} alone {:.2} {:.2}  elsewhere {}  beside {}",
            shape.name,
            alone[0],
            alone[1],
            ratios(elsewhere),
            ratios(beside),
        );
    }
    println!("{:24} {}", shape.name, server.memory());
}

/// How long answers took, in milliseconds, sorted.
struct Times(Vec<f64>);

impl Times {
    fn at(&self, part: f64) -> f64 {
        self.0[(self.0.len() as f64 * part) as usize]
    }
}

/// What clients that behave see for some seconds: of floors on a kept and on a new connection, and
/// of an event. One at a time: it is their waiting that is measured and not what can be done.
fn good(address: SocketAddr, seconds: f64) -> [Times; 3] {
    let get = b"GET /floors HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (mut reads, mut posts) = (connect(address), connect(address));
    let mut times = [const { Vec::new() }; 3];
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds || times[0].is_empty() {
        let post = posted(&event("t", smartpark::Clock::system().now()));
        times[0].push(timed(|| ask(&mut reads, get)));
        times[1].push(timed(|| ask(&mut connect(address), get)));
        times[2].push(timed(|| ask(&mut posts, post.as_bytes())));
        std::thread::sleep(Duration::from_millis(2));
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Times(times)
    })
}

/// Records as many events as a page may have, so that a page is large.
fn fill(address: SocketAddr) {
    let now = smartpark::Clock::system().now();
    let event = |number| event(&format!("track {number}"), now - Duration::from_secs(number));
    let events: Vec<_> = (0..1_000).map(event).collect();
    ask(&mut connect(address), posted(&format!("[{}]", events.join(","))).as_bytes());
}

fn event(track: &str, at: smartpark::Timestamp) -> String {
    format!(
        r#"{{"camera_id":"c","floor_id":1,"track_id":"{track}","vehicle_type":"car",
            "direction":"entry","confidence":0.9,"timestamp":"{at}"}}"#
    )
}

/// A request that posts this.
fn posted(body: &str) -> String {
    format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn timed(what: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    what();
    begin.elapsed().as_secs_f64() * 1e3
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server accepts connections");
    stream.set_nodelay(true).expect("it is a socket");
    stream
}

/// Asks and waits for the whole answer, which must be a success.
fn ask(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).expect("it is connected");
    let (mut answer, mut some) = (Vec::new(), [0; 8 * 1_024]);
    loop {
        let length = stream.read(&mut some).expect("it is connected");
        assert!(length > 0, "a client that behaves was sent away");
        answer.extend_from_slice(&some[..length]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 20"), "{head}");
        let head = head.to_lowercase();
        let length = head.split_once("content-length: ").map(|(_, rest)| rest);
        let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
        if length == Some(body.len()) {
            return;
        }
    }
}

/// Clients of one kind, all connected. They go when this is dropped.
struct Crowd(Option<Runtime>);

impl Crowd {
    fn come(address: SocketAddr, shape: &Shape, count: usize) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a thread");
        runtime.block_on(async {
            let mut coming = JoinSet::new();
            let come = tokio::time::Instant::now() + DRIP;
            for number in 0..count {
                let (begin, drips) = (shape.begin.clone(), shape.drips);
                // Each has its own moment: they drip evenly, not all in the moments they came in.
                let first = DRIP.mul_f64(number as f64 / count as f64);
                let stream = tokio::net::TcpStream::connect(address).await;
                let mut stream = stream.expect("the server accepts connections");
                coming.spawn_on(
                    async move {
                        stream.write_all(begin.as_bytes()).await.ok();
                        if drips {
                            tokio::time::sleep_until(come + first).await;
                        }
                        while drips && stream.write_all(b"x").await.is_ok() {
                            tokio::time::sleep(DRIP).await;
                        }
                        // Who was sent away is done; all others hold on.
                        std::future::pending::<()>().await;
                        drop(stream);
                    },
                    runtime.handle(),
                );
            }
            coming.detach_all();
        });
        Self(Some(runtime))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(Duration::from_secs(30));
        }
    }
}

/// The program, in a process of its own.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(database: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpark"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let mut lines = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let address = loop {
            let line = lines.next().expect("it starts").expect("it is text");
            if let Some((_, address)) = line.split_once("http://") {
                break address.parse().expect("it is an address");
            }
        };
        // A pipe that nobody empties would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// What the kernel says of its memory: now and at most.
    fn memory(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let sizes =
            status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
        sizes.map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
