//! Every bound of the bridge, named, with its unit and its reason.

use std::time::Duration;

use jiff::SignedDuration;

/// Seconds between two signs of life to the broker. After one and a half times as long the broker
/// thinks that we are gone.
pub const MQTT_KEEP_ALIVE: u16 = 30;
/// Largest MQTT packet that is taken in, in bytes: the largest that there is. A larger message than
/// SmartPark reads must not end the connection, since the broker would send it again for ever.
pub const MQTT_MAX_PACKET_BYTES: usize = 268_435_461;
/// Messages that are recorded at the same time. Brokers send fewer without an acknowledgement
/// (Mosquitto: 20).
pub const MAX_MQTT_AT_ONCE: usize = 1_000;
/// Pause before the first attempt to connect again; doubles up to [`MQTT_LONGEST_PAUSE`].
pub const MQTT_FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two attempts to connect.
pub const MQTT_LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Pause before a message is recorded again because the database was away.
pub const RECORD_RETRY: Duration = Duration::from_secs(1);
/// How often a message is tried that fails for a reason of the program's own.
pub const MAX_MQTT_FAILURES: u32 = 5;
/// Connections that are lost soon after they were made: as many within [`MQTT_TAKEOVER_WINDOW`]
/// mean that another client uses our name.
pub const MQTT_TAKEOVERS: usize = 3;
/// See [`MQTT_TAKEOVERS`].
pub const MQTT_TAKEOVER_WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// How long we leave the name to the other client, so that its messages are not disturbed either.
pub const MQTT_TAKEOVER_PAUSE: Duration = Duration::from_secs(60);
/// After how long away from the broker a person is told.
pub const MQTT_AWAY: SignedDuration = SignedDuration::from_secs(60);
/// How often it is stored that the connection stands.
pub const MQTT_SIGN_INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// How long after a commit its state is published, so that many commits share one publication.
pub const MQTT_SETTLE: Duration = Duration::from_millis(200);
/// How often all states are published although nothing changed.
pub const MQTT_REFRESH: Duration = Duration::from_secs(300);
/// How long after a change the state is pushed, so that several changes share one message.
pub const PUSH_AFTER_CHANGE: Duration = Duration::from_secs(5);
/// Pause before a target that failed is tried again; doubles up to [`PUSH_LONGEST_PAUSE`].
pub const PUSH_FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause before a target that failed is tried again.
pub const PUSH_LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long a target may take to answer.
pub const PUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read: a list of refused sites.
pub const MAX_PUSH_ANSWER_BYTES: u64 = 1024 * 1024;
/// Pause before the event stream of a device is read again; doubles up to [`DEVICE_LONGEST_PAUSE`].
pub const DEVICE_FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause before the event stream of a device is read again.
pub const DEVICE_LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a device may say nothing that speaks every five seconds.
pub const DEVICE_SILENCE: Duration = Duration::from_secs(20);
/// How long a device may take until the head of its answer is there.
pub const DEVICE_ANSWER: Duration = Duration::from_secs(10);
