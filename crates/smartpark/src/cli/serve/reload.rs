//! Reading the configuration file again, when a signal asks for it.
//!
//! `log_level` and `feeds.open` hold at once. Keys are in the database and certificates are looked
//! at every few seconds, so both need no signal. All else needs a restart, which the log says.

use std::{io, path::PathBuf};

use smartpark_formats::config::Connections;

use crate::{
    cli::{Context, settings, signals::ReloadSignal},
    config::{Layer, LogLevel, Settings},
    http::OpenFeeds,
    logging,
};

/// What is read again, and what holds now.
pub(super) struct Reload {
    signal: ReloadSignal,
    flags: Layer,
    config: Option<PathBuf>,
    settings: Settings,
    connections: Connections,
    open_feeds: OpenFeeds,
}

impl Reload {
    /// Begins to catch the signal.
    pub(super) fn catch(context: &Context, connections: &Connections) -> io::Result<Self> {
        Ok(Self {
            signal: ReloadSignal::catch()?,
            flags: context.flags.clone(),
            config: context.config.clone(),
            settings: context.settings.clone(),
            connections: connections.clone(),
            open_feeds: OpenFeeds::new(connections.feeds.open.clone()),
        })
    }

    /// The open feeds, which a reload changes.
    pub(super) fn open_feeds(&self) -> OpenFeeds {
        self.open_feeds.clone()
    }

    /// Reads the file whenever the signal comes, for as long as it is polled.
    pub(super) async fn run(mut self) {
        loop {
            self.signal.wait().await;
            tracing::info!("SIGHUP: reading the configuration again");
            if let Err(fault) = self.read() {
                tracing::error!(
                    "the configuration stays as it was: {fault}. Mend it (smartpark config check \
                     names every fault) and send SIGHUP again"
                );
            }
        }
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let new = settings(self.flags.clone(), self.config.as_deref())?;
        let connections = super::bridge::connections(self.config.as_deref())?;
        if new.log_level != self.settings.log_level {
            let level = new.log_level.unwrap_or(LogLevel::Info);
            logging::set_level(level);
            tracing::info!("log_level is {level:?} from now on");
            self.settings.log_level = new.log_level;
        }
        if connections.feeds.open != self.connections.feeds.open {
            self.open_feeds.set(connections.feeds.open.clone());
            tracing::info!("feeds.open holds from now on");
            self.connections.feeds.open.clone_from(&connections.feeds.open);
        }
        let mut waits = self.settings.differing(&new);
        waits.extend(differing(&self.connections, &connections));
        if waits.is_empty() {
            tracing::info!("the configuration holds");
        } else {
            let names = waits.join(", ");
            tracing::warn!("these changes need a restart of the server: {names}");
        }
        Ok(())
    }
}

/// The tables that differ.
fn differing(old: &Connections, new: &Connections) -> Vec<&'static str> {
    let tables = [
        ("[site]", old.site == new.site),
        ("[feeds]", old.feeds == new.feeds),
        ("[[push]]", old.pushes == new.pushes),
        ("[[webhook]]", old.webhooks == new.webhooks),
        ("[mqtt]", old.mqtt == new.mqtt),
        ("[[camera]]", old.cameras == new.cameras),
        ("[vision]", old.vision == new.vision),
        ("[server]", old.server == new.server),
        ("[backup]", old.backup == new.backup),
        ("[report]", old.reports == new.reports),
    ];
    tables.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}
