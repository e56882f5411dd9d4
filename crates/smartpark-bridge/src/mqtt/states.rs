//! What SmartPark publishes: the state of each floor, and Home Assistant's discovery.

use std::collections::HashMap;

use smartpark_exchange::Sites;
use smartpark_formats::{
    config::MqttOut,
    feed::{Publication, SiteView, floor_state, home_assistant_all, status_topic},
};
use smartpark_ledger::SmartPark;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Sender, Standing};
use crate::limits::{MQTT_REFRESH, MQTT_SETTLE};

/// The version that Home Assistant shows.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Publishes the states of the floors.
pub(super) struct States<'a> {
    park: SmartPark,
    sites: Sites,
    out: Option<&'a MqttOut>,
    sender: Sender,
    /// What was published last, by topic.
    published: HashMap<String, Vec<u8>>,
    /// The floors, their names and their order: Home Assistant hears of it when they change.
    shape: Vec<(i64, String)>,
}

impl<'a> States<'a> {
    pub(super) fn new(
        park: SmartPark,
        sites: Sites,
        out: Option<&'a MqttOut>,
        sender: Sender,
    ) -> Self {
        Self { park, sites, out, sender, published: HashMap::new(), shape: Vec::new() }
    }

    /// Publishes everything after each connection and when Home Assistant began, changes when they
    /// happen, and everything once in a while.
    pub(super) async fn run(
        mut self,
        mut stands: watch::Receiver<Standing>,
        mut asked: watch::Receiver<()>,
    ) {
        let Some(out) = self.out else { return std::future::pending().await };
        let mut changes = self.park.changes();
        let mut known = Standing::default();
        loop {
            if !stands.borrow().is_connected {
                // Nothing is put into a queue that nobody empties.
                if stands.wait_for(|standing| standing.is_connected).await.is_err() {
                    return;
                }
            }
            let now = *stands.borrow_and_update();
            let is_new = now.times != known.times;
            known = now;
            self.publish(out, is_new).await;
            // Many commits share one publication.
            sleep(MQTT_SETTLE).await;
            let everything = timeout(MQTT_REFRESH, async {
                tokio::select! {
                    _ = changes.changed() => false,
                    _ = stands.changed() => false,
                    _ = asked.changed() => true,
                }
            });
            if everything.await.unwrap_or(true) {
                known = Standing::default();
            }
        }
    }

    /// Publishes what is not as it was published last, or everything.
    async fn publish(&mut self, out: &MqttOut, everything: bool) {
        let sites = match self.sites.views().await {
            Ok(sites) => sites,
            Err(error) => return tracing::debug!("the states are not published: {error}"),
        };
        for site in &sites {
            self.publish_site(out, site, everything);
        }
    }

    fn publish_site(&mut self, out: &MqttOut, site: &SiteView, everything: bool) {
        let shape: Vec<(i64, String)> =
            site.floors.iter().map(|floor| (floor.id, floor.name.clone())).collect();
        let has = |id: i64| shape.iter().any(|(known, _)| *known == id);
        let gone: Vec<i64> = self.shape.iter().map(|(id, _)| *id).filter(|id| !has(*id)).collect();
        let names = (out.home_assistant.as_deref(), out.prefix.as_str());
        if everything || shape != self.shape {
            for id in &gone {
                // An empty retained payload removes the topic.
                let topic = smartpark_formats::feed::floor_topic(&out.prefix, &site.id, *id);
                self.published.remove(&topic);
                self.sender.publish(Publication { topic, payload: Vec::new() });
            }
            for publication in home_assistant_all(site, &gone, names, VERSION) {
                self.send(publication);
            }
            if !gone.is_empty() {
                // Named once, so that Home Assistant forgets them; then without them.
                let config = home_assistant_all(site, &[], names, VERSION);
                let topic = status_topic(&out.prefix, &site.id);
                let config = config.into_iter().take_while(|it| it.topic != topic);
                config.for_each(|publication| self.send(publication));
            }
            self.shape = shape;
            return;
        }
        for floor in &site.floors {
            let publication = floor_state(&out.prefix, site, floor);
            if self.published.get(&publication.topic) != Some(&publication.payload) {
                self.send(publication);
            }
        }
    }

    fn send(&mut self, publication: Publication) {
        self.published.insert(publication.topic.clone(), publication.payload.clone());
        self.sender.publish(publication);
    }
}
