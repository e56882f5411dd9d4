//! From a URL to pools of connections: TLS where the URL asks for it, and the settings without
//! which no connection is used.

mod hosts;
mod trust;

use std::{
    str::FromStr,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, Runtime};
use futures_util::future::try_join_all;
use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::{
    Config, Row,
    config::{SslMode, TargetSessionAttrs},
    types::ToSql,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use hosts::Hosts;
pub(super) use trust::note_late;

use crate::{
    Error, Result,
    limits::{
        POSTGRES_CONNECT_TIMEOUT, POSTGRES_IDLE_READING, POSTGRES_IDLE_RECORDING,
        POSTGRES_IDLE_WRITING, POSTGRES_LOCK_TIMEOUT, POSTGRES_PATIENCE, POSTGRES_UNSENT_TIMEOUT,
    },
};

/// What every connection is set to. A commit must be on disk before it is answered, whatever the
/// server's default; stronger settings (`remote_apply`, `remote_write`) stay. Nothing is compiled:
/// a plan over a hundred months is large, and compiling it took longer than all that it did.
///
/// The timeouts end the transaction of a server that is frozen or cut off: one that sends nothing
/// more, and one that takes no answers. PostgreSQL 17 also bounds the transaction as a whole.
const SETTINGS: &str = "-- connect: settings
SELECT pg_is_in_recovery(), set_config('default_transaction_isolation', 'read committed', false),
       set_config('default_transaction_read_only', 'off', false),
       set_config('lock_timeout', $1, false), set_config('jit', 'off', false),
       set_config('idle_in_transaction_session_timeout', $2, false),
       set_config('tcp_user_timeout', $3, false),
       set_config('tcp_keepalives_idle', '5', false),
       set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false),
       CASE WHEN $4 <> '' AND current_setting('server_version_num')::integer >= 170000
            THEN set_config('transaction_timeout', $4, false) END,
       set_config('synchronous_commit',
           CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
                ELSE current_setting('synchronous_commit') END, false)";

/// How the statements of a group of events are planned, after `SET` or `SET LOCAL`.
///
/// They are the same every time, and read single keys and short ranges: a plan for whatever values
/// is as good as one for these, and making one takes a look at every month's partition. Such a plan
/// is kept while a table grows, so it must not depend on how large the table was. Without sorting
/// and without reading tables from end to end, only the index that has the order of a statement's
/// `ORDER BY` is left, whatever the statistics say.
macro_rules! planning {
    ($set:literal) => {
        concat!(
            $set,
            " plan_cache_mode = force_generic_plan; ",
            $set,
            " enable_sort = off; ",
            $set,
            " enable_incremental_sort = off; ",
            $set,
            " enable_seqscan = off; ",
            $set,
            " enable_bitmapscan = off"
        )
    };
}
pub(super) use planning;

/// What the connections of a pool do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Record groups of events.
    Recording,
    /// All else that writes.
    Writing,
    /// Only reads.
    Reading,
}

impl Work {
    /// How long a transaction may stand still.
    fn idle_timeout(self) -> Duration {
        match self {
            Self::Recording => POSTGRES_IDLE_RECORDING,
            Self::Writing => POSTGRES_IDLE_WRITING,
            Self::Reading => POSTGRES_IDLE_READING,
        }
    }

    /// How long a transaction may take, if there is a bound.
    fn transaction_timeout(self) -> Option<Duration> {
        (self == Self::Recording).then_some(POSTGRES_PATIENCE + POSTGRES_IDLE_RECORDING)
    }
}

/// A duration as PostgreSQL reads it.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// Prepares these statements on their connection, so that each is sent as soon as it is asked for:
/// in one round trip, and in none where they were prepared before.
pub(super) async fn prepare(client: &ClientWrapper, statements: &[&str]) -> Result<()> {
    try_join_all(statements.iter().map(|sql| client.prepare_cached(sql))).await?;
    Ok(())
}

/// Runs a statement, prepared once on its connection.
pub(super) async fn query(
    client: &ClientWrapper,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, parameters).await?)
}

/// Counts are never read from a standby, and after a failover the old address may lead to one.
const STANDBY: &str = "the server is a standby, which cannot count: name the primary, or all hosts \
                       in one URL";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// For all that counts.
    Primary,
    /// For reads of the past, with a look at what it is before each.
    Replica,
}

/// How a server is reached.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    role: Role,
    /// Which host took the last connection.
    first: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the whole configuration: it holds the password.
        f.debug_struct("Address").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

impl Address {
    /// Understands `postgres://user:password@host:port/database?parameter=value`. Beside libpq's
    /// parameters that the driver knows, `sslmode` is `disable` (also where it is not named),
    /// `require`, `verify-ca` or `verify-full`; the last three all verify the server's certificate
    /// and name, against the system's authorities or those in the file `sslrootcert`. Of several
    /// hosts (`host1:port1,host2:port2`) the first that takes writes is connected to; for a
    /// replica, the first that does not.
    pub(super) fn from_url(url: &str, role: Role) -> Result<Self> {
        let (rest, tls) = take_tls(url)?;
        let mut config = Config::from_str(&rest).map_err(|_| {
            Error::Unusable(
                "the database URL is not understood: give \
                 postgres://user:password@host:5432/database"
                    .into(),
            )
        })?;
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("smartpark");
        }
        if config.get_hosts().len() > 1 && !rest.contains("target_session_attrs=") {
            config.target_session_attrs(match role {
                Role::Primary => TargetSessionAttrs::ReadWrite,
                Role::Replica => TargetSessionAttrs::ReadOnly,
            });
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(POSTGRES_CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            // A peer that is gone without a word is given up as soon as a request is.
            config.tcp_user_timeout(POSTGRES_PATIENCE);
        }
        Ok(Self { config, tls, role, first: Arc::default() })
    }

    /// How long one host may take to be connected to: the others, and what is done on the
    /// connection, must have their turn, too.
    fn share(&self) -> Duration {
        match u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX) {
            0 | 1 => POSTGRES_CONNECT_TIMEOUT,
            hosts => POSTGRES_PATIENCE / hosts.saturating_add(1),
        }
    }

    /// A pool of at most `size` connections for this work, none of them open yet.
    pub(super) fn pool(&self, size: usize, work: Work) -> Result<Pool> {
        let (config, recycling) = (self.config.clone(), ManagerConfig::default());
        let role = self.role;
        let (share, first) = (self.share(), Arc::clone(&self.first));
        let manager = match self.tls.clone() {
            Some(tls) => {
                let hosts = Hosts::new(&config, share, first, tls);
                Manager::from_connect(config, hosts, recycling)
            }
            None => {
                let hosts = Hosts::new(&config, share, first, tokio_postgres::NoTls);
                Manager::from_connect(config, hosts, recycling)
            }
        };
        let prove = Hook::async_fn(|client: &mut ClientWrapper, metrics| {
            let metrics = *metrics;
            Box::pin(async move { trust::prove(client, metrics).await })
        });
        let timeouts = [
            milliseconds(POSTGRES_LOCK_TIMEOUT),
            milliseconds(work.idle_timeout()),
            milliseconds(POSTGRES_UNSENT_TIMEOUT),
            work.transaction_timeout().map_or_else(String::new, milliseconds),
        ];
        let settings = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let [lock, idle, unsent, whole] = timeouts.clone();
            Box::pin(async move {
                let set = client.query_one(SETTINGS, &[&lock, &idle, &unsent, &whole]).await;
                let is_standby = set.and_then(|row| row.try_get(0)).map_err(HookError::Backend)?;
                if is_standby && role == Role::Primary {
                    return Err(HookError::message(STANDBY));
                }
                if work == Work::Recording {
                    let set = client.batch_execute(planning!("SET")).await;
                    set.map_err(HookError::Backend)?;
                }
                Ok(())
            })
        });
        Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POSTGRES_PATIENCE))
            .create_timeout(Some(POSTGRES_PATIENCE))
            .post_create(settings)
            .pre_recycle(prove)
            .build()
            .map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Takes `sslmode` and `sslrootcert` out of a URL's parameters: the driver knows neither the
/// file nor the modes that verify.
fn take_tls(url: &str) -> Result<(String, Option<MakeRustlsConnect>)> {
    let Some((before, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None));
    };
    let (mut mode, mut roots, mut kept) = (None, None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)),
            _ => kept.push(pair),
        }
    }
    let tls = match mode {
        None | Some("disable") => None,
        Some("require" | "verify-ca" | "verify-full") => Some(tls(roots.as_deref())?),
        Some(_) => {
            return Err(Error::Unusable(
                "sslmode in the database URL must be disable, require, verify-ca or verify-full: \
                 a connection that may or may not be encrypted is not offered"
                    .into(),
            ));
        }
    };
    if tls.is_none() && roots.is_some() {
        return Err(Error::Unusable(
            "the database URL names sslrootcert but does not ask for TLS: add \
             sslmode=verify-full"
                .into(),
        ));
    }
    let rest =
        if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    Ok((rest, tls))
}

fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn tls(roots: Option<&str>) -> Result<MakeRustlsConnect> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(path) => {
            let unreadable =
                |error| Error::Unusable(format!("sslrootcert in the database URL: {error}"));
            for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                let added = store.add(certificate.map_err(unreadable)?);
                added.map_err(|error| Error::Unusable(format!("sslrootcert: {error}")))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
        }
    }
    if store.is_empty() {
        return Err(Error::Unusable(
            "no certificate authority is known to verify the database server with: install \
             ca-certificates, or name a file with sslrootcert in the database URL"
                .into(),
        ));
    }
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Internal(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
