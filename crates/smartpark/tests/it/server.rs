//! A server in this process, on a port and a database of its own, and a client that asks it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};
use smartpark::{
    Clock, Floor, NewFloor, Options, SmartPark,
    http::{HttpConfig, OnLimit, serve},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinHandle};
use ureq::Body;

use crate::contract::world::Place;

/// The time at which every test begins.
pub(crate) const NOW: &str = "2026-02-12T12:00:00Z";

/// A server that runs until it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) park: SmartPark,
    pub(crate) clock: Clock,
    agent: ureq::Agent,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
    place: Option<Place>,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON, where the status is as it must be.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{text}");
        self.json()
    }
}

impl TestServer {
    /// A server with the usual configuration, over a park with the floors of [`floors`].
    pub(crate) fn start() -> Self {
        Self::with(HttpConfig::default())
    }

    /// A server that answers events at a limit with 409.
    pub(crate) fn rejecting() -> Self {
        Self::with(HttpConfig { on_limit: OnLimit::Reject, ..HttpConfig::default() })
    }

    /// A server with this configuration.
    pub(crate) fn with(config: HttpConfig) -> Self {
        Self::on(Place::sqlite(), config)
    }

    /// A server on each engine, one after the other, with the usual configuration.
    pub(crate) fn on_each_engine() -> impl Iterator<Item = Self> {
        let places = [Place::sqlite, Place::postgres].into_iter();
        places.map(|place| Self::on(place(), HttpConfig::default()))
    }

    /// A server with this configuration on each engine, one after the other.
    pub(crate) fn on_each_engine_with(config: &HttpConfig) -> impl Iterator<Item = Self> {
        let places = [Place::sqlite, Place::postgres].into_iter();
        let config = config.clone();
        places.map(move |place| Self::on(place(), config.clone()))
    }

    /// Another server on the same data, after this one has stopped.
    pub(crate) fn restart(mut self, config: HttpConfig) -> Self {
        self.begin_stop();
        self.stopped();
        self.run(self.park.clone().close());
        let place = self.place.take().unwrap();
        drop(self);
        Self::on(place, config)
    }

    fn on(place: Place, config: HttpConfig) -> Self {
        let url = place.url();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
        let runtime = runtime.unwrap();
        let clock = Clock::fixed(NOW.parse().unwrap());
        let options = Options { clock: clock.clone(), ..Options::default() };
        let (stop, stopped) = oneshot::channel::<()>();
        let (address, park, served) = runtime.block_on(async {
            let park = SmartPark::open_with(&url, options).await.unwrap();
            if park.floors().get_all_floors().await.unwrap().is_empty() {
                for floor in floors() {
                    park.floors().add_floor(floor).await.unwrap();
                }
            }
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let shutdown = async { stopped.await.unwrap_or(()) };
            let served = tokio::spawn(serve(park.clone(), listener, config, shutdown));
            (address, park, served)
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // Where a body was refused unread the connection ends, too: none is used twice.
            .max_idle_connections_per_host(0)
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self {
            address,
            park,
            clock,
            agent: agent.into(),
            runtime,
            stop: Some(stop),
            served: Some(served),
            place: Some(place),
        }
    }

    /// Runs something on the server's runtime.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Tells the server to stop.
    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) fn stopped(&mut self) {
        let served = self.served.take().unwrap();
        self.run(served).unwrap().unwrap();
    }

    /// Sends a request.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = if body.is_empty() && !matches!(method, "POST" | "PUT" | "PATCH") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.to_vec()).unwrap())
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        let headers = response.headers().clone();
        Answer { status: response.status().as_u16(), headers, bytes }
    }

    /// GET of an answer that is read while it is written.
    pub(crate) fn open(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<Body> {
        let mut request = self.agent.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// A request with a JSON body.
    pub(crate) fn send_json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.send(method, path, &json, body.to_string().as_bytes())
    }

    /// POST /events.
    pub(crate) fn post(&self, body: &Value) -> Answer {
        self.send_json("POST", "/events", body)
    }

    /// POST /events, one a line.
    pub(crate) fn post_lines(&self, lines: &[u8]) -> Answer {
        let lines_type = [("content-type", "application/x-ndjson")];
        self.send("POST", "/events", &lines_type, lines)
    }

    /// All that is stored, as a reader is told and row by row: to be the same before and after.
    pub(crate) fn state(&self) -> (Value, smartpark::DatabaseStats, String) {
        let floors = self.get("/floors?include_inactive=true").expect(200);
        let stats = self.run(self.park.migrations().get_database_stats()).unwrap();
        let rows = self.place.as_ref().unwrap().rows();
        (floors, smartpark::DatabaseStats { size_bytes: 0, ..stats }, rows)
    }

    /// A floor as it is now.
    pub(crate) fn floor(&self, id: i64) -> Floor {
        self.run(self.park.floors().get_floor_by_id(id)).unwrap().unwrap()
    }

    /// Who made the adjustments, in the order they were made; floors are added by nobody.
    pub(crate) fn authors(&self) -> Vec<String> {
        let url = self.place.as_ref().unwrap().url();
        let path = url.strip_prefix("sqlite://").unwrap();
        let database = rusqlite::Connection::open(path).unwrap();
        let authors = "SELECT author FROM adjustments WHERE author IS NOT NULL ORDER BY id";
        let mut statement = database.prepare(authors).unwrap();
        let authors = statement.query_map([], |row| row.get(0)).unwrap();
        authors.collect::<rusqlite::Result<_>>().unwrap()
    }

    /// Every text and every string of bytes that the database holds.
    pub(crate) fn stored_bytes(&self) -> Vec<Vec<u8>> {
        let url = self.place.as_ref().unwrap().url();
        let database = rusqlite::Connection::open(url.strip_prefix("sqlite://").unwrap()).unwrap();
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut tables = database.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut stored = Vec::new();
        for table in tables {
            let mut rows = database.prepare(&format!("SELECT * FROM {}", table.unwrap())).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let bytes = (0..columns).filter_map(|column| {
                    let value = row.get_ref(column).unwrap();
                    value.as_bytes_or_null().ok().flatten().map(<[u8]>::to_vec)
                });
                stored.extend(bytes);
            }
        }
        stored
    }

    /// A connection that is spoken byte by byte.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends bytes on a connection of its own, and reads until the server closes it.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        read_all(&mut stream)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
    }
}

/// Reads until the end.
pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// The floors that every test begins with: 1 with room, 2 with a single slot, 3 not active.
fn floors() -> [NewFloor; 3] {
    [
        NewFloor { description: Some("Main".into()), ..NewFloor::new("Ground Floor", 50) },
        NewFloor::new("Nook", 1),
        NewFloor { is_active: false, ..NewFloor::new("Basement", 60) },
    ]
}

/// A car that enters floor 1, so many seconds before the tests' time.
pub(crate) fn entry(track: &str, seconds_ago: i64) -> Value {
    event(1, track, "entry", seconds_ago)
}

/// A car that crosses a floor's line, so many seconds before the tests' time.
pub(crate) fn event(floor_id: i64, track: &str, direction: &str, seconds_ago: i64) -> Value {
    let now: smartpark::Timestamp = NOW.parse().unwrap();
    let at = now - std::time::Duration::from_secs(u64::try_from(seconds_ago).unwrap());
    json!({
        "camera_id": "cam_001",
        "floor_id": floor_id,
        "track_id": track,
        "vehicle_type": "car",
        "direction": direction,
        "confidence": 0.9,
        "timestamp": at.to_string(),
    })
}
