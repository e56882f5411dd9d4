//! The bridge to an MQTT broker: messages of devices in, the state of the floors out.
//!
//! A message is acknowledged after its events are on disk. If the database is away, it is not: the
//! task tries again, and after a reconnect the broker sends the message again. What can never be
//! counted is acknowledged, too.

mod away;
mod link;
mod states;
mod takeover;

use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesOrdered};
use smartpark_exchange::{Inputs, Sites};
use smartpark_formats::{
    config::Mqtt,
    feed::{Publication, status_topic},
    input::Message,
};
use smartpark_ledger::{Error, SmartPark};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use crate::limits::{
    MAX_MQTT_AT_ONCE, MAX_MQTT_FAILURES, MQTT_FIRST_PAUSE, MQTT_LONGEST_PAUSE, MQTT_TAKEOVER_PAUSE,
    RECORD_RETRY,
};
use away::Away;
use link::{Arrival, Link, News, Sender};
use states::States;
use takeover::Takeovers;

/// The bridge to one broker.
#[derive(Debug)]
pub struct MqttBridge {
    park: SmartPark,
    inputs: Arc<Inputs>,
    sites: Sites,
    mqtt: Mqtt,
    password: Option<String>,
}

/// Whether the connection stands, and how often it was made: those who publish begin anew each
/// time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    is_connected: bool,
    times: u64,
}

impl MqttBridge {
    /// The bridge to this broker. `password` is what stands in the file that the configuration
    /// names.
    #[must_use]
    pub fn new(
        park: SmartPark,
        inputs: Arc<Inputs>,
        sites: Sites,
        mqtt: Mqtt,
        password: Option<String>,
    ) -> Self {
        Self { park, inputs, sites, mqtt, password }
    }

    /// Runs until `stopping` becomes true. A broker that is away is tried again and again.
    ///
    /// # Errors
    /// A sentence for a person if the connection cannot be set up at all.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) -> Result<(), String> {
        let out = self.mqtt.out.as_ref();
        let last_will = out.map(|out| Publication {
            topic: status_topic(&out.prefix, self.sites.id()),
            payload: b"offline".to_vec(),
        });
        let link = link::link(&self.mqtt, self.password.as_deref(), last_will)?;
        let sender = link.sender();
        let (standing, stands) = watch::channel(Standing::default());
        let (arrivals, arrived) = mpsc::channel(MAX_MQTT_AT_ONCE);
        let (again, asked) = watch::channel(());
        let publishing = States::new(self.park.clone(), self.sites.clone(), out, sender.clone());
        tokio::select! {
            () = self.listen(link, &standing, &arrivals, &again) => {}
            () = self.count(arrived, &sender) => {}
            () = publishing.run(stands, asked) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        // The connection ends without a goodbye, so the broker publishes `offline`. What was not
        // acknowledged comes again.
        Ok(())
    }

    /// Polls the connection, subscribes after each CONNACK, and hands messages on.
    async fn listen(
        &self,
        mut link: Link,
        standing: &watch::Sender<Standing>,
        arrivals: &mpsc::Sender<Arrival>,
        again: &watch::Sender<()>,
    ) {
        let sender = link.sender();
        let (filters, greeting) = self.filters();
        let mut away = Away::new(self.park.clone(), &self.mqtt.client_id);
        let (mut takeovers, mut pause) = (Takeovers::default(), MQTT_FIRST_PAUSE);
        loop {
            match link.next().await {
                News::Connected { is_session_kept } => {
                    tracing::info!(is_session_kept, "connected to the broker");
                    sender.subscribe(&filters);
                    pause = MQTT_FIRST_PAUSE;
                    standing.send_modify(|it| {
                        *it = Standing { is_connected: true, times: it.times + 1 };
                    });
                    away.ended(is_session_kept).await;
                    takeovers.connected(self.park.now());
                }
                News::Subscribed { refused: 0 } => {
                    tracing::info!("subscribed to the topics of the broker");
                }
                News::Subscribed { refused } => {
                    let detail = format!(
                        "the broker refused {refused} of the topics: its access list must let \
                         SmartPark read them"
                    );
                    tracing::error!("{detail}");
                    self.park.events().note_not_counted(None, "not_subscribed", &detail);
                }
                News::Message(arrival) if Some(arrival.topic()) == greeting => {
                    sender.acknowledge(&arrival);
                    if arrival.body() == b"online" {
                        again.send_replace(());
                    }
                }
                News::Message(arrival) => {
                    // Waits while as many are under way as may be: the broker keeps the rest.
                    if arrivals.send(arrival).await.is_err() {
                        return;
                    }
                }
                News::Lost(why) => {
                    let was_connected = standing.borrow().is_connected;
                    standing.send_modify(|it| it.is_connected = false);
                    if was_connected {
                        tracing::warn!("the connection to the broker is lost: {why}");
                        away.begun().await;
                    } else {
                        tracing::debug!("the broker cannot be reached: {why}");
                    }
                    if was_connected && takeovers.lost(self.park.now()) {
                        self.tell_takeover();
                        sleep(MQTT_TAKEOVER_PAUSE).await;
                    } else {
                        sleep(pause).await;
                        pause = (2 * pause).min(MQTT_LONGEST_PAUSE);
                    }
                }
                News::Other => away.still_connected().await,
            }
        }
    }

    /// The topic filters to subscribe to, and the topic on which Home Assistant says that it began.
    fn filters(&self) -> (Vec<String>, Option<String>) {
        let topics = self.inputs.connections().topics();
        let mut filters: Vec<String> = topics.into_iter().map(str::to_owned).collect();
        let out = self.mqtt.out.as_ref();
        let discovery = out.and_then(|out| out.home_assistant.as_deref());
        let greeting = discovery.map(|discovery| format!("{discovery}/status"));
        filters.extend(greeting.clone());
        (filters, greeting)
    }

    /// Records what comes, many messages at once, and acknowledges each in its turn.
    async fn count(&self, mut arrived: mpsc::Receiver<Arrival>, sender: &Sender) {
        let mut counting = FuturesOrdered::new();
        loop {
            let has_room = counting.len() < MAX_MQTT_AT_ONCE;
            tokio::select! {
                biased;
                Some(arrival) = counting.next(), if !counting.is_empty() => {
                    sender.acknowledge(&arrival);
                }
                next = arrived.recv(), if has_room => match next {
                    Some(arrival) => counting.push_back(self.settle(arrival, sender)),
                    None => return,
                },
            }
        }
    }

    /// Records one message. If the database is away, it is tried again until the database is back
    /// or the broker sends the message again.
    async fn settle(&self, arrival: Arrival, sender: &Sender) -> Arrival {
        let topic = arrival.topic();
        let arrived = self.park.now();
        let mut failures = 0;
        loop {
            let message = Message {
                topic: Some(&topic),
                retained: arrival.is_retained(),
                content_type: None,
                file_name: None,
                body: arrival.body(),
                arrived,
            };
            match self.inputs.receive_topic(&message).await {
                Ok(_) => return arrival,
                Err(Error::Internal(why) | Error::Broken(why) | Error::Unusable(why)) => {
                    tracing::error!("a message on {topic} could not be recorded: {why}");
                    failures += 1;
                }
                Err(error) => tracing::debug!("a message on {topic} waits: {error}"),
            }
            if failures >= MAX_MQTT_FAILURES {
                // The same would happen again, and all others wait behind it.
                let detail = format!("a message on {topic} could not be recorded; see the log");
                self.park.events().note_not_counted(None, "failed", &detail);
                return arrival;
            }
            if arrival.is_kept() && !sender.is_current(&arrival) {
                return arrival;
            }
            sleep(RECORD_RETRY).await;
        }
    }

    fn tell_takeover(&self) {
        let detail = format!(
            "another client uses the client_id {}: it and SmartPark throw each other out. Give \
             each a client_id of its own",
            self.mqtt.client_id
        );
        tracing::error!("{detail}");
        self.park.events().note_not_counted(None, "takeover", &detail);
    }
}
