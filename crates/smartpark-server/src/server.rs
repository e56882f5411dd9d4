//! The accept loop: a bound on connections, timers on each, and a stop that answers every request
//! that has begun.

use std::{
    convert::Infallible,
    error::Error,
    io,
    net::IpAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_service::Service;

use super::{
    App, HttpConfig, Network, Peer, Timeouts,
    assets::AtHand,
    auth::is_one_of,
    connection::{Answer, Timed},
    guard::{Outside, answered, guarded},
    hot::Hot,
    kind::Kind,
    places::{Place, Places},
    problem::Problem,
    room::{Room, Share},
    routes_until, stream,
    tls::Certificate,
};
use smartpark_ledger::{
    SmartPark,
    limits::{MAX_ANSWERS_BYTES, MAX_HEAD_BYTES, MAX_SEND_BYTES, MAX_STREAMS, MAX_UNSENT_BYTES},
    refusals,
};

/// How long to wait after an accept that failed, which is mostly for want of file descriptors:
/// trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Serves `park` on `listener` until `shutdown` completes; then accepts nothing new, answers all
/// requests that have begun (for at most [`Timeouts::stop`]) and returns. The caller closes the
/// park.
///
/// # Errors
/// Those of the listener itself, and of the certificate's files. An accept that fails is survived,
/// whatever a client does is not an error.
pub async fn serve(
    park: SmartPark,
    listener: TcpListener,
    config: HttpConfig,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let config = HttpConfig { listen: listener.local_addr()?, ..config };
    let certificate = config.tls.as_ref().map(Certificate::load).transpose()?.map(Arc::new);
    // Whatever happens to this future, the looking for certificates ends with it.
    let mut upkeep = JoinSet::new();
    if let Some(certificate) = certificate.clone() {
        upkeep.spawn(certificate.keep_current());
    }
    let stopping: Arc<watch::Sender<bool>> = Arc::default();
    tokio::spawn(refusals::keep_stored(park.clone(), stopping.subscribe()));
    let places = Arc::new(Places::new(certificate.is_some()));
    let outside = Outside::new(&config, Some(Arc::clone(&places)), Some(park.clone()));
    let (router, app) = routes_until(park, &config, &outside, Arc::clone(&stopping));
    let stop = async {
        shutdown.await;
        // Streams and tasks have no end of their own.
        stopping.send_replace(true);
    };
    let server = Server {
        certificate,
        in_plain: in_plain(&config),
        answers: app.answers.clone(),
        ours: Some(app),
        ..Server::new(router, config.timeouts, places)
    };
    server.run(listener, stop).await
}

/// [`serve`] for routes of your own, for example those of [`router`](super::router) beside others:
/// the same bound on connections, the same timers on each, the same stop. (Live streams among them
/// are cut off when the time to stop is over.) Nothing is encrypted, and every connection is taken.
///
/// # Errors
/// As [`serve`].
pub async fn serve_router(
    router: Router,
    listener: TcpListener,
    timeouts: Timeouts,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Arc::new(Places::new(false));
    Server::new(router, timeouts, places).run(listener, shutdown).await
}

/// Who is served without encryption, beside this machine: nobody but proxies, where keys are sent.
fn in_plain(config: &HttpConfig) -> Option<Vec<Network>> {
    (!config.no_auth).then(|| config.proxies.clone())
}

/// The next connection, its other end, and a place for it. Nobody has to make room before somebody
/// has come.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Places>,
) -> io::Result<(TcpStream, IpAddr, Place)> {
    let (stream, address) = listener.accept().await?;
    Ok((stream, address.ip(), places.take().await))
}

/// An answer, where there is memory for it: its share.
fn held(response: Response, room: &Room, share: &mut Option<Share>) -> Option<Response> {
    let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    // What is at hand anyhow costs nothing more; what has no end yet is bounded where it is made.
    let bytes = bytes.filter(|bytes| *bytes > 0 && response.extensions().get::<AtHand>().is_none());
    if let Some(bytes) = bytes {
        *share = Some(room.take(bytes)?);
    }
    Some(response)
}

/// Has the system take no more answers than it can send: those that nobody reads are not made.
#[cfg(target_os = "linux")]
fn take_little_ahead(stream: &TcpStream) {
    // Where it is not granted more is made ahead, and nothing else.
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES).ok();
}

/// It cannot be asked to.
#[cfg(not(target_os = "linux"))]
fn take_little_ahead(_: &TcpStream) {}

/// Serves a connection to its end. Where the server stops, it is told to `end`: what has begun is
/// answered before.
async fn to_its_end<C: Future>(
    mut connection: Pin<&mut C>,
    end: impl FnOnce(Pin<&mut C>),
    mut stop: watch::Receiver<()>,
) -> C::Output {
    tokio::select! {
        biased;
        _ = stop.changed() => end(connection.as_mut()),
        result = connection.as_mut() => return result,
    }
    connection.await
}

/// What all connections share.
struct Server {
    router: Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    timeouts: Timeouts,
    places: Arc<Places>,
    /// Memory for the answers that clients have not taken yet.
    answers: Room,
    certificate: Option<Arc<Certificate>>,
    /// Who is served without encryption, beside this machine; everybody where there is no list.
    in_plain: Option<Vec<Network>>,
    /// What our routes share; none where they are another's, who guards them.
    ours: Option<App>,
}

impl Server {
    /// One for routes that look after themselves: every connection is taken.
    fn new(router: Router, timeouts: Timeouts, places: Arc<Places>) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.head)
            .max_buf_size(MAX_HEAD_BYTES);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .max_send_buf_size(MAX_SEND_BYTES)
            .keep_alive_interval(PING_INTERVAL);
        let answers = Room::new(MAX_ANSWERS_BYTES);
        Self {
            router,
            http1,
            http2,
            timeouts,
            places,
            answers,
            certificate: None,
            in_plain: None,
            ours: None,
        }
    }

    /// Serves what comes until `shutdown` completes, and then to its end what has begun.
    async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        listener.local_addr()?;
        let server = Arc::new(self);
        let stop = watch::Sender::new(());
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &server.places) => accepted,
            };
            match accepted {
                Ok((stream, address, place)) => {
                    let server = Arc::clone(&server);
                    tokio::spawn(server.take(stream, address, place, stop.subscribe()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    server.places.make_room();
                    tokio::select! {
                        () = &mut shutdown => break,
                        () = sleep(ACCEPT_PAUSE) => {}
                    }
                }
            }
        }
        drop(listener);
        let open = stop.receiver_count();
        stop.send_replace(());
        if timeout(server.timeouts.stop, stop.closed()).await.is_err() {
            tracing::warn!(open, "stopped without waiting longer for open connections");
        }
        Ok(())
    }

    /// Serves one connection to its end, or until it has to make room.
    async fn take(
        self: Arc<Self>,
        stream: TcpStream,
        address: IpAddr,
        place: Place,
        stop: watch::Receiver<()>,
    ) {
        tokio::select! {
            () = self.begin(stream, address, &place, stop) => {}
            () = place.activity.told_to_leave() => tracing::debug!("a connection made room"),
        }
    }

    /// Serves one connection, encrypted or not.
    async fn begin(
        &self,
        stream: TcpStream,
        address: IpAddr,
        place: &Place,
        stop: watch::Receiver<()>,
    ) {
        take_little_ahead(&stream);
        // Small answers go out at once. Where it cannot be set they only go out later.
        stream.set_nodelay(true).ok();
        let peer = Peer { address, is_encrypted: self.certificate.is_some() };
        if let Some(certificate) = &self.certificate {
            // In a box of its own: else each connection without encryption kept room for it.
            Box::pin(self.encrypted(certificate, stream, peer, place, stop)).await;
        } else if self.serves_in_plain(address) {
            self.connection(stream, peer, place, stop).await;
        } else {
            tracing::debug!(%address, "is neither this machine nor a proxy, and not encrypted");
        }
    }

    /// Serves one connection whose client first has to speak TLS.
    async fn encrypted(
        &self,
        certificate: &Certificate,
        stream: TcpStream,
        peer: Peer,
        place: &Place,
        stop: watch::Receiver<()>,
    ) {
        match timeout(self.timeouts.head, certificate.begin(stream)).await {
            // In a box: it is large, and whatever it is handed on to would keep room for it.
            Ok(Ok(stream)) => self.connection(Box::new(stream), peer, place, stop).await,
            Ok(Err(error)) => tracing::debug!(?error, "a client did not speak TLS"),
            Err(_) => tracing::debug!("a client took too long to begin TLS"),
        }
    }

    /// A key that goes over a network in plain text is everybody's.
    fn serves_in_plain(&self, address: IpAddr) -> bool {
        let Some(proxies) = &self.in_plain else { return true };
        address.to_canonical().is_loopback() || is_one_of(proxies, address)
    }

    /// Serves what comes on a stream to its end.
    async fn connection<S>(&self, stream: S, peer: Peer, place: &Place, stop: watch::Receiver<()>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = stream::copied(request);
            let (in_flight, turn) = (place.activity.begin(), place.turn());
            request.extensions_mut().insert(peer);
            let mut router = self.router.clone();
            let places = Arc::clone(&place.places);
            let (ours, room) = (self.ours.clone(), self.answers.clone());
            // In a box, which goes with the request: a connection would keep room for it.
            Box::pin(async move {
                let mut share = None;
                let mut route = async |request: Request<Incoming>| {
                    if turn.is_err() {
                        return Problem::new(Kind::Overloaded).into_response();
                    }
                    let hot = ours.as_ref().and_then(|app| Some((app, Hot::of(&request)?)));
                    let Ok(response) = match hot {
                        // In a box, as the router's are: what is around it moves it a few times.
                        Some((app, hot)) => Ok(Box::pin(hot.answer(app, request)).await),
                        None => router.call(request.map(Body::new)).await,
                    };
                    held(response, &room, &mut share).unwrap_or_else(|| {
                        places.end_slow();
                        Problem::no_room().into_response()
                    })
                };
                // Around the router and not a layer of it: a layer is cloned and boxed anew for
                // every request.
                let response = match &ours {
                    Some(app) => guarded(&app.outside, request, route).await,
                    None => answered(route(request)).await,
                };
                let response = response.map(|body| Answer::new(body, share, turn.ok(), in_flight));
                Ok::<_, Infallible>(response)
            })
        });
        let Timeouts { head, idle, .. } = self.timeouts;
        tokio::select! {
            // A client that breaks off or speaks no HTTP is its own affair.
            result = self.speak(stream, service, stop) => {
                if let Err(error) = result {
                    tracing::debug!(?error, "a connection ended early");
                }
            }
            () = place.activity.idle(head, idle) => {}
        }
    }

    /// Speaks the HTTP that the client speaks, until it has enough or the server stops.
    async fn speak<S, V>(
        &self,
        stream: S,
        service: V,
        mut stop: watch::Receiver<()>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        V: HttpService<Incoming, ResBody = Answer, Error = Infallible>,
        V::Future: Send + 'static,
    {
        let mut stream = Timed::new(stream, self.timeouts.write);
        let is_http2 = tokio::select! {
            biased;
            // Nothing has begun yet.
            _ = stop.changed() => return Ok(()),
            is_http2 = stream.speaks_http2() => is_http2?,
        };
        if is_http2 {
            // In a box of its own: it is twice as large, and each connection kept room for it.
            let mut connection = Box::pin(self.http2.serve_connection(stream, service));
            let end = http2::Connection::graceful_shutdown;
            Ok(to_its_end(connection.as_mut(), end, stop).await?)
        } else {
            let connection = pin!(self.http1.serve_connection(stream, service));
            Ok(to_its_end(connection, http1::Connection::graceful_shutdown, stop).await?)
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::{super::activity::Activity, *};

    #[test]
    fn without_encryption_only_this_machine_and_proxies_are_served() {
        let proxied =
            HttpConfig { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpConfig::default() };
        let open = HttpConfig { no_auth: true, ..HttpConfig::default() };
        let table = [
            ("127.0.0.1", [true, true, true]),
            ("::ffff:127.0.0.1", [true, true, true]),
            ("::1", [true, true, true]),
            ("10.1.2.3", [false, true, true]),
            ("192.0.2.1", [false, false, true]),
            ("2001:db8::1", [false, false, true]),
        ];
        for (address, expected) in table {
            let address = address.parse().unwrap();
            let served = [&HttpConfig::default(), &proxied, &open].map(|config| {
                let places = Arc::new(Places::new(false));
                let server = Server::new(Router::new(), config.timeouts, places);
                Server { in_plain: in_plain(config), ..server }.serves_in_plain(address)
            });
            assert_eq!(served, expected, "{address}");
        }
    }

    /// An answer with so many bytes, where there is room for it.
    fn answer(room: &Room, bytes: usize) -> Option<Answer> {
        let mut share = None;
        let response = held(Response::new(Body::from(vec![b'x'; bytes])), room, &mut share)?;
        let activity = Arc::new(Activity::new(Duration::ZERO, Duration::ZERO));
        Some(Answer::new(response.into_body(), share, None, activity.begin()))
    }

    #[tokio::test]
    async fn answers_have_a_bound_until_their_last_byte_has_gone() {
        let room = Room::new(40);
        let mut first = answer(&room, 8).unwrap();
        assert!(answer(&room, 8).is_none());
        let piece = first.frame().await.unwrap().unwrap().into_data().unwrap();
        // The answer is with the connection now, and still takes its memory.
        drop(first);
        assert!(answer(&room, 8).is_none());
        drop(piece);
        assert!(answer(&room, 8).is_some());
    }

    #[test]
    fn files_that_are_at_hand_take_no_room() {
        let (room, mut share) = (Room::new(40), None);
        let mut file = Response::new(Body::from(vec![b'x'; 1_000]));
        file.extensions_mut().insert(AtHand);
        assert!(held(file, &room, &mut share).is_some());
        assert!(answer(&room, 1_000).is_none());
    }
}
