//! The HTTP interface over the ledger: every route in one list, what can be set about it, and the
//! description of it all (OpenAPI 3.1). What the routes do is in the modules below; none knows SQL.

mod activity;
mod aged;
mod assets;
pub mod attention;
mod auth;
mod body;
mod camera_quality;
pub mod camera_views;
mod cameras;
pub mod changes;
mod channel;
mod connection;
mod dashboard;
mod described;
mod digest;
mod docs;
mod download;
mod drift;
pub mod drift_views;
mod estimate_examples;
mod events;
mod examples;
mod feeds;
pub mod files;
mod filter;
mod floor_bodies;
mod floors;
pub mod forecast;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod health;
pub mod history;
mod host;
mod hot;
mod id;
mod inputs;
mod kind;
mod latest;
mod metrics;
mod origin;
pub mod own;
mod path;
mod places;
mod problem;
mod query;
mod record;
pub mod request_id;
mod requests;
mod room;
mod rows;
mod schemas;
mod seats;
mod server;
mod session;
mod sites;
mod statistics;
mod stream;
mod tls;
mod unpack;
mod validate;
pub mod views;
mod window;
mod withdrawal_examples;
pub mod withdrawals;

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware};
use smartpark_exchange::{Inputs, Signs, Sites};
use smartpark_formats::config::Connections;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use auth::Gate;
pub use auth::{Network, Peer, Rates};
use feeds::FeedDocuments;
use guard::Outside;
use latest::Latest;
pub use origin::Origin;
pub use path::BasePath;
use problem::Problem;
pub use record::RecordedView;
use room::Room;
use seats::Seats;
pub use server::{serve, serve_router};
use sites::SiteCache;
use smartpark_ledger::{
    SmartPark, Timestamp,
    limits::{
        BODY_TIMEOUT, HEAD_TIMEOUT, HEARTBEAT, IDLE_TIMEOUT, MAX_ANSWERS_BYTES, MAX_BODIES_BYTES,
        MAX_DOWNLOADS, MAX_PAGES, MAX_WATCHERS, STOP_TIMEOUT, WRITE_TIMEOUT,
    },
};
pub use tls::TlsFiles;

/// What can be set about the server.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// The address to listen on (127.0.0.1:8000). [`serve`] takes a listener that is bound
    /// already; this is where to bind it.
    pub listen: SocketAddr,
    /// What a camera is told of an event that found its floor full or empty.
    pub on_limit: OnLimit,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// What the site is called on its page; SmartPark where nobody named it.
    pub site_name: Option<String>,
    /// Ask nobody for a key. Otherwise requests from this machine are let in without one until the
    /// first key is made ([`add_key`](smartpark_ledger::KeyOperations::add_key)), if they are sent
    /// directly to `localhost`, 127.0.0.1 or `[::1]` and not by a page of another site. From then
    /// on, and from elsewhere always, a key is needed.
    pub no_auth: bool,
    /// The certificate to encrypt with. Without one, [`serve`] takes connections only from this
    /// machine and from the proxies, unless nobody is asked for a key.
    pub tls: Option<TlsFiles>,
    /// Proxies in front, which encrypt. What they say of where a request comes from
    /// (`X-Forwarded-For`, `X-Forwarded-Proto`) is believed, and of nobody else.
    pub proxies: Vec<Network>,
    /// How often one may ask.
    pub rates: Rates,
    /// How many live streams there may be ([`MAX_WATCHERS`]). When all are taken, a newcomer gets
    /// one of the key, session or address that has the most.
    pub streams: usize,
    /// The sites whose pages may use the interface from a browser, with a key of their own.
    pub cors_origins: Vec<Origin>,
    /// Cameras that post to `/inputs/…`, and the feeds.
    pub connections: Arc<Connections>,
    /// The path under which a proxy publishes the server. Requests with and without it are served.
    pub base_path: BasePath,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            on_limit: OnLimit::default(),
            timeouts: Timeouts::default(),
            site_name: None,
            no_auth: false,
            tls: None,
            proxies: Vec::new(),
            rates: Rates::default(),
            streams: MAX_WATCHERS,
            cors_origins: Vec::new(),
            connections: Arc::default(),
            base_path: BasePath::default(),
        }
    }
}

/// What a camera is told of an event that found its floor at its limit. The event is recorded
/// either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum OnLimit {
    /// Success, with `at_limit` in the answer.
    #[default]
    Record,
    /// 409, for sites that want the caller told. A batch only counts such rows.
    Reject,
}

/// How long clients may take; the defaults are those in [`limits`](smartpark_ledger::limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the head of a request; then the connection is closed.
    pub head: Duration,
    /// For the body of a request; then 408.
    pub body: Duration,
    /// For taking 16 KiB of an answer, or the rest of it; then the connection is closed.
    pub write: Duration,
    /// Between requests; then the connection is closed.
    pub idle: Duration,
    /// How long a server that stops waits for the requests that it has started.
    pub stop: Duration,
    /// How often a live stream says that it is alive.
    pub heartbeat: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: HEAD_TIMEOUT,
            body: BODY_TIMEOUT,
            write: WRITE_TIMEOUT,
            idle: IDLE_TIMEOUT,
            stop: STOP_TIMEOUT,
            heartbeat: HEARTBEAT,
        }
    }
}

/// What the handlers share. Each request has a clone, so it is one count to move, not one for each
/// member.
#[derive(Clone, Debug)]
struct App(Arc<Shared>);

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[derive(Debug)]
struct Shared {
    park: SmartPark,
    site: Arc<SiteCache>,
    /// When the server began.
    began: Timestamp,
    outside: Arc<Outside>,
    gate: Arc<Gate>,
    latest: Latest,
    on_limit: OnLimit,
    body_timeout: Duration,
    /// Memory for the bodies being read.
    body_room: Room,
    /// Memory for the answers that clients have not taken yet.
    answers: Room,
    /// A permit for each large page of events that may be in the making.
    pages: Semaphore,
    /// A seat for each table of events that may be downloaded.
    downloads: Arc<Seats>,
    /// A seat for each live stream.
    streams: Arc<Seats>,
    heartbeat: Duration,
    /// The way in for messages of devices.
    inputs: Inputs,
    /// When cameras were heard.
    signs: Arc<Signs>,
    sites: Sites,
    feeds: FeedDocuments,
    /// Becomes true when the server stops: streams end then.
    stopping: Arc<watch::Sender<bool>>,
}

impl App {
    /// Refuses an answer of so many bytes before it is made, where there is no memory for it. Those
    /// who have held on to theirs longest are let go.
    fn check_room(&self, bytes: usize) -> Result<(), Problem> {
        if self.answers.has(bytes) {
            return Ok(());
        }
        if let Some(places) = &self.outside.places {
            places.end_slow();
        }
        Err(Problem::no_room())
    }
}

/// What the description says beside the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "SmartPark",
        description = "Counts every car once: exact occupancy of car parks from unreliable \
            camera events.\n\n\
            **Sending an event again is always safe**: a repeat is recognised and answered with \
            the first. After a timeout or a 5xx send it again until there is an answer.\n\n\
            Instants are RFC 3339. With any offset on input, never without one; in UTC with `Z` \
            on output, in whole microseconds.\n\n\
            Errors are problem documents (RFC 9457). `type` is stable; fields at fault are all \
            named at once in `errors`.\n\n\
            **Keys** are made with `smartpark key add` and sent as `Authorization: Bearer …` or \
            `X-API-Key: …`: the role `viewer` may read, `camera` may post events and ask which \
            are stored (perhaps only of some cameras or floors), `admin` may do all. Until the \
            first key is made, requests from the same machine may do all: sent directly to \
            `localhost`, `127.0.0.1` or `[::1]`, not by a page of another site.\n\n\
            Lists of events and statistics may come from a replica of the database. Then the \
            header `SmartPark-Replica-Age` says how old they are, in seconds: what was recorded \
            before is in the answer, what came later perhaps not yet. Floors and their counts \
            never come from a replica.",
        license(name = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "events", description = "What cameras see"),
        (name = "floors", description = "How full the floors are, and managing them"),
        (name = "statistics", description = "What happened in a window of time"),
        (name = "estimates",
            description = "What comes next, how far counts may be off, which camera errs"),
        (name = "sites", description = "What is known of the car park"),
        (name = "live", description = "What happens, as it happens"),
        (name = "devices", description = "What devices and camera programs send beside events"),
        (name = "feeds", description = "Free spaces for cities, maps and journey planners"),
        (name = "session", description = "Signing in on the page"),
        (name = "health", description = "Probes, and metrics"),
    ),
    // Relative to the document: a proxy may publish the server under any path.
    servers((url = "./")),
    components(schemas(problem::ProblemView<'_>, download::Separator)),
)]
struct Description;

/// Every operation that wants a key, once there is one. The description is made from this list and
/// the next, so that routes and description cannot differ.
fn guarded_operations() -> OpenApiRouter<App> {
    let mut operations = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(record::record_events, events::list_events, events::clean_up_events))
        .routes(routes!(events::get_event))
        .routes(routes!(digest::get_event_digests))
        .routes(routes!(download::download_events))
        .routes(routes!(floors::list_floors, floors::add_floor))
        .routes(routes!(floors::recommend))
        .routes(routes!(floors::get_floor, floors::change_floor, floors::remove_floor))
        .routes(routes!(floors::recount_floor))
        .routes(routes!(history::get_floor_history))
        .routes(routes!(history::get_history))
        .routes(routes!(forecast::get_floor_forecast))
        .routes(routes!(forecast::get_forecast))
        .routes(routes!(drift::get_floor_drift))
        .routes(routes!(drift::get_drift))
        .routes(routes!(drift::get_floor_drift_history))
        .routes(routes!(sites::list_sites))
        .routes(routes!(sites::get_site, sites::change_site))
        .routes(routes!(statistics::get_statistics))
        .routes(routes!(stream::watch_live))
        .routes(routes!(attention::get_attention))
        .routes(routes!(inputs::receive_message))
        .routes(routes!(camera_quality::get_camera_quality))
        .routes(routes!(cameras::send_heartbeat))
        .routes(routes!(changes::list_changes))
        .routes(routes!(withdrawals::withdraw, withdrawals::list_withdrawals))
        .routes(routes!(metrics::get_metrics));
    described::guard(operations.get_openapi_mut());
    described::require_host(operations.get_openapi_mut());
    operations
}

/// The feeds: each wants a key unless the configuration opens it, which its handler judges.
fn feed_operations() -> OpenApiRouter<App> {
    let mut operations = OpenApiRouter::new()
        .routes(routes!(feeds::datex2_light))
        .routes(routes!(feeds::parkapi_v1))
        .routes(routes!(feeds::parkapi_v1_site))
        .routes(routes!(feeds::parkapi_v3))
        .routes(routes!(feeds::siri_fm))
        .routes(routes!(feeds::ngsi_ld))
        .routes(routes!(feeds::ngsi_v2))
        .routes(routes!(feeds::geojson));
    described::guard(operations.get_openapi_mut());
    described::require_host(operations.get_openapi_mut());
    operations
}

/// Every operation that never wants one.
fn open_operations() -> OpenApiRouter<App> {
    let mut operations = OpenApiRouter::new()
        .routes(routes!(session::get_session, session::begin_session, session::end_session))
        .routes(routes!(health::live))
        .routes(routes!(health::ready));
    described::require_host(operations.get_openapi_mut());
    operations
}

/// The description of all operations, OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    guarded_operations().merge(feed_operations()).merge(open_operations()).into_openapi()
}

/// All routes over `park`, for a server of your own or for tests. What [`serve`] and
/// [`serve_router`] add are the timeouts and bounds of connections, the [`Peer`] of each request,
/// and stopping; encryption only [`serve`].
pub fn router(park: SmartPark, config: &HttpConfig) -> Router {
    let outside = Outside::new(config, None, Some(park.clone()));
    let (routes, _) = routes_until(park, config, &outside, Arc::default());
    routes.layer(middleware::from_fn_with_state(outside, guard::guard))
}

/// How many large pages may be in the making, so that processors are left for all else.
fn pages_at_once() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, MAX_PAGES)
}

/// All routes over `park`, for whoever guards them, and what they share; streams end when
/// `stopping` becomes true.
fn routes_until(
    park: SmartPark,
    config: &HttpConfig,
    outside: &Arc<Outside>,
    stopping: Arc<watch::Sender<bool>>,
) -> (Router, App) {
    let (connections, signs) = (Arc::clone(&config.connections), Arc::<Signs>::default());
    let app = App(Arc::new(Shared {
        inputs: Inputs::new(park.clone(), Arc::clone(&connections), Arc::clone(&signs)),
        sites: Sites::new(park.clone(), connections, config.site_name.as_deref()),
        signs,
        feeds: FeedDocuments::default(),
        began: park.now(),
        outside: Arc::clone(outside),
        gate: Arc::new(Gate::new(park.clone(), config)),
        park,
        site: Arc::clone(&outside.site),
        latest: Latest::default(),
        on_limit: config.on_limit,
        body_timeout: config.timeouts.body,
        body_room: Room::new(MAX_BODIES_BYTES),
        answers: Room::new(MAX_ANSWERS_BYTES),
        pages: Semaphore::new(pages_at_once()),
        downloads: Seats::new(MAX_DOWNLOADS),
        streams: Seats::new(config.streams),
        heartbeat: config.timeouts.heartbeat,
        stopping,
    }));
    let admit = middleware::from_fn_with_state(app.clone(), auth::admit);
    let guarded = guarded_operations().route_layer(admit);
    let (operations, description) =
        guarded.merge(feed_operations()).merge(open_operations()).split_for_parts();
    let routes = operations
        .merge(docs::routes(&description))
        .merge(dashboard::routes(config.site_name.as_deref()))
        .fallback(guard::not_found)
        .with_state(app.clone());
    (routes, app)
}
