//! Who gets in: judged from the head of a request, before any of its body is read.
//!
//! Invariants: an unknown key, a revoked one and none at all get the same answer; no key and no
//! session is logged; what a request costs before it is let in does not depend on what it sends.

mod client;
mod rates;
mod ring;
mod sent;
mod session;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderName, Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{
    App, HttpConfig, Origin,
    kind::Kind,
    origin::{self, from_elsewhere, may_be_from_elsewhere},
    problem::{Place, Problem},
    seats::Holder,
};
pub(super) use client::{Client, is_one_of};
pub use client::{Network, Peer};
use rates::{Buckets, household};
use ring::Keys;
use sent::{is_of_devices, sent_key, takes_basic};
pub(super) use session::{COOKIE, forget, keep};
use smartpark_ledger::{
    Clock, NewEvent, Role, SmartPark,
    keys::{KeyRing, KnownKey, Session},
    limits::{
        MAX_FEED_READS_PER_SECOND, MAX_KEYS, MAX_RATED_ADDRESSES, MAX_REFUSALS_PER_SECOND,
        MAX_SIGN_INS_PER_SECOND,
    },
    planted::planted,
};

/// The header for clients that cannot send `Authorization`.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How often one may ask, in requests a second; a burst of
/// [`RATE_BURST_SECONDS`] seconds' worth is let through. No bound where there is none.
///
/// [`RATE_BURST_SECONDS`]: smartpark_ledger::limits::RATE_BURST_SECONDS
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of each key.
    pub per_key: Option<NonZeroU32>,
    /// Of each address (of each /64 network of IPv6), whatever the key.
    pub per_address: Option<NonZeroU32>,
}

/// Why somebody is refused before the first key is made.
const NO_KEY_YET: &str = "there is no key yet, so only requests from this machine are served: to \
    localhost, 127.0.0.1 or [::1], through no proxy, and from no page of another site. Make a key \
    with `smartpark key add NAME --role admin`, and send it";

/// Lets requests in, or not.
#[derive(Debug)]
pub(super) struct Gate {
    keys: Arc<Keys>,
    clock: Clock,
    is_open: bool,
    /// The address that the server listens on.
    own: IpAddr,
    proxies: Vec<Network>,
    /// The sites whose pages may use the interface; with a key, if keys are asked for.
    origins: Vec<Origin>,
    of_keys: Option<Buckets<i64>>,
    of_addresses: Option<Buckets<Option<IpAddr>>>,
    of_refusals: Buckets<Option<IpAddr>>,
    of_sign_ins: Buckets<i64>,
    /// Those who read feeds without a key.
    of_feeds: Buckets<Option<IpAddr>>,
    started: Instant,
}

/// Who makes a request that was let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// None where nobody is asked for a key.
    key: Option<Arc<KnownKey>>,
    /// The session that it came with, where it is one.
    session: Option<Session>,
    /// The address that stands for it.
    address: Option<IpAddr>,
}

impl Caller {
    /// What it may do.
    pub(super) fn role(&self) -> Role {
        self.key.as_ref().map_or(Role::Admin, |known| known.key.role)
    }

    /// The name of its key.
    pub(super) fn name(&self) -> Option<&str> {
        self.key.as_ref().map(|known| known.key.name.as_str())
    }

    /// Its key.
    pub(super) fn key(&self) -> Option<&KnownKey> {
        self.key.as_deref()
    }

    /// The session that it came with.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Whose share of what is scarce it uses.
    pub(super) fn holder(&self) -> Holder {
        Holder {
            key: self.key().map(|known| known.key.id),
            session: self.session().map(|session| session.sum().0),
            address: self.address,
        }
    }

    /// Whether it may report this event.
    pub(super) fn check_event(&self, event: &NewEvent) -> Result<(), Problem> {
        let Some(KnownKey { key, .. }) = self.key.as_deref() else { return Ok(()) };
        let mut fields = Vec::new();
        if !key.speaks_for_camera(&event.camera_id) {
            fields.push("camera_id");
        }
        if !key.speaks_for_floor(event.floor_id) {
            fields.push("floor_id");
        }
        if fields.is_empty() { Ok(()) } else { Err(Problem::not_bound(&fields, Place::Body)) }
    }

    /// The camera that its key speaks for, if there is only one.
    pub(super) fn only_camera(&self) -> Option<&str> {
        match self.key.as_deref()?.key.cameras.as_slice() {
            [camera_id] => Some(camera_id),
            _ => None,
        }
    }

    /// Whether it may ask about this camera.
    pub(super) fn check_camera(&self, camera_id: &str) -> Result<(), Problem> {
        if self.key().is_none_or(|known| known.key.speaks_for_camera(camera_id)) {
            return Ok(());
        }
        Err(Problem::not_bound(&["camera_id"], Place::Query))
    }

    fn may(&self, method: &Method, path: &str) -> bool {
        match self.role() {
            Role::Admin => true,
            Role::Viewer => is_reading(method),
            Role::Camera if path == "/events/digest" => is_reading(method),
            Role::Camera => *method == Method::POST && is_of_devices(path),
        }
    }
}

/// The caller, for handlers behind [`admit`].
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::new(Kind::Internal))
    }
}

/// Lets a request through to its handler, or answers why not.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match app.gate.admit(&parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl Gate {
    pub(super) fn new(park: SmartPark, config: &HttpConfig) -> Self {
        let HttpConfig { no_auth, ref proxies, rates, .. } = *config;
        let clock = park.options().clock.clone();
        let refusals = NonZeroU32::new(MAX_REFUSALS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let sign_ins = NonZeroU32::new(MAX_SIGN_INS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let feeds = NonZeroU32::new(MAX_FEED_READS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let of_addresses = |rate| Buckets::new(rate, MAX_RATED_ADDRESSES);
        Self {
            keys: Keys::new(park),
            clock,
            is_open: no_auth,
            own: config.listen.ip().to_canonical(),
            proxies: proxies.clone(),
            origins: config.cors_origins.clone(),
            of_keys: rates.per_key.map(|rate| Buckets::new(rate, MAX_KEYS)),
            of_addresses: rates.per_address.map(of_addresses),
            of_refusals: of_addresses(refusals),
            of_sign_ins: Buckets::new(sign_ins, MAX_KEYS),
            of_feeds: of_addresses(feeds),
            started: Instant::now(),
        }
    }

    /// Who makes this request, if they may.
    pub(super) async fn admit(&self, head: &Parts) -> Result<Caller, Problem> {
        let client = self.client(head);
        self.check_address(&client)?;
        let caller = self.identify(&client, head).await?;
        let is_basic = takes_basic(head.uri.path());
        let caller = caller.ok_or_else(|| self.refuse(&client).asking_for_basic(is_basic))?;
        let caller = Caller { address: client.address.map(household), ..caller };
        if !is_reading(&head.method) && self.is_others_doing(&caller, &client, head) {
            return Err(Problem::new(Kind::CrossSite));
        }
        if let (Some(buckets), Some(key)) = (&self.of_keys, caller.key()) {
            buckets.take(key.key.id, self.now()).map_err(Problem::too_often)?;
        }
        if !caller.may(&head.method, head.uri.path()) {
            return Err(Problem::new(Kind::Forbidden));
        }
        Ok(caller)
    }

    /// Whether a page of another site has a browser make this request, which shows no key that
    /// the page would have to know.
    fn is_others_doing(&self, caller: &Caller, client: &Client, head: &Parts) -> bool {
        let shows_key = caller.key.is_some() && caller.session.is_none();
        // Where nobody is asked for a key, pages that were allowed to need none either.
        let is_allowed = || self.is_open && origin::asking(&self.origins, &head.headers).is_some();
        !shows_key && from_elsewhere(head, client) && !is_allowed()
    }

    /// The client that made a request.
    pub(super) fn client(&self, head: &Parts) -> Client {
        Client::of(head, &self.proxies, self.own)
    }

    /// Whether this address may ask once more.
    pub(super) fn check_address(&self, client: &Client) -> Result<(), Problem> {
        let Some(buckets) = &self.of_addresses else { return Ok(()) };
        let who = client.address.map(household);
        buckets.take(who, self.now()).map_err(Problem::too_often)
    }

    /// Whether this client may read an open feed once more.
    pub(super) fn check_feed(&self, head: &Parts) -> Result<(), Problem> {
        let client = self.client(head);
        self.check_address(&client)?;
        let who = client.address.map(household);
        self.of_feeds.take(who, self.now()).map_err(Problem::too_often)
    }

    /// The caller with the key or the session that the head holds, if it holds a good one. A key
    /// comes before a session: a client that sends one means it. Until there is a key, it is who
    /// asks from this machine, directly, and not from a page of another site.
    pub(super) async fn identify(
        &self,
        client: &Client,
        head: &Parts,
    ) -> Result<Option<Caller>, Problem> {
        let ring = self.keys.current().await?;
        if self.is_free(&ring, client, head) {
            return Ok(Some(Caller::default()));
        }
        let headers = &head.headers;
        if let Some(secret) = sent_key(headers, head.uri.path()) {
            if planted("log-key") {
                tracing::info!(secret = &*secret, "a request");
            }
            let key = ring.recognise(&secret).cloned();
            return Ok(key.map(|key| Caller { key: Some(key), ..Caller::default() }));
        }
        let Some(session) = session::sent_session(headers) else { return Ok(None) };
        let key = self.key_of(ring, &session).await?;
        Ok(key.map(|key| Caller { key: Some(key), session: Some(session), address: None }))
    }

    /// The key that a session was begun with, if both hold. A session that is not known may have
    /// been begun a moment ago, perhaps by another server.
    async fn key_of(
        &self,
        ring: Arc<KeyRing>,
        session: &Session,
    ) -> Result<Option<Arc<KnownKey>>, Problem> {
        if !session.is_in_time(self.clock.now()) || ring.with_prefix(session.prefix()).is_none() {
            return Ok(None);
        }
        if let Some(key) = ring.key_of(session) {
            return Ok(Some(Arc::clone(key)));
        }
        Ok(self.keys.newest().await?.key_of(session).cloned())
    }

    /// Begins a session with a key.
    pub(super) async fn begin_session(&self, key: &KnownKey) -> Result<Session, Problem> {
        self.of_sign_ins.take(key.key.id, self.now()).map_err(Problem::too_often)?;
        let session = self.keys.park().keys().begin_session(&key.key.prefix).await?;
        // If this look fails, the first request with the session looks.
        self.keys.newest().await.ok();
        Ok(session)
    }

    /// Another session in place of one that is more than half over: a page that is opened now and
    /// then never has to sign in again. None if it has time, or if that cannot be stored now.
    pub(super) async fn renew_session(&self, session: &Session) -> Option<Session> {
        if !session.is_aged(self.clock.now()) {
            return None;
        }
        self.keys.park().keys().renew_session(session).await.unwrap_or_else(|error| {
            tracing::warn!("a session could not be renewed: {error}");
            None
        })
    }

    /// Ends the session that the head holds, if it holds a good one.
    pub(super) async fn end_session(&self, head: &Parts) -> Result<(), Problem> {
        let Some(session) = session::sent_session(&head.headers) else { return Ok(()) };
        let ring = self.keys.current().await?;
        if self.key_of(ring, &session).await?.is_some() {
            self.keys.park().keys().end_session(&session).await?;
            // If this look fails, the next one finds it gone.
            self.keys.newest().await.ok();
        }
        Ok(())
    }

    /// The caller, if it needs no key.
    pub(super) async fn identify_free(
        &self,
        client: &Client,
        head: &Parts,
    ) -> Result<Option<Caller>, Problem> {
        let ring = self.keys.current().await?;
        Ok(self.is_free(&ring, client, head).then(Caller::default))
    }

    fn is_free(&self, ring: &KeyRing, client: &Client, head: &Parts) -> bool {
        let is_here = || client.is_local && !may_be_from_elsewhere(head, client);
        self.is_open || (!ring.required && is_here())
    }

    /// The caller whose key this is.
    pub(super) async fn recognise(&self, secret: &str) -> Result<Option<Caller>, Problem> {
        let key = self.keys.current().await?.recognise(secret).cloned();
        Ok(key.map(|key| Caller { key: Some(key), ..Caller::default() }))
    }

    /// Whether a caller who was let in a while ago still would be, as far as is known now: asked
    /// every few seconds it is true again within as many. Where the keys cannot be read nobody is
    /// turned away: whoever reads on sees that the store is out of reach.
    pub(super) fn still_admits(&self, caller: &Caller) -> bool {
        let Some(ring) = self.keys.at_hand() else { return true };
        let Some(then) = caller.key() else { return self.is_open || !ring.required };
        let now = match caller.session() {
            Some(session) if !session.is_in_time(self.clock.now()) => None,
            Some(session) => ring.key_of(session),
            None => ring.with_prefix(&then.key.prefix),
        };
        now.is_some_and(|now| now.sum == then.sum)
    }

    /// The answer to somebody without a good key, who may not try too often.
    pub(super) fn refuse(&self, client: &Client) -> Problem {
        let who = client.address.map(household);
        if let Err(wait) = self.of_refusals.take(who, self.now()) {
            return Problem::too_often(wait);
        }
        let problem = Problem::new(Kind::Unauthorized);
        let has_keys = self.keys.at_hand().is_none_or(|ring| ring.required);
        if has_keys { problem } else { problem.detail(NO_KEY_YET) }
    }

    /// The time since the server began.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

fn is_reading(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}
