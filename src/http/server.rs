//! The accept loop: a bound on connections, timers on each, and a stop that answers every request
//! that has begun.

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tower_service::Service;

use super::{
    HttpConfig, Timeouts,
    connection::{Activity, Answer, Timed},
    guard::guarded,
    routes_until,
};
use crate::{
    SmartPark,
    limits::{MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_STREAMS},
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
/// Those of the listener itself. An accept that fails is survived, whatever a client does is not
/// an error.
pub async fn serve(
    park: SmartPark,
    listener: TcpListener,
    config: HttpConfig,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let stopping: Arc<watch::Sender<bool>> = Arc::default();
    tokio::spawn(refusals::keep_stored(park.clone(), stopping.subscribe()));
    let router = routes_until(park, &config, Arc::clone(&stopping));
    let stop = async {
        shutdown.await;
        // Streams and tasks have no end of their own.
        stopping.send_replace(true);
    };
    serve_router(router, listener, config.timeouts, stop).await
}

/// [`serve`] for routes of your own, for example those of [`router`](super::router) beside others:
/// the same bound on connections, the same timers on each, the same stop. (Live streams among them
/// are cut off when the time to stop is over.)
///
/// # Errors
/// As [`serve`].
pub async fn serve_router(
    router: Router,
    listener: TcpListener,
    timeouts: Timeouts,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let server = Arc::new(Server::new(router, timeouts));
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stop = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let server = Arc::clone(&server);
                tokio::spawn(server.connection(stream, slot, stop.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    let open = stop.count();
    if timeout(timeouts.stop, stop.shutdown()).await.is_err() {
        tracing::warn!(open, "stopped without waiting longer for open connections");
    }
    Ok(())
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(|_| io::ErrorKind::Other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

/// What all connections share.
struct Server {
    router: Router,
    http: auto::Builder<TokioExecutor>,
    timeouts: Timeouts,
}

impl Server {
    fn new(router: Router, timeouts: Timeouts) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.head)
            .max_buf_size(MAX_HEAD_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .keep_alive_interval(PING_INTERVAL);
        Self { router, http, timeouts }
    }

    /// Serves one connection to its end.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        slot: OwnedSemaphorePermit,
        stop: Watcher,
    ) {
        // Small answers go out at once. Where it cannot be set they only go out later.
        stream.set_nodelay(true).ok();
        let activity = Arc::new(Activity::default());
        let service = service_fn(|request: Request<Incoming>| {
            let in_flight = activity.begin();
            let mut router = self.router.clone();
            async move {
                // Around the router and not a layer of it: a layer is cloned and boxed anew for
                // every request.
                let response = guarded(async move {
                    let Ok(response) = router.call(request.map(Body::new)).await;
                    response
                });
                let response = response.await.map(|body| Answer::new(body, in_flight));
                Ok::<_, Infallible>(response)
            }
        });
        let stream = Timed::new(stream, self.timeouts.write);
        let connection = self.http.serve_connection(stream, service);
        let Timeouts { head, idle, .. } = self.timeouts;
        tokio::select! {
            // A client that breaks off or speaks no HTTP is its own affair.
            result = stop.watch(connection) => {
                if let Err(error) = result {
                    tracing::debug!(?error, "a connection ended early");
                }
            }
            () = activity.idle(head, idle) => {}
        }
        drop(slot);
    }
}
