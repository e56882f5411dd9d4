//! What needs a person, and what to do about it.

use jiff::Timestamp;
use serde::Serialize;

/// Why an event was refused, or a repeat not taken as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// It names no floor.
    UnknownFloor,
    /// It lies further ahead of the server's clock than is allowed.
    Future,
    /// It is older than the retention horizon.
    TooOld,
    /// Fields do not fit.
    Invalid,
    /// It repeats the key of another event, but says something else; the first one stands.
    Differs,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::UnknownFloor, Self::Future, Self::TooOld, Self::Invalid, Self::Differs];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownFloor => "unknown_floor",
            Self::Future => "future",
            Self::TooOld => "too_old",
            Self::Invalid => "invalid",
            Self::Differs => "differs",
        }
    }
}

/// Events of a camera that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The camera; none where it did not say a name that fits, or was one of too many.
    pub camera_id: Option<String>,
    /// Why.
    pub reason: RefusalReason,
    /// How many.
    pub events: u64,
    /// When the last of them was refused.
    pub last_at: Timestamp,
}

/// Something that devices sent and SmartPark did not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCounted {
    /// The camera; none for messages that belong to no camera.
    pub camera_id: Option<String>,
    /// The kind of the reason, one word.
    pub reason: String,
    /// The reason as a sentence for a person, with the device's word that was not known. Empty for
    /// the sentences of one reason that were too many to be kept.
    pub detail: String,
    /// How often.
    pub times: u64,
    /// When the last time.
    pub last_at: Timestamp,
}

/// What kind of thing needs a person; the more urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// The server does not trust its own clock.
    TimeDistrusted,
    /// No slot of an active floor is free.
    FloorFull,
    /// A camera sends nothing at a time of the week when it always did.
    CameraSilent,
    /// Events of a camera were refused in the last 24 hours.
    EventsRefused,
    /// Entries to a full or exits from an empty floor in the last 24 hours, since the last recount.
    EventsAtLimit,
    /// All that a camera sends is old when it arrives: its time is behind.
    CameraBehind,
    /// A camera misses vehicles or counts them twice, with a probability above 0.9.
    CameraErrs,
    /// A device sent something in the last 24 hours that was not counted, and that may be vehicles.
    NotCounted,
    /// The true number of vehicles on a floor is uncertain, and a recount would help.
    RecountSuggested,
    /// An active floor has reached 90 % and not fallen below 80 % since.
    FloorNearlyFull,
    /// Events are kept longer than they should be.
    EventsKept,
}

impl AttentionKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimeDistrusted => "time_distrusted",
            Self::EventsKept => "events_kept",
            Self::FloorFull => "floor_full",
            Self::CameraSilent => "camera_silent",
            Self::EventsRefused => "events_refused",
            Self::CameraBehind => "camera_behind",
            Self::CameraErrs => "camera_errs",
            Self::EventsAtLimit => "events_at_limit",
            Self::NotCounted => "not_counted",
            Self::RecountSuggested => "recount_suggested",
            Self::FloorNearlyFull => "floor_nearly_full",
        }
    }
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttentionLevel {
    /// Cars go wrong, or are not counted.
    High,
    /// Soon, or to some extent.
    Medium,
    /// When there is time.
    Low,
}

impl AttentionLevel {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// When an event was seen and when it was received, in microseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its camera.
    pub camera_id: String,
    /// When it was received.
    pub received_at: i64,
    /// When the camera saw it.
    pub timestamp: i64,
}

/// How old the events of a camera are at least when they arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraLag {
    /// The camera.
    pub camera_id: String,
    /// The smallest age of its last live events, in microseconds; 0 if one was ahead.
    pub micros: i64,
    /// Whether its time must be wrong: the lag is large, or lasts.
    pub is_told: bool,
}

/// One thing that needs a person. What does not apply is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionItem {
    /// What it is.
    pub kind: AttentionKind,
    /// How urgent it is.
    pub level: AttentionLevel,
    /// The floor.
    pub floor_id: Option<i64>,
    /// Its name.
    pub floor: Option<String>,
    /// The camera.
    pub camera_id: Option<String>,
    /// Why events were refused.
    pub reason: Option<RefusalReason>,
    /// Of a floor that is full or nearly full the vehicles, of a silent camera the events that were
    /// to be expected, else the events.
    pub count: Option<u64>,
    /// Since when a floor is so; none where that is more than a day. The last event of a camera
    /// that is silent.
    pub since: Option<Timestamp>,
    /// The last of the events.
    pub last: Option<Timestamp>,
    /// What it is, as an English sentence.
    pub detail: String,
    /// What to do, as an English sentence.
    pub advice: &'static str,
}

/// What needs a person, the most urgent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// The things.
    pub items: Vec<AttentionItem>,
    /// When they were looked for.
    pub checked_at: Timestamp,
}

/// Events that found a floor at its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorAtLimit {
    /// The floor's id.
    pub floor_id: i64,
    /// How many events.
    pub events: i64,
    /// When the last of them happened, in microseconds since 1970 UTC.
    pub last_at: i64,
}

/// How many events a camera sent in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraHour {
    /// The camera.
    pub camera_id: String,
    /// The hour, in microseconds since 1970 UTC.
    pub hour: i64,
    /// How many events.
    pub events: i64,
}

/// When a camera sent its last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// The camera.
    pub camera_id: String,
    /// The event's timestamp; the hour that holds it where cleanup has deleted the event.
    pub at: Timestamp,
}

/// What a device sent and SmartPark did not count, for one reason in one hour, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCountedInHour {
    /// The hour, in microseconds since 1970 UTC.
    pub hour: i64,
    /// The camera; empty for a message that belongs to no camera.
    pub camera_id: String,
    /// The kind of the reason, one word.
    pub reason: String,
    /// The reason as a sentence for a person, with the device's word that was not known.
    pub detail: String,
    /// How often.
    pub times: i64,
    /// The last time, in microseconds since 1970 UTC.
    pub last_at: i64,
}

/// Refusals of an hour, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedInHour {
    /// The hour, in microseconds since 1970 UTC.
    pub hour: i64,
    /// The camera; empty where it has no name.
    pub camera_id: String,
    /// Why they were refused.
    pub reason: RefusalReason,
    /// How many events.
    pub events: i64,
    /// When the last of them was refused, in microseconds since 1970 UTC.
    pub last_at: i64,
}
