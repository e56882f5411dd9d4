//! The server: opens the database, seeds an empty one, listens until it is told to stop.

mod access;
mod backups;
pub(super) mod bridge;
mod guide;
mod reload;
mod reports;

use std::{process::ExitCode, sync::Arc};

use smartpark_formats::config::Connections;
use tokio::net::TcpListener;

use reload::Reload;

use super::{Context, Counting, Outcome, output::shown_url, retention, signals::StopSignals};
use crate::{
    Error, SiteRecord, SmartPark,
    cameras::{Cameras, Local, Plan},
    config::{Days, Layer, Listen, SeedChoice, SiteName},
    http::{self, BasePath, HttpConfig, OnLimit, OpenFeeds, TlsFiles, files},
    limits::{COUNTING_PATIENCE, FAILURE_NOTICE},
};

/// Run the server
///
/// Opens the database, or creates it, and fills an empty one: by default with four sample floors
/// and 15 sample events, which `smartpark reset --empty` removes. Other data stays as it is. Stops
/// in good order on SIGTERM and Ctrl-C. SIGHUP has it read the configuration file again: log_level
/// and feeds.open hold at once, and the log names what needs a restart. One server runs on one
/// database file; every other command works beside it. Until you make the first key (`smartpark
/// key add`), only requests from this machine are served, sent directly to localhost, 127.0.0.1 or
/// [::1]. Other machines are served if there is a key, and either TLS or a proxy in front
///
/// Examples:
///   smartpark serve
///   smartpark serve --port 9000 --database /var/lib/smartpark.db --seed none
///   smartpark serve --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem
///   curl http://127.0.0.1:8000/floors
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Where to listen; port 0 takes a free one [env: SMARTPARK_LISTEN] [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<Listen>,
    /// Listen on this port of 127.0.0.1
    #[arg(short, long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// A standby of the PostgreSQL database, to read lists of events and statistics from; those
    /// answers say how old they are [env: SMARTPARK_REPLICA] [default: none]
    #[arg(long, value_name = "URL")]
    replica: Option<String>,
    /// What to fill an empty database with [env: SMARTPARK_SEED] [default: sample]
    #[arg(long, value_name = "WHAT")]
    seed: Option<SeedChoice>,
    /// What the site is called on its page [env: SMARTPARK_SITE_NAME] [default: its name, see
    /// `smartpark sites`]
    #[arg(long, value_name = "NAME")]
    site_name: Option<SiteName>,
    /// What to answer to an entry to a full or an exit from an empty floor, which is stored either
    /// way [env: SMARTPARK_ON_LIMIT] [default: record]
    #[arg(long, value_name = "ANSWER")]
    on_limit: Option<OnLimit>,
    /// Delete events older than this every night at 03:00 UTC [env: SMARTPARK_RETENTION_DAYS]
    /// [default: never]
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<Days>,
    /// The path under which a proxy publishes the server, such as /smartpark; requests with and
    /// without it are served [env: SMARTPARK_BASE_PATH] [default: /]
    #[arg(long, value_name = "PATH")]
    base_path: Option<BasePath>,
    #[command(flatten)]
    access: access::AccessArgs,
    #[command(flatten)]
    pub(super) counting: Counting,
}

impl Args {
    /// Adds what the flags say to a layer of settings.
    pub(super) fn fill(&self, flags: &mut Layer) {
        let on_port = |port| Listen((std::net::Ipv4Addr::LOCALHOST, port).into());
        flags.listen = self.listen.or(self.port.map(on_port));
        flags.replica.clone_from(&self.replica);
        flags.seed = self.seed;
        flags.site_name = self.site_name.clone();
        flags.on_limit = self.on_limit;
        flags.base_path = self.base_path.clone();
        flags.retention_days = self.retention_days;
        self.access.fill(flags);
    }
}

pub(super) async fn run(context: &Context) -> Outcome {
    let settings = &context.settings;
    let tls = access::certificate(settings)?;
    let connections = Arc::new(bridge::connections(context.config.as_deref())?);
    backups::require_file(&connections, &settings.database)?;
    let passwords = bridge::Passwords::read(&connections, context.config.as_deref())?;
    access::require_keys(context, tls.is_some()).await?;
    // From here on, so that none that comes while the server starts ends it the hard way.
    let signals = StopSignals::catch()?;
    let reload = Reload::catch(context, &connections)?;
    files::take_all_allowed();
    let park = context.create().await?;
    let _only_server = park.lock_as_server()?;
    if let Some(replica) = &settings.replica {
        park.use_replica(replica).await?;
    }
    let listener = TcpListener::bind(settings.listen).await.map_err(|fault| {
        let address = settings.listen;
        anyhow::anyhow!("cannot listen on {address}: {fault}; choose another with --listen")
    })?;
    seed_if_empty(&park, settings.seed).await?;
    bridge::require_floors(&park, &connections).await?;
    let mut telling = tokio::spawn(tell_stats(park.clone(), settings.database.clone()));
    // Counting many events takes seconds, for which nobody shall wait. Few are told first.
    if let Ok(told) = tokio::time::timeout(COUNTING_PATIENCE, &mut telling).await {
        told??;
    }
    let site_name = settings.site_name.as_deref();
    let cameras = watch_cameras(&park, context)?;
    let bridge = bridge::start(&park, &connections, site_name, passwords);
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{address}");
    guide::show(&park, scheme, address, &settings.base_path).await;
    let (open_feeds, signals) = (reload.open_feeds(), (signals, reload));
    let served = serve(&park, listener, tls, signals, context, (connections, open_feeds)).await;
    bridge.stop().await;
    // Before the database closes, so that what they saw is recorded.
    if let Some(cameras) = cameras {
        tokio::task::spawn_blocking(move || cameras.stop()).await?;
    }
    let failure = served?;
    if !telling.is_finished() {
        tokio::time::timeout(COUNTING_PATIENCE, telling).await.ok();
    }
    if let Some(fault) = failure {
        tracing::error!("stopping: {fault}");
        return Ok(ExitCode::FAILURE);
    }
    park.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Watches the cameras with `video` in the configuration file, if there are any.
fn watch_cameras(park: &SmartPark, context: &Context) -> anyhow::Result<Option<Cameras>> {
    let Some(connections) = context.connections()? else { return Ok(None) };
    let plan = Plan::new(&connections)?.only(false)?;
    if plan.cameras.is_empty() {
        return Ok(None);
    }
    Cameras::start(plan, Local::new(park.clone())).map(Some)
}

/// Tells the log what the database holds.
async fn tell_stats(park: SmartPark, database: String) -> crate::Result<()> {
    let stats = park.migrations().get_database_stats().await;
    let stats = stats.inspect_err(|fault| tracing::warn!("what is stored is unknown: {fault}"))?;
    let url = shown_url(&database);
    tracing::info!("{url} is open, with tables of version {}", stats.schema_version);
    tracing::info!("Floors: {}, Events: {}", stats.floors, stats.events);
    Ok(())
}

/// Fills a database without floors; without them there can be no events.
async fn seed_if_empty(park: &SmartPark, choice: SeedChoice) -> crate::Result<()> {
    if choice == SeedChoice::None || !park.floors().get_all_floors().await?.is_empty() {
        return Ok(());
    }
    let floors = match park.seed().seed_floors().await {
        // Of several servers that start on one empty database one is the first.
        Err(Error::NotEmpty) => return Ok(()),
        seeded => seeded?,
    };
    if choice == SeedChoice::Sample {
        park.seed().seed_sample_events(&floors).await?;
    }
    Ok(())
}

/// Serves until a signal comes or the store can no longer acknowledge, which is returned.
async fn serve(
    park: &SmartPark,
    listener: TcpListener,
    tls: Option<TlsFiles>,
    (mut signals, reload): (StopSignals, Reload),
    context: &Context,
    (connections, open_feeds): (Arc<Connections>, OpenFeeds),
) -> anyhow::Result<Option<Error>> {
    let settings = &context.settings;
    let site = park.site().await?;
    let named = (site.name != SiteRecord::default().name).then_some(site.name);
    let reports_folder = connections.reports.as_ref().map(|it| context.beside_config(&it.folder));
    let config = HttpConfig {
        listen: settings.listen,
        on_limit: settings.on_limit,
        site_name: settings.site_name.clone().or(named),
        no_auth: settings.no_auth,
        tls,
        proxies: settings.proxies.clone(),
        rates: settings.rates,
        cors_origins: settings.cors_origins.clone(),
        connections,
        base_path: settings.base_path.clone(),
        open_feeds: Some(open_feeds),
        ..HttpConfig::default()
    };
    if let Err(fault) = park.require_clock().await {
        tracing::warn!("{fault}");
    }
    let cleanup =
        settings.retention_days.map(|days| tokio::spawn(retention::nightly(park.clone(), days)));
    let backups = tokio::spawn(backups::make_by_plan(park.clone()));
    let reload = tokio::spawn(reload.run());
    let reports = tokio::spawn(reports::write_monthly(park.clone(), reports_folder));
    let (told, failure) = tokio::sync::oneshot::channel();
    let watched = park.clone();
    let stop = async move {
        tokio::select! {
            signal = signals.wait() => tracing::info!("{signal}: answering what has begun"),
            fault = watched.failed() => {
                let _ = told.send(fault);
                tokio::time::sleep(FAILURE_NOTICE).await;
            }
        }
    };
    let served = http::serve(park.clone(), listener, config, stop).await;
    backups.abort();
    reload.abort();
    reports.abort();
    if let Some(cleanup) = cleanup {
        cleanup.abort();
    }
    served?;
    Ok(failure.await.ok())
}
