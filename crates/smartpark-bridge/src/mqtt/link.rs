//! The connection to the broker: the only file that knows the MQTT library.
//!
//! A message is acknowledged by hand. An acknowledgement belongs to the connection that brought the
//! message: after a reconnect the broker sends the message again, perhaps under the number of
//! another one, so the old acknowledgement must not go out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::{
    AckMode, AsyncClient, Event, EventLoop, Incoming, LastWill, MqttOptions, Publish,
    PublishOptions, QoS, SubscribeFilter, SubscribeReasonCode, Transport,
};
use smartpark_formats::{config::Mqtt, feed::Publication};

use crate::limits::{MQTT_KEEP_ALIVE, MQTT_MAX_PACKET_BYTES};

/// What happened on the connection.
pub(super) enum News {
    /// It stands. Whether the broker had kept the session.
    Connected { is_session_kept: bool },
    /// The broker has answered to the subscriptions, and has refused so many of them.
    Subscribed { refused: usize },
    /// A message came.
    Message(Arrival),
    /// It is lost, or could not be made.
    Lost(String),
    /// Something that concerns nobody.
    Other,
}

/// A message and its acknowledgement.
pub(super) struct Arrival {
    publish: Publish,
    generation: u64,
}

impl Arrival {
    pub(super) fn topic(&self) -> String {
        String::from_utf8_lossy(&self.publish.topic).into_owned()
    }

    pub(super) fn is_retained(&self) -> bool {
        self.publish.retain
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.publish.payload
    }

    /// Whether the broker sends the message again if it is not acknowledged.
    pub(super) fn is_kept(&self) -> bool {
        self.publish.qos != QoS::AtMostOnce
    }
}

/// The sending end. Clones share the connection.
#[derive(Clone)]
pub(super) struct Sender {
    client: AsyncClient,
    /// The number of the connection that stands now. Held while an acknowledgement is put into the
    /// queue, so that none is put there once the queue of a lost connection was emptied.
    generation: Arc<Mutex<u64>>,
}

impl Sender {
    fn generation(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acknowledges a message, if the connection that brought it still stands.
    pub(super) fn acknowledge(&self, arrival: &Arrival) {
        let generation = self.generation();
        if *generation == arrival.generation
            && let Err(error) = self.client.try_ack(&arrival.publish)
        {
            tracing::debug!("a message could not be acknowledged and comes again: {error}");
        }
    }

    /// Whether the connection that brought the message still stands.
    pub(super) fn is_current(&self, arrival: &Arrival) -> bool {
        *self.generation() == arrival.generation
    }

    /// Subscribes to these filters with QoS 1.
    pub(super) fn subscribe(&self, filters: &[String]) {
        if filters.is_empty() {
            return;
        }
        let filters = filters.iter().map(|it| SubscribeFilter::new(it.clone(), QoS::AtLeastOnce));
        if let Err(error) = self.client.try_subscribe_many(filters.collect::<Vec<_>>()) {
            tracing::error!("the topics could not be subscribed to: {error}");
        }
    }

    /// Publishes, retained, with QoS 1.
    pub(super) fn publish(&self, publication: Publication) {
        let Publication { topic, payload } = publication;
        let options = PublishOptions::new(QoS::AtLeastOnce).retained();
        if let Err(error) = self.client.try_publish(topic, payload, options) {
            tracing::warn!("a state could not be published: {error}");
        }
    }
}

/// The receiving end.
pub(super) struct Link {
    events: EventLoop,
    sender: Sender,
}

/// The link to the broker, which is made when it is first polled. The last will is published by the
/// broker if the connection ends without a goodbye.
pub(super) fn link(
    mqtt: &Mqtt,
    password: Option<&str>,
    last_will: Option<Publication>,
) -> Result<Link, String> {
    let address = (mqtt.broker.host.clone(), mqtt.broker.port);
    let mut options = MqttOptions::new(mqtt.client_id.clone(), address);
    options
        .set_keep_alive(MQTT_KEEP_ALIVE)
        .set_ack_mode(AckMode::Manual)
        .set_clean_session(false)
        .set_max_packet_size(MQTT_MAX_PACKET_BYTES, MQTT_MAX_PACKET_BYTES);
    if mqtt.broker.scheme == "mqtts" {
        let tls = Transport::try_tls_with_default_config();
        options.set_transport(tls.map_err(|error| format!("TLS cannot be used: {error}"))?);
    }
    match (&mqtt.username, password) {
        (Some(name), Some(password)) => {
            options.set_credentials(name.clone(), password.to_owned());
        }
        (Some(name), None) => {
            options.set_username(name.clone());
        }
        (None, _) => {}
    }
    if let Some(Publication { topic, payload }) = last_will {
        options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
    }
    let (client, events) =
        AsyncClient::builder(options).unbounded().try_build().map_err(|it| it.to_string())?;
    Ok(Link { events, sender: Sender { client, generation: Arc::default() } })
}

impl Link {
    pub(super) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Waits for what happens next; makes the connection if there is none. To be called again and
    /// again: nothing is sent meanwhile either. Not to be dropped before it is done.
    pub(super) async fn next(&mut self) -> News {
        match self.events.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(answer))) => {
                News::Connected { is_session_kept: answer.session_present }
            }
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let generation = *self.sender.generation();
                News::Message(Arrival { publish, generation })
            }
            Ok(Event::Incoming(Incoming::SubAck(answer))) => {
                let is_refused =
                    |code: &&SubscribeReasonCode| matches!(code, SubscribeReasonCode::Failure);
                News::Subscribed { refused: answer.return_codes.iter().filter(is_refused).count() }
            }
            Ok(_) => News::Other,
            Err(error) => {
                *self.sender.generation() += 1;
                // Drops acknowledgements that were put in before the number changed.
                self.events.clean();
                News::Lost(error.to_string())
            }
        }
    }
}
