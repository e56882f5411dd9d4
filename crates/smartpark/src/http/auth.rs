//! Who gets in: judged from the head of a request, before any of its body is read.
//!
//! Invariants: an unknown key, a revoked one and none at all get the same answer; no key and no
//! session is logged; what a request costs before it is let in does not depend on what it sends.

mod client;
mod rates;
mod ring;
mod session;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{
    App, HttpConfig,
    kind::Kind,
    origin::from_elsewhere,
    problem::{Place, Problem},
};
use crate::{
    Clock, NewEvent, Role, SmartPark,
    keys::KnownKey,
    limits::{MAX_KEYS, MAX_RATED_ADDRESSES, MAX_REFUSALS_PER_SECOND},
    planted::planted,
};
use client::Client;
pub(super) use client::is_one_of;
pub use client::{Network, Peer};
use rates::{Buckets, household};
use ring::Keys;
pub(super) use session::{COOKIE, Cookie};

/// The header for clients that cannot send `Authorization`.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How often one may ask, in requests a second; a burst of
/// [`RATE_BURST_SECONDS`](crate::limits::RATE_BURST_SECONDS) seconds' worth is let through. No
/// bound where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of each key.
    pub per_key: Option<NonZeroU32>,
    /// Of each address (of each /64 network of IPv6), whatever the key.
    pub per_address: Option<NonZeroU32>,
}

/// Lets requests in, or not.
#[derive(Debug)]
pub(super) struct Gate {
    keys: Arc<Keys>,
    clock: Clock,
    is_open: bool,
    proxies: Vec<Network>,
    of_keys: Option<Buckets<i64>>,
    of_addresses: Option<Buckets<Option<IpAddr>>>,
    of_refusals: Buckets<Option<IpAddr>>,
    started: Instant,
}

/// Who makes a request that was let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// None where nobody is asked for a key.
    key: Option<Arc<KnownKey>>,
    /// The session that it came with, where it is one.
    session: Option<Cookie>,
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
    pub(super) fn session(&self) -> Option<&Cookie> {
        self.session.as_ref()
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
            Role::Camera => *method == Method::POST && path == "/events",
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
        let of_addresses = |rate| Buckets::new(rate, MAX_RATED_ADDRESSES);
        Self {
            keys: Keys::new(park),
            clock,
            is_open: no_auth,
            proxies: proxies.clone(),
            of_keys: rates.per_key.map(|rate| Buckets::new(rate, MAX_KEYS)),
            of_addresses: rates.per_address.map(of_addresses),
            of_refusals: of_addresses(refusals),
            started: Instant::now(),
        }
    }

    /// Who makes this request, if they may.
    pub(super) async fn admit(&self, head: &Parts) -> Result<Caller, Problem> {
        let client = self.client(head);
        self.check_address(&client)?;
        let caller = self.identify(&client, &head.headers).await?;
        let caller = caller.ok_or_else(|| self.refuse(&client))?;
        if caller.session.is_some() && !is_reading(&head.method) && from_elsewhere(head) {
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

    /// The client that made a request.
    pub(super) fn client(&self, head: &Parts) -> Client {
        Client::of(head.extensions.get().copied(), &head.headers, &self.proxies)
    }

    /// Whether this address may ask once more.
    pub(super) fn check_address(&self, client: &Client) -> Result<(), Problem> {
        let Some(buckets) = &self.of_addresses else { return Ok(()) };
        let who = client.address.map(household);
        buckets.take(who, self.now()).map_err(Problem::too_often)
    }

    /// The caller with the key or the session that the headers hold, if they hold a good one or
    /// none is needed. A key comes before a session: a client that sends one means it.
    pub(super) async fn identify(
        &self,
        client: &Client,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, Problem> {
        if self.is_open {
            return Ok(Some(Caller::default()));
        }
        let ring = self.keys.current().await?;
        if !ring.required {
            return Ok(client.is_local.then(Caller::default));
        }
        if let Some(secret) = sent_key(headers) {
            if planted("log-key") {
                tracing::info!(secret, "a request");
            }
            let key = ring.recognise(secret).cloned();
            return Ok(key.map(|key| Caller { key: Some(key), session: None }));
        }
        let cookie = Cookie::of(headers).filter(|cookie| cookie.is_before_end(self.clock.now()));
        let known = cookie.and_then(|cookie| {
            let key = ring.with_prefix(cookie.prefix()).cloned();
            key.filter(|key| cookie.is_signed_by(&key.sum)).map(|key| (key, cookie))
        });
        Ok(known.map(|(key, session)| Caller { key: Some(key), session: Some(session) }))
    }

    /// The caller whose key this is.
    pub(super) async fn recognise(&self, secret: &str) -> Result<Option<Caller>, Problem> {
        let key = self.keys.current().await?.recognise(secret).cloned();
        Ok(key.map(|key| Caller { key: Some(key), session: None }))
    }

    /// Whether a caller who was let in a while ago still would be, as far as is known now: asked
    /// every few seconds it is true again within as many. Where the keys cannot be read nobody is
    /// turned away: whoever reads on sees that the store is out of reach.
    pub(super) fn still_admits(&self, caller: &Caller) -> bool {
        let Some(ring) = self.keys.at_hand() else { return true };
        let Some(then) = caller.key() else { return self.is_open || !ring.required };
        let now = ring.with_prefix(&then.key.prefix);
        let key_holds = now.is_some_and(|now| now.sum == then.sum);
        let time = self.clock.now();
        key_holds && caller.session().is_none_or(|session| session.is_before_end(time))
    }

    /// The answer to somebody without a good key, who may not try too often.
    pub(super) fn refuse(&self, client: &Client) -> Problem {
        let who = client.address.map(household);
        match self.of_refusals.take(who, self.now()) {
            Ok(()) => Problem::new(Kind::Unauthorized),
            Err(wait) => Problem::too_often(wait),
        }
    }

    /// The time since the server began.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

fn is_reading(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// The key in a request's headers. What is no text is a key that nobody has. Other schemes of
/// Authorization are those of a proxy in front.
fn sent_key(headers: &HeaderMap) -> Option<&str> {
    let authorization =
        headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
    let bearer = authorization.and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| headers.get(API_KEY).map(|value| value.to_str().unwrap_or("")))
}
