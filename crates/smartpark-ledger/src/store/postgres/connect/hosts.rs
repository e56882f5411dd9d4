//! Connecting to the first of several hosts that answers. The driver bounds only the time of TCP's
//! handshake; a machine whose kernel is well and whose PostgreSQL stands still takes connections
//! and says nothing, so each host has its share of the time for all that a connection begins with.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{
    Client, Config, Error, Socket,
    config::Host,
    tls::{MakeTlsConnect, TlsConnect},
};

/// The hosts of a URL, in its order.
pub(super) struct Hosts<T> {
    each: Vec<Config>,
    /// The one that took the last connection: it is tried first.
    first: Arc<AtomicUsize>,
    /// How long one host may take.
    share: Duration,
    tls: T,
}

impl<T> Hosts<T> {
    /// Those of a configuration, each of which may take `share`. All pools of a URL share `first`.
    pub(super) fn new(config: &Config, share: Duration, first: Arc<AtomicUsize>, tls: T) -> Self {
        let hosts = config.get_hosts().len();
        let each = if hosts > 1 {
            (0..hosts).map(|place| only(config, place)).collect()
        } else {
            vec![config.clone()]
        };
        Self { each, first, share, tls }
    }
}

impl<T> Connect for Hosts<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(async move {
            let first = self.first.load(Ordering::Relaxed);
            let mut refused = None;
            for place in (0..self.each.len()).map(|n| (first + n) % self.each.len()) {
                match timeout(self.share, self.each[place].connect(self.tls.clone())).await {
                    Ok(Ok((client, connection))) => {
                        self.first.store(place, Ordering::Relaxed);
                        let driven = tokio::spawn(async move {
                            if let Err(error) = connection.await {
                                tracing::debug!("a connection to PostgreSQL ended: {error}");
                            }
                        });
                        return Ok((client, driven));
                    }
                    Ok(Err(error)) => refused = Some(error),
                    Err(_) => tracing::debug!("host {} of the URL says nothing", place + 1),
                }
            }
            match refused {
                Some(error) => Err(error),
                // The pool ends the wait: the driver has no error for that.
                None => std::future::pending().await,
            }
        })
    }
}

/// The same configuration with one of its hosts only.
fn only(config: &Config, place: usize) -> Config {
    let mut one = Config::new();
    match &config.get_hosts()[place] {
        Host::Tcp(name) => one.host(name),
        #[cfg(unix)]
        Host::Unix(path) => one.host_path(path),
    };
    if let Some(address) = config.get_hostaddrs().get(place) {
        one.hostaddr(*address);
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(place).or_else(|| ports.first()) {
        one.port(*port);
    }
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(longest) = config.get_connect_timeout() {
        one.connect_timeout(*longest);
    }
    if let Some(longest) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*longest);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    one
}
