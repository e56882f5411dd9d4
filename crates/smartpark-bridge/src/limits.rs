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
/// Pauses of a webhook after its first, second, … failed attempt in a row; the last one from then
/// on. (Standard Webhooks 1.0.0 proposes them.)
pub const WEBHOOK_PAUSES: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    WEBHOOK_LONGEST_PAUSE,
];
/// Longest pause of a webhook, also if its receiver asks for a longer one.
pub const WEBHOOK_LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// By how much a pause is shorter or longer at most, in per cent, so that receivers which come back
/// are not asked by everybody at once.
pub const WEBHOOK_JITTER_PERCENT: f64 = 20.0;
/// Attempts of one message.
pub const WEBHOOK_ATTEMPTS: u32 = 10;
/// How long messages wait for a receiver that takes none: as long as ten attempts take.
pub const WEBHOOK_GIVE_UP: SignedDuration = SignedDuration::from_mins(75 * 60 + 35);
/// After so many failed attempts in a row attention tells a person: a receiver that is away for a
/// few minutes is not told.
pub const WEBHOOK_TOLD_FAILURES: u32 = 3;
/// How often a person is told of a webhook that was switched off.
pub const WEBHOOK_OFF_TOLD: SignedDuration = SignedDuration::from_hours(6);
/// How long a receiver may take to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);
/// Facts that a webhook reads at once.
pub const WEBHOOK_FACTS: u32 = 200;
/// How often a webhook looks whether cameras are silent and whether counts agree.
pub const WEBHOOK_LOOK: SignedDuration = SignedDuration::from_secs(30);
/// How often a webhook stores its position while it has nothing to tell: so much is read again
/// after a restart.
pub const WEBHOOK_STORE: SignedDuration = SignedDuration::from_secs(60);
/// How often the server that delivers says so; another one takes over if it has seen no such sign
/// for [`WEBHOOK_LEASE`].
pub const WEBHOOK_BEAT: Duration = Duration::from_secs(10);
/// See [`WEBHOOK_BEAT`]. Longer than an attempt and a beat, so two never deliver side by side.
pub const WEBHOOK_LEASE: Duration = Duration::from_secs(40);
/// Pause after the database was away.
pub const WEBHOOK_RETRY: Duration = Duration::from_secs(1);
/// Parts that the state of a webhook may be stored in, each as large as a state may be.
pub const MAX_WEBHOOK_PARTS: usize = 64;
/// Bytes of such a part.
pub const WEBHOOK_PART_BYTES: usize = 4_000;
